"""Libraries, loaded so that Ctrl-C may come meanwhile.

What Python raises inside the start-up of numpy or torch is lost there ("PyCapsule_Import could not import module
datetime", "Failed to initialize NumPy") or aborts the program. As nothing has been made by then, the program ends at
once instead.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def ends_at_ctrl_c() -> Iterator[None]:
    """Have Ctrl-C end the program at once, with status 130, where nobody else listens to it."""
    plain = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a shell's background jobs ignore it
    if not plain or threading.current_thread() is not threading.main_thread():
        yield
        return
    signal.signal(signal.SIGINT, lambda number, frame: _end())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def load_torch() -> None:
    """Import torch."""
    with ends_at_ctrl_c():
        import torch  # noqa: F401


def _end() -> None:
    os.write(2, b"python -m fop_core: ended by Ctrl-C\n")
    os._exit(130)
