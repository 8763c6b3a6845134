"""What does in a shell what a page does."""

import os
import shlex


def folders() -> list[str]:
    """Return the commands that set, in a shell, the folders that are set for this server."""
    keys = [key for key in ("FOP_DATA_DIR", "FOP_RUNS_DIR") if os.environ.get(key)]
    return [f"export {key}={shlex.quote(os.environ[key])}" for key in keys]
