"""The player in a file of its own: one HTML page that plays a race without a server, a network or plotly.

    from fop_core.figures.web import RacePlayer, race_html
    from toy_functions import presets

    RacePlayer(presets.PAPER_BOOTH)                                     # the last line of a notebook's cell
    Path("race.html").write_text(race_html(presets.PAPER_BOOTH))

The page's code is that of the app's player, which ``scripts/web.sh build`` puts into ``player.html`` beside this file.
"""

import base64
import dataclasses
import html
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from fop_core import downsample
from fop_core.figures import heads, interactive, landscape, player_data, style
from fop_core.figures.heads import Played, in_order, last_step
from fop_core.figures.interactive import Point
from fop_core.figures.landscape import Box, Landscape
from fop_core.figures.motion import Motion, motion
from fop_core.figures.payload import packed
from fop_core.figures.style import number, plain, point
from fop_core.figures.trajectories import MARKED_STEPS, DrawnTrajectory, downsampled
from fop_core.optim.rules import RULES
from toy_functions.racing import Race, noise_of_steps, race
from toy_functions.stepping import Stepping
from toy_functions.stepping import stepping as step_of

BYTES = 850_000
"""The most that the points of all runs take: with those a file stays below 1.5 MB."""

_POINT, _MATRICES = 44, 48  # bytes of a point, and of its P and H where a P is learned

_TEMPLATE = Path(__file__).with_name("player.html")

Array = np.ndarray


def race_html(
    settings: Race, *, title: str = "", log_steps: bool = True, arrows: bool = True, box: Box | None = None
) -> str:
    """Run a race, and return a page that plays it.

    Args:
        settings: what decides the race; its rules are called by their names there.
        title: of the page; which surface and start where there is none.
        log_steps: whether time is logarithmic.
        arrows: whether heads have arrows: −g, −P g and the way on.
        box: the part of the plane to show; None for the surface's view, grown to hold the paths.

    Example:
        >>> from pathlib import Path
        >>> from fop_core.figures.web import race_html
        >>> from toy_functions import presets
        >>> page = race_html(presets.PAPER_BOOTH, title="Figure 1, left")
        >>> Path("race.html").write_text(page, encoding="utf-8") > 100_000, "Figure 1, left" in page
        (True, True)
    """
    surface = settings.surface
    raced = []
    for name, path in race(settings).items():
        rule = next((key for key, kind in RULES.items() if kind is type(settings.rules[name])), "own-rule")
        P = path.preconditioners
        raced.append(
            _Raced(
                downsampled(rule, path.points, path.losses, path.status, P),
                motion(
                    path.points,
                    path.losses,
                    P,
                    surface.gradient,
                    surface.hessian,
                    noise_of_steps(settings, settings.rules[name], path.points),
                ),
                name,
            )
        )
    paths = [each.run.path for each in raced if each.run.status != "diverged"]
    ground = landscape.survey(surface.value, surface.floor, landscape.frame(surface.view, settings.start, paths))
    tolerance = f"f {'− f* ' * (surface.floor != 0)}< {plain(settings.tolerance)}"
    return player_html(
        ground,
        raced,
        settings.start,
        surface.minima,
        title=title or f"A race on {surface.name} from {point(*settings.start)}",
        description=f"Until {tolerance}, at most {settings.max_steps:,} steps. Contours: {ground.description}.",
        log_steps=log_steps,
        arrows=arrows,
        box=box,
        names=[each.name for each in raced],
        stepping=[step_of(settings.rules[each.name], settings) for each in raced],
    )


