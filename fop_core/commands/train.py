"""``train``: a new run from a preset or a file, or an earlier one to its end."""

import argparse
import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fop_core.commands.load_torch import load_torch
from fop_core.formatting import number, percent, size

if TYPE_CHECKING:
    from fop_core.runs.plugins import Source
    from fop_core.training.config import TrainConfig
    from fop_core.training.probe.client import Probed

PARTS = ("data", "model", "optimizer")
"""What a file of one's own can make."""


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
  train --optimizer lion.py --optimizer-set lr=3e-4
  train --data text.py --model transformer.py --set epochs=3
  train --resume baseline

A file of your own is Python: it runs with your rights. docs/bring-your-own.md says what it has.""",
    )
    what = parser.add_mutually_exclusive_group()
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
    parser.add_argument(
        "--confirm",
        action="append",
        default=[],
        metavar="SHA256",
        help="let a plug-in of this content run; may be repeated",
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
    plugin_arguments(parser)
    parser.add_argument("--name", default="", help="what to call it")
    parser.add_argument("--tag", action="append", default=[], dest="tags", help="may be repeated")


def plugin_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments that name files of one's own."""
    for part in PARTS:
        parser.add_argument(
            f"--{part}", metavar="FILE", help=f"a Python file of your own whose make_{part} makes the {part}"
        )
        parser.add_argument(
            f"--{part}-set",
            action="append",
            default=[],
            metavar="FIELD=VALUE",
            help=f"of its Settings: short for --set {part}.settings.FIELD=VALUE; may be repeated",
        )


def plugin_settings(chosen: argparse.Namespace) -> list[str]:
    """Return the settings that arguments give to files of one's own, as ``--set`` takes them."""
    return [f"{part}.settings.{each}" for part in PARTS for each in getattr(chosen, f"{part}_set")]


@dataclass(frozen=True)
class Configured:
    """What arguments make a new run of.

    Attributes:
        config: its settings.
        lineage: from what they were made.
        sources: the plug-ins that they name, by part.
    """

    config: "TrainConfig"
    lineage: dict[str, Any]
    sources: "dict[str, Source]"


def configured(chosen: argparse.Namespace) -> Configured:
    """Return what arguments name.

    A plug-in that they name is confirmed by that; one that a run's file names is not.

    Raises:
        ValueError, OSError: where they name none, or a plug-in does not do what it should.
    """
    from fop_core.runs import files, plugins
    from fop_core.training import config
    from fop_core.training.probe import client

    sources = confirmed_sources(chosen)
    settings = [*chosen.settings, *plugin_settings(chosen)]
    if chosen.config is not None:
        if chosen.method is not None:
            raise ValueError("--method is for presets; a file says it all")
        content = files.read_json(Path(chosen.config))
        made = config.parse(content.get("config", content))
        theirs = {part: each for part, each in made.to_json().items() if part not in sources}
        beside = plugins.beside(Path(chosen.config).parent, theirs)
        made = client.plugged(made, sources, settings)
        sources = {part: (beside | sources)[part] for part in made.plugins}
        lineage: dict[str, Any] = {"config": chosen.config, "set": settings}
    elif chosen.preset is None and not sources:
        raise ValueError("give --preset, --config, or a file of your own as --optimizer, --model or --data")
    else:
        preset = next(iter(config.PRESETS)) if chosen.preset is None else chosen.preset
        alone = chosen.method is None and "optimizer" in sources
        usual = "momentum" if alone else "fop"
        method = usual if chosen.method is None else chosen.method
        made = client.plugged(config.preset(preset, method), sources, settings)
        lineage = {"preset": preset, "method": None if alone else method, "set": settings}
        sources = {part: sources[part] for part in made.plugins}
    if not sources:
        return Configured(made, lineage, {})
    lineage["plugins"] = {part: source.file for part, source in sources.items()}
    return Configured(probed(made, sources)[0], lineage, sources)


