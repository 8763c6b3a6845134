"""``runs``: what has been trained: list, show, export, replay, delete, and the trash."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fop_core.commands.guarded import guarded
from fop_core.printable import printable

TOLERANCE = 1e-3  # of a replay: more than rounding in another order makes of 50 steps


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    parser = commands.add_parser("runs", help="list, show, export, replay, delete or restore runs")
    parser.add_argument("--folder", type=Path, help="where the runs are (FOP_RUNS_DIR, trained_models/runs)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    listing = verbs.add_parser("list", help="all runs, oldest first")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(do=_list)
    show = verbs.add_parser("show", help="one run: settings, what it ran on, last numbers, the end of its log")
    show.set_defaults(do=_show)
    export = verbs.add_parser("export", help="its metrics as CSV or Parquet, by the file's ending")
    export.set_defaults(do=_export)
    delete = verbs.add_parser("delete", help="move runs to the trash of their folder, and out of the queue")
    delete.add_argument("--yes", action="store_true", help=argparse.SUPPRESS)  # of when it was for good
    delete.set_defaults(do=_delete)
    trash = verbs.add_parser("trash", help="what is in the trash")
    trash.add_argument("--json", action="store_true", help="as JSON")
    trash.set_defaults(do=_trash)
    restore = verbs.add_parser("restore", help="bring runs back from the trash")
    restore.set_defaults(do=_restore)
    empty = verbs.add_parser("empty-trash", help="remove what is in the trash from the disk, for good")
    empty.add_argument("--yes", action="store_true", help="do not ask")
    empty.set_defaults(do=_empty_trash)
    replay = verbs.add_parser("replay", help="take its first steps again and compare with what was recorded")
    replay.add_argument("--steps", type=int, default=50, help="how many (50)")
    replay.set_defaults(do=_replay)
    for verb, count in ((delete, "+"), (restore, "+"), (empty, "*")):
        verb.add_argument("run_ids", metavar="RUN", nargs=count, help="their paths, ids, beginnings of ids, or names")
    for verb in (show, export, replay):
        verb.add_argument("run_id", metavar="RUN", help="its path, id, beginning of an id, or name")
    export.add_argument("file", type=Path, help="a new file, *.csv or *.parquet")


@guarded
def _list(chosen: argparse.Namespace) -> int:
    from fop_core.runs import store

    rows, damaged = [], []
    for run, damage in store.scan(chosen.folder):
        if damage:
            damaged.append((run.id, damage))
            continue
        state, progress = run.state, _progress(run)
        accuracy = progress.get("test_accuracy", progress.get("held_out_accuracy"))
        rows.append(
            {
                "id": run.id,
                "name": run.name,
                "state": state.state,
                "reason": state.reason,
                "step": progress.get("step", 0),
                "steps": progress.get("steps"),
                "accuracy": accuracy,
            }
        )
    if chosen.json:
        print(json.dumps({"runs": rows, "damaged": [dict(zip(("id", "why"), pair)) for pair in damaged]}, indent=1))
        return 0
    if not rows and not damaged:
        folder = chosen.folder or store.runs_folder()
        print(f"no runs in {folder}; a first one takes seconds: python -m fop_core train --preset mnist-mlp")
    table = [["id", "name", "state", "step", "accuracy"]]
    for row in rows:
        steps = f"{row['step']:,} of {row['steps']:,}" if row["steps"] else "-"
        accuracy = "-" if row["accuracy"] is None else f"{float(row['accuracy']):.2%}"
        table.append([row["id"], row["name"], row["state"], steps, accuracy])
    if rows:
        _print(table)
    for name, why in damaged:
        print(f"damaged, left out: {name}: {why}", file=sys.stderr)
    return 0


@guarded
def _show(chosen: argparse.Namespace) -> int:
    from fop_core.runs import store
    from fop_core.training import config, fork

    run = store.find(chosen.run_id, chosen.folder)
    state = run.state
    print(f"{printable(run.name)}  ({run.path})")
    print(f"{state.state} since {state.since}{': ' if state.reason else ''}{state.reason}")
    if origin := fork.origin(run):
        donor = f" from step {origin.donor_step} of {origin.donor}" if origin.donor else ""
        print(f"a fork of {origin.parent} at step {origin.step}, M {origin.matrices}{donor}")
    print()
    for path, value in config.flat(run.config).items():
        print(f"  {path} = {json.dumps(value)}")
    for attempt in run.attempts:
        versions = ", ".join(f"{name} {number}" for name, number in attempt["versions"].items())
        print(f"\nattempt {attempt['attempt']} from step {attempt['from_step']}: {attempt['device_name']}", end="")
        print(f", {attempt['threads']} threads\n  {attempt['data']['title']}; {versions}; commit {attempt['commit']}")
        if "warning" in attempt:
            print(f"  {attempt['warning']}")
    run.metrics.update()
    print()
    for name, value in run.metrics.last().items():
        print(f"  {name} = {value:.6g}")
    for message in run.metrics.damaged:
        print(f"  damaged: {message}")
    print(
        f"\n{len(run.snapshot_steps())} snapshots, checkpoints at {run.checkpoint_steps()}, "
        f"{run.size() / 2**20:.1f} MiB"
    )
    if log := run.log(2000):
        print(f"\n{log}")
    return 0


@guarded
def _export(chosen: argparse.Namespace) -> int:
    from fop_core.runs import export, store

    writers = {".csv": export.to_csv, ".parquet": export.to_parquet}
    if chosen.file.suffix not in writers:
        raise ValueError(f"{chosen.file}: give a file that ends in .csv or .parquet")
    if chosen.file.exists():
        raise ValueError(f"{chosen.file} exists already")
    run = store.find(chosen.run_id, chosen.folder)
    run.metrics.update()
    writers[chosen.file.suffix](run, chosen.file)
    for message in run.metrics.damaged:
        print(f"left out: {message}", file=sys.stderr)
    print(f"{chosen.file}: {chosen.file.stat().st_size:,} bytes")
    return 0


@guarded
def _delete(chosen: argparse.Namespace) -> int:
    from fop_core.reproduction import GALLERY
    from fop_core.runs import store

    runs = list({run.id: run for run in (store.find(text, chosen.folder) for text in chosen.run_ids)}.values())
    for run in runs:
        if run.path.resolve().parent == GALLERY:
            raise ValueError(f"{run.id} is of the gallery, which ships with the program, and stays")
    for run in runs:
        store.discard(run)
        print(f"{run.id} is in the trash: `runs restore {run.id}` brings it back, `runs empty-trash` removes it")
    return 0


@guarded
def _trash(chosen: argparse.Namespace) -> int:
    from fop_core.runs import store

    found = [(run.id, _name(run), run.size()) for run in store.trash(chosen.folder)]
    if chosen.json:
        print(json.dumps([dict(zip(("id", "name", "bytes"), row)) for row in found], indent=1))
    elif found:
        _print([["id", "name", "size"], *([id_, name, f"{size / 1000:,.0f} kB"] for id_, name, size in found)])
    else:
        print("the trash is empty")
    return 0


@guarded
def _restore(chosen: argparse.Namespace) -> int:
    from fop_core.runs import store

    for run in _trashed(chosen):
        print(f"{store.restore(run).id} is back")
    return 0


@guarded
def _empty_trash(chosen: argparse.Namespace) -> int:
    from fop_core.runs import store

    runs = _trashed(chosen) if chosen.run_ids else store.trash(chosen.folder)
    if not runs:
        print("the trash is empty already")
        return 0
    what = f"{len(runs)} run{'s' * (len(runs) > 1)}, {sum(run.size() for run in runs):,} bytes"
    if not chosen.yes:
        if not sys.stdin.isatty():
            raise ValueError(f"{what} would be gone for good, and nobody is here to ask: add --yes")
        if input(f"Remove {what}, for good? [y/N] ").lower() not in ("y", "yes"):
            print("kept")
            return 0
    for run in runs:
        run.delete()
    print(f"removed {what}")
    return 0


def _trashed(chosen: argparse.Namespace) -> list[Any]:
    from fop_core.runs import store

    folder = (chosen.folder or store.runs_folder()) / store.TRASH
    return list({run.id: run for run in (store.find(text, folder) for text in chosen.run_ids)}.values())


def _name(run: Any) -> str:
    from fop_core.runs.files import DamagedFile

    try:
        return run.name
    except DamagedFile as error:
        return f"damaged: {error}"


@guarded
def _replay(chosen: argparse.Namespace) -> int:
    from fop_core.runs import store
    from fop_core.training.replay import replay

    if chosen.steps < 1:
        raise ValueError(f"--steps is {chosen.steps}: give at least 1")
    run = store.find(chosen.run_id, chosen.folder)
    found = replay(run, chosen.steps, lambda text: print(text, file=sys.stderr))
    numbers, worst = sum(c.count for c in found), max(found, key=lambda c: c.worst)
    if worst.worst == 0:
        print(f"{run.id}: identical, {numbers:,} numbers of the first {chosen.steps} steps")
        return 0
    different = [c for c in found if c.worst > 0]
    verdict = "the same but for rounding" if worst.worst < TOLERANCE else "DIFFERENT"
    print(
        f"{run.id}: {verdict}; {len(different)} of {len(found)} series differ, "
        f"by up to {worst.worst:.2g} ({worst.name})"
    )
    for comparison in sorted(different, key=lambda c: -c.worst)[:10]:
        print(f"  {comparison.name}: {comparison.worst:.2g}")
    return 0 if worst.worst < TOLERANCE else 1


def _progress(run: Any) -> dict[str, Any]:
    from fop_core.runs.files import DamagedFile

    try:
        return run.progress
    except DamagedFile:  # the trainer's own, made anew at its next row
        return {}


def _print(table: list[list[str]]) -> None:
    table = [[printable(cell) for cell in row] for row in table]  # a row is a line
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
