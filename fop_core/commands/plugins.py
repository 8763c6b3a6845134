"""``plugins``: which files of one's own may run: confirm."""

import argparse
import os
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    parser = commands.add_parser("plugins", help="files of your own: which of them may run")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    confirm = verbs.add_parser(
        "confirm",
        help="let a content run from now on",
        description="Let the content of a file, or of those that a run is trained with, run from now on. A plug-in is "
        "code: it runs with your rights, and nothing holds it back. So read it first. What `train`, `queue` or `study` "
        "is given as a file is confirmed by that; a run that came from elsewhere is not.",
    )
    confirm.add_argument("what", metavar="FILE|RUN", help="a Python file; or a run: its path, id or name")
    confirm.add_argument("--folder", type=Path, help="where the runs are (FOP_RUNS_DIR, trained_models/runs)")
    confirm.set_defaults(do=_confirm)


def _confirm(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.runs import confirmed, plugins, store

    if why := confirmed.forbidden():
        raise ValueError(why)
    if os.path.isfile(chosen.what):
        sources = [plugins.read(chosen.what)]
    else:
        run = store.find(chosen.what, chosen.folder)
        sources = list(plugins.of_run(run).values())
        if not sources:
            raise ValueError(f"{run.id} is trained without a file of its own: there is nothing to confirm")
    if fault := next((source.fault for source in sources if source.fault), ""):
        raise ValueError(fault)
    for source in sources:
        confirmed.confirm(source.digest)
        print(f"{source.file}, SHA-256 {source.digest}: may run")
    return 0
