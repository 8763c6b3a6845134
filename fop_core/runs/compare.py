"""Runs side by side: what differs between them, which are one run with several seeds, and their mean and spread.

Settings come as ``flat`` returns them: {"fop.rank": 16, "seed": 0}.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fop_core import downsample
from fop_core.optim.forms import FORMS
from fop_core.runs.series import aggregate

Array = np.ndarray
Settings = Mapping[str, Any]

ASIDE = frozenset(
    {
        *("checkpoint_minutes", "checkpoint_steps", "data.path", "data.storage", "data.workers", "device"),
        *("log_every", "snapshots", "threads"),
    }
)
"""Settings that say how a run is watched and where it runs, not what it learns."""

ADDED: dict[str, dict[str, Any]] = {
    "data": {"limit": None},
    "optimizer": {"precondition_every": 10},
    "fop": {
        "hyper_lr_step": 0.0,
        "hyper_lr_bounds": [1e-3, 1e3],
        "init_scale": 1.0,
        "apply": "before",
        "feedback": "hypergradient",
        "derivative": "exact",
    },
}
"""What settings that came later were in runs that are too old to have them."""

MISSING = 8.0  # usual distances between two points after which what is between them counts as missing


def flat(content: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings by their paths: {"fop": {"rank": 16}} as {"fop.rank": 16}.

    Example:
        >>> from fop_core.runs.compare import flat
        >>> flat({"fop": {"rank": 16, "hyper_lr": 1e-4}, "seed": 0})
        {'fop.rank': 16, 'fop.hyper_lr': 0.0001, 'seed': 0}
    """
    settings: dict[str, Any] = {}
    for key, value in content.items():
        settings |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return settings


def settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a run's config flat, an older run's as a new one has them: so the two can be compared.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import compare
        >>> settings = compare.settings(runs.load("mnist-fop-rank16-seed0").config)
        >>> settings["fop.rank"], settings["fop.apply"]  # the second came later than this run
        (16, 'before')
    """
    content = dict(config)
    for section, added in ADDED.items():
        if isinstance(here := content.get(section), Mapping) and "plugin" not in here:
            content[section] = {**here, **{name: value for name, value in added.items() if name not in here}}
    made = flat(content)
    if made.get("fop.max_dim") == 1024:  # which stood for the form's own limit before that could be none
        made["fop.max_dim"] = None
    return made


def method(settings: Settings) -> str:
    """Return which method a run uses: one of ``training.config.METHODS``, or of ``figures``' methods.

    Of a run that a script recorded it is what its settings call "method" or "optimizer", else "recorded".

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import compare
        >>> names = ("mnist-sgd-seed0", "cifar10-fop-velocity", "cifar10-fop-one-step", "cifar10-s-hd")
        >>> [compare.method(compare.settings(runs.load(name).config)) for name in names]
        ['momentum', 'fop', 'fop-one-step', 's-hd']
    """
    if settings.get("recorded"):
        named = (settings.get(name) for name in ("method", "optimizer", "optimizer.name"))
        return next((name for name in named if isinstance(name, str) and name), "recorded")
    if settings.get("control") == "rate":  # whose P = c I is not its own
        return "control-rate"
    if (form := settings.get("fop.preconditioner")) is None:
        if (own := settings.get("optimizer.plugin.file")) is not None:
            return str(own)
        if settings.get("optimizer.name", "sgd") != "sgd":
            return str(settings["optimizer.name"])
        if settings.get("optimizer.nesterov"):
            return "nesterov"
        return "momentum" if settings.get("optimizer.momentum") else "sgd"
    if (known := FORMS.get(str(form))) is not None and known.method != "fop":
        return known.method
    if settings.get("fop.normalized"):
        return "fop-norm"
    if settings.get("fop.apply") == "after":
        return "fop-after"
    if settings.get("fop.feedback") == "osgm":
        return "fop-osgm"
    one_step = settings.get("fop.trace") in ("one_step", 0) and settings.get("optimizer.momentum")
    return "fop-one-step" if one_step else "fop"


def differing(runs: Sequence[Settings], within: Sequence[Any] | None = None) -> list[str]:
    """Return the settings in which runs differ, in the order of the settings; those that are ``ASIDE`` come last.

    Args:
        runs: their settings.
        within: of each run what it is compared within, such as preset and method: a setting that differs only between
            two of these is left out. All are compared with all unless given.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import compare
        >>> names = "cifar10-fop-velocity", "cifar10-fop-one-step"
        >>> compare.differing([compare.settings(runs.load(name).config) for name in names])
        ['fop.trace']
    """
    first_values: dict[tuple[Any, str], Any] = {}
    names: dict[str, None] = {}
    for settings, kind in zip(runs, within or [None] * len(runs)):
        for name, value in settings.items():
            if first_values.setdefault((kind, name), value) != value:
                names[name] = None
    order = {name: index for settings in runs for index, name in enumerate(settings)} if names else {}
    return sorted(names, key=lambda name: (name in ASIDE, order[name]))


@dataclass(frozen=True)
class Group:
    """Runs that are the same but for the seed.

    Attributes:
        method: see ``method``.
        kind: what its runs were given as theirs, such as a preset.
        differs: settings that distinguish it from the other groups of its method and kind, with their values.
        members: which of the runs, in their order.

    Example:
        >>> from fop_core.runs.compare import groups
        >>> runs = [{"optimizer.lr": lr, "seed": seed} for lr in (0.01, 0.1) for seed in (0, 1)]
        >>> groups(runs, kinds=["mnist"] * 4)[1]
        Group(method='sgd', kind='mnist', differs=(('optimizer.lr', 0.1),), members=(2, 3))
    """

    method: str
    kind: str
    differs: tuple[tuple[str, Any], ...]
    members: tuple[int, ...]


def groups(runs: Sequence[Settings], kinds: Sequence[str], apart: bool = False) -> list[Group]:
    """Return runs as groups that differ by the seed alone, ``ASIDE`` aside; in the order of their first members.

    Args:
        runs: their settings.
        kinds: of each what it belongs to, such as its preset.
        apart: whether each is to be a group of its own.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import compare
        >>> names = [f"mnist-{method}-seed{seed}" for method in ("sgd", "fop-rank16") for seed in range(3)]
        >>> settings = [compare.settings(runs.load(name).config) for name in names]
        >>> [(group.method, group.members) for group in compare.groups(settings, kinds=["mnist"] * 6)]
        [('momentum', (0, 1, 2)), ('fop', (3, 4, 5))]
    """
    members_of: dict[str, list[int]] = {}
    for index, settings in enumerate(runs):
        same = {name: value for name, value in settings.items() if name != "seed" and name not in ASIDE}
        members_of.setdefault(str(index) if apart else json.dumps(same, sort_keys=True), []).append(index)
    firsts = [members[0] for members in members_of.values()]
    sorts = [(method(runs[first]), kinds[first]) for first in firsts]
    made = []
    for sort, members in zip(sorts, members_of.values()):
        alike = [runs[first] for first, other in zip(firsts, sorts) if other == sort]
        names = [name for name in differing(alike) if apart or (name not in ASIDE and name != "seed")]
        differs = tuple((name, runs[members[0]].get(name)) for name in names)
        made.append(Group(*sort, differs, tuple(members)))
    return made


@dataclass(frozen=True)
class Curve:
    """What one run measured.

    Attributes:
        steps: at which, ascending, int64 [k].
        x: the same on another axis, [k].
        y: the values, [k]; NaN and infinities were measured so.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs.compare import Curve
        >>> steps, loss = runs.load("mnist-sgd-seed0").metrics["test_loss"]
        >>> curve = Curve(steps, steps / 469, loss)  # over epochs
        >>> curve.x[-1], curve.y[-1].round(3)
        (np.float64(10.0), np.float64(0.088))
    """

    steps: Array
    x: Array
    y: Array


@dataclass(frozen=True)
class Spread:
    """Several runs as one.

    Attributes:
        curve: their mean where all of them measured.
        std: their sample standard deviation there, [k]; NaN of a single one.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import Curve, spread
        >>> steps = np.array([10, 20])
        >>> both = spread([Curve(steps, steps, np.array(losses)) for losses in ([1.0, 0.5], [3.0, 0.5])])
        >>> both.curve.y, both.std
        (array([2. , 0.5]), array([1.41421356, 0.        ]))
    """

    curve: Curve
    std: Array


def spread(curves: Sequence[Curve]) -> Spread:
    """Return mean and spread over runs, at the steps that all of them measured.

    Where x is not the same for all, as seconds are not, it is the mean too. A run that diverged makes the mean NaN from
    there on.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import Curve, spread
        >>> short = Curve(np.array([10, 20]), np.array([1.0, 2.0]), np.array([4.0, 2.0]))
        >>> long = Curve(np.array([10, 20, 30]), np.array([1.0, 2.0, 3.0]), np.array([2.0, 1.0, 0.5]))
        >>> spread([short, long]).curve
        Curve(steps=array([10, 20]), x=array([1., 2.]), y=array([3. , 1.5]))
    """
    of_y, of_x = (aggregate([(c.steps, v) for c, v in zip(curves, vs)]) for vs in _columns(curves))
    every = of_y.count == len(curves)
    return Spread(Curve(of_y.x[every], of_x.mean[every], of_y.mean[every]), of_y.std[every])


def at_end(curves: Sequence[Curve]) -> list[int]:
    """Return which curves reach to where the longest ends, so that their last values can be averaged.

    A run that is not as far, or was stopped, has measured nothing there. One that diverged has: it is not a number.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import Curve, at_end
        >>> ends = ([1, 2], [1.0, 0.5]), ([1], [1.0]), ([1], [np.nan])  # finished, stopped, diverged
        >>> at_end([Curve(np.array(steps), np.array(steps), np.array(values)) for steps, values in ends])
        [0, 2]
    """
    end = max((int(curve.steps[-1]) for curve in curves if len(curve.steps)), default=0)
    return [
        index
        for index, curve in enumerate(curves)
        if len(curve.steps) and (curve.steps[-1] == end or not np.isfinite(curve.y[-1]))
    ]


def mean_and_std(values: Sequence[float]) -> tuple[float, float | None]:
    """Return the mean of at least one value, and their sample standard deviation (n - 1), None of a single one.

    Where a value is not finite, the deviation is NaN.

    Example:
        >>> from fop_core.runs.compare import mean_and_std
        >>> mean_and_std([0.5, 0.75, 1.0]), mean_and_std([0.5])
        ((0.75, 0.25), (0.5, None))
    """
    with np.errstate(invalid="ignore"):
        return float(np.mean(values)), float(np.std(values, ddof=1)) if len(values) > 1 else None


def _columns(curves: Sequence[Curve]) -> tuple[list[Array], list[Array]]:
    return [curve.y for curve in curves], [curve.x for curve in curves]


def smoothed(values: Array, share: float) -> Array:
    """Return the mean of values over a window around each, shorter at the ends; what is not finite stays a gap.

    Args:
        values: [n].
        share: of all n that is the window's width; 0 returns the values.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import smoothed
        >>> smoothed(np.array([0.0, 3.0, 0.0, np.nan, 6.0]), share=0.4)
        array([0. , 1. , 1.5, nan, 6. ])
    """
    half = round(share * len(values) / 2)
    if half == 0:
        return values
    finite = np.isfinite(values)
    sums = np.concatenate([[0.0], np.cumsum(np.where(finite, values, 0.0))])
    counts = np.concatenate([[0], np.cumsum(finite)])
    at = np.arange(len(values))
    reach = np.minimum(half, np.minimum(at, len(values) - 1 - at))  # as far to the left as to the right
    low, high = at - reach, at + reach + 1
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(finite, (sums[high] - sums[low]) / (counts[high] - counts[low]), np.nan)


def less(curve: Curve, baseline: Curve) -> Curve:
    """Return a curve less another one, which is read between its points; NaN where that one does not reach.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import Curve, less
        >>> steps, ends = np.array([0, 10, 20]), np.array([0, 20])
        >>> fop, sgd = Curve(steps, steps, np.array([2.0, 1.0, 0.5])), Curve(ends, ends, np.array([2.0, 1.0]))
        >>> less(fop, sgd).y
        array([ 0. , -0.5, -0.5])
    """
    if not len(baseline.x):
        return Curve(curve.steps, curve.x, np.full(len(curve.y), np.nan))
    order = np.argsort(baseline.x, kind="stable")
    between = np.interp(curve.x, baseline.x[order], baseline.y[order], left=np.nan, right=np.nan)
    with np.errstate(invalid="ignore"):
        return Curve(curve.steps, curve.x, curve.y - between)


def drawn(x: Array, y: Array, gaps: Array, buckets: int) -> tuple[Array, Array]:
    """Return the points to draw: the extremes of buckets, see ``downsample.series``; NaN where a line must break.

    Args:
        x: [n].
        y: [n].
        gaps: indices after which something is missing, see ``holes``.
        buckets: of each kind; at most 4 buckets + 2 finite points come back.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import drawn, holes
        >>> x = np.arange(10_000.0)
        >>> line_x, line_y = drawn(x, np.sin(x / 500), holes(x), buckets=50)
        >>> len(line_x), line_y.max().round(3)
        (177, np.float64(1.0))
    """
    finite = np.isfinite(y)
    there = np.flatnonzero(finite)
    chosen = there[downsample.series(y[there], buckets)] if len(there) else there
    kept = np.union1d(chosen, _begins(finite)[:buckets]).astype(np.int64)
    after = np.searchsorted(kept, gaps, side="right")
    breaks = np.unique(after[(after > 0) & (after < len(kept))])
    shown = np.where(finite[kept], y[kept], np.nan)
    return np.insert(x[kept].astype(np.float64), breaks, np.nan), np.insert(shown, breaks, np.nan)


def broken(x: Array, y: Array, measured: Array) -> tuple[Array, Array]:
    """Return where what was measured ceases to be finite, and the last finite height before, or the first one after.

    Args:
        x: [n].
        y: heights, [n].
        measured: the values themselves, [n].

    Returns:
        x and y of the points to mark, each [k], k <= 100; nothing of a curve without any number.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import broken
        >>> loss = np.array([2.0, 8.0, np.inf, np.nan])
        >>> broken(np.arange(4), loss, loss)
        (array([2.]), array([8.]))
    """
    there, begins = np.flatnonzero(np.isfinite(y)), _begins(np.isfinite(measured))[:100]
    if not len(there):
        return np.empty(0), np.empty(0)
    before = there[np.maximum(np.searchsorted(there, begins) - 1, 0)]
    return x[begins].astype(np.float64), y[before]


def _begins(finite: Array) -> Array:
    return np.flatnonzero(~finite & np.concatenate([[True], finite[:-1]])[: len(finite)])


def holes(steps: Array) -> Array:
    """Return after which points something is missing: the next one is much farther away than is usual.

    Args:
        steps: ascending, [n].

    Returns:
        Indices [k], each less than n - 1.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.compare import holes
        >>> holes(np.concatenate([np.arange(0, 30), np.arange(100, 130)]))
        array([29])
    """
    apart = np.diff(steps)
    if len(apart) < 20:
        return np.empty(0, np.int64)
    return np.flatnonzero(apart > MISSING * np.median(apart[len(apart) // 2 :]))
