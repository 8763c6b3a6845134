"""``python -m fop_core``."""

import io
import os
import signal
import sys

from fop_core.commands.loading import ends_at_ctrl_c

if __name__ == "__main__":
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):  # in the order of their numbers
        if getattr(sys, name) is None:  # closed: what is opened next, as a run's file, would get its number
            setattr(sys, name, open(os.devnull, mode))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what an encoding lacks is spelt out: no print fails for it
            stream.reconfigure(errors="backslashreplace")
    try:
        with ends_at_ctrl_c():
            from fop_core.cli import main
        status = main()
    except KeyboardInterrupt:  # at a step that neither of them guards
        status = 130
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback of libraries that put away their things at the end
    sys.exit(status)
