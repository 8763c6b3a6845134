"""The command line: ``python -m fop_core <command>``. Each command imports what it needs when it runs."""

import argparse
import os
import sys

from fop_core import __version__
from fop_core.commands import data, doctor, export, queue, race, runs, train


def main(arguments: list[str] | None = None) -> int:
    """Run a command; return the exit status: 0, 1 where what was asked did not come out, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(prog="python -m fop_core", description="First-order preconditioning (FOP).")
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for command in (race, train, queue, runs, export, data, doctor):
        command.add(commands)
    chosen = parser.parse_args(arguments)
    try:
        return chosen.do(chosen, parser)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
