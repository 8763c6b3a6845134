"""A run: what its directory says, and what can be asked of it.

    run.config, run.state, run.metrics, run.snapshot(step)
    run.request("stop")

Each file has one writer: ``Control`` is held by whoever answers for the run's state, ``RunWriter`` writes while it is
trained. Nothing here needs torch: arrays are numpy's.
"""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.runs import files, labels, records, stamps, state, trash, writable
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.metrics import Metrics
from fop_core.runs.names import (
    ARRAYS,
    ATTEMPT,
    ATTEMPT_REQUESTS,
    ATTEMPTS,
    CHECKPOINTS,
    CLAIM,
    CURVATURE_JSON,
    LOG,
    METRICS,
    PROGRESS_JSON,
    REQUESTS,
    RUN_JSON,
    SNAPSHOTS,
    START,
    START_REQUEST,
    STATE_JSON,
    USAGE_JSON,
)
from fop_core.runs.state import State

Array = np.ndarray

FORMAT = 1  # of run.json


class Run:
    """A run's directory. What can change is read anew at each call.

    Args:
        path: the directory.

    Example:
        >>> from fop_core import runs
        >>> run = runs.Run(runs.GALLERY / "mnist-fop-rank16-seed0")
        >>> run, run.state.state, run.step()
        (Run(mnist-fop-rank16-seed0), 'finished', 4690)
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self.id = os.path.basename(os.path.abspath(path))  # of a link its own name, by which it is listed

    def __repr__(self) -> str:
        return f"Run({self.id})"

    @cached_property
    def about(self) -> dict[str, Any]:
        """run.json: config, lineage, who and when.

        Raises:
            DamagedFile: where it is not that.

        Example:
            >>> from fop_core import runs
            >>> about = runs.load("mnist-sgd-seed0").about
            >>> about["created"], about["lineage"]["preset"]
            ('2026-11-24T13:55:41.751+00:00', 'mnist-mlp')
        """
        about = files.read_json(self.path / RUN_JSON)
        if about.get("format") != FORMAT:
            raise DamagedFile(f"{self.path / RUN_JSON}: of format {about.get('format')!r}, not {FORMAT}")
        for key, kind in (("config", dict), ("lineage", dict), ("created", str), ("user", str), ("host", str)):
            if not isinstance(about.get(key), kind):
                raise DamagedFile(f"{self.path / RUN_JSON}: its {key} is {about.get(key)!r}, no {kind.__name__}")
        records.checked(self.path / RUN_JSON, about["lineage"], records.LINEAGE, "lineage's ")
        try:
            stamps.age(about["created"])
        except (ValueError, OverflowError) as error:
            raise DamagedFile(f"{self.path / RUN_JSON}: created {about['created']!r}, no time ({error})") from error
        return about

    @property
    def config(self) -> dict[str, Any]:
        """The settings, as JSON.

        Example:
            >>> from fop_core import runs
            >>> config = runs.load("mnist-sgd-seed0").config
            >>> config["optimizer"]["lr"], config["fop"]
            (0.05, None)
        """
        return self.about["config"]

    @property
    def labels(self) -> dict[str, Any]:
        """Name, tags, notes, archived.

        Raises:
            DamagedFile: where labels.json does not hold such.

        Example:
            >>> from fop_core.runs import store
            >>> store.create({"epochs": 2}, name="First try", tags=("baseline",)).labels
            {'name': 'First try', 'tags': ['baseline'], 'notes': '', 'archived': False}
        """
        return labels.read(self.path)

    def label(self, **changes: Any) -> None:
        """Change name, tags, notes or archived.

        Raises:
            RunError: for another label, or a value of another kind, or where somebody else holds labels.lock.
            DamagedFile: where the labels so far cannot be read; without labels.json there are none.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> run.label(name="Best so far", tags=["fop", "rank 16"])
            >>> run.labels["name"], run.labels["tags"]
            ('Best so far', ['fop', 'rank 16'])
        """
        labels.change(self.path, changes)

    @property
    def name(self) -> str:
        """What people call it; the id where it has no name.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> run.name == run.id
            True
            >>> run.label(name="First try")
            >>> run.name
            'First try'
        """
        return self.labels["name"] or self.id

    @property
    def state(self) -> State:
        """The state it is truly in: lost, where state.json says it is alive and nobody holds its control.lock.

        Of somebody else's run, whose lock is not ours to open, it is what state.json says, and the reason says so.

        Raises:
            DamagedFile: where state.json is not one.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import store
            >>> runs.load("mnist-sgd-seed0").state.state, store.create({"epochs": 2}).state.state
            ('finished', 'queued')
        """
        return state.current(self.path)

    def written(self) -> State:
        """What state.json says, whoever wrote it and whether or not that is still there. Raises as ``state``.

        Example:
            >>> from fop_core.runs import files, store
            >>> run = store.create({"epochs": 2})
            >>> running = {"state": "running", "reason": "", "since": run.about["created"]}
            >>> files.write_json(run.path / "state.json", running)
            >>> run.written().state, run.state.state  # nobody holds its control.lock
            ('running', 'lost')
        """
        return state.read(self.path)

    def held(self) -> bool:
        """Whether some process answers for it: the kernel knows, and frees the lock of one that died.

        Raises:
            DamagedFile: where its control.lock is something else.

        Example:
            >>> from fop_core import runs
            >>> runs.load("mnist-sgd-seed0").held()
            False
        """
        return state.held(self.path)

    @property
    def progress(self) -> dict[str, Any]:
        """Step, epoch, ETA and so on, as last written, see ``records.PROGRESS``; empty before the first.

        Raises:
            DamagedFile: where a value is of another kind.

        Example:
            >>> from fop_core import runs
            >>> progress = runs.load("mnist-sgd-seed0").progress
            >>> progress["step"], progress["epoch"], progress["eta_seconds"]
            (4690, 10.0, 0.0)
        """
        return self._optional(PROGRESS_JSON, records.PROGRESS)

    @property
    def attempts(self) -> list[dict[str, Any]]:
        """What each attempt ran on and with, see ``records.ATTEMPT``, in order.

        Raises:
            FileNotFoundError: where that of an attempt is missing which left metrics, or a later attempt.
            DamagedFile: where one is not that.

        Example:
            >>> from fop_core import runs
            >>> [attempt["from_step"] for attempt in runs.load("cifar10-fop-velocity").attempts]  # it was resumed twice
            [0, 1764, 2020]
        """
        numbers = self.numbers("", METRICS)  # looked for first, as they come second
        numbers += self.numbers(ATTEMPTS, ATTEMPT)
        unused = set(self.numbers(ATTEMPTS, CLAIM)) - set(numbers)  # claimed, and ended before it began
        return [self.attempt(n) for n in range(1, max(numbers, default=0) + 1) if n not in unused]

    def attempt_numbers(self) -> list[int]:
        """Return the numbers of the attempts that have a record, ascending; of a scheduler's some may have none.

        Example:
            >>> from fop_core import runs
            >>> runs.load("cifar10-fop-velocity").attempt_numbers()
            [1, 2, 3]
        """
        return self.numbers(ATTEMPTS, ATTEMPT)

    def attempt(self, n: int) -> dict[str, Any]:
        """Return what an attempt, counted from 1, ran on and with.

        Raises:
            FileNotFoundError: where there is none.
            DamagedFile: where its record is not that.

        Example:
            >>> from fop_core import runs
            >>> attempt = runs.load("cifar10-fop-velocity").attempt(2)
            >>> attempt["from_step"], attempt["device"], attempt["threads"]
            (1764, 'cpu', 1)
        """
        path = self.path / ATTEMPTS / ATTEMPT.format(n)
        attempt = records.checked(path, files.read_json(path), records.ATTEMPT)
        if attempt.get("attempt") != n or "from_step" not in attempt:
            raise DamagedFile(
                f"{path}: not attempt {n} from a step, but {attempt.get('attempt')!r} from {attempt.get('from_step')!r}"
            )
        return attempt

    def metrics_files(self) -> list[tuple[int, Path, int]]:
        """Return for each attempt its number, its metrics and the step it went on from, in order.

        Raises:
            FileNotFoundError, DamagedFile: as ``attempts``.

        Example:
            >>> from fop_core import runs
            >>> [(n, path.name, step) for n, path, step in runs.load("cifar10-fop-velocity").metrics_files()]
            [(1, 'metrics.1.jsonl', 0), (2, 'metrics.2.jsonl', 1764), (3, 'metrics.3.jsonl', 2020)]
        """
        attempts = [(attempt["attempt"], attempt["from_step"]) for attempt in self.attempts]
        return [(n, self.path / METRICS.format(n), from_step) for n, from_step in attempts]

    @cached_property
    def metrics(self) -> Metrics:
        """What was logged, as series over steps; its ``update`` reads what is new.

        Example:
            >>> from fop_core import runs
            >>> metrics = runs.load("mnist-sgd-seed0").metrics
            >>> epochs, accuracy = metrics.over("epoch", "test_accuracy")
            >>> epochs[[0, 4, 9]], accuracy[[0, 4, 9]]
            (array([ 1.,  5., 10.]), array([0.9486, 0.9698, 0.9759]))
        """
        return Metrics(self.id, self.metrics_files, self._log_every)

    def _log_every(self) -> Any:
        """Return the steps that a row's means are of; None of a script's rows, which are what it says they are."""
        return None if "recorded" in self.about["lineage"] else self.config.get("log_every")

    def snapshot_steps(self) -> list[int]:
        """Return the steps with a snapshot, ascending.

        Example:
            >>> from fop_core import runs
            >>> steps = runs.load("cifar10-fop-velocity").snapshot_steps()
            >>> steps[:6], steps[-1], len(steps)
            ([0, 1, 2, 3, 4, 5], 5865, 113)
        """
        return self.numbers(SNAPSHOTS, ARRAYS)

    def snapshot(self, step: int) -> dict[str, Array]:
        """Return a snapshot's arrays, "<layer>/<what>".

        Raises:
            FileNotFoundError: where there is none of that step.
            DamagedFile: where it is not whole.

        Example:
            >>> from fop_core import runs
            >>> run = runs.load("cifar10-fop-velocity")
            >>> M = run.snapshot(run.snapshot_steps()[-1])["18.weight/M"]
            >>> M.shape, (M @ M.T).diagonal().round(1)  # of P
            ((9, 9), array([0.7, 0.7, 0.7, 0.8, 0.7, 0.8, 0.7, 0.7, 0.7], dtype=float32))
        """
        return files.read_arrays(self.path / SNAPSHOTS / ARRAYS.format(step))[0]

    def snapshot_header(self, step: int) -> files.Header:
        """Return dtype and shape of a snapshot's arrays, which are not read. Raises as ``snapshot``.

        Example:
            >>> from fop_core import runs
            >>> runs.load("cifar10-fop-velocity").snapshot_header(0)["18.weight/M"]
            (<class 'numpy.float32'>, (9, 9))
        """
        return files.read_header(self.path / SNAPSHOTS / ARRAYS.format(step))[0]

    def snapshot_about(self, step: int) -> dict[str, Any]:
        """Return what is said about a snapshot's arrays: of a script's what they are. Raises as ``snapshot``.

        Example:
            >>> from fop_core import runs
            >>> runs.load("cifar10-fop-velocity").snapshot_about(0)
            {}
        """
        return files.read_header(self.path / SNAPSHOTS / ARRAYS.format(step))[1]

    def checkpoint_steps(self) -> list[int]:
        """Return the steps with a checkpoint, ascending.

        Example:
            >>> from fop_core import runs
            >>> runs.load("cifar10-fop-velocity").checkpoint_steps()
            [5865]
        """
        return self.numbers(CHECKPOINTS, ARRAYS)

    def checkpoint(self, step: int) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return a checkpoint's arrays and what is said about them.

        Raises:
            FileNotFoundError: where there is none of that step.
            DamagedFile: where it is not whole.

        Example:
            >>> from fop_core import runs
            >>> arrays, about = runs.load("cifar10-fop-velocity").checkpoint(5865)
            >>> arrays["model/0.weight"].shape, about["step"]
            ((24, 3, 3, 3), 5865)
        """
        return files.read_arrays(self.checkpoint_path(step))

    def checkpoint_path(self, step: int) -> Path:
        """Return the file of a step's checkpoint.

        Example:
            >>> from fop_core import runs
            >>> runs.load("cifar10-fop-velocity").checkpoint_path(5865).name
            '00005865.safetensors'
        """
        return self.path / CHECKPOINTS / ARRAYS.format(step)

    def checkpoint_header(self, step: int) -> tuple[files.Header, dict[str, Any]]:
        """Return dtype and shape of a checkpoint's arrays, which are not read. Raises as ``checkpoint``.

        Example:
            >>> from fop_core import runs
            >>> header, about = runs.load("cifar10-fop-velocity").checkpoint_header(5865)
            >>> header["model/0.weight"]
            (<class 'numpy.float32'>, (24, 3, 3, 3))
        """
        return files.read_header(self.checkpoint_path(step))

    def start(self) -> tuple[dict[str, Array], dict[str, Any]]:
        """Return what a fork or a control begins with, as ``checkpoint`` does. Nothing ever replaces or drops it.

        Raises:
            FileNotFoundError: where there is none.
            DamagedFile: where it is not whole.

        Example:
            >>> import numpy as np
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2}, start=({"model/0.weight": np.zeros((3, 4))}, {"step": 100}))
            >>> arrays, about = run.start()
            >>> arrays["model/0.weight"].shape, about
            ((3, 4), {'step': 100})
        """
        return files.read_arrays(self.start_path())

    def start_path(self) -> Path:
        """Return the file of a fork's or a control's start.

        Example:
            >>> from fop_core import runs
            >>> runs.load("mnist-sgd-seed0").start_path().name
            'start.safetensors'
        """
        return self.path / START

    def request(self, what: str, by: str = "", **more: Any) -> None:
        """Ask the trainer to "stop" or to make a "checkpoint"; it looks about once a second.

        Args:
            what: is asked; "start" too, which is for ``jobs.queue.submit`` to ask.
            by: who asks; we do, unless given.
            more: what else the request says.

        Raises:
            RunError: for another request.
            DamagedFile: where that would be written elsewhere, see ``writable.check_folders``.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> run.request("stop", by="Ada")
            >>> run.has_request("stop"), run.requested_by("stop")
            (True, 'Ada')
            >>> run.request("pause")
            Traceback (most recent call last):
                ...
            fop_core.runs.files.RunError: no request 'pause': there are stop and checkpoint
        """
        if what not in (START_REQUEST, *ATTEMPT_REQUESTS):
            raise RunError(f"no request {what!r}: there are {' and '.join(ATTEMPT_REQUESTS)}")
        writable.check_folders(self.path, REQUESTS)
        self.requests_path().mkdir(exist_ok=True)
        files.write_json(self.request_path(what), {"by": by or stamps.user(), "at": stamps.now(), **more})

    def requests_path(self) -> Path:
        """Return the folder of its requests, whose time changes with each.

        Example:
            >>> from fop_core import runs
            >>> runs.load("mnist-sgd-seed0").requests_path().name
            'requests'
        """
        return self.path / REQUESTS

    def request_path(self, what: str) -> Path:
        """Return the file of a request, whose owner is who made it.

        Example:
            >>> from fop_core import runs
            >>> runs.load("mnist-sgd-seed0").request_path("stop").parts[-3:]
            ('mnist-sgd-seed0', 'requests', 'stop')
        """
        return self.requests_path() / what

    def has_request(self, what: str) -> bool:
        """Return whether a request is there, whatever it says.

        Example:
            >>> from fop_core import runs
            >>> runs.load("mnist-sgd-seed0").has_request("stop")
            False
        """
        return os.path.lexists(self.request_path(what))

    def requested_by(self, what: str) -> str:
        """Return who left a request.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> run.request("checkpoint", by="Ada")
            >>> run.requested_by("checkpoint")
            'Ada'
        """
        try:
            by = files.read_json(self.request_path(what)).get("by")
        except (FileNotFoundError, DamagedFile):
            return "somebody"
        return by if by and records.is_text(by) else "somebody"

    def withdraw(self, what: str) -> None:
        """Take a request off the list, where it is there.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> run.request("stop")
            >>> run.withdraw("stop")
            >>> run.has_request("stop")
            False
        """
        self.request_path(what).unlink(missing_ok=True)

    def step(self) -> int:
        """Return the last step that it reported; 0 before the first, and where that is damaged, see ``progress``.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import store
            >>> runs.load("mnist-sgd-seed0").step(), store.create({"epochs": 2}).step()
            (4690, 0)
        """
        try:
            return self.progress.get("step", 0)
        except DamagedFile:
            return 0

    @property
    def usage(self) -> dict[str, Any]:
        """What its processes use, of a run under a supervisor; empty of another one.

        cpu_percent (100 is one core), memory (bytes), at, and on a GPU gpu_percent and gpu_memory.

        Raises:
            DamagedFile: where a value is of another kind.

        Example:
            >>> from fop_core.runs import files, store
            >>> run = store.create({"epochs": 2})
            >>> used = {"cpu_percent": 99.0, "memory": 310 << 20, "at": run.about["created"]}
            >>> files.write_json(run.path / "usage.json", used)
            >>> run.usage["cpu_percent"], run.usage["memory"] / 2**20
            (99.0, 310.0)
        """
        return self._optional(USAGE_JSON, records.USAGE)

    @property
    def curvature(self) -> dict[str, Any]:
        """What ``training.divergence`` measured where it diverged, see ``records.CURVATURE``; empty before that.

        Raises:
            DamagedFile: where a value is of another kind.

        Example:
            >>> from fop_core import runs
            >>> runs.load("mnist-sgd-seed0").curvature  # it did not diverge
            {}
        """
        return self._optional(CURVATURE_JSON, records.CURVATURE)

    def keep_curvature(self, content: Mapping[str, Any]) -> None:
        """Keep what was measured where it diverged.

        Raises:
            DamagedFile: where that would be written elsewhere, see ``writable.check_folders``.
            OSError: where it cannot be written.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> run.keep_curvature({"error": "its checkpoint is gone"})
            >>> run.curvature
            {'error': 'its checkpoint is gone'}
        """
        writable.check_folders(self.path)
        files.write_json(self.path / CURVATURE_JSON, content)

    def _optional(self, name: str, kinds: Any) -> dict[str, Any]:
        """Return what a file of the run says, or nothing where there is none."""
        path = self.path / name
        try:
            return records.checked(path, files.read_json(path), kinds)
        except FileNotFoundError:
            return {}

    def log(self, last_bytes: int = 20_000) -> str:
        r"""Return the end of its log; of one that cannot be read, why.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> _ = (run.path / "log.txt").write_text("epoch 1\nepoch 2\n")
            >>> run.log(last_bytes=8)
            'epoch 2\n'
        """
        try:
            with files.opened(self.path / LOG, links=False) as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - last_bytes))
                return file.read(last_bytes).decode(errors="replace")
        except FileNotFoundError:
            return ""
        except DamagedFile as error:
            return f"damaged: {error}\n"

    def open_log(self) -> int:
        r"""Open its log to append to it, and return the descriptor. Raises as ``files.open_append``; also for a link.

        Example:
            >>> import os
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> log = run.open_log()
            >>> os.write(log, b"epoch 1\n"), os.close(log)
            (8, None)
            >>> run.log()
            'epoch 1\n'
        """
        writable.check_folders(self.path, "")
        return files.open_append(self.path / LOG)

    def size(self) -> int:
        r"""Return the bytes that its files hold.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> before = run.size()
            >>> (run.path / "log.txt").write_text("epoch 1\n"), run.size() - before
            (8, 8)
        """
        return files.size(self.path)

    def delete(self) -> "Run":
        """Move it to the trash of its folder, out of the queue too, and return it there.

        Raises:
            RunError: while some process works on it, where it is a link or in the trash already, or where the trash has
                one of its id.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2}, name="First try").delete()
            >>> run.name, run.path.parent.name, list(store.directories())
            ('First try', '.trash', [])
        """
        return Run(trash.discard(self.path))

    def restore(self) -> "Run":
        """Bring it back from the trash, and return it.

        Raises:
            RunError: where it is not in one, that is a link, or a run of its id is where it came from.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2}, name="First try").delete().restore()
            >>> [each.name for each in store.directories()]
            ['First try']
        """
        return Run(trash.restore(self.path))

    def remove(self) -> None:
        """Remove it from the disk for good, wherever it is.

        Raises:
            RunError: while some process works on it, or where it is a link, or in a trash that is one.

        Example:
            >>> from fop_core.runs import store
            >>> run = store.create({"epochs": 2})
            >>> run.remove()
            >>> run.path.exists()
            False
        """
        trash.remove(self.path)

    def start_files(self) -> tuple[Path, ...]:
        """Return what says whether it can start: where none of these has changed, that has not.

        Example:
            >>> from fop_core import runs
            >>> [path.name for path in runs.load("mnist-sgd-seed0").start_files()]
            ['run.json', 'state.json', 'requests']
        """
        return self.path / RUN_JSON, self.path / STATE_JSON, self.requests_path()

    def numbers(self, folder: str, form: str) -> list[int]:
        """Return the numbers n, ascending, for which a folder has a file named form.format(n).

        Raises:
            DamagedFile: where there is something else than a folder, or one that cannot be read.

        Example:
            >>> from fop_core import runs
            >>> runs.load("cifar10-fop-velocity").numbers("", "metrics.{}.jsonl")
            [1, 2, 3]
        """
        try:
            names = os.listdir(self.path / folder)
        except FileNotFoundError as error:
            if os.path.islink(self.path / folder):
                raise DamagedFile(f"{self.path / folder}: a link to nothing") from error
            return []
        except OSError as error:
            if error.errno in files.UNREADABLE:
                raise DamagedFile(f"{self.path / folder}: no folder that can be read ({error.strerror})") from error
            raise
        before, after = form.index("{"), len(form) - form.index("}") - 1
        digits = [name[before : len(name) - after] for name in names]
        numbers = sorted({int(text) for text in digits if re.fullmatch("[0-9]{1,18}", text)})
        there = set(names)
        return [number for number in numbers if form.format(number) in there]
