"""How a command's expected failures end: as a sentence, with exit status 2."""

import argparse
import sys
from collections.abc import Callable


def guarded(do: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace, argparse.ArgumentParser], int]:
    """Return what does a verb of a command, which needs no parser; ``cli.main`` says why it cannot."""
    return lambda chosen, parser: do(chosen)


def failed(chosen: argparse.Namespace, parser: argparse.ArgumentParser, why: object, status: int = 2) -> int:
    """Say why a command did not do what was asked; return its exit status."""
    words = [parser.prog, chosen.command, getattr(chosen, "verb", None)]
    print(f"{' '.join(filter(None, words))}: {why}", file=sys.stderr)
    return status
