"""What a run logged: its columns as series over steps, read as they grow, attempts merged."""

import difflib
from collections.abc import Callable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from fop_core import quantities
from fop_core.runs import files
from fop_core.runs.follower import Follower
from fop_core.runs.records import LARGEST_STEP
from fop_core.runs.series import Series, evened

Array = np.ndarray


class Metrics:
    """What a run logged, its attempts merged: what one logged after the step a later one went on from no longer counts.

    For one thread at a time. Nothing is read before ``update``.

        metrics.update()
        steps, values = metrics["train_loss"]

    Args:
        run: its id.
        files: returns of each attempt its number, its metrics and the step it went on from, in order.
        log_every: returns the steps between two logged ones, as the run's settings have them.
        only: which rows are read, see ``Follower``; all unless given.

    Example:
        >>> from fop_core import runs
        >>> metrics = runs.load("mnist-sgd-seed0").metrics
        >>> steps, loss = metrics["train_loss"]
        >>> steps[:3], loss[:3].round(3)
        (array([1, 2, 3]), array([2.315, 2.299, 2.301]))
        >>> "hyper_lr" in metrics
        False
    """

    def __init__(
        self,
        run: str,
        files: Callable[[], list[tuple[int, Path, int]]],
        log_every: Callable[[], Any],
        only: Sequence[bytes] = (),
    ) -> None:
        self._id, self._files, self._log_every, self._only = run, files, log_every, only
        self._followers: dict[int, Follower] = {}
        self._until: dict[int, int] = {}  # the last step that counts, of each attempt
        self._merged: dict[str, Series] = {}
        self._start = 0  # the step that the first attempt went on from

    def update(self) -> int:
        """Read what is new, new attempts too, and return the number of new rows.

        Raises:
            FileNotFoundError, DamagedFile: where it cannot be said which attempts there were, see ``Run.attempts``.

        Example:
            >>> from fop_core import runs
            >>> run = runs.Run(runs.GALLERY / "mnist-sgd-seed0")
            >>> run.metrics.update(), run.metrics.update()  # the second time nothing is new
            (82, 0)
        """
        attempts = self._files()
        self._followers = {n: self._followers.get(n) or Follower(path, self._only) for n, path, _ in attempts}
        from_steps = [from_step for _, _, from_step in attempts[1:]]
        until = [*accumulate(reversed(from_steps), min, initial=LARGEST_STEP)][::-1]
        self._until = {n: step for (n, _, _), step in zip(attempts, until)}
        self._start = attempts[0][2] if attempts else 0
        self._merged = {}
        return sum(follower.update() for follower in self._followers.values())

    @property
    def columns(self) -> list[str]:
        """Names of all that was measured: first the run's, then the layers', "<quantity>/<layer>".

        Example:
            >>> from fop_core import runs
            >>> columns = runs.load("mnist-fop-rank16-seed0").metrics.columns
            >>> columns[:4], columns[-1]
            (['epoch', 'grad_norm', 'lr', 'samples_per_second'], 'log_determinant/7.weight')
        """
        names = {name for follower in self._followers.values() for name in follower.columns}
        counting = [name for name in names if self._counts(name)]
        return sorted(counting, key=lambda name: ("/" in name, name))

    def _counts(self, name: str) -> bool:
        """Return whether a column has a row that counts."""
        for n, follower in self._followers.items():
            steps = follower.columns[name][0] if name in follower.columns else ()
            if steps and (steps[0] <= self._until[n] or min(steps) <= self._until[n]):
                return True
        return False

    @property
    def steps(self) -> Array:
        """Steps with a row, ascending, int64 [n].

        Example:
            >>> from fop_core import runs
            >>> runs.load("mnist-sgd-seed0").metrics.steps[-4:]
            array([4456, 4500, 4600, 4690])
        """
        parts = [np.array(follower.steps, np.int64) for follower in self._followers.values()]
        counting = [steps[steps <= until] for steps, until in zip(parts, self._until.values())]
        return np.unique(np.concatenate([np.empty(0, np.int64), *counting]))

    @property
    def damaged(self) -> list[str]:
        r"""What was left out since it could not be read, one sentence a file.

        Example:
            >>> import shutil
            >>> from fop_core import runs
            >>> _ = shutil.copytree(runs.GALLERY / "mnist-sgd-seed0", "copy")
            >>> with open("copy/metrics.1.jsonl", "a") as file:
            ...     _ = file.write('{"step": "many"}\n')
            >>> [message.partition("copy/")[2] for message in runs.load("copy").metrics.damaged]
            ['metrics.1.jsonl: 1 damaged line left out: 83']
        """
        messages = []
        for follower in self._followers.values():
            if count := follower.damaged_count:
                lines = ", ".join(map(str, follower.damaged[:10])) + (" ..." if count > 10 else "")
                messages.append(f"{follower.path}: {count:,} damaged line{'s' * (count > 1)} left out: {lines}")
        return messages

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and len(self._series(name).steps) > 0

    def __getitem__(self, name: str) -> Series:
        series = self._series(name)
        if not len(series.steps):
            columns = self.columns
            near = difflib.get_close_matches(name, columns, 5, 0.4) or columns[:5]
            hint = f"near it: {', '.join(near)}" if near else "nothing is; update() reads what was logged"
            raise KeyError(f"no column {name!r} is logged by {self._id}; {hint}")
        return series

    def evened(self, name: str) -> Series:
        """Return a column to be drawn or compared: what is averaged, over the run's last ``log_every`` steps each.

        Rows are logged at snapshots and ends of epochs too, and a mean over the few steps since the row before jumps
        about more than one over many. Other columns are as ``[name]`` has them, and so are these where run.json cannot
        be read.

        Example:
            >>> from fop_core import runs
            >>> metrics = runs.load("mnist-sgd-seed0").metrics
            >>> near = metrics["train_loss"].steps >= 4600
            >>> metrics["train_loss"].values[near].round(4)  # the last is a mean over 90 steps
            array([0.0262, 0.0293])
            >>> metrics.evened("train_loss").values[near].round(4)  # over the last 100 at least, as the others
            array([0.0262, 0.0277])
        """
        try:
            window = self._log_every()
        except (files.DamagedFile, OSError):
            return self[name]
        if not quantities.of(name).averaged or type(window) is not int or window < 1:
            return self[name]
        return evened(self[name], window, self._start)

    def over(self, axis: str, name: str) -> tuple[Array, Array]:
        """Return a column and another, such as "epoch" or "seconds", where both were measured: (axis [k], name [k]).

        Example:
            >>> from fop_core import runs
            >>> seconds, loss = runs.load("mnist-sgd-seed0").metrics.over("seconds", "test_loss")
            >>> seconds[-1].round(1), loss[-1].round(3)
            (np.float64(14.5), np.float64(0.088))
        """
        series = self[name]
        if axis == "step":
            return series.steps, series.values
        _, first, second = np.intersect1d(self[axis].steps, series.steps, assume_unique=True, return_indices=True)
        return self[axis].values[first], series.values[second]

    def last(self) -> dict[str, float]:
        """Return the last measured value of each column, and the last step as "step"; nothing of nothing.

        Example:
            >>> from fop_core import runs
            >>> last = runs.load("mnist-sgd-seed0").metrics.last()
            >>> last["step"], last["test_accuracy"]
            (4690, 0.9759)
        """
        steps = self.steps
        values = {name: float(self[name].values[-1]) for name in self.columns}
        return {"step": int(steps[-1])} | values if len(steps) else {}

    def table(self) -> dict[str, Array]:
        """Return "step", int64 [n], and all columns at these steps, float64 [n], NaN also where not measured.

        Example:
            >>> from fop_core import runs
            >>> table = runs.load("mnist-sgd-seed0").metrics.table()  # pandas.DataFrame(table) takes it
            >>> table["step"][:3], table["test_loss"][:3]
            (array([0, 1, 2]), array([nan, nan, nan]))
        """
        steps = self.steps
        table = {"step": steps}
        for name in self.columns:
            series = self[name]
            table[name] = np.full(len(steps), np.nan)
            table[name][np.searchsorted(steps, series.steps)] = series.values
        return table

    def _series(self, name: str) -> Series:
        if name not in self._merged:
            parts = []
            for n, follower in self._followers.items():
                if name in follower.columns:
                    steps, values = np.array(follower.columns[name][0], np.int64), np.array(follower.columns[name][1])
                    if self._until[n] < LARGEST_STEP:
                        counting = steps <= self._until[n]
                        steps, values = steps[counting], values[counting]
                    parts.append((steps, values))
            if len(parts) != 1:
                steps = np.concatenate([np.empty(0, np.int64), *(steps for steps, _ in parts)])
                values = np.concatenate([np.empty(0), *(values for _, values in parts)])
            self._merged[name] = _in_order(steps, values)
        return self._merged[name]


def _in_order(steps: Array, values: Array) -> Series:
    """Return a series by ascending steps, of two values at one step the later one."""
    if not (np.diff(steps) > 0).all():
        order = np.argsort(steps, kind="stable")
        steps, values = steps[order], values[order]
        last = np.append(steps[1:] != steps[:-1], True)
        steps, values = steps[last], values[last]
    steps.flags.writeable = values.flags.writeable = False  # they are handed out again
    return Series(steps, values)
