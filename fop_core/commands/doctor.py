"""``doctor``: what this machine has for training, and what to do about what it lacks."""

import argparse
import os
import shutil
from pathlib import Path
from typing import Any

from fop_core.commands.load_torch import load_torch
from fop_core.formatting import size

LEAST = 2e9  # bytes that should be free for runs


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("doctor", help="devices, data, disk, versions, and what to do")
    parser.set_defaults(do=_doctor)


def _doctor(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    load_torch()
    import torch

    from fop_core.runs import store
    from fop_core.training import config, datasets, environment

    todo = []
    print("versions")
    for name, number in environment.versions().items():
        print(f"  {name} {number}")
    print(f"  commit {environment.commit()}")

    print("\ndevices")
    print(f"  cpu: {environment.processor()}, {torch.get_num_threads()} threads")
    for index in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(index)
        print(f"  cuda:{index}: {torch.cuda.get_device_name(index)}, {size(free)} of {size(total)} free")
    if not torch.cuda.is_available():
        built = f"torch is built for CUDA {torch.version.cuda}" if torch.version.cuda else "this torch is a CPU build"
        print(f"  no GPU that torch can use ({built})")

    print(f"\ndata in {datasets.data_folder()}")
    for name, settings in (
        ("mnist", config.PRESETS["mnist-mlp"].config.data),
        ("cifar10", config.PRESETS["cifar10-allcnn"].config.data),
        ("imagenet", config.PRESETS["imagenet-resnet18"].config.data),
    ):
        trouble = "missing"
        try:
            source = datasets.find(settings)
            trouble = "damaged"
            classes, images = datasets.count(settings)
        except (datasets.DataError, OSError) as error:
            print(f"  {name}: {trouble}")
            todo.append(str(error))
        else:
            print(f"  {name}: {source.title} in {source.path}, {images:,} training images of {classes} classes")
            if source.note:
                print(f"    {source.note}")

    folder = store.runs_folder()
    ancestor = next(parent for parent in (folder, *folder.resolve().parents) if os.path.exists(parent))
    free = shutil.disk_usage(ancestor).free
    try:
        runs = list(store.scan(folder))
    except OSError as error:
        runs = []
        todo.append(f"the runs in {folder} cannot be listed ({error}): set FOP_RUNS_DIR to a folder that you may read")
    print(f"\nruns in {folder}: {len(runs)}, {size(free)} free")
    if free < LEAST:
        todo.append(f"less than {size(LEAST)} are free in {ancestor}: free some, or set FOP_RUNS_DIR to another disk")
    todo += _shared(folder)
    for run, damage in runs:
        state = ""
        try:
            if not damage:
                state, _, _ = run.state.state, run.progress, run.attempts
        except FileNotFoundError as error:
            damage = f"{error.filename} is missing"
        except (ValueError, OSError) as error:
            damage = str(error)
        if damage:
            todo.append(f"{run.id} is damaged ({damage}): look into it, or python -m fop_core runs delete {run.id}")
        elif state == "lost":
            todo.append(f"{run.id} is lost: python -m fop_core train --resume {run.id}")
    print("\nto do" if todo else "\nall is well")
    for line in todo:
        print(f"  - {line}")
    return 0


def _shared(folder: Path) -> list[str]:
    """Try whether the runs folder does what runs rely on, here and on a node of Slurm's; return what is to be done."""
    from fop_core.jobs import launcher_settings, shared_folder

    if not os.path.isdir(folder):
        return []
    todo = []
    try:
        chosen = launcher_settings.read(folder)
        ways: list[tuple[str, list[str]]] = [("", [])]
        if chosen.launcher == "slurm":
            ways.append(("on a node of Slurm's", launcher_settings.srun(chosen.slurm)))
        for where, launch in ways:
            try:
                findings = shared_folder.examine(folder, launch)
            except (shared_folder.NoPeer, FileNotFoundError) as error:
                print(f"  not tried {where or 'with another process'}: {error}")
                todo.append(f"what the runs folder does {where or 'here'} could not be tried: {error}")
                continue
            for each in findings:
                print(f"  {each.what}: {each.words}")
                if each.good is False:
                    todo.append(f"{folder}, {each.what}: {each.words}")
    except (ValueError, OSError) as error:
        todo.append(f"whether {folder} does what runs rely on cannot be tried: {error}")
    return todo
