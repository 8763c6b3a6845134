"""How a command's expected failures end: as a sentence, with exit status 2."""

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fop_core.runs.run import Run


def failed(chosen: argparse.Namespace, parser: argparse.ArgumentParser, why: object, status: int = 2) -> int:
    """Say why a command did not do what was asked; return its exit status."""
    words = [parser.prog, chosen.command, getattr(chosen, "verb", None)]
    print(f"{' '.join(filter(None, words))}: {why}", file=sys.stderr)
    return status


def for_each(runs: "Iterable[Run]", do: "Callable[[Run], str]") -> int:
    """Do something with each run and print what came of it; one that fails is named, and the others go on.

    Returns:
        The exit status: 2 where all of them failed, 1 where some did.
    """
    done, failures = 0, 0
    for run in runs:
        try:
            print(do(run))
            done += 1
        except (ValueError, OSError) as error:
            print(error if run.id in str(error) else f"{run.id}: {error}", file=sys.stderr)
            failures += 1
    return 0 if not failures else 1 if done else 2