class RacePlayer:
    """A race that a notebook shows as a player.

    Args:
        settings: what decides the race.
        options: of ``race_html``.

    Example:
        >>> from fop_core.figures.web import RacePlayer
        >>> from toy_functions import presets
        >>> player = RacePlayer(presets.PAPER_BOOTH)  # as the last line of a notebook's cell it is the player
        >>> player._repr_html_()[:28], len(player.html) < 1_500_000
        ('<iframe title="Race player" ', True)
    """

    def __init__(self, settings: Race, **options: Any) -> None:
        self.html = race_html(settings, **options)

    def _repr_html_(self) -> str:
        """Return the page in a frame: its code and its style stay inside."""
        frame = "width:100%;max-width:830px;height:1040px;border:0"
        return (
            f'<iframe title="Race player" sandbox="allow-scripts" style="{frame}" '
            f'srcdoc="{html.escape(self.html)}"></iframe>'
        )


@dataclass(frozen=True)
class _Raced:
    run: DrawnTrajectory
    motion: Motion
    name: str


def player_html(
    ground: Landscape,
    played: Sequence[Played],
    start: Point,
    minima: Sequence[Point],
    *,
    title: str,
    description: str = "",
    step: int | None = None,
    log_steps: bool = True,
    arrows: bool = True,
    box: Box | None = None,
    names: Sequence[str] = (),
    stepping: Sequence[Stepping] = (),
    hidden: Sequence[str] = (),
    followed: str = "",
) -> str:
    """Return a page that plays a race from above.

    Args:
        ground: what it is drawn on.
        played: runs with what the player moves; one without a finite point is left out.
        start: where all of them started.
        minima: known ones.
        title: of the page.
        description: a sentence or two below the player.
        step: at which it is shown at first; None for the last.
        log_steps: whether time is logarithmic.
        arrows: whether heads have arrows.
        box: the part of the plane that is shown; None for all of the ground.
        names: what ``played`` are called; as in ``style.METHODS`` where there are none.
        stepping: how they step, for the arrows of the one whose steps are shown.
        hidden: rules of those that are hidden at first; the reader can show them.
        followed: what the one is called whose steps are shown, as of ``heads.followed``.

    Example:
        >>> import re
        >>> from dataclasses import dataclass
        >>> from fop_core.figures import landscape, motion, trajectories
        >>> from fop_core.figures.web import player_html
        >>> from toy_functions import presets, race
        >>> @dataclass
        ... class Played:
        ...     run: trajectories.DrawnTrajectory
        ...     motion: motion.Motion
        >>> booth, path = presets.PAPER_BOOTH.surface, race(presets.PAPER_BOOTH)["SGD"]
        >>> sgd = Played(
        ...     trajectories.downsampled("sgd", path.points, path.losses, path.status),
        ...     motion.motion(path.points, path.losses, None, booth.gradient),
        ... )
        >>> ground = landscape.survey(booth.value, booth.floor, booth.view)
        >>> page = player_html(ground, [sgd], (0.0, -4.0), booth.minima, title="SGD alone")
        >>> re.findall("<title>(.*)</title>", page)
        ['SGD alone']
    """
    shown = in_order(played)
    called = {id(each): name for each, name in zip(played, names)}
    steps = {id(each): how for each, how in zip(played, stepping)}
    most = _most([each.motion for each in shown])
    motions = [_thinner(each.motion, most) for each in shown]
    view = heads.window(box, ground.box, 1.0).box
    top = (float(np.nanmax(ground.heights)) - ground.bottom) / ground.step if np.isfinite(ground.heights).any() else 0.0
    data: dict[str, Any] = {
        "figure": "",
        "source": "",
        "themes": {
            name: {"template": {}, "roles": {}, "colors": dataclasses.asdict(theme)}
            for name, theme in style.THEMES.items()
        },
        "margin": interactive.MARGIN,
        "alt": f"Paths: {', '.join(each.run.label for each in shown)}",
        "race": title,
        "file": "",
        "title": title,
        "description": description,
        "start": start,
        "clicks": 0,
        "hidden": [called.get(id(each), each.run.method.name) for each in shown if each.run.rule in hidden],
        "scale": {"quantity": ground.quantity, "base": ground.base, "log": ground.log},
        "log": log_steps,
        "opening": False,
        "step": last_step(shown) if step is None else step,
        "view": view,
        "followed": followed,
        "ground": {
            "size": len(ground.x),
            "box": ground.box,
            "top": top,
            "bottom": ground.bottom,
            "step": ground.step,
            "minima": list(minima),
            "ticks": {"x": ticks(*view[:2]), "y": ticks(*view[2:])},
        },
        "runs": _runs(shown, motions, ground.box, start, minima, arrows, called, steps),
    }
    heights = ((ground.heights - ground.bottom) / ground.step).astype("<f4").tobytes()
    arrays = {"heights": heights} | player_data.arrays(motions, [steps.get(id(each)) for each in shown], arrows)
    filled = {
        "title": html.escape(title),
        "description": html.escape(description),
        "race": base64.b64encode(packed(data, arrays)).decode(),
    }
    return re.sub(r"\{\{(title|description|race)\}\}", lambda match: filled[match[1]], _TEMPLATE.read_text("utf-8"))


