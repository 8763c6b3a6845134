"""torch, loaded so that Ctrl-C may come meanwhile.

What Python raises inside torch's own start-up is lost there ("Failed to initialize NumPy") or aborts the program. As
nothing has been made by then, the program ends at once instead.
"""

import os
import signal
import threading


def load_torch() -> None:
    """Import torch."""
    plain = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a shell's background jobs ignore it
    if not plain or threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGINT, lambda number, frame: _end())
    try:
        import torch  # noqa: F401
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end() -> None:
    os.write(2, b"python -m fop_core: ended by Ctrl-C\n")
    os._exit(130)
