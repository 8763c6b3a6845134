"""``train``: a new run from a preset or a file, or an earlier one to its end."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from fop_core.commands.load_torch import load_torch


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser(
        "train",
        help="train a network, in this terminal",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Train a network, and record the run in FOP_RUNS_DIR (trained_models/runs).\nCtrl-C or SIGTERM "
        "makes a checkpoint and stops; --resume goes on from there.\nExit status: 0 finished, 1 failed, 2 wrong "
        "arguments, 3 stopped.",
        epilog="""examples:
  train --preset mnist-mlp
  train --preset mnist-mlp --method momentum --set epochs=5 --name baseline
  train --preset mnist-mlp --set fop.rank=784 --set seed=1 --dry-run
  train --preset cifar10-allcnn-small --set fop.apply=after --set data.limit=20000
  train --preset cifar10-allcnn-small --method sgd --set 'optimizer={"name": "muon"}'
  train --preset imagefolder --set data.path=~/flowers --set device=cuda:0
  train --resume baseline""",
    )
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument(
        "--preset", help="mnist-mlp, cifar10-allcnn, cifar10-allcnn-small, imagenet-resnet18, imagefolder"
    )
    what.add_argument("--config", metavar="FILE", help="settings as JSON: a config, or an earlier run's run.json")
    what.add_argument("--resume", metavar="RUN", help="go on with a run: its path, id, or name")
    what.add_argument(
        "--run", metavar="DIR", help="train a run that was made before, from its start or last checkpoint"
    )
    parser.add_argument(
        "--from-start",
        action="store_true",
        help="with --resume: train it from its start again; its checkpoints are set aside, in checkpoints.1",
    )
    parser.add_argument("--handed", help=argparse.SUPPRESS)  # by a supervisor: its control.lock and a pipe, as "7,8"
    parser.add_argument("--claim", type=int, help=argparse.SUPPRESS)  # by a supervisor: the attempt that it claimed
    parser.add_argument("--on", help=argparse.SUPPRESS)  # by a supervisor: the device
    parser.add_argument("--cores", type=int, help=argparse.SUPPRESS)  # by a supervisor: how many it may use
    settings_arguments(parser)
    parser.add_argument("--dry-run", action="store_true", help="show what would be trained, on what, and stop")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(do=_train)


def settings_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that say what a new run is."""
    parser.add_argument(
        "--method",
        help="sgd, momentum, adam, s-hd, pp-hd, fop (default), fop-norm, fop-exponential, fop-osgm, fop-after, "
        "mean-removing",
    )
    parser.add_argument(
        "--set", action="append", default=[], metavar="FIELD=VALUE", dest="settings", help="may be repeated"
    )
    parser.add_argument("--name", default="", help="what to call it")
    parser.add_argument("--tag", action="append", default=[], dest="tags", help="may be repeated")