def ticks(low: float, high: float) -> list[tuple[float, str]]:
    """Return round numbers between two, at most seven, and how they are written.

    Example:
        >>> from fop_core.figures.web import ticks
        >>> ticks(-1.0, 3.0)
        [(-1.0, '−1'), (0.0, '0'), (1.0, '1'), (2.0, '2'), (3.0, '3')]
    """
    rough = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough * (1 - 1e-9))
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    values = np.arange(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1) * step
    return [(value, f"{value + 0.0:.{digits}f}".replace("-", "−")) for value in values.tolist()]


def _runs(
    shown: Sequence[Played],
    motions: Sequence[Motion],
    box: Box,
    start: Point,
    minima: Sequence[Point],
    arrows: bool,
    called: Mapping[int, str],
    steps: Mapping[int, Stepping],
) -> list[dict[str, Any]]:
    """Return how each run looks, under the name that it has here, and what is said of it at its end."""
    ends = heads.ends(box, shown, start, minima)
    runs = []
    for each, thinned, end in zip(shown, motions, ends):
        run = each.run
        name = called.get(id(each), run.method.name)
        made = player_data.head(run, thinned, end, steps.get(id(each)), arrows)
        made["label"]["text"] = end.text.replace(run.method.name, name, 1)
        runs.append(
            made
            | {
                "rule": name,  # which two of one kind do not share
                "name": name,
                "last": int(thinned.steps[-1]),
                "ended": _ended(run, float(thinned.losses[-1])),
            }
        )
    return runs


def _ended(run: DrawnTrajectory, loss: float) -> str:
    match run.status:
        case "converged":
            return f"converged at step {run.steps:,}"
        case "diverged":
            return f"diverged at step {run.steps:,}"
    return f"f = {number(loss)} after {run.steps:,} steps"


def _most(motions: Sequence[Motion]) -> int:
    """Return how many points a run may have at most, such that all of them take no more than ``BYTES``."""
    counts = np.array([len(each.steps) for each in motions], dtype=np.int64)
    costs = np.array([_POINT + _MATRICES * (each.P is not None) for each in motions], dtype=np.int64)
    fitting = [most for most in range(256, 1 << 14, 256) if (np.minimum(counts, most) * costs).sum() <= BYTES]
    return max(fitting, default=256)


def _thinner(whole: Motion, most: int) -> Motion:
    """Return a run with so many points at most, and the marked ones, as ``motion`` leaves others out."""
    if len(whole.steps) <= most:
        return whole
    points = np.clip(whole.points.astype(np.float64), -1e30, 1e30)  # a float32 may be infinite
    kept = downsample.path(points, most // 2)
    kept = np.union1d(kept, np.geomspace(1, len(whole.steps) - 1, most // 4).astype(np.int64))
    kept = np.union1d(kept, np.flatnonzero(np.isin(whole.steps, MARKED_STEPS)))
    arrays = {name: values[kept] for name, values in vars(whole).items() if isinstance(values, np.ndarray)}
    return dataclasses.replace(whole, downsampled=True, **arrays)
