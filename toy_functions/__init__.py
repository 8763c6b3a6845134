"""Two-dimensional test surfaces, a user's own expressions, and races of update rules over them."""

from toy_functions import expressions, presets, surfaces
from toy_functions.racing import Race, Trajectory, race

__all__ = ["Race", "Trajectory", "expressions", "presets", "race", "surfaces"]
