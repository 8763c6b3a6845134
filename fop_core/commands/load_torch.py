"""torch, loaded so that Ctrl-C may come meanwhile.

What Python raises inside torch's own start-up is lost there ("Failed to initialize NumPy") or aborts the program. As
nothing has been made by then, the program ends at once instead.
"""

import os
import signal
import threading


def load_torch() -> None:
    """Import torch."""
    before = signal.getsignal(signal.SIGINT)
    ignored = before in (signal.SIG_IGN, signal.SIG_DFL, None)  # as by a shell's background jobs
    if ignored or threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGINT, lambda number, frame: _end())
    try:
        import torch  # noqa: F401
    finally:
        signal.signal(signal.SIGINT, before)


def _end() -> None:
    os.write(2, b"python -m fop_core: ended by Ctrl-C\n")
    os._exit(130)
