"""The command line: ``python -m fop_core <command>``. Each command imports what it needs when it runs."""

import argparse
import contextlib
import os
import sys

from fop_core import __version__
from fop_core.commands import data, doctor, export, paper, plugins, queue, race, runs, study, train
from fop_core.commands.report_errors import failed
from fop_core.printable import Visible


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    made = argparse.ArgumentParser(prog="python -m fop_core", description="First-order preconditioning (FOP).")
    made.add_argument("--version", action="version", version=__version__)
    commands = made.add_subparsers(dest="command", required=True, metavar="command")
    for command in (race, train, queue, study, runs, plugins, paper, export, data, doctor):
        command.add(commands)
    return made


def main(arguments: list[str] | None = None) -> int:
    """Run a command.

    Returns:
        The exit status: 0, 1 where what was asked did not come out, 2 for wrong arguments, 130 after Ctrl-C.
    """
    with contextlib.redirect_stdout(Visible(sys.stdout)), contextlib.redirect_stderr(Visible(sys.stderr)):
        top = parser()
        chosen = top.parse_args(arguments)
        try:
            return chosen.do(chosen, top)
        except BrokenPipeError:  # whoever read our output has seen enough
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        except KeyboardInterrupt:
            return failed(chosen, top, "ended by Ctrl-C", 130)
        except (ValueError, OSError) as error:
            return failed(chosen, top, error)
