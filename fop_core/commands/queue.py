"""``queue``: runs in the background, one after another: submit, fork, list, stop, resume, clear, set."""

import argparse
import json
from pathlib import Path
from typing import Any

from fop_core.commands import train
from fop_core.commands.guarded import guarded


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    parser = commands.add_parser("queue", help="train in the background, in order")
    parser.add_argument("--folder", type=Path, help="where the runs are (FOP_RUNS_DIR, trained_models/runs)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    submit = verbs.add_parser("submit", help="a new run, or one for each seed", epilog="as `train`, but it returns")
    what = submit.add_mutually_exclusive_group(required=True)
    what.add_argument("--preset", help="see `train --help`")
    what.add_argument("--config", metavar="FILE", help="settings as JSON: a config, or an earlier run's run.json")
    train.settings_arguments(submit)
    submit.add_argument("--seeds", help='one run for each of them: "0,1,2", "0-2" or "0-2,5"')
    submit.set_defaults(do=_submit)
    fork = verbs.add_parser(
        "fork",
        help="a new run from another's checkpoint, with its matrices M changed",
        description="A new run that goes on from another's checkpoint, with its matrices M changed. It holds what it "
        "needs, and its rows begin after that step.",
        epilog="example: fork trained_models/gallery/cifar10-fop-velocity --matrices frozen --epochs 20",
    )
    fork.add_argument("run_id", metavar="RUN", help="its path, id, beginning of an id, or name")
    fork.add_argument(
        "--matrices",
        required=True,
        help="unchanged, the control; frozen; reset, to what M was at step 0; normalized (Eq. 9); transplanted --from",
    )
    fork.add_argument("--at", type=int, metavar="STEP", help="of a checkpoint; its last one unless given")
    fork.add_argument("--from", dest="donor", metavar="DONOR", help="the run whose M is transplanted")
    fork.add_argument("--from-step", type=int, metavar="STEP", help="of its snapshots; its last one unless given")
    fork.add_argument(
        "--epochs", type=int, help="epochs in all, the parent's among them; as many as those unless given"
    )
    fork.add_argument("--steps", type=int, help="end after so many steps from there")
    fork.add_argument("--name", default="", help="what to call it")
    fork.add_argument("--tag", action="append", default=[], dest="tags", help="may be repeated")
    fork.set_defaults(do=_fork)
    listing = verbs.add_parser("list", help="what runs, what waits and for what, and the places")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(do=_list)
    for name, words in (
        ("stop", "end a run with a checkpoint, or take it out of the queue"),
        ("resume", "go on with a run that was stopped, failed or lost"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("run_ids", metavar="RUN", nargs="+", help="its path, id, beginning of an id, or name")
        verb.set_defaults(do=_stop if name == "stop" else _resume)
    clear = verbs.add_parser("clear", help="take out all that waits; what runs goes on")
    clear.set_defaults(do=_clear)
    chosen = verbs.add_parser("set", help="places on the CPU, and a limit for the folder")
    chosen.add_argument("--cpu-slots", type=int, help="jobs on the CPU at a time (1)")
    chosen.add_argument("--limit-gb", help="GB that the folder may hold, or none: above it no job starts")
    chosen.set_defaults(do=_set)


@guarded
def _submit(chosen: argparse.Namespace) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store
    from fop_core.training.seeds import seeds

    settings, lineage = train.configured(chosen)
    numbers = [settings.seed] if chosen.seeds is None else seeds(chosen.seeds)  # all are right, or none is queued
    name, tags = train.labels(chosen, train.made_from(chosen, lineage))
    for seed in numbers:
        config = {**settings.to_json(), "seed": seed}
        called = name if len(numbers) == 1 else f"{name}, seed {seed}"
        run = store.create(config, name=called, tags=tags, lineage=lineage, folder=chosen.folder)
        queue.submit(run)
        print(f"{run.id} waits {queue.waits_for(run) or 'no more'}")
    return 0


@guarded
def _fork(chosen: argparse.Namespace) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store
    from fop_core.training import fork

    name, tags = train.labels(chosen)
    plan = fork.plan(
        store.find(chosen.run_id, chosen.folder),
        matrices=chosen.matrices,
        at=chosen.at,
        donor=None if chosen.donor is None else store.find(chosen.donor, chosen.folder),
        donor_step=chosen.from_step,
        epochs=chosen.epochs,
        steps=chosen.steps,
    )
    run = fork.create(plan, name=name, tags=tags, folder=chosen.folder)
    queue.submit(run)
    print(f"{plan.description}\n{run.id} waits {queue.waits_for(run) or 'no more'}")
    return 0


@guarded
def _list(chosen: argparse.Namespace) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store

    queue.look(chosen.folder)
    waiting = queue.waiting(chosen.folder)
    rows = []
    for run, damage in store.scan(chosen.folder):
        if not damage and run.state.state in store.ALIVE:
            rows.append((run, run.state.state, f"step {run.step():,}"))
    rows += [(run, "queued", f"waits {queue.waits_for(run)}") for run in waiting]
    slots = queue.slots(chosen.folder)
    if chosen.json:
        about = [{"id": run.id, "name": run.name, "state": state, "words": words} for run, state, words in rows]
        keys = ("name", "kind", "title", "taken_by", "others")
        there = [{key: getattr(slot, key) for key in keys} for slot in slots]
        print(json.dumps({"runs": about, "slots": there}, indent=1))
        return 0
    for run, state, words in rows:
        print(f"{run.id}  {run.name}  {state}, {words}")
    if not rows:
        print("nothing runs and nothing waits")
    for slot in slots:
        words = f"taken by {slot.taken_by}" if slot.taken_by else "free"
        print(f"{slot.title}: {words}{f'; {slot.others}' if slot.others else ''}")
    return 0


@guarded
def _stop(chosen: argparse.Namespace) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store

    for run in [store.find(text, chosen.folder) for text in chosen.run_ids]:
        queue.stop(run)
        print(f"{run.id} is asked to stop")
    return 0


@guarded
def _resume(chosen: argparse.Namespace) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store

    for run in [store.find(text, chosen.folder) for text in chosen.run_ids]:
        queue.submit(run)
        print(f"{run.id} waits {queue.waits_for(run) or 'no more'}")
    return 0


@guarded
def _clear(chosen: argparse.Namespace) -> int:
    from fop_core.jobs import queue

    waiting = queue.waiting(chosen.folder)
    for run in waiting:
        queue.stop(run)
    print(f"{len(waiting)} taken out of the queue")
    return 0


@guarded
def _set(chosen: argparse.Namespace) -> int:
    from fop_core.jobs import slots
    from fop_core.runs import store

    changes: dict[str, Any] = {}
    if chosen.cpu_slots is not None:
        changes["cpu_slots"] = chosen.cpu_slots
    if chosen.limit_gb is not None:
        changes["limit_gb"] = None if chosen.limit_gb == "none" else float(chosen.limit_gb)
    found = slots.choose(chosen.folder or store.runs_folder(), **changes)
    print(f"cpu_slots = {found.cpu_slots}, limit_gb = {found.limit_gb}")
    return 0
