"""What the player in a browser gets of each run: how it looks, and its numbers, as its types.d.ts names them."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from fop_core.figures.interactive import End
from fop_core.figures.motion import Motion
from fop_core.figures.style import GLYPHS
from fop_core.figures.trajectories import DrawnTrajectory
from toy_functions.stepping import Stepping


def head(run: DrawnTrajectory, motion: Motion, end: End, how: Stepping | None, arrows: bool) -> dict[str, Any]:
    """Return a run's ``RunHead``.

    Args:
        run: how it is called and looks.
        motion: its points.
        end: its label.
        how: it steps; None where that is not known.
        arrows: whether its head has arrows.
    """
    method = run.method
    return {
        "rule": run.rule,
        "name": method.name,
        "color": method.color,
        "dash": [] if method.dash == "solid" else [float(part) for part in method.dash.replace("px", "").split(",")],
        "width": method.width,
        "glyph": GLYPHS[method.symbol],
        "bold": run.rule == "fop",
        "count": len(motion.steps),
        "downsampled": motion.downsampled,
        "learns": motion.preconditioned is not None,
        "arrows": arrows,
        "rate": 1.0 if how is None else how.rate,
        "scheduled": how is not None and how.rates is not None,
        "momentum": how is not None and how.momentum,
        "label": {"text": end.text, "at": end.at, **dataclasses.asdict(end.anchor)},
    }


def arrays(motions: Sequence[Motion], stepping: Sequence[Stepping | None], arrows: bool) -> dict[str, bytes]:
    """Return the numbers of runs, those of one after those of another, by their names in ``PlayerData``.

    Args:
        motions: their points.
        stepping: how they step, as of ``head``.
        arrows: whether heads have arrows.
    """
    rated = [how.rates(each.steps) for each, how in zip(motions, stepping) if how is not None and how.rates is not None]
    made = {
        "points": joined([each.points.T for each in motions], "<f4"),
        "losses": joined([each.losses for each in motions], "<f4"),
        "gradients": joined([each.g.T for each in motions], "<f4"),
        "moves": joined([each.moves.T for each in motions], "<f4"),
        "matrices": joined([matrix.T for each in motions for matrix in (each.P, each.H) if matrix is not None], "<f8"),
        "rates": joined(rated, "<f4"),
    }
    if any(each.downsampled for each in motions):
        made["kept"] = joined([each.steps for each in motions if each.downsampled], "<u4")
    if arrows:
        turns = [turn for each in motions for turn in (each.gradient, each.preconditioned) if turn is not None]
        made["angles"] = joined(turns, "<f4")
    return made


def joined(parts: Sequence[np.ndarray], kind: str) -> bytes:
    """Return the numbers of arrays, of any shapes, as one run of bytes of a kind, "<f4"; row by row."""
    return b"".join(np.ascontiguousarray(part).astype(kind).tobytes() for part in parts)
