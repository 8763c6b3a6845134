"""Waiting for what must come, with an end to it."""

import time
from collections.abc import Callable
from typing import Any

PAUSE = 0.05  # seconds between looks


def until(holds: Callable[[], Any], seconds: float = 60, pause: Callable[[], Any] = lambda: time.sleep(PAUSE)) -> None:
    """Return once something holds.

    Args:
        holds: whether it does.
        seconds: after which it is taken for never.
        pause: waits between two looks; in a browser's test by ``page.wait_for_timeout``, which lets its events in.
    """
    late = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < late, f"not within {seconds} s"
        pause()
