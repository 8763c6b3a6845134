"""``study``: many runs with one question: submit, status, table, report, stop, resume, grow, list, and the trash."""

import argparse
import json
import math
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fop_core.commands import train, trash
from fop_core.commands.report_errors import for_each
from fop_core.formatting import duration, size
from fop_core.printable import printable

if TYPE_CHECKING:
    from fop_core.runs.plugins import Source
    from fop_core.studies.progress import StudyTable
    from fop_core.studies.protocol import Study
    from fop_core.studies.trash import Trashed

SHOWN = 40  # rows of a table on a terminal, unless --all
_LEFT_OUT = ("train_", "best_", "held_out_loss", "test_loss", "diverged", "share", "adopted", "gradients_")
"""Columns that CSV and JSON have, and a terminal's table has not."""


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    parser = commands.add_parser("study", help="compare methods: tune, report with fresh seeds, conclude")
    parser.add_argument("--folder", type=Path, help="where the runs are (FOP_RUNS_DIR, trained_models/runs)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    _add_submit(verbs)
    for name, words, do in (
        ("status", "how many runs have ended, who leads, what is concluded", _status),
        ("table", "a row for each run", _table),
        ("report", "everything in one file that needs no network", _report),
        ("stop", "end its runs with a checkpoint, or take them out of the queue", _stop),
        ("resume", "go on with it; what was deleted is made anew", _resume),
        ("grow", "add values of an axis, a new axis, or seeds", _grow),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("study", metavar="STUDY", help="its name")
        verb.set_defaults(do=do)
        if name in ("status", "table"):
            verb.add_argument("--json", action="store_true", help="as JSON")
        if name == "table":
            verb.add_argument("--csv", action="store_true", help="as CSV")
            verb.add_argument("--all", action="store_true", help=f"all rows, not the first {SHOWN} alone")
        if name == "report":
            verb.add_argument("file", type=Path, help="a new file, *.html, *.pdf or *.csv")
        if name == "grow":
            verb.add_argument("--axis", help="as of `submit`")
            verb.add_argument("--seeds", help="of tuning")
            verb.add_argument("--fresh-seeds", help="of reporting")
            verb.add_argument("--limit", type=int, help="runs at most, from now on")
    for name, count, words, do in (
        ("delete", "+", "move studies to the trash; their runs stay", _delete),
        ("restore", "+", "bring studies back from the trash", _restore),
        ("empty-trash", "*", "remove what is in the trash from the disk, for good; their runs stay", _empty_trash),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("studies", metavar="STUDY", nargs=count, help="their names")
        verb.set_defaults(do=do)
        if name == "empty-trash":
            verb.add_argument("--yes", action="store_true", help="do not ask")
    for name, words, do in (("list", "all studies, newest first", _list), ("trash", "what is in the trash", _trash)):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("--json", action="store_true", help="as JSON")
        verb.set_defaults(do=do)


def _add_submit(verbs: Any) -> None:
    submit = verbs.add_parser(
        "submit",
        help="a new study",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Tune each method on held-out images of the training set, then report the winners on the test set\n"
        "with fresh seeds. Runs that are there with the same settings are taken in. It returns at once.",
        epilog="""examples:
  study submit --preset mnist-mlp --methods momentum,fop --axis optimizer.lr=0.01,0.05,0.1 --axis fop.rank=1,16 \\
      --seeds 0,1,2 --name rates
  study submit --preset mnist-mlp --methods sgd,adam --axis sgd:optimizer.lr=log:1e-2:1:5 \\
      --axis adam:optimizer.lr=log:1e-4:1e-2:5 --set epochs=3 --target test_accuracy=0.97 --name first --dry-run
  study submit --methods momentum,fop --axis optimizer.lr=log:1e-3:1e-1:2 --trials 16 --early-ending --name quasi""",
    )
    submit.add_argument("--name", required=True, help="what to call it")
    submit.add_argument("--preset", default="mnist-mlp", help="see `train --help` (mnist-mlp)")
    submit.add_argument(
        "--methods",
        help="see `train --help`, or a base optimizer as muon, or plugin (momentum,fop unless there are variants)",
    )
    submit.add_argument(
        "--variant",
        action="append",
        default=[],
        dest="variants",
        metavar="NAME=METHOD:FIELD=VALUE,...",
        help="a method under a name and with settings of its own, as k4=fop:fop.rank=4; may be repeated",
    )
    submit.add_argument(
        "--axis",
        action="append",
        default=[],
        dest="axes",
        metavar="FIELD=VALUES",
        help="0.01,0.1; log:1e-3:1e-1:5; lin:1:9:3; adam:FIELD=... for one method alone; may be repeated",
    )
    submit.add_argument("--set", action="append", default=[], metavar="FIELD=VALUE", dest="settings", help="for all")
    train.plugin_arguments(submit)
    submit.add_argument("--trials", type=int, help="quasi-random points of each method, in place of a grid")
    submit.add_argument("--seeds", default="0-2", help='of tuning: "0,1,2", "0-2" or "0-2,5" (0-2)')
    submit.add_argument("--fresh-seeds", help='of reporting (as many, the next ones); "none" reports nothing')
    submit.add_argument("--held-out", type=float, default=0.1, help="share of the training images that chooses (0.1)")
    submit.add_argument(
        "--choose",
        help="held_out_accuracy, held_out_loss, train_loss (the first; the second where the data have no accuracy)",
    )
    submit.add_argument("--choose-at", default="last", help="last or best")
    submit.add_argument("--target", metavar="COLUMN=VALUE", help="to be reached: test_accuracy=0.97, test_loss=0.1")
    submit.add_argument("--early-ending", action="store_true", help="end tuning runs that fall behind the median")
    submit.add_argument("--baseline", default="", help="the method to compare with; all with all unless given")
    submit.add_argument(
        "--compare",
        help="what is compared: test_accuracy, test_loss, train_loss (the first; the second likewise)",
    )
    submit.add_argument("--alpha", type=float, default=0.05, help="chance of declaring what is not there (0.05)")
    submit.add_argument("--limit", type=int, default=2000, help="runs at most (2000)")
    submit.add_argument(
        "--dry-run", action="store_true", help="show runs, time, disk and what can be seen; submit none"
    )
    submit.add_argument("--probe", action="store_true", help="measure first steps where no run tells the time")
    submit.set_defaults(do=_submit)


def _composed(chosen: argparse.Namespace) -> "tuple[Study, dict[str, Source]]":
    """Return the study that arguments name, and its plug-ins by part.

    Raises:
        ValueError: where they name none.
    """
    from fop_core.studies import protocol
    from fop_core.studies.measures import Measures
    from fop_core.studies.variants import parse_variant

    variants = [parse_variant(text) for text in chosen.variants]
    names = [name for name, _ in variants]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"--variant {twice} is there twice: give each a name of its own")
    usual = "" if variants and chosen.methods is None else "momentum,fop"
    methods = [method.strip() for method in (chosen.methods or usual).split(",") if method.strip()]
    content: dict[str, Any] = {
        "name": chosen.name,
        "preset": chosen.preset,
        "base": dict(_setting(text) for text in chosen.settings),
        "methods": [*methods, *(name for name in names if name not in methods)],
        "variants": {name: variant.model_dump(mode="json") for name, variant in variants},
        "axes": [protocol.parse_axis(text).model_dump() for text in chosen.axes],
        "seeds": _seeds(chosen.seeds),
        "held_out": chosen.held_out,
        "limit": chosen.limit,
    }
    if chosen.trials is not None:
        content |= {"sampling": "quasi-random", "trials": chosen.trials}
    if chosen.fresh_seeds is not None:
        content["fresh_seeds"] = () if chosen.fresh_seeds == "none" else _seeds(chosen.fresh_seeds)
    if chosen.early_ending:
        content["ending"] = {}
    if chosen.target is not None:
        column, value = _setting(chosen.target)
        content["target"] = {"column": column, "value": value}
    sources, measured = train.confirmed_sources(chosen), Measures()
    if sources:
        from fop_core.training import config
        from fop_core.training.probe import client

        own = [*(each for each in chosen.settings if each.startswith("model.")), *train.plugin_settings(chosen)]
        base = client.plugged(config.preset(chosen.preset, "momentum"), sources, own)
        config_, probed = train.probed(base, sources)
        sections, measured = config_.to_json(), Measures.of(probed)
        content["plugins"] = {
            part: {**sections[part]["plugin"], "settings": sections[part]["settings"]} for part in sources
        }
    content["choose"] = {"column": chosen.choose or f"held_out_{measured.usual}", "at": chosen.choose_at}
    compared = chosen.compare or f"test_{measured.usual}"
    content["analysis"] = {"column": compared, "baseline": chosen.baseline, "alpha": chosen.alpha}
    study = protocol.parse(content)
    measured.check(study)
    return study, sources


def _setting(text: str) -> tuple[str, Any]:
    field, equals, words = text.partition("=")
    if not equals or not field.strip():
        raise ValueError(f"{text!r}: write field=value, as epochs=5")
    try:
        return field.strip(), json.loads(words)
    except (ValueError, RecursionError):
        return field.strip(), words.strip()


def _seeds(text: str) -> list[int]:
    """Return the seeds of "0,1,2", "0-2" or "0-2,5"."""
    from fop_core.training.seeds import seeds

    return seeds(text)


def _submit(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies import submit
    from fop_core.studies.cells import check, count

    study, sources = _composed(chosen)
    check(study)
    tuning, reporting = count(study)
    for line in _forecast(study, chosen, sources):
        print(line)
    if chosen.dry_run:
        return 0
    done = submit.submit(study, chosen.folder, sources)
    for line in submit.words(done):
        print(line)
    later = f"; then {reporting} of the winners with fresh seeds" if study.axes and reporting else ""
    print(
        f"study {done.stored.id}: {tuning or reporting} runs{later}. `study status {done.stored.id}` shows how it goes"
    )
    return 1 if done.troubles else 0


def _forecast(study: "Study", chosen: argparse.Namespace, sources: "dict[str, Source]") -> Iterable[str]:
    """Yield what a study will cost and what it can show, in sentences."""
    from fop_core.studies.cells import points
    from fop_core.studies.conclusions import gap
    from fop_core.studies.predict import detectable, predict

    will = predict(study, chosen.folder, probe=chosen.probe, sources=sources)
    total = will.tuning + will.reporting
    yield f"{total:,} runs: {will.tuning:,} to tune, {will.reporting:,} to report; {will.there:,} are there already"
    trials = {method: len(tried) for method, tried in points(study).items()}
    if study.axes and len(set(trials.values())) > 1:
        of = ", ".join(f"{method} {number:,}" for method, number in trials.items())
        equal = "; --trials evens it out on ranges, as log:0.01:0.1:3" if study.sampling == "grid" else ""
        yield f"methods with more settings to try have more chances to be lucky ({of}){equal}"
    if math.isnan(will.seconds):
        yield "how long that takes is not known: no run of like settings has ended here; --probe measures it"
    else:
        on = f"{will.slots} at a time" if will.slots > 1 else "one after another"
        yield f"about {duration(will.wall_seconds)}, {on}, and {size(will.size)} on the disk"
    can = detectable(study, chosen.folder)
    if can is None:
        yield "which difference can be seen is not known: no runs with several seeds are here to tell their spread"
    elif math.isinf(can.difference):
        yield "one seed shows no difference"
    else:
        least = gap(can.difference, can.column)
        yield f"{can.n} seeds see a difference of {least} with probability 0.8 (from {can.source})"


def _advanced(chosen: argparse.Namespace) -> "StudyTable":
    """Return a study's table once what is due in it has been done."""
    from fop_core.jobs import queue
    from fop_core.runs.files import DamagedFile, RunError
    from fop_core.studies import advance, progress, store, watcher

    try:
        advance.advance(chosen.study, chosen.folder)
        table = progress.table(chosen.study, chosen.folder)
        if not table.stored.stopped and (why := store.obstacle(table.stored)):
            print(f"nothing is started: {printable(why)}", file=sys.stderr)
        watcher.ensure(table.stored.folder)
        queue.ensure_dispatcher(table.stored.folder)
    except (RunError, DamagedFile, OSError) as error:
        table = progress.table(chosen.study, chosen.folder)  # what there is can be shown all the same
        print(f"nothing is started: {error}", file=sys.stderr)
    return table


def _status(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import files
    from fop_core.studies.analysis import winners
    from fop_core.studies.conclusions import amount, conclusions, point_words

    table = _advanced(chosen)
    study = table.study
    leads = winners(table)
    if chosen.json:
        content = {
            "id": table.stored.id,
            "stopped": table.stored.stopped,
            "runs": {role: sum(each == role for each in table.role) for role in ("tune", "report")},
            "ended": {role: int(table.ended[table.rows(role)].sum()) for role in ("tune", "report")},
            "states": table.counts,
            "winners": {m: {"point": dict(w.point), "score": w.score, "final": w.final} for m, w in leads.items()},
            "conclusions": conclusions(table),
        }
        print(json.dumps(files.plain(content), indent=1))
        return 0
    states = ", ".join(f"{n:,} {state}" for state, n in table.counts.items())
    print(f"{printable(study.name)} ({printable(study.origin)}){', stopped' if table.stored.stopped else ''}: {states}")
    for role, words in (("tune", "tuning"), ("report", "reporting")):
        rows = table.rows(role)
        expected = len(study.methods) * len(study.fresh_seeds or ()) if role == "report" else len(rows)
        if expected:
            print(f"{words}: {int(table.ended[rows].sum()) if rows else 0:,} of {expected:,} runs have ended")
    where = "on held-out images" if study.choose.column.startswith("held_out") else "in training"
    for method, winner in leads.items():
        verb = "won" if winner.final else "leads"
        score = amount(winner.score, study.choose.column)
        setting = point_words(winner.point) or "its settings"
        print(f"{study.called(method)}: {verb} with {setting}, {score} {where} (n = {winner.n})")
    for sentence in conclusions(table):
        print(sentence)
    return 0


def _table(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import files
    from fop_core.studies import rows

    names, lines = rows.rows(_advanced(chosen))
    if chosen.csv:
        print(rows.csv_text(names, lines), end="")
    elif chosen.json:
        print(json.dumps(files.plain([dict(zip(names, line)) for line in lines]), indent=1))
    else:
        kept = [index for index, name in enumerate(names) if not name.startswith(_LEFT_OUT)]
        head = [names[index].replace("_", " ") for index in kept]
        _print([head, *([_cell(line[index], names[index]) for index in kept] for line in lines)], chosen)
    return 0


def _cell(value: Any, name: str) -> str:
    if isinstance(value, bool):
        return "yes" if value else "-"
    if isinstance(value, float):
        if math.isnan(value):
            return "-"
        return size(value) if name == "peak_memory" and math.isfinite(value) else f"{value:.5g}"
    return str(value) if value != "" else "-"


def _print(lines: list[list[str]], chosen: argparse.Namespace) -> None:
    head, *rows = [[printable(cell) for cell in line] for line in lines]
    shown = rows if chosen.all else rows[:SHOWN]
    filled = [index for index in range(len(head)) if any(row[index] != "-" for row in rows)]
    kept = [[line[index] for index in filled] for line in (head, *shown)]
    widths = [max(map(len, column)) for column in zip(*kept)]
    for line in kept:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip())
    if len(shown) < len(rows):
        print(f"... and {len(rows) - len(shown):,} more: --all shows them")


def _report(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies import report

    makers = {".html": report.html, ".pdf": report.pdf, ".csv": report.csv}
    if chosen.file.suffix not in makers:
        raise ValueError(f"{chosen.file}: give a file that ends in .html, .pdf or .csv")
    if chosen.file.exists():
        raise ValueError(f"{chosen.file} exists already")
    content = makers[chosen.file.suffix](chosen.study, chosen.folder)
    chosen.file.write_bytes(content)
    print(f"{chosen.file}: {len(content):,} bytes")
    return 0


def _stop(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies import submit

    stopped, troubles = submit.stop(chosen.study, chosen.folder)
    print(f"{stopped:,} runs are asked to stop, or out of the queue; `study resume {chosen.study}` goes on")
    for run_id, trouble in troubles.items():
        print(trouble if run_id in trouble else f"{run_id}: {trouble}", file=sys.stderr)
    return 1 if troubles else 0


def _resume(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies import submit

    return _said(submit.resume(chosen.study, chosen.folder))


def _grow(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies import protocol, submit

    if chosen.axis is None and chosen.seeds is None and chosen.fresh_seeds is None:
        raise ValueError("nothing to add: give --axis, --seeds or --fresh-seeds")
    axis = None if chosen.axis is None else protocol.parse_axis(chosen.axis)
    seeds, fresh = (tuple(_seeds(text)) if text else () for text in (chosen.seeds, chosen.fresh_seeds))
    more = submit.grow(
        chosen.study, axis=axis, seeds=seeds, fresh_seeds=fresh, limit=chosen.limit, folder=chosen.folder
    )
    return _said(more)


def _delete(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies import store, submit

    def delete(stored: Any) -> str:
        name = submit.delete(stored.id, stored.folder)
        return (
            f"{stored.id} is in the trash, and its runs stay: `study restore {name}` brings it back, "
            f"`study empty-trash {name}` removes it"
        )

    studies = [store.load(text, chosen.folder) for text in chosen.studies]
    return for_each({stored.id: stored for stored in studies}.values(), delete)


def _trash(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies.trash import trashed

    return trash.show(((gone.id, gone.name, gone.size()) for gone in trashed(chosen.folder)), chosen.json)


def _restore(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies.trash import restore

    return for_each(_trashed(chosen), lambda gone: f"{restore(gone.id, chosen.folder)} is back")


def _empty_trash(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies.trash import trashed

    gone = _trashed(chosen) if chosen.studies else trashed(chosen.folder)
    return trash.empty(gone, "study", "studies", chosen.yes)


def _trashed(chosen: argparse.Namespace) -> "list[Trashed]":
    from fop_core.studies.trash import find

    return list({gone.id: gone for gone in (find(text, chosen.folder) for text in chosen.studies)}.values())


def _said(done: Any) -> int:
    from fop_core.studies import submit

    for line in submit.words(done):
        print(line)
    return 1 if done.troubles else 0


def _list(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.studies import progress, store

    studies, damaged = store.list_studies(chosen.folder)
    rows: list[dict[str, Any]] = []
    for stored in studies:
        table = progress.table(stored.id, stored.folder)
        rows.append(
            {
                "id": stored.id,
                "name": stored.study.name,
                "preset": stored.study.preset,
                "methods": list(stored.study.methods),
                "runs": len(table),
                "ended": int(table.ended.sum()),
                "stopped": stored.stopped,
                "created": stored.created,
            }
        )
    if chosen.json:
        print(json.dumps({"studies": rows, "damaged": damaged}, indent=1))
        return 0
    for stored, row in zip(studies, rows):
        of = f"{row['ended']:,} of {row['runs']:,} runs have ended{', stopped' if row['stopped'] else ''}"
        called = ", ".join(map(stored.study.called, stored.study.methods))
        print(f"{row['id']}  {printable(str(row['name']))}  {called}  {of}")
    for id_, why in damaged.items():
        print(f"{id_}  damaged: {printable(why)}")
    if not rows and not damaged:
        print(f"no studies in {store.studies_folder(chosen.folder)}; `study submit --help` shows how to begin one")
    return 0
