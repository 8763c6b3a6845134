"""``runs``: what has been trained: list, show, diff, export, import, replay, why, delete, and the trash."""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from fop_core.commands import trash
from fop_core.commands.load_torch import load_torch
from fop_core.commands.report_errors import for_each
from fop_core.commands.table import print_table
from fop_core.formatting import percent, size
from fop_core.printable import printable

BEAT = 0.5  # seconds between two lines of progress
TOLERANCE = 1e-3  # of a replay: more than rounding in another order makes of 50 steps


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    parser = commands.add_parser("runs", help="list, show, compare, export, replay, explain, delete or restore runs")
    parser.add_argument("--folder", type=Path, help="where the runs are (FOP_RUNS_DIR, trained_models/runs)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    listing = verbs.add_parser("list", help="all runs, oldest first")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.add_argument("--where", metavar="QUERY", help="which of them: 'lr>0.01 method=fop' (docs/runs.md, Queries)")
    listing.set_defaults(do=_list)
    show = verbs.add_parser("show", help="one run: settings, what it ran on, last numbers, the end of its log")
    show.set_defaults(do=_show)
    diff = verbs.add_parser("diff", help="in which settings two runs differ")
    diff.add_argument("--json", action="store_true", help="as JSON; a setting that a run has not is left out of it")
    diff.set_defaults(do=_diff)
    export = verbs.add_parser("export", help="its metrics as CSV or Parquet, or all of it for another tracker")
    export.add_argument(
        "--to",
        choices=("csv", "parquet", "tensorboard", "wandb", "trackio"),
        help="what; by the file's ending unless given. tensorboard: scalars, histograms and images of P; wandb and "
        "trackio: settings and scalars, on this machine alone",
    )
    export.set_defaults(do=_export)
    imported = verbs.add_parser("import", help="scalars of TensorBoard, or a CSV file, as a run")
    imported.add_argument("file", type=Path, help="a folder of event files, one of them, or *.csv")
    imported.add_argument(
        "--step", default="step", metavar="COLUMN", help="of a CSV file: what counts the steps (step)"
    )
    imported.add_argument(
        "--column",
        action="append",
        default=[],
        dest="columns",
        metavar="THEIRS=OURS",
        help="another name for a column, as loss/train=train_loss; may be repeated",
    )
    imported.add_argument("--settings", type=Path, metavar="FILE", help="what it was trained with, as JSON")
    imported.add_argument("--name", default="", help="what to call it; the file's name unless given")
    imported.add_argument("--tag", action="append", default=[], dest="tags", help="may be repeated")
    imported.set_defaults(do=_import)
    delete = verbs.add_parser("delete", help="move runs to the trash of their folder, and out of the queue")
    delete.add_argument("--yes", action="store_true", help=argparse.SUPPRESS)  # of when it was for good
    delete.set_defaults(do=_delete)
    listed = verbs.add_parser("trash", help="what is in the trash")
    listed.add_argument("--json", action="store_true", help="as JSON")
    listed.set_defaults(do=_trash)
    restore = verbs.add_parser("restore", help="bring runs back from the trash")
    restore.set_defaults(do=_restore)
    empty = verbs.add_parser("empty-trash", help="remove what is in the trash from the disk, for good")
    empty.add_argument("--yes", action="store_true", help="do not ask")
    empty.set_defaults(do=_empty_trash)
    replay = verbs.add_parser("replay", help="take its first steps again and compare with what was recorded")
    replay.add_argument("--steps", type=int, default=50, help="how many (50)")
    replay.set_defaults(do=_replay)
    why = verbs.add_parser("why", help="how long its steps were where it diverged: ε·λmax(PH), kept beside it")
    why.add_argument("--at", type=int, metavar="STEP", help="take its steps again up to there; its last checkpoint's")
    why.add_argument("--batches", type=int, help="of which the Hessian is made (4)")
    why.set_defaults(do=_why)
    for verb, count in ((delete, "+"), (restore, "+"), (empty, "*")):
        verb.add_argument("run_ids", metavar="RUN", nargs=count, help="their paths, ids, beginnings of ids, or names")
    for verb in (show, export, replay, why):
        verb.add_argument("run_id", metavar="RUN", help="its path, id, beginning of an id, or name")
    for name, which in (("one", "first"), ("other", "second")):
        diff.add_argument(name, metavar=name.upper(), help=f"the {which}: its path, id, beginning of an id, or name")
    export.add_argument("file", type=Path, help="a new file, *.csv or *.parquet; with --to a tracker a new folder")


def _list(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import files, store

    rows, damaged, table = [], [], [["id", "name", "state", "step", "accuracy", ""]]
    matching = None if chosen.where is None else _matching(chosen.where, chosen.folder or store.runs_folder())
    for run, damage in store.scan(chosen.folder):
        if matching is not None and run.id not in matching:
            continue
        row: dict[str, Any] | str = damage or _row(run)
        if isinstance(row, str):
            damaged.append({"id": run.id, "why": row})
            table.append([run.id, "-", "damaged", "-", "-", f"damaged: {row.replace(f'{run.path}/', '')}"])
            continue
        rows.append(row)
        steps = f"{row['step']:,} of {row['steps']:,}" if row["steps"] else "-"
        accuracy = "-" if row["accuracy"] is None else percent(row["accuracy"])
        trouble = f"damaged: {row['damaged'].replace(f'{run.path}/', '')}" if row["damaged"] else ""
        table.append([run.id, row["name"], row["state"], steps, accuracy, trouble])
    if chosen.json:
        print(json.dumps(files.plain({"runs": rows, "damaged": damaged}), indent=1))
    elif len(table) > 1:
        print_table(table)
    elif matching is not None:
        print(f"no run has all of that: {printable(chosen.where)}")
    else:
        folder = chosen.folder or store.runs_folder()
        print(f"no runs in {folder}; a first one takes seconds: python -m fop_core train --preset mnist-mlp")
    return 0


def _matching(text: str, folder: Path) -> set[str]:
    """Return the ids of those runs of a folder that a query holds of.

    Raises:
        ValueError: where it is no query, with the place of the mistake, or the folder cannot be read.
    """
    from fop_core.runs import fields, query
    from fop_core.runs.listing import Listing
    from fop_core.training import config

    listing = Listing(folder)
    entries = listing.entries(now=True).values()
    if listing.trouble:
        raise ValueError(listing.trouble)
    listing.complete()
    try:
        wanted = query.parse(text, fields.known(entries, config.described()))
        read = not wanted.measured or listing.measure(math.inf)
    except query.QueryError:  # it may name a column of a layer, which is known once it is read
        read = listing.measure(math.inf)
        try:
            wanted = query.parse(text, fields.known(entries, config.described()))
        except query.QueryError as error:
            raise ValueError(f"--where: {error}\n{error.pointed}") from None
    assert read
    return {entry.id for entry in entries if wanted.matches(entry)}


def _row(run: Any) -> dict[str, Any] | str:
    """Return what the list says of a run, or why it cannot be listed."""
    progress, progress_error = _tried(lambda: run.progress, {})
    _, attempts_error = _tried(lambda: run.attempts, [])
    accuracy = progress.get("test_accuracy", progress.get("held_out_accuracy"))
    try:
        state = run.state
        return {
            "id": run.id,
            "name": run.name,
            "state": state.state,
            "reason": state.reason,
            "step": progress.get("step", 0),
            "steps": progress.get("steps"),
            "accuracy": accuracy,
            "damaged": "; ".join(filter(None, (progress_error, attempts_error))),
        }
    except (ValueError, OSError) as error:  # changed since the folder was read
        return str(error)


def _name(run: Any) -> str:
    """Return what people call a run; its id where that is damaged."""
    return _tried(lambda: run.name, run.id)[0]


def _tried(read: Callable[[], Any], otherwise: Any) -> tuple[Any, str]:
    """Return what ``read`` does and "", or ``otherwise`` and why that could not be read."""
    try:
        return read(), ""
    except FileNotFoundError as error:
        return otherwise, f"{error.filename} is missing"
    except (ValueError, OSError) as error:
        return otherwise, str(error)


def _show(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    """Show each part of a run; what is damaged is said in its place, and the exit status is 1 then."""
    from fop_core.runs import store

    run = store.find(chosen.run_id, chosen.folder)
    _line(f"{_name(run)}  ({run.path})")
    whole = True
    for part in (_show_state, _show_settings, _show_attempts, _show_metrics, _show_files):
        _, damage = _tried(partial(part, run), None)
        if damage:
            _line(f"  damaged: {damage}")
            whole = False
    if log := run.log(2000):
        print(f"\n{log}")
    return 0 if whole else 1


def _line(text: str) -> None:
    """Print what others may have written as one line."""
    print(printable(text))


def _show_state(run: Any) -> None:
    from fop_core.jobs import queue

    state = run.state
    _line(f"{state.state} since {state.since}{': ' if state.reason else ''}{state.reason}")
    if run.has_request("start"):
        _line(f"waits {queue.waits_for(run)}")
    elif (placed := queue.placement(run)) is not None:
        _line(f"{placed.words()}")
    if labels := ", ".join(run.labels["tags"]):
        _line(f"tags: {labels}")


def _show_settings(run: Any) -> None:
    from fop_core.runs import compare, lineage

    if origin := lineage.origin(run):
        donor = f" from step {origin.donor_step:,} of {origin.donor}" if origin.donor else ""
        _line(f"a fork of {origin.parent} at step {origin.step:,}, M {origin.matrices}{donor}")
    if control := lineage.control(run):
        _line(f"a control of {control.parent}: {lineage.CONTROLS[control.kind]}")
    print()
    for path, value in compare.flat(run.config).items():
        _line(f"  {path} = {json.dumps(value)}")


def _show_attempts(run: Any) -> None:
    for attempt in run.attempts:
        versions = ", ".join(f"{name} {number}" for name, number in attempt.get("versions", {}).items())
        on = f"{attempt.get('device_name', 'device not known')}, {attempt.get('threads', '?')} threads"
        if "host" in attempt:
            on += f", on {attempt['host']}" + (
                f" in {attempt['scheduler']}'s {attempt['job']}" if "job" in attempt else ""
            )
        print()
        _line(f"attempt {attempt['attempt']} from step {attempt['from_step']:,}: {on}")
        title = attempt.get("data", {}).get("title", "data not known")
        _line(f"  {title}; {versions}; commit {attempt.get('commit')}")
        if "warning" in attempt:
            _line(f"  {attempt['warning']}")


def _show_metrics(run: Any) -> None:
    print()
    run.metrics.update()
    for name, value in run.metrics.last().items():
        _line(f"  {name} = {value:.6g}")
    for message in run.metrics.damaged:
        _line(f"  damaged: {message}")


def _show_files(run: Any) -> None:
    _, progress = _tried(lambda: run.progress, {})
    if progress:
        _line(f"  damaged: {progress}")
    snapshots, checkpoints = len(run.snapshot_steps()), run.checkpoint_steps()
    print(f"\n{snapshots} snapshots, checkpoints at {checkpoints}, {size(run.size())}")


def _diff(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import compare, difference, fields, files, lineage, store

    runs = [store.find(text, chosen.folder) for text in (chosen.one, chosen.other)]
    one, other = (compare.settings(run.config) | lineage.settings(run) for run in runs)
    differences = difference.difference(one, other)
    if chosen.json:
        sides = {"one": runs[0].id, "other": runs[1].id}
        made = [
            {"setting": each.name, "changes_results": not each.aside}
            | {side: value for side, value in zip(sides, (each.one, each.other)) if value is not difference.ABSENT}
            for each in differences
        ]
        print(json.dumps(files.plain({**sides, "differences": made}), indent=1))
        return 0
    if not differences:
        print("no setting differs")
        return 0

    def text(value: Any) -> str:
        return "-" if value is difference.ABSENT else fields.text(value)

    head = ["setting", *(run.id for run in runs)]
    for aside, title in ((False, ""), (True, "how they are watched and where they run, which changes no result:")):
        if rows := [[each.name, text(each.one), text(each.other)] for each in differences if each.aside is aside]:
            if title:
                print(f"\n{title}" if len(rows) < len(differences) else title)
            print_table([head, *rows])
    return 0


def _export(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import export, store

    if chosen.to in ("tensorboard", "wandb", "trackio"):
        return _export_to_tracker(chosen)
    writers = {".csv": export.to_csv, ".parquet": export.to_parquet}
    kind = f".{chosen.to}" if chosen.to else chosen.file.suffix
    if kind not in writers:
        raise ValueError(f"{chosen.file}: give a file that ends in .csv or .parquet, or --to a tracker")
    if chosen.file.exists():
        raise ValueError(f"{chosen.file} exists already")
    run = store.find(chosen.run_id, chosen.folder)
    run.metrics.update()
    writers[kind](run, chosen.file)
    for message in run.metrics.damaged:
        print(f"left out: {message}", file=sys.stderr)
    print(f"{chosen.file}: {chosen.file.stat().st_size:,} bytes")
    return 0


def _export_to_tracker(chosen: argparse.Namespace) -> int:
    from fop_core.runs import store
    from fop_core.trackers import services, tensorboard

    run = store.find(chosen.run_id, chosen.folder)
    try:
        if chosen.to == "tensorboard":
            made = tensorboard.export(run, chosen.file)
            print(f"{made}: {made.stat().st_size:,} bytes; `tensorboard --logdir {chosen.file}` shows it")
        else:
            to = services.to_wandb if chosen.to == "wandb" else services.to_trackio
            print(f"{chosen.file}: {to(run, chosen.file)}")
    except ModuleNotFoundError as error:
        raise ValueError(f"--to {chosen.to}: {error}") from error
    for message in run.metrics.damaged:
        print(f"left out: {message}", file=sys.stderr)
    return 0


def _import(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.commands import train
    from fop_core.runs import files
    from fop_core.trackers import imported, tables, tensorboard

    names = dict(_renaming(text) for text in chosen.columns)
    settings = None if chosen.settings is None else files.read_json(chosen.settings)
    source = chosen.file.resolve().name
    name, tags = train.labels(chosen, printable(source))
    try:
        csv = chosen.file.suffix.lower() == ".csv"
        rows = tables.read(chosen.file, chosen.step) if csv else tensorboard.read(chosen.file)
    except ModuleNotFoundError as error:
        raise ValueError(f"{chosen.file}: {error}") from error
    run = imported.save(
        imported.renamed(rows, names), printable(source), settings=settings, name=name, tags=tags, folder=chosen.folder
    )
    for column in rows.left_out:
        print(f"left out: {printable(column)}, a column without a number", file=sys.stderr)
    print(f"{run.id}: {len(rows.rows):,} steps")
    return 0


def _renaming(text: str) -> tuple[str, str]:
    theirs, _, ours = text.rpartition("=")
    if not (theirs and ours):
        raise ValueError(f"--column {text!r}: write THEIRS=OURS, as loss/train=train_loss")
    return theirs, ours


def _delete(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.reproduction import GALLERY
    from fop_core.runs import store

    runs = list({run.id: run for run in (store.find(text, chosen.folder) for text in chosen.run_ids)}.values())
    for run in runs:
        if run.path.resolve().parent == GALLERY:
            raise ValueError(f"{run.id} is of the gallery, which ships with the program, and stays")

    def discard(run: Any) -> str:
        run.delete()
        return f"{run.id} is in the trash: `runs restore {run.id}` brings it back, `runs empty-trash` removes it"

    return for_each(runs, discard)


def _trash(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import store

    return trash.show(((run.id, _name(run), run.size()) for run in store.trashed(chosen.folder)), chosen.json)


def _restore(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:

    return for_each(_trashed(chosen), lambda run: f"{run.restore().id} is back")


def _empty_trash(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import store

    gone = _trashed(chosen) if chosen.run_ids else store.trashed(chosen.folder)
    return trash.empty(gone, "run", "runs", chosen.yes)


def _trashed(chosen: argparse.Namespace) -> list[Any]:
    from fop_core.runs import store

    runs = [store.find_trashed(text, chosen.folder) for text in chosen.run_ids]
    return list({run.id: run for run in runs}.values())


def _replay(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    load_torch()
    from fop_core.runs import store
    from fop_core.training.replay import replay

    if chosen.steps < 1:
        raise ValueError(f"--steps is {chosen.steps}: give at least 1")
    run = store.find(chosen.run_id, chosen.folder)
    comparisons = replay(run, chosen.steps, lambda text: print(text, file=sys.stderr))
    numbers, worst = sum(c.count for c in comparisons), max(comparisons, key=lambda c: c.worst)
    if worst.worst == 0:
        print(f"{run.id}: identical, {numbers:,} numbers of the first {chosen.steps} steps")
        return 0
    different = [c for c in comparisons if c.worst > 0]
    verdict = "the same but for rounding" if worst.worst < TOLERANCE else "DIFFERENT"
    print(
        f"{run.id}: {verdict}; {len(different)} of {len(comparisons)} series differ, "
        f"by up to {worst.worst:.2g} ({worst.name})"
    )
    for comparison in sorted(different, key=lambda c: -c.worst)[:10]:
        print(f"  {comparison.name}: {comparison.worst:.2g}")
    return 0 if worst.worst < TOLERANCE else 1


def _why(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import store
    from fop_core.training import divergence

    run = store.find(chosen.run_id, chosen.folder)
    known = None if (chosen.at, chosen.batches) != (None, None) else divergence.kept(run)
    if known is None:
        load_torch()
        batches = divergence.BATCHES if chosen.batches is None else chosen.batches
        said = 0.0

        def report(what: str, done: int, most: int) -> None:
            nonlocal said
            if time.monotonic() - said > BEAT:
                said = time.monotonic()
                print(f"{what}: {done} of {most}", file=sys.stderr, flush=True)

        known = divergence.measure(
            run, at=chosen.at, batches=batches, log=lambda text: print(text, file=sys.stderr), report=report
        )
    for sentence in known.sentences():
        _line(sentence)
    return 0
