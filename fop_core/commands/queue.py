"""``queue``: runs in the background, one after another: submit, fork, list, stop, resume, export, clear, set..."""

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fop_core.commands import train
from fop_core.commands.report_errors import for_each
from fop_core.printable import printable
from fop_core.runs.files import DamagedFile
from fop_core.runs.state import ALIVE

if TYPE_CHECKING:
    from fop_core.jobs.launcher_settings import LauncherSettings
    from fop_core.runs.notices import NoticeSettings as NoticeSettings
    from fop_core.runs.run import Run

SLURM = {
    "partition": ("NAME", "which; your own unless given"),
    "account": ("NAME", "which; your own unless given"),
    "gpus": ("N", "of a run whose device is auto or cuda: 1, or a100:1; without, they take the CPU"),
    "cpus": ("N", "of a run (1)"),
    "memory": ("SIZE", "of a run: 8G, 500M; the partition's own unless given"),
    "time-limit": ("TIME", "of an allocation: 90 (minutes), 1:30:00, 1-12; the partition's own unless given"),
    "warning": ("SECONDS", "before that limit in which a run makes its checkpoint (120)"),
    "at-once": ("N", "allocations of an array at a time; as many as there is room for unless given"),
    "pack": ("N", "runs in one allocation (1)"),
}
NUMBERS = ("cpus", "warning", "at_once", "pack")


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    parser = commands.add_parser("queue", help="train in the background, in order")
    parser.add_argument("--folder", type=Path, help="where the runs are (FOP_RUNS_DIR, trained_models/runs)")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    submit = verbs.add_parser("submit", help="a new run, or one for each seed", epilog="as `train`, but it returns")
    what = submit.add_mutually_exclusive_group()
    what.add_argument("--preset", help="see `train --help`")
    what.add_argument("--config", metavar="FILE", help="settings as JSON: a config, or an earlier run's run.json")
    train.settings_arguments(submit)
    submit.add_argument("--seeds", help='one run for each of them: "0,1,2", "0-2" or "0-2,5"')
    submit.set_defaults(do=_submit)
    fork = verbs.add_parser(
        "fork",
        help="a new run from another's checkpoint, with its matrices M changed; or a control of it",
        description="A new run that goes on from another's checkpoint, with its matrices M changed: it holds what it "
        "needs, and its rows begin after that step. Or, with --control, the same run from step 0, its P replaced.",
        epilog="examples: fork trained_models/gallery/cifar10-fop-velocity --matrices frozen --epochs 20; "
        "fork trained_models/gallery/cifar10-fop-velocity --control rate",
    )
    fork.add_argument("run_id", metavar="RUN", help="its path, id, beginning of an id, or name")
    what = fork.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--matrices",
        help="unchanged, the control; frozen; reset, to what M was at step 0; normalized (Eq. 9); transplanted --from",
    )
    what.add_argument(
        "--control",
        help="rate: the base at ε·tr(P)/n, of the run's own P at each step; final: its last P, frozen; start: P as at "
        "its start, frozen",
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
    listing = verbs.add_parser("list", help="what runs, what waits and for what, and the slots")
    listing.add_argument("--json", action="store_true", help="as JSON")
    listing.set_defaults(do=_list)
    for name, words in (
        ("stop", "end a run with a checkpoint, or take it out of the queue"),
        ("resume", "go on with a run that was stopped, failed or lost"),
    ):
        verb = verbs.add_parser(name, help=words)
        verb.add_argument("run_ids", metavar="RUN", nargs="+", help="its path, id, beginning of an id, or name")
        verb.set_defaults(do=_stop if name == "stop" else _resume)
    export = verbs.add_parser(
        "export",
        help="a run as a task of SkyPilot or a Job of Kubernetes, to be submitted there by you",
        epilog="examples: export RUN --as skypilot --gpus A100:1 --spot; "
        "export RUN --as kubernetes --image registry/fop-lab:1 --claim fop-runs --gpus 1",
    )
    export.add_argument("run_id", metavar="RUN", help="its path, id, beginning of an id, or name")
    export.add_argument("--as", dest="platform", choices=("skypilot", "kubernetes"), required=True)
    export.add_argument("--gpus", default="", help="1, or for SkyPilot A100:1; without, the CPU")
    export.add_argument("--cpus", type=int, default=1, help="cores (1)")
    export.add_argument("--memory-gb", type=int, default=4, help="GB (4)")
    export.add_argument("--image", default="", help="for Kubernetes: made from the Dockerfile")
    export.add_argument("--claim", default="", help="for Kubernetes: the volume claim that holds the runs folder")
    export.add_argument("--spot", action="store_true", help="for SkyPilot: a machine that may be taken away")
    export.set_defaults(do=_export)
    clear = verbs.add_parser("clear", help="take out all that waits; what runs goes on")
    clear.set_defaults(do=_clear)
    chosen = verbs.add_parser(
        "set",
        help="slots on the CPU, a limit for the folder, what starts jobs, this machine or Slurm, and your notices",
        epilog="examples: set --cpu-slots 2; set --launcher slurm --partition gpu --gpus 1 --time-limit 4:00:00; set "
        "--line 'module load cuda' --line '#SBATCH --qos=low'; docs/slurm.md says more",
    )
    chosen.add_argument("--cpu-slots", type=int, help="jobs on the CPU at a time (1)")
    chosen.add_argument("--limit-gb", help="GB that the folder may hold, or none: above it no job starts")
    chosen.add_argument("--launcher", help="local, or slurm: yours, for this folder")
    chosen.add_argument(
        "--webhook",
        metavar="ADDRESS",
        help="yours: gets a line when a run of yours ends or diverges; - reads it from stdin, none takes it back",
    )
    chosen.add_argument(
        "--desktop-notices",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="the same on this machine's desktop, by notify-send or osascript",
    )
    slurm = chosen.add_argument_group("of Slurm", "none takes a value back")
    for name, (kind, words) in SLURM.items():
        slurm.add_argument(f"--{name}", metavar=kind, dest=name.replace("-", "_"), help=words)
    packed = slurm.add_mutually_exclusive_group()
    packed.add_argument("--side-by-side", action="store_true", default=None, help="runs of an allocation at a time")
    packed.add_argument(
        "--in-turn", action="store_false", dest="side_by_side", help="or one after another, as at first"
    )
    slurm.add_argument("--line", action="append", dest="lines", help="of the script, or #SBATCH ...; may be repeated")
    chosen.set_defaults(do=_set)
    notify = verbs.add_parser("notify", help="send a notice now, to see that it arrives")
    notify.set_defaults(do=_notify)


def _submit(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store
    from fop_core.training.seeds import seeds

    new = train.configured(chosen)
    settings, lineage = new.config, new.lineage
    numbers = [settings.seed] if chosen.seeds is None else seeds(chosen.seeds)  # all are right, or none is queued
    name, tags = train.labels(chosen, train.made_from(chosen, lineage, settings.to_json()))
    for seed in numbers:
        config = {**settings.to_json(), "seed": seed}
        called = name if len(numbers) == 1 else f"{name}, seed {seed}"
        run = store.create(config, name=called, tags=tags, lineage=lineage, sources=new.sources, folder=chosen.folder)
        queue.submit(run)
        print(f"{run.id} waits {queue.waits_for(run) or 'no more'}")
    return 0


def _fork(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store
    from fop_core.training import fork

    name, tags = train.labels(chosen)
    if chosen.control is not None:
        return _control(chosen, name, tags)
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


def _control(chosen: argparse.Namespace, name: str, tags: tuple[str, ...]) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store
    from fop_core.training import attribution

    if any(each is not None for each in (chosen.at, chosen.donor, chosen.from_step, chosen.epochs, chosen.steps)):
        raise ValueError(
            "a control begins at step 0 and has its parent's epochs: --at, --from, --from-step, --epochs and --steps "
            "are for forks"
        )
    plan = attribution.plan(store.find(chosen.run_id, chosen.folder), chosen.control)
    run = attribution.create(plan, name=name, tags=tags, folder=chosen.folder)
    queue.submit(run)
    print(f"{plan.description}\n{run.id} waits {queue.waits_for(run) or 'no more'}")
    return 0


def _list(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import queue

    try:
        queue.ensure_dispatcher(chosen.folder)
        trouble = ""
    except (ValueError, OSError) as error:  # what there is can be listed all the same
        trouble = f"no dispatcher can be started: {error}"
    rows = _rows(chosen.folder)
    slots = queue.slots(chosen.folder)
    if chosen.json:
        placed = {id_: asdict(placement) for id_, placement in queue.placed(chosen.folder).items()}
        about = [
            {"id": id_, "name": name, "state": state, "words": words}
            | ({"slurm": placed[id_]} if id_ in placed else {})
            for id_, name, state, words in rows
        ]
        there = [
            {"name": slot.name, "kind": slot.kind, "title": slot.title}
            | {"taken_by": slot.used_by, "others": slot.others, "unusable": slot.unusable}
            for slot in slots
        ]
        print(json.dumps({"runs": about, "slots": there, "trouble": trouble}, indent=1))
        return 0
    for id_, name, state, words in rows:
        print(f"{id_}  {printable(name)}  {state}, {words}")
    if not rows:
        print("nothing runs and nothing waits")
    for slot in slots:
        words = f"taken by {slot.used_by}" if slot.used_by else slot.unusable or "free"
        print(f"{slot.title}: {words}{f'; {slot.others}' if slot.others else ''}")
    if trouble:
        print(trouble)
    return 0


def _rows(folder: Path | None) -> list[tuple[str, str, str, str]]:
    """Return id, name, state and words of what runs, of what is damaged, and of what waits."""
    from fop_core.jobs import queue
    from fop_core.runs import store

    waiting = queue.reasons(folder)
    ids = {run.id for run, _ in waiting}
    rows = []
    damaged: dict[str, str] = {}
    for run, damage in store.scan(folder):
        try:
            if damage:
                raise DamagedFile(damage)
            if (state := run.state.state) in ALIVE:
                placed = queue.placement(run)
                where = f" {placed.words()}" if placed is not None and placed.node else ""
                rows.append((run.id, run.name, state, f"step {run.step():,}{where}"))
        except (DamagedFile, OSError) as error:
            damaged[run.id] = str(error)
            if run.id not in ids:
                rows.append((run.id, _name(run), "damaged", str(error)))
    for run, reason in waiting:
        words = f"waits {reason}"
        if run.id in damaged and damaged[run.id] not in reason:
            words += f"; damaged: {damaged[run.id]}"
        rows.append((run.id, _name(run), "queued", words))
    return rows


def _name(run: "Run") -> str:
    try:
        return run.name
    except (DamagedFile, OSError):  # its row says why
        return run.id


def _stop(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import store

    return for_each([store.find(text, chosen.folder) for text in chosen.run_ids], _stop_one)


def _stop_one(run: "Run") -> str:
    from fop_core.jobs import queue

    return f"{run.id} is {'out of the queue' if queue.stop(run) else 'asked to stop'}"


def _resume(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import queue
    from fop_core.runs import store

    def resume(run: "Run") -> str:
        queue.submit(run)
        return f"{run.id} waits {queue.waits_for(run) or 'no more'}"

    return for_each([store.find(text, chosen.folder) for text in chosen.run_ids], resume)


def _export(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import cloud
    from fop_core.runs import store

    text = cloud.manifest(
        store.find(chosen.run_id, chosen.folder),
        chosen.platform,
        gpus=chosen.gpus,
        cpus=chosen.cpus,
        memory_gb=chosen.memory_gb,
        image=chosen.image,
        claim=chosen.claim,
        spot=chosen.spot,
    )
    print(text, end="")
    return 0


def _clear(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import queue

    waiting = queue.waiting(chosen.folder)
    status = for_each(waiting, _stop_one)
    there = {run.id for run in queue.waiting(chosen.folder)}
    print(f"{sum(run.id not in there for run in waiting)} taken out of the queue")
    return status


def _set(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import launcher_settings, slots
    from fop_core.runs import notices, store

    changes: dict[str, Any] = {}
    if chosen.cpu_slots is not None:
        changes["cpu_slots"] = chosen.cpu_slots
    if chosen.limit_gb is not None:
        changes["limit_gb"] = _limit(chosen.limit_gb)
    folder = chosen.folder or store.runs_folder()
    launcher = _launcher(chosen, folder)  # before anything is written
    notices_to = _notices(chosen, folder)
    settings, aside = slots.choose(folder, **changes)
    asides = [aside]
    if notices_to is not None:
        asides.append(notices.write(folder, notices_to))
    if launcher is not None:
        asides.append(launcher_settings.write(folder, launcher))
    for aside in filter(None, asides):
        print(f"settings could not be read: they are in {aside} now", file=sys.stderr)
    words = f"cpu_slots = {settings.cpu_slots}, limit_gb = {settings.limit_gb}"
    try:
        launcher = launcher or launcher_settings.read(folder)
    except DamagedFile as error:
        print(words)
        print(error, file=sys.stderr)
        return 0
    print(f"{words}, launcher = {launcher.launcher}")
    if launcher.launcher == "slurm":
        print(f"slurm: {', '.join(f'{name} = {value}' for name, value in launcher.slurm if value not in ('', ()))}")
    if notices_to is not None:
        print(notices_to.words())
    return 0


def _notices(chosen: argparse.Namespace, folder: Path) -> "NoticeSettings | None":
    """Return where notices go, changed as arguments say; None where they say nothing."""
    from fop_core.runs import notices

    changes: dict[str, Any] = {}
    if chosen.webhook is not None:
        address = sys.stdin.readline().strip() if chosen.webhook == "-" else chosen.webhook
        changes["webhook"] = "" if address == "none" else address
    if chosen.desktop_notices is not None:
        changes["desktop"] = chosen.desktop_notices
    return notices.changed(folder, **changes) if changes else None


def _notify(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import notices, store

    folder = chosen.folder or store.runs_folder()
    for trouble in (troubles := notices.attempt(folder)):
        print(trouble, file=sys.stderr)
    if not troubles:
        print(f"sent: {notices.read(folder).words()}")
    return 1 if troubles else 0


def _launcher(chosen: argparse.Namespace, folder: Path) -> "LauncherSettings | None":
    """Return what starts jobs, changed as arguments say; None where they say nothing."""
    from fop_core.jobs import launcher_settings

    changes: dict[str, Any] = {}
    for name in (*(each.replace("-", "_") for each in SLURM), "side_by_side", "lines"):
        value = getattr(chosen, name)
        if value in ("none", ["none"]):
            changes[name] = launcher_settings.Slurm().model_dump()[name]
        elif value is not None and name in NUMBERS:
            try:
                changes[name] = int(value)
            except ValueError:
                raise ValueError(f"--{name.replace('_', '-')} {value}: give a whole number, or none") from None
        elif value is not None:
            changes[name] = value
    if not changes and chosen.launcher is None:
        return None
    return launcher_settings.changed(folder, chosen.launcher, **changes)


def _limit(text: str) -> float | None:
    if text == "none":
        return None
    try:
        return float(text)
    except ValueError:
        raise ValueError(f"--limit-gb {text}: give a number of GB, or none") from None
