"""How a command's expected failures end: as a sentence, with exit status 2."""

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar


class Named(Protocol):
    """A run, or a study."""

    @property
    def id(self) -> str:
        """What its folder is called."""
        ...


Each = TypeVar("Each", bound=Named)


def failed(chosen: argparse.Namespace, parser: argparse.ArgumentParser, why: object, status: int = 2) -> int:
    """Say why a command did not do what was asked; return its exit status."""
    words = [parser.prog, chosen.command, getattr(chosen, "verb", None)]
    print(f"{' '.join(filter(None, words))}: {why}", file=sys.stderr)
    return status


def for_each(all_of: Iterable[Each], do: Callable[[Each], str]) -> int:
    """Do something with each run or study and print what came of it; one that fails is named, and the others go on.

    Returns:
        The exit status: 2 where all of them failed, 1 where some did.
    """
    done, failures = 0, 0
    for each in all_of:
        try:
            print(do(each))
            done += 1
        except (ValueError, OSError) as error:
            print(error if each.id in str(error) else f"{each.id}: {error}", file=sys.stderr)
            failures += 1
    return 0 if not failures else 1 if done else 2
