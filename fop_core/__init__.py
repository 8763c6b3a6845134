"""FOP Lab's library: first-order preconditioning by hypergradient descent.

    from fop_core import FOP

Nothing is imported before it is asked for, so that a toy race or a list of runs does not wait for torch.
"""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"
__all__ = ["FOP", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "FOP":
        return import_module("fop_core.optim.fop").FOP
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