def configured(chosen: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """Return the config that arguments name, and from what it was made.

    Raises:
        ValueError, OSError: where they name none.
    """
    from fop_core.runs import files
    from fop_core.training import config

    if chosen.config is not None:
        if chosen.method is not None:
            raise ValueError("--method is for presets; a file says it all")
        content = files.read_json(Path(chosen.config))
        settings = config.change(config.parse(content.get("config", content)), chosen.settings)
        return settings, {"config": chosen.config, "set": chosen.settings}
    method = "fop" if chosen.method is None else chosen.method
    settings = config.change(config.preset(chosen.preset, method), chosen.settings)
    return settings, {"preset": chosen.preset, "method": method, "set": chosen.settings}


def labels(chosen: argparse.Namespace, otherwise: str = "") -> tuple[str, tuple[str, ...]]:
    """Return name and tags of a new run: what arguments say, or another name.

    Raises:
        ValueError: for one that cannot be seen as it is: it could not be typed again, or would steer a terminal.
    """
    for text in (chosen.name or otherwise, *chosen.tags):
        if not text.isprintable():
            raise ValueError(f"{text!r:.200} is not one line of visible characters, as names and tags are: give others")
    return chosen.name or otherwise, tuple(chosen.tags)


def made_from(chosen: argparse.Namespace, lineage: dict[str, Any]) -> str:
    """Return what a new run is called unless arguments say: from what it was made."""
    origin = Path(chosen.config).stem if chosen.preset is None else chosen.preset
    return f"{origin} {lineage.get('method', '')}".strip()


def _train(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import trainer
    from fop_core.runs import store, writable
    from fop_core.runs.control import Control, start_over
    from fop_core.training import config

    again = chosen.run if chosen.resume is None else chosen.resume
    if again is not None and (chosen.method or chosen.settings or chosen.name or chosen.tags):
        raise ValueError("a run keeps the settings it was made with: --method, --set, --name, --tag are for new ones")
    if chosen.from_start and chosen.resume is None:
        raise ValueError("--from-start is for a run that is resumed: give --resume RUN")
    if again is not None:
        run = store.find(again)
        writable.check_folders(run.path)  # before anything is written
        settings = config.of_run(run)
        if chosen.handed is not None:
            *locks, pipe = map(int, chosen.handed.split(","))  # a scheduler's job has no lock
            task = trainer.Task(run.path, chosen.cores, chosen.on, chosen.claim)
            return trainer.work(task, locks[0] if locks else None, pipe)
    else:
        settings, lineage = configured(chosen)
        name, tags = labels(chosen, made_from(chosen, lineage))
    load_torch()
    if chosen.dry_run:
        return _dry_run(settings)
    from fop_core.training import build, datasets

    datasets.find(settings.data)  # what a person can put right is said before a run is made
    build.device(settings.device)
    if again is None:
        run = store.create(settings.to_json(), name=name, tags=tags, lineage=lineage)
    if chosen.from_start and (aside := start_over(run)):
        print(f"its checkpoints are in {aside} now", file=sys.stderr)
    with Control(run) as control:
        if again is not None and run.state.state == "finished":
            print(f"{run.id} is finished: nothing is left to do", file=sys.stderr)
            return 0
        try:
            return trainer.ENDINGS[_follow(run, control, quiet=chosen.quiet)]
        except KeyboardInterrupt:
            control.set("stopped", "by Ctrl-C, at once: it goes on from its last checkpoint, or else from its start")
            raise


def _follow(run: Any, control: Any, *, quiet: bool) -> str:
    """Train, with a bar on a terminal and the words in log.txt too; return the state it ends in."""
    from tqdm import tqdm

    from fop_core.jobs import cores
    from fop_core.quantities import QUANTITIES
    from fop_core.runs.stamps import now
    from fop_core.training.loop import train

    bar = tqdm(total=None, unit="step", disable=None if not quiet else True, dynamic_ncols=True, file=sys.stderr)

    def log(text: str) -> None:
        bar.write(text, file=sys.stderr)
        with os.fdopen(run.open_log(), "a") as file:
            file.write(f"{now()} {text}\n")

    def report(progress: dict[str, Any]) -> None:
        bar.total = progress["steps"]
        bar.n = progress["step"]
        words = [f"epoch {progress['epoch']:.1f}/{progress['epochs']}"]
        for key, label, form in (
            ("train_loss", "loss", "{:.4f}"),
            ("test_accuracy", "test", "{:.2%}"),
            ("held_out_accuracy", "held out", "{:.2%}"),
            ("eigenvalue_max", "top eigenvalue", "{:.3f}"),
        ):
            if key in progress:
                words.append(f"{label} {form.format(float(progress[key]))}")
        bar.set_postfix_str(", ".join(words), refresh=False)
        bar.refresh()

    log(f"{run.id} in {run.path}")
    try:
        ending = train(run, control, log, report, cores=cores.free(run.path.parent))
    finally:
        bar.close()
    summary = run.progress
    if ending == "finished":
        shown = [
            QUANTITIES[k] for k in ("train_loss", "test_loss", "test_accuracy", "held_out_accuracy") if k in summary
        ]
        results = [f"{of.title} {float(summary[of.name]):{'.2%' if of.percent else '.4f'}}" for of in shown]
        print(f"{run.id}: {', '.join(results)}")
    return ending


def _dry_run(settings: Any) -> int:
    from fop_core.training import batches, build, datasets
    from fop_core.training.memory import estimate

    print(json.dumps(settings.to_json(), indent=1))
    source = datasets.find(settings.data)
    device = build.device(settings.device)
    classes, images = datasets.count(settings.data)
    print(f"\ndata: {source.title} in {source.path}, {images:,} training images of {classes} classes")
    if source.note:
        print(f"  {source.note}")
    built = build.build(settings, classes, device)
    steps = build.total_steps(settings, batches.steps_in_epoch(images, settings.batch_size))
    print(f"device: {device}; {steps:,} steps\n")
    for name, parameter in built.model.named_parameters():
        print(f"  {name:32} {list(parameter.shape)!s:20} {parameter.numel():>12,}")
    print(f"  {'in all':53} {sum(p.numel() for p in built.model.parameters()):>12,}\n")
    print(built.optimizer)
    for what, size in estimate(built, settings).items():
        print(f"{what}: {size / 2**20:,.1f} MiB")
    return 0
