"""How a command's expected failures end: as one line, with exit status 2."""

import argparse
import sys
from collections.abc import Callable


def guarded(do: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace, argparse.ArgumentParser], int]:
    """Return what does a verb of a command, and tells in one line why it cannot."""

    def told(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
        try:
            return do(chosen)
        except BrokenPipeError:
            raise
        except (ValueError, OSError) as error:
            print(f"{parser.prog} {chosen.command} {chosen.verb}: {error}", file=sys.stderr)
            return 2

    return told
