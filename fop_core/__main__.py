"""``python -m fop_core``."""

import signal
import sys

if __name__ == "__main__":
    plain = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # a shell's background jobs ignore it
    if plain:  # numpy's start-up loses the interruption, and nothing has been made by then: it ends the program at once
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    import io
    import os
    from types import FrameType

    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of their numbers
        if getattr(sys, name) is None:  # closed: what is opened next, as a run's file, would get its number
            setattr(sys, name, open(os.devnull, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what an encoding lacks is spelt out: no print fails for it
            stream.reconfigure(errors="backslashreplace")

    from fop_core.cli import main

    pressed: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        """Raise, and note that: a module that is being loaded may make another exception of it."""
        pressed.append(number)
        raise KeyboardInterrupt

    try:
        if plain:
            signal.signal(signal.SIGINT, interrupt)
        status = main()
    except KeyboardInterrupt:  # at a step that it does not guard
        status = 130
    except Exception:
        if not pressed:
            raise
        print("python -m fop_core: ended by Ctrl-C", file=sys.stderr)
        status = 130
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of libraries that put away their things at the end
    sys.exit(status)