def confirmed_sources(chosen: argparse.Namespace) -> "dict[str, Source]":
    """Return the plug-ins that arguments name, confirmed. One that makes data makes its network too, if it can."""
    from fop_core.runs import confirmed, plugins

    sources = {part: plugins.read(path) for part in PARTS if (path := getattr(chosen, part)) is not None}
    named = any(each.startswith("model.name") for each in chosen.settings)
    if "data" in sources and "model" not in sources and not named and "model" in sources["data"].offers:
        sources["model"] = sources["data"]
    for part in PARTS:
        if getattr(chosen, f"{part}_set") and part not in sources and getattr(chosen, "config", None) is None:
            raise ValueError(f"--{part}-set is of a file of your own: give that as --{part} FILE")
    if sources and (why := confirmed.forbidden()):
        raise ValueError(why)
    for source in sources.values():
        confirmed.confirm(source.digest)
    return sources


def probed(made: "TrainConfig", sources: "dict[str, Source]") -> "tuple[TrainConfig, Probed]":
    """Have the plug-ins of a config take a step in a process of their own.

    Returns:
        The config with all of their settings, and what the probe says.
    """
    from fop_core.training.probe import client

    names = ", ".join(dict.fromkeys(source.file for source in sources.values()))
    print(f"trying {names} in a process of its own ...", file=sys.stderr)
    try:
        probed = client.probe(made, sources)
    except client.ProbeError as error:
        if error.log.strip():
            print(error.log.rstrip(), file=sys.stderr)
        raise
    print(f"one step taken: {probed.parameters:,} parameters, loss {probed.loss:.4g}", file=sys.stderr)
    for note in probed.notes:
        print(f"FOP: {note}", file=sys.stderr)
    return client.completed(made, probed), probed


def labels(chosen: argparse.Namespace, otherwise: str = "") -> tuple[str, tuple[str, ...]]:
    """Return name and tags of a new run: what arguments say, or another name.

    Raises:
        ValueError: for one that cannot be seen as it is: it could not be typed again, or would steer a terminal.
    """
    for text in (chosen.name or otherwise, *chosen.tags):
        if not text.isprintable():
            raise ValueError(f"{text!r:.200} is not one line of visible characters, as names and tags are: give others")
    return chosen.name or otherwise, tuple(chosen.tags)


def made_from(chosen: argparse.Namespace, lineage: dict[str, Any], config: dict[str, Any]) -> str:
    """Return what a new run is called unless arguments say: from what it was made."""
    from fop_core.runs import plugins

    origin = Path(chosen.config).stem if chosen.config is not None else lineage["preset"]
    return plugins.called(origin, lineage.get("method"), config, lineage.get("plugins", {}))


def _train(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.jobs import trainer
    from fop_core.runs import confirmed, plugins, store, writable
    from fop_core.runs.control import Control, start_over
    from fop_core.training import config

    for digest in chosen.confirm:
        confirmed.confirm(digest)
    again = chosen.run if chosen.resume is None else chosen.resume
    own = any(getattr(chosen, f"{part}{what}") for part in PARTS for what in ("", "_set"))
    if again is not None and (own or chosen.method or chosen.settings or chosen.name or chosen.tags):
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
        if why := plugins.refusal(run):
            raise ValueError(f"{run.id}: {why}")
    else:
        new = configured(chosen)
        settings = new.config
        name, tags = labels(chosen, made_from(chosen, new.lineage, settings.to_json()))
    load_torch()
    if chosen.dry_run:
        return _dry_run(settings)
    from fop_core.training import build, datasets

    datasets.find(settings.data)  # what a person can put right is said before a run is made
    build.device(settings.device)
    if again is None:
        run = store.create(settings.to_json(), name=name, tags=tags, lineage=new.lineage, sources=new.sources)
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
        for key, label, written in (
            ("train_loss", "loss", number),
            ("test_accuracy", "test", percent),
            ("held_out_accuracy", "held out", percent),
            ("eigenvalue_max", "top eigenvalue", number),
        ):
            if key in progress:
                words.append(f"{label} {written(float(progress[key]))}")
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
        results = [f"{of.title} {(percent if of.percent else number)(float(summary[of.name]))}" for of in shown]
        print(f"{run.id}: {', '.join(results)}")
    return ending


def _dry_run(settings: Any) -> int:
    from fop_core.training import batches, build, datasets
    from fop_core.training.memory import estimate

    print(json.dumps(settings.to_json(), indent=1))
    if settings.plugins:  # what they make is known to their probe, which has just said it
        return 0
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
    for what, bytes_ in estimate(built, settings).items():
        print(f"{what}: {size(bytes_)}")
    return 0
