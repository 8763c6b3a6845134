"""Races from many starts at once: where each start ends, and after how many steps.

    ends = basins(surfaces.HIMMELBLAU, {"SGD": SGD(0.01), "FOP": FOP(0.01)}, max_steps=500)
    ends["SGD"].steps                                          # [256, 256]
    stability(surfaces.BOOTH, FOP(0.01), (0.0, -4.0), rates, hyper_rates).status

A path is one race of ``racing.race``: the same rule, arithmetic and decisions in the same order, on arrays of float64.
On surfaces of ``+ - * /`` and square roots it is the single race's to the last bit. Sines, exponentials and the like of
an array can differ from a float's in the last bit, which a chaotic path may come to show.

Paths run in blocks, on numpy in a few threads, or on a torch device. ``descend`` can add noise to
the gradients; grids have none.
"""

import math
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, replace
from threading import Event, RLock
from typing import Any, TypedDict, Unpack

import numpy as np

from fop_core.optim.rules import FOP, Components, Rule
from toy_functions.racing import NEAR, RaceOracle
from toy_functions.schedules import is_scheduled, rate_factor, scaled
from toy_functions.surfaces import Surface

CONVERGED, STEP_LIMIT, DIVERGED = 0, 1, 2
"""How a path ended: the codes in ``Batch.status``."""
STATUS = ("converged", "step limit", "diverged")
"""Their names, as in ``Trajectory.status``."""
MAX_CELLS = 512
"""Most columns, or rows, of a grid."""
BLOCK = 131_072
"""Most paths that run together on numpy."""

# numpy lets other threads run during each operation. Handing over and back takes some 20 µs, the operation itself 5 on
# 8,000 numbers: two threads with blocks of that size need twice the time of one. So blocks are large, and small ones,
# with what is left of large ones, run one at a time.
_SMALL = 32_768
_REPACK_BELOW = 0.8  # a block is packed anew when less than this share of it still runs
_TICK = 0.1  # seconds between calls of progress


@dataclass(frozen=True)
class Batch:
    """How each of many paths ended; all arrays have one shape.

    Attributes:
        steps: updates applied before the race ended, int32.
        status: CONVERGED | STEP_LIMIT | DIVERGED, uint8.
        x: where it ended, float64; may not be finite where it diverged.
        y: likewise.
        minimum: index in ``surface.minima + surface.local_minima`` of the nearest one within ``racing.NEAR`` of the
            end, int16; -1 where there is none. The status does not matter: rest in a local minimum is a step limit.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import descend
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> batch = descend(HIMMELBLAU, SGD(0.01), np.array([-4.0, -2.0, 2.0, 4.0]), 0.0, max_steps=500)
        >>> batch.steps, batch.status
        (array([27, 15, 47, 45], dtype=int32), array([0, 0, 0, 0], dtype=uint8))
        >>> [HIMMELBLAU.minima[index] for index in batch.minimum][2]
        (3.0, 2.0)
    """

    steps: np.ndarray
    status: np.ndarray
    x: np.ndarray
    y: np.ndarray
    minimum: np.ndarray


@dataclass(frozen=True)
class Summary:
    """A batch as a row of a table; shares are of all its paths.

    Attributes:
        converged: share that did; the three statuses add up to 1.
        step_limit: share that used up its steps.
        diverged: share that did.
        minima: share that ended at each of ``surface.minima + surface.local_minima``, whatever the status.
        median_steps: of the paths that converged; None where none did.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import basins, summary
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> batch = basins(HIMMELBLAU, {"SGD": SGD(0.01)}, columns=16, rows=16, max_steps=500)["SGD"]
        >>> summary(batch, HIMMELBLAU).minima
        (0.2578125, 0.26953125, 0.23828125, 0.234375)
    """

    converged: float
    step_limit: float
    diverged: float
    minima: tuple[float, ...]
    median_steps: float | None


class BasinOptions(TypedDict, total=False):
    """Keyword arguments of ``descend_each``, where they are explained; the other functions hand them on.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import STATUS, BasinOptions, descend
        >>> from toy_functions.surfaces import BOOTH
        >>> quick: BasinOptions = {"max_steps": 100, "tolerance": 1e-3}
        >>> STATUS[int(descend(BOOTH, SGD(0.05), 0.0, -4.0, **quick).status)]
        'converged'
    """

    tolerance: float
    max_steps: int
    progress: Callable[[float], object] | None
    device: str | None
    threads: int | None
    block: int
    schedule: str
    warmup: int


