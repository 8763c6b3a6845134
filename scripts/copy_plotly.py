"""Copies plotly.js from the installed plotly package to static/, unless the same file is there already.

Streamlit serves static/, so a page needs no network, and the file always fits the Python package beside it.
"""

import filecmp
import importlib.util
import os
import shutil
from pathlib import Path

TARGET = Path(__file__).resolve().parent.parent / "static" / "plotly.min.js"


def main() -> None:
    """Copies the file; replaced in one step, so that a running app never serves half of it."""
    spec = importlib.util.find_spec("plotly")  # finds the package without the time to import it
    if spec is None or spec.origin is None:
        raise SystemExit("FOP Lab: plotly is not installed here; start with `make app`.")
    source = Path(spec.origin).parent / "package_data" / "plotly.min.js"
    if TARGET.exists() and filecmp.cmp(source, TARGET, shallow=False):
        return
    TARGET.parent.mkdir(exist_ok=True)
    new = TARGET.with_name(f"{TARGET.name}.{os.getpid()}")
    shutil.copyfile(source, new)
    new.replace(TARGET)


if __name__ == "__main__":
    main()
