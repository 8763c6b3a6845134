"""``runs``."""

from typing import Any


def add(commands: Any) -> None:
    """Add the command."""