def grid(view: tuple[float, float, float, float], columns: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Return x and y [rows, columns] of the centres of a view's cells; row 0 is the lowest, column 0 the leftmost.

    Args:
        view: x_min, x_max, y_min, y_max.
        columns: cells from left to right.
        rows: cells from bottom to top.

    Raises:
        ValueError: ``columns`` or ``rows`` is not within 1 to MAX_CELLS.

    Example:
        >>> from toy_functions.basins import grid
        >>> x, y = grid((0.0, 4.0, -1.0, 1.0), columns=4, rows=2)
        >>> x[0], y[:, 0]
        (array([0.5, 1.5, 2.5, 3.5]), array([-0.5,  0.5]))
    """
    if not (1 <= columns <= MAX_CELLS and 1 <= rows <= MAX_CELLS):
        raise ValueError(f"a grid of {columns} x {rows} cells: give 1 to {MAX_CELLS} columns and rows")
    x_min, x_max, y_min, y_max = view
    across = x_min + (np.arange(columns) + 0.5) * ((x_max - x_min) / columns)
    up = y_min + (np.arange(rows) + 0.5) * ((y_max - y_min) / rows)
    x, y = np.meshgrid(across, up)
    return x, y


def logarithmic(low: float, high: float, cells: int) -> list[float]:
    """Return the centres of cells on a logarithmic axis from ``low`` to ``high``, ascending, to three digits.

    Example:
        >>> from toy_functions.basins import logarithmic
        >>> logarithmic(1e-3, 1e-1, 4)
        [0.00178, 0.00562, 0.0178, 0.0562]
    """
    begin, end = math.log10(low), math.log10(high)
    powers = begin + (np.arange(cells) + 0.5) / cells * (end - begin)
    return [float(f"{10**power:.2e}") for power in powers]


def basins(
    surface: Surface, rules: Mapping[str, Rule], *, columns: int = 256, rows: int = 256, **options: Unpack[BasinOptions]
) -> dict[str, Batch]:
    """Run rules from every cell of the surface's view, as in ``grid``; return batches [rows, columns] by name.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import basins
        >>> from toy_functions.surfaces import HIMMELBLAU
        >>> ends = basins(HIMMELBLAU, {"SGD": SGD(0.01)}, columns=8, rows=4, max_steps=500)
        >>> ends["SGD"].minimum[::-1]  # which of its four minima each start reaches; -1: none
        array([[1, 1, 1, 1, 0, 0, 0, 0],
               [1, 1, 1, 1, 0, 0, 0, 0],
               [2, 2, 2, 2, 3, 3, 3, 3],
               [2, 2, 2, 2, 3, 3, 3, 3]], dtype=int16)
    """
    x, y = grid(surface.view, columns, rows)
    return descend_each(surface, rules, x, y, **options)


def stability(
    surface: Surface,
    rule: FOP,
    start: tuple[float, float],
    rates: Any,
    hyper_rates: Any,
    **options: Unpack[BasinOptions],
) -> Batch:
    """Run a rule from one start at every pair of rates; return a batch [len(hyper_rates), len(rates)].

    Args:
        surface: what is minimized.
        rule: FOP, S-HD or PP-HD; its own two rates do not matter.
        start: of all paths.
        rates: learning rates.
        hyper_rates: values of rho; 0 freezes M.
        options: see Options.

    Raises:
        ValueError: the rule has no rho.

    Example:
        >>> from fop_core.optim.rules import FOP
        >>> from toy_functions.basins import stability
        >>> from toy_functions.surfaces import BOOTH
        >>> stability(BOOTH, FOP(0.01), BOOTH.start, [0.001, 0.01, 0.1, 1.0], [0.0, 0.001, 0.1], max_steps=1000).status
        array([[1, 0, 0, 2],
               [1, 0, 0, 2],
               [2, 2, 2, 2]], dtype=uint8)
    """
    if not isinstance(rule, FOP):
        raise ValueError(f"{type(rule).__name__} has no rho: give FOP, SHD or PPHD")
    lr, hyper_lr = np.meshgrid(rates, hyper_rates)
    return descend(surface, replace(rule, lr=lr, hyper_lr=hyper_lr), *start, **options)


def descend(
    surface: Surface,
    rule: Rule,
    x: Any,
    y: Any,
    *,
    gradient_noise: np.ndarray | None = None,
    **options: Unpack[BasinOptions],
) -> Batch:
    """Run one rule from many starts, or at many rates: see ``descend_each``.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import descend
        >>> from toy_functions.surfaces import BOOTH
        >>> descend(BOOTH, SGD(0.05), np.array([0.0, 5.0]), -4.0).steps
        array([80, 86], dtype=int32)
        >>> descend(BOOTH, SGD(lr=np.array([0.01, 0.1])), 0.0, -4.0).steps
        array([414,  44], dtype=int32)
    """
    return descend_each(surface, {"": rule}, x, y, gradient_noise=gradient_noise, **options)[""]


def descend_each(
    surface: Surface,
    rules: Mapping[str, Rule],
    x: Any,
    y: Any,
    *,
    gradient_noise: np.ndarray | None = None,
    tolerance: float = 1e-6,
    max_steps: int = 20_000,
    progress: Callable[[float], object] | None = None,
    device: str | None = None,
    threads: int | None = None,
    block: int = BLOCK,
    schedule: str = "constant",
    warmup: int = 0,
) -> dict[str, Batch]:
    """Run rules from many starts; return their batches by name.

    A rule's ``lr`` and ``hyper_lr`` may be arrays, as in ``replace(rule, lr=rates)``; its other settings are numbers. A
    batch has the shape to which these arrays, x and y broadcast.

    Args:
        surface: what is minimized.
        rules: by any name.
        x: of the starts, a number or an array.
        y: likewise.
        gradient_noise: what is added to the gradient before each update, [max_steps, 2], the same for all paths.
        tolerance: a path has converged when f - floor is below it; floor is f at the surface's global minimum.
        max_steps: the most updates of a path.
        progress: called about every 0.1 s and at the end, in the caller's thread, with the share of the work that is
            done. What it raises stops all paths at once and goes on to the caller.
        device: a torch device such as "cuda"; None for numpy.
        threads: of numpy's work; None for one on each processor.
        block: paths that run together on numpy.
        schedule: of the learning rates, as of ``racing.Race``.
        warmup: likewise.

    Raises:
        ValueError: a start is not finite, a number is out of its range, or the noise has another shape.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD, Newton
        >>> from toy_functions.basins import descend_each
        >>> from toy_functions.surfaces import BOOTH
        >>> ends = descend_each(BOOTH, {"SGD": SGD(0.05), "Newton": Newton()}, np.array([-4.0, 4.0]), 0.0)
        >>> {name: batch.steps.tolist() for name, batch in ends.items()}
        {'SGD': [69, 80], 'Newton': [1, 1]}
    """
    if not tolerance >= 0 or max_steps < 0 or block < 1:
        raise ValueError(
            f"tolerance {tolerance}, max_steps {max_steps}, block {block}: give 0 or more, a block 1 or more"
        )
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError("a start is not finite: give finite x and y")
    if gradient_noise is not None and gradient_noise.shape != (max_steps, 2):
        raise ValueError(
            f"gradient_noise has the shape {gradient_noise.shape}: give a pair for each of {max_steps} steps"
        )
    pairs = None if gradient_noise is None else gradient_noise.tolist()
    rates = (schedule, warmup, max_steps) if is_scheduled(schedule, warmup, max_steps) else None
    race = _Race(surface, surface.floor + tolerance, max_steps, pairs, rates, device, RLock())
    batches, blocks = {}, []
    for name, rule in rules.items():
        batches[name], more = _prepare(race, rule, x, y, block)
        blocks += more
    _run(blocks, (threads or os.cpu_count() or 1) if device is None else 1, progress)
    for batch in batches.values():
        batch.minimum[...] = _nearest(surface, batch.x, batch.y)
    return batches


def summary(batch: Batch, surface: Surface) -> Summary:
    """Return a batch's shares, and the median of its steps.

    Example:
        >>> import numpy as np
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import descend, summary
        >>> from toy_functions.surfaces import BOOTH
        >>> batch = descend(BOOTH, SGD(lr=np.array([0.01, 0.05, 0.1, 0.2])), 0.0, -4.0)
        >>> summary(batch, BOOTH)
        Summary(converged=0.75, step_limit=0.0, diverged=0.25, minima=(0.75,), median_steps=80.0)
    """
    converged = batch.status == CONVERGED
    known = range(len(surface.minima + surface.local_minima))
    return Summary(
        converged=float(np.mean(converged)),
        step_limit=float(np.mean(batch.status == STEP_LIMIT)),
        diverged=float(np.mean(batch.status == DIVERGED)),
        minima=tuple(float(np.mean(batch.minimum == index)) for index in known),
        median_steps=float(np.median(batch.steps[converged])) if converged.any() else None,
    )


def usual_steps(batches: Sequence[Batch]) -> list[int] | None:
    """Return the steps of paths that converged, all batches together, less the fastest and slowest percent of them.

    Returns:
        The least and the most; None where no path converged.

    Example:
        >>> from fop_core.optim.rules import SGD
        >>> from toy_functions.basins import basins, usual_steps
        >>> from toy_functions.surfaces import BOOTH
        >>> usual_steps(list(basins(BOOTH, {"SGD": SGD(0.05)}, columns=16, rows=16).values()))
        [56, 90]
    """
    steps = np.concatenate([batch.steps[batch.status == CONVERGED] for batch in batches])
    return np.quantile(steps, (0.01, 0.99), method="nearest").tolist() if len(steps) else None


@dataclass(frozen=True)
class _Race:
    """What all blocks share.

    Attributes:
        target: floor + tolerance.
        rates: of ``rate_factor``, what learning rates are multiplied by; None for nothing.
        turn: is held by the one small block that runs.
    """

    surface: Surface
    target: float
    max_steps: int
    gradient_noise: list[list[float]] | None
    rates: tuple[str, int, int] | None
    device: str | None
    turn: RLock


@dataclass
class _Block:
    """Paths of one rule that run together.

    Attributes:
        race: what is the same for all blocks.
        rule: its settings that vary are arrays in ``numbers``.
        numbers: "x", "y" and, where they vary, "lr" and "hyper_lr" of each path, [paths].
        cells: the paths' indices in the flat batch, [paths].
        batch: where they write their ends.
        done: the share of its steps that are taken.
    """

    race: _Race
    rule: Rule
    numbers: dict[str, np.ndarray]
    cells: np.ndarray
    batch: Batch
    done: float = 0.0

    def run(self, stop: Event) -> None:
        """Run all paths to their ends, or until told to stop."""
        # What overflows is reported as divergence; numpy's error state is the thread's own.
        with np.errstate(all="ignore"), ExitStack() as turn:
            self._descend(stop, turn)
        self.done = 1.0

    def _descend(self, stop: Event, turn: ExitStack) -> None:
        race, cells = self.race, self.cells
        settings = {name: _on(race.device, array) for name, array in self.numbers.items()}
        x, y = settings.pop("x"), settings.pop("y")
        rule = replace(self.rule, **settings)
        state = rule.start(x, y)
        oracle = RaceOracle(race.surface) if rule.uses_oracle else None
        goes = not rule.needs_floor or race.surface.floor > -math.inf
        going = x == x  # which paths have not ended; the others' numbers mean nothing
        if len(cells) < _SMALL:
            turn.enter_context(race.turn)
        for count in range(race.max_steps + 1):
            if stop.is_set():
                return
            self.done = count / (race.max_steps + 1)
            f = race.surface.value(x, y)
            on = (f >= race.target) & (abs(f + x + y) < np.inf)  # neither holds for NaN
            ends = going & ~on if goes and count < race.max_steps else going
            if ends.any():
                self._record(count, goes, cells[_host(ends)], *(_host(array[ends]) for array in (f, x, y)))
                going = going & ~ends
                left = int(going.sum())
                if left == 0:
                    return
                if left < _REPACK_BELOW * len(cells):
                    cells = cells[_host(going)]
                    x, y, state, settings, going = kept((x, y, state, settings, going), going)
                    rule = replace(rule, **settings)
                    if left < _SMALL:
                        turn.enter_context(race.turn)
            now = rule if race.rates is None else scaled(rule, rate_factor(*race.rates, count))
            if oracle is not None:
                oracle.noise = race.gradient_noise and race.gradient_noise[count]
                x, y, state = now.step(x, y, oracle, state)
                continue
            gx, gy = race.surface.gradient(x, y)
            if race.gradient_noise is not None:
                dx, dy = race.gradient_noise[count]
                gx, gy = gx + dx, gy + dy
            x, y, state = now.step(x, y, gx, gy, state)

    def _record(self, count: int, goes: bool, cells: np.ndarray, f: np.ndarray, x: np.ndarray, y: np.ndarray) -> None:
        """Write where and how paths ended at a step; one that cannot go on by its rule has diverged."""
        limit = goes or count == self.race.max_steps
        other = np.where(np.isfinite(f + x + y) & limit, STEP_LIMIT, DIVERGED)
        np.put(self.batch.status, cells, np.where(f < self.race.target, CONVERGED, other))
        np.put(self.batch.steps, cells, count)
        np.put(self.batch.x, cells, x)
        np.put(self.batch.y, cells, y)


def _prepare(race: _Race, rule: Rule, x: Any, y: Any, size: int) -> tuple[Batch, list[_Block]]:
    """Return an empty batch and the blocks that will fill it."""
    varied = {name: value for name in ("lr", "hyper_lr") if np.ndim(value := getattr(rule, name, 0.0))}
    arrays = np.broadcast_arrays(*(np.asarray(value, np.float64) for value in (x, y, *varied.values())))
    shape = arrays[0].shape
    kinds = np.int32, np.uint8, np.float64, np.float64, np.int16
    batch = Batch(*(np.empty(shape, kind) for kind in kinds))
    flat = dict(zip(("x", "y", *varied), (array.ravel() for array in arrays)))
    blocks = []

    def divide(rule: Rule, cells: np.ndarray, flat: dict[str, np.ndarray]) -> None:
        step = size if race.device is None else max(1, len(cells))
        for part in (cells[at : at + step] for at in range(0, len(cells), step)):
            blocks.append(_Block(race, rule, {name: array[part] for name, array in flat.items()}, part, batch))

    learns = flat["hyper_lr"] != 0 if "hyper_lr" in varied else np.ones(flat["x"].shape, bool)
    divide(rule, np.flatnonzero(learns), flat)
    if not learns.all():  # rho = 0 freezes M: not the same as 0 times what may have overflowed
        frozen = {name: array for name, array in flat.items() if name != "hyper_lr"}
        divide(replace(rule, hyper_lr=0.0), np.flatnonzero(~learns), frozen)  # type: ignore[call-arg]
    return batch, blocks


def kept(state: Any, mask: Any) -> Any:
    """Return a nested state with the elements under a mask of each of its arrays.

    Example:
        >>> import numpy as np
        >>> from toy_functions.basins import kept
        >>> kept((np.array([1.0, 2.0, 3.0]), None, 0.5), np.array([True, False, True]))
        (array([1., 3.]), None, 0.5)
    """
    if state is None or isinstance(state, int | float):
        return state
    if isinstance(state, Components):
        return Components(kept(state.rows, mask))
    if isinstance(state, dict):
        return {name: kept(part, mask) for name, part in state.items()}
    if isinstance(state, tuple | list):
        return type(state)(kept(part, mask) for part in state)
    return state[mask]


def _on(device: str | None, array: np.ndarray) -> Any:
    if device is None:
        return array
    import torch

    return torch.from_numpy(array).to(device)


def _host(array: Any) -> np.ndarray:
    return array if isinstance(array, np.ndarray) else array.cpu().numpy()


def _run(blocks: list[_Block], threads: int, progress: Callable[[float], object] | None) -> None:
    # Else glibc gives the memory of each result back to the system, and takes it again page by page: a third of the
    # time. It stops where it has seen a larger block of memory freed.
    np.empty(1 << 21)
    stop, paths = Event(), sum(len(block.cells) for block in blocks)
    with ThreadPoolExecutor(threads) as pool:
        try:
            waiting = {pool.submit(block.run, stop) for block in blocks}
            while waiting:
                finished, waiting = wait(waiting, _TICK, FIRST_COMPLETED)
                for future in finished:
                    future.result()
                if progress is not None:
                    progress(sum(block.done * len(block.cells) for block in blocks) / paths)
        finally:
            stop.set()


def _nearest(surface: Surface, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    minimum, least = np.full(x.shape, -1), np.full(x.shape, NEAR)
    with np.errstate(all="ignore"):
        for index, (mx, my) in enumerate(surface.minima + surface.local_minima):
            distance = np.hypot(x - mx, y - my)
            minimum = np.where(distance < least, index, minimum)
            least = np.minimum(least, distance)
    return minimum
