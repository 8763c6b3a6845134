"""The training loop.

    train(run, control)     trains what a run's config says, from its last checkpoint if it has one

Steps are counted by updates: a row at step t is of the t-th update, of the losses since the row before it, and of
the parameters after it. Between two logged steps nothing waits for the device: losses gather in a buffer on it.
"""

import contextlib
import copy
import errno
import math
import signal
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fop_core.optim import batched
from fop_core.runs import lineage
from fop_core.runs.claims import Superseded
from fop_core.runs.control import Control
from fop_core.runs.files import DamagedFile
from fop_core.runs.plugins import PluginError
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import (
    attribution,
    batches,
    build,
    config,
    datasets,
    diagnostics,
    own_data,
    peak,
    plugins,
    state,
    threads,
)
from fop_core.training.averaged import averaged
from fop_core.training.environment import describe
from fop_core.training.tasks import Task

Log = Callable[[str], None]
Report = Callable[[dict[str, Any]], None]

FIRST_STEPS = 10  # all logged: they are what a replay compares
POLL_EVERY = 1.0  # seconds between two polls of the requests


class Stopped(Exception):
    """Somebody asked for a stop; ``by`` is who."""

    def __init__(self, by: str, step: int) -> None:
        super().__init__(f"by {by} at step {step:,}; resume goes on from there")
        self.by = by


class Orphaned(Exception):
    """The supervisor is gone; says at which step we are."""


class NoCheckpoint(DamagedFile):
    """A run has checkpoints, and none of them can be read."""


class Diverged(Exception):
    """The loss is no number any more; says since when."""


@dataclass
class Window:
    """What has gathered since the last logged row.

    Attributes:
        losses: on the device, one a step [log_every].
        sums: on the device, of each metric, as of the images classified rightly [metrics].
        steps: how many steps.
        samples: how many samples.
        seconds: of training, without evaluation and writing.
        previous: the gradients of the step before a logged one.
    """

    losses: Tensor
    sums: Tensor
    steps: int = 0
    samples: int = 0
    seconds: float = 0.0
    previous: dict[str, Tensor] = field(default_factory=dict)


def train(
    run: Run,
    control: Control,
    log: Log = print,
    report: Report = lambda progress: None,
    *,
    on: str | None = None,
    orphaned: threading.Event | None = None,
    cores: int | None = None,
) -> str:
    """Train a run to its end, from its last checkpoint if it has one; return the state it ends in.

    Args:
        run: the run.
        control: the right to set its state.
        log: called with each line for people.
        report: called at logged steps with the progress.
        on: the device, where that is not the config's to say.
        orphaned: set when the supervisor is gone: then it ends as lost, with a checkpoint.
        cores: that it may use where its settings leave its threads open; all that there are unless given.

    A failure ends it as failed, with the reason in words; nothing is raised but KeyboardInterrupt at a second Ctrl-C.
    """
    control.set("starting")
    try:
        count = threads.of(run, cores or threads.cores())
        with build.threads(count) as used, _signals() as requests:
            trainer = Trainer(run, control, log, report, requests, used, on, orphaned)
            try:
                trainer.train()
            finally:
                trainer.writer.close()
    except Superseded as superseded:  # its state is not ours to write
        log(str(superseded))
        return "lost"
    except Stopped as stopped:
        if control.scheduler and stopped.by == "SIGTERM":  # whether it goes on is its supervisor's to say
            log(f"interrupted at step {trainer.step:,}")
            return "stopped"
        return _end(control, log, "stopped", str(stopped), by=stopped.by)
    except Orphaned as orphan:
        return _end(control, log, "lost", str(orphan), "vanished")
    except Diverged as diverged:
        return _end(control, log, "failed", str(diverged), "diverged")
    except (config.ConfigError, datasets.DataError, build.DeviceError, PluginError, DamagedFile) as error:
        return _end(control, log, "failed", str(error), _cause(error))
    except torch.OutOfMemoryError as error:
        reason = f"out of memory on the GPU: a smaller batch_size or width may do ({error})"
        return _end(control, log, "failed", reason, "memory")
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            reason = f"disk full while writing to {run.path}: free some, then resume"
            return _end(control, log, "failed", reason, "disk")
        reason = plugins.blamed(error, f"{type(error).__name__}: {error}")
        return _end(control, log, "failed", reason, _cause(error), traceback.format_exc())
    except SystemExit as ending:  # of a plug-in
        reason = plugins.blamed(ending, f"its code called sys.exit({ending.code!r:.40})")
        return _end(control, log, "failed", reason, "", traceback.format_exc())
    return _end(control, log, "finished", trainer.warning)


class Trainer:
    """One attempt at a run. Arguments as ``train``'s; ``requests`` holds the names of signals that came."""

    def __init__(
        self,
        run: Run,
        control: Control,
        log: Log,
        report: Report,
        requests: list[str],
        threads: int,
        on: str | None = None,
        orphaned: threading.Event | None = None,
    ) -> None:
        self.run, self.control, self.log, self.report, self.requests = run, control, log, report, requests
        self.orphaned = orphaned or threading.Event()
        self.config = config.of_run(run)
        self.device = build.device(on or self.config.device)
        peak.start(self.device)
        self.plugins = plugins.of_run(run, self.config)
        self.corrupt = 0
        self.made: Any = None  # what make_data made
        self.source = datasets.find(self.config.data)
        self.feed, self.task, self.measured_on = self._own_data() if "data" in self.plugins else self._images()
        self.total = build.total_steps(self.config, self.feed.steps_in_epoch)
        data = self.task if self.made is None else self.made
        outputs = self.task.output[-1]
        self.built = build.build(self.config, outputs, self.device, self.plugins, data, self.total)
        groups = self.built.optimizer.param_groups
        self.own_rates: list[Any] = [group.get("lr") for group in groups]  # before any schedule
        own, scheduled = self.config.optimizer.plugin, self.config.schedule.kind != "constant"
        if own is not None and scheduled and None in self.own_rates:
            raise PluginError(own.file, "its groups have no lr, which a schedule sets: leave that constant")
        self.prescribe = attribution.prescribe(run, self.built.fop)
        for cut in [] if self.built.fop is None else self.built.fop.cut_ranks():
            log(cut)
        steps = build.snapshot_steps(self.config.snapshots, self.total)
        self.snapshots, self.deep = set(steps), build.deep_steps(steps)
        self.window = Window(
            torch.zeros(self.config.log_every, device=self.device),
            torch.zeros(len(self.task.metrics), device=self.device),
        )
        self.watched = [(n, p) for n, p in self.built.model.named_parameters() if p.ndim > 1]
        self.step = 0
        self.seconds = 0.0  # of training, over all attempts
        self.evaluation_seconds = 0.0  # likewise
        self.peak_memory = 0  # bytes, of the largest attempt
        self.progress: dict[str, Any] = {}
        self.warning = self._resume()
        about = describe(self.device, threads, self.source, self.built.optimizer)
        about |= {"warning": self.warning} if self.warning else {}
        self.writer = RunWriter(run, about, from_step=self.step, claim=control.claim)

    def _images(self) -> tuple[batches.Feed, Task, str]:
        """Return batches of a built-in data set, what is to be learned of it, and what it is measured on."""
        data = datasets.load(self.config.data, self.log)
        for name in data.corrupt:
            self.log(f"left out, it cannot be decoded: {name}")
        self.source, self.corrupt = data.source, len(data.corrupt)
        feed = batches.feed(data, self.config, self.device, self._corrupt)
        return feed, build.images(self.config, len(data.classes)), data.measured_on

    def _own_data(self) -> tuple[batches.Feed, Task, str]:
        """Return the same of data that a plug-in makes."""
        data = self.plugins.data(self.config.seed)
        split = own_data.split(data, self.config.data.held_out)
        self.made = data.made
        return own_data.OwnFeed(split, self.config, self.device), data.task, split.measured_on

    # the loop --------------------------------------------------------------------------------------------------------

    def train(self, until: int | None = None) -> None:
        """Take the steps that are left, or those up to ``until``."""
        end = min(self.total, until or self.total)
        self.control.set("running", self.warning)
        saved = looked = time.monotonic()
        self.prescribe(self.step)
        if self.step == 0:
            self._log({})
        while self.step < end:
            epoch, start = divmod(self.step, self.feed.steps_in_epoch)
            begin = time.perf_counter()
            for samples, targets in self.feed.epoch(epoch, start):
                self._set_rate()
                step = self.step + 1
                logged = self._logged(step)
                columns = self._learn(samples, targets, logged)
                self.step = step
                self.prescribe(step)
                now = time.perf_counter()
                self.window.seconds += now - begin
                self.seconds += now - begin
                if logged:
                    if step % self.feed.steps_in_epoch == 0 or step == self.total:
                        begin = time.perf_counter()
                        columns |= self._test()
                        self.evaluation_seconds += time.perf_counter() - begin
                    self._log(columns)
                if time.monotonic() - looked > POLL_EVERY or self.requests:
                    looked = time.monotonic()
                    if self._requests():
                        saved = 0.0
                due = time.monotonic() - saved > 60 * self.config.checkpoint_minutes
                if due or self.step == self.total or step % (self.config.checkpoint_steps or self.total) == 0:
                    self._checkpoint()
                    saved = time.monotonic()
                if self.step == end:
                    break
                begin = time.perf_counter()

    def _learn(self, samples: Tensor, targets: Tensor, logged: bool) -> dict[str, Any]:
        """Take one step; return what is measured of it where it is logged, as tensors on the device."""
        model, optimizer, window = self.built.model, self.built.optimizer, self.window
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            outputs = model(samples)
            loss = self.task.loss(outputs, targets)
        optimizer.zero_grad()
        loss.backward()
        window.losses[window.steps] = loss.detach()
        for total, metric in zip(window.sums, self.task.metrics.values()):
            total += metric(outputs.detach(), targets)
        window.steps += 1
        window.samples += len(targets)

        columns: dict[str, Any] = {}
        try:
            if logged:
                gradients = {name: p.grad for name, p in self.watched if p.grad is not None}
                applied = {} if self.built.fop is None else self.built.fop.preconditioned_gradients()
                applied = {name: applied[name] for name in gradients if name in applied}
                before = {name: p.detach().clone() for name, p in self.watched}
                optimizer.step()
                moves = {name: p.detach() - before[name] for name, p in self.watched}
                columns = dict(diagnostics.gradient_columns(gradients, applied, window.previous, moves))
                norms = batched.norms([p.grad for p in model.parameters() if p.grad is not None])
                columns["grad_norm"] = torch.linalg.vector_norm(torch.stack(list(norms)))
            else:
                optimizer.step()
        except FloatingPointError as error:
            self._check_losses()
            raise Diverged(f"diverged at step {self.step + 1:,}: {error}") from error
        # The next step's alignment compares its gradients with these.
        window.previous = {}
        if self._logged(self.step + 2):
            window.previous = {name: p.grad.clone() for name, p in self.watched if p.grad is not None}
        return columns

    def _logged(self, step: int) -> bool:
        every = step <= FIRST_STEPS or step % self.config.log_every == 0 or step == self.total
        return every or step % self.feed.steps_in_epoch == 0 or step in self.snapshots

    def _set_rate(self) -> None:
        rate, groups = self.rate(), self.built.optimizer.param_groups
        if self.config.optimizer.plugin is None:
            for group in groups:
                group["lr"] = rate * group.get("lr_ratio", 1.0)
        elif self.config.schedule.kind != "constant":  # else a schedule of the file's own is left alone
            for group, own in zip(groups, self.own_rates):
                group["lr"] = own * self._scheduled()

    def rate(self) -> float:
        """Return the learning rate of the step to come; of a file's optimizer that of its first group."""
        if self.config.optimizer.plugin is None:
            return self.config.optimizer.lr * self._scheduled()
        if self.config.schedule.kind != "constant":
            return float(self.own_rates[0]) * self._scheduled()
        return float(self.built.optimizer.param_groups[0].get("lr", math.nan))

    def _scheduled(self) -> float:
        return self.config.schedule.at(self.step / self.feed.steps_in_epoch, self.config.epochs)

    @torch.no_grad()
    def _test(self) -> dict[str, Any]:
        """Return loss and accuracy where nothing is learned, or nothing where there are no such images."""
        count = 0
        measures = {"loss": self.task.summed, **self.task.metrics}
        sums = torch.zeros(len(measures), device=self.device)
        with averaged(self.built.model, self.built.optimizer, self._passes):
            for samples, targets in self.feed.test():
                outputs = self._outputs(samples)
                for total, measure in zip(sums, measures.values()):
                    total += measure(outputs, targets)
                count += len(targets)
        if not count:
            return {}
        return {f"{self.measured_on}_{name}": total / count for name, total in zip(measures, sums.tolist())}

    def _passes(self) -> Iterator[Tensor]:
        """Yield the outputs for the first epoch's batches, as the network is when each is asked for."""
        for samples, _ in self.feed.epoch(0):
            yield self._outputs(samples)

    def _outputs(self, samples: Tensor) -> Tensor:
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.config.precision == "bf16"):
            return self.built.model(samples)

    # what is written -------------------------------------------------------------------------------------------------

    def _log(self, measured: dict[str, Any]) -> None:
        """Write a row, a snapshot where one is due, and how far it is; find out whether the loss is still a number."""
        window, step = self.window, self.step
        row: dict[str, Any] = {"step": step, "epoch": step / self.feed.steps_in_epoch, "seconds": self.seconds}
        diverged = ""
        if window.steps:
            names = [name for name, value in measured.items() if isinstance(value, Tensor)]
            device_values = [measured[name].float() for name in names]
            losses = window.losses[: window.steps]
            everything = torch.stack([*device_values, losses.mean(), *window.sums]).tolist()  # the one transfer
            measured |= dict(zip(names, everything))
            row["train_loss"], *sums = everything[len(names) :]
            row |= {f"train_{name}": total / window.samples for name, total in zip(self.task.metrics, sums)}
            row["samples_per_second"] = window.samples / max(window.seconds, 1e-9)
            group = self.built.optimizer.param_groups[0]
            row |= {"lr": float(group["lr"])} if "lr" in group else {}
            if "d" in group:  # Prodigy's, a number of Python's
                row["d"] = group["d"]
            if not row["train_loss"] - row["train_loss"] == 0:
                diverged = self._first_not_finite()
        row |= measured
        if step in self.snapshots or diverged:
            last = step == self.total or bool(diverged)
            arrays, columns = self._inspected(step in self.deep or last, whole=last)
            if self.built.fop is not None or arrays:
                self.writer.snapshot(step, arrays)
            row |= columns
        self.writer.row(row)
        self._progress(row)
        window.losses.zero_()
        window.sums.zero_()
        window.steps = window.samples = 0
        window.seconds = 0.0
        if diverged:
            raise Diverged(diverged)

    def _inspected(self, deep: bool, whole: bool) -> tuple[dict[str, np.ndarray], dict[str, float]]:
        """Return what a snapshot holds, and what was measured of it: FOP's P, else what another optimizer has to show.

        Of these, one shows ``preconditioners``, a parameter's P or its factors, or ``bases`` with their ``scales``.
        """
        if self.built.fop is not None:
            return diagnostics.inspect(self.built.fop, deep, whole=whole)
        optimizer: Any = self.built.optimizer
        shown: list[dict[str, Any]] = [
            getattr(optimizer, what, dict)() for what in ("preconditioners", "bases", "scales")
        ]
        factors, bases, scales = shown
        return diagnostics.inspect_factors(factors, bases, scales, deep, whole=whole)

    def _first_not_finite(self) -> str:
        losses = self.window.losses[: self.window.steps].tolist()
        first = next((index for index, loss in enumerate(losses) if not loss - loss == 0), len(losses) - 1)
        return f"diverged at step {self.step - len(losses) + 1 + first:,}: loss not finite"

    def _check_losses(self) -> None:
        """Raise Diverged where the loss of this window's last step, or an earlier one's, is no number."""
        self.step += 1
        try:
            self._log({})
        finally:
            self.step -= 1

    def _progress(self, row: dict[str, Any]) -> None:
        left = self.seconds / self.step * (self.total - self.step) if self.step else None
        content = {
            "step": self.step,
            "steps": self.total,
            "epoch": row["epoch"],
            "epochs": self.config.epochs,
            "share": self.step / self.total,
            "eta_seconds": left,
            "corrupt": self.corrupt,
            "seconds": self.seconds,
            "evaluation_seconds": self.evaluation_seconds,
            "peak_memory": max(self.peak_memory, peak.memory(self.device)),
        }
        tops = [value for name, value in row.items() if name.startswith("eigenvalue_max/")]
        content |= {"eigenvalue_max": max(tops)} if tops else {}
        measures = ("loss", *self.task.metrics)
        parts = [f"{part}_{what}" for part in ("train", "test", "held_out") for what in measures]
        content |= {key: row[key] for key in (*parts, "samples_per_second") if key in row}
        self.progress |= content
        self.writer.progress(self.progress)
        self.report(self.progress)

    def _corrupt(self, name: str) -> None:
        self.corrupt += 1
        if self.corrupt <= 20:
            self.log(f"the next image stands in for one that cannot be decoded: {name}")

    def _requests(self) -> bool:
        """Read the requests; return whether one is for a checkpoint. Raises Stopped, after a checkpoint, for a stop."""
        requests = self.writer.requests()
        by = self.requests[0] if self.requests else requests.get("stop")
        if by is not None and self.step < self.total:
            self.control.set("stopping", f"by {by}", by=by)
            self._checkpoint()
            raise Stopped(by, self.step)
        if self.orphaned.is_set() and self.step < self.total:
            self._checkpoint()
            raise Orphaned(f"its supervisor vanished at step {self.step:,}; resume goes on from there")
        return "checkpoint" in requests

    # checkpoints -----------------------------------------------------------------------------------------------------

    def _checkpoint(self) -> None:
        window = self.window
        tree: dict[str, Any] = {
            "model": dict(self.built.model.state_dict()),
            "optimizer": self.built.optimizer.state_dict(),
            "rng": {"cpu": torch.get_rng_state()},
            "window": {
                "losses": window.losses,
                "correct": window.sums,
                "steps": window.steps,
                "images": window.samples,
                "seconds": window.seconds,
                "previous": window.previous,
            },
            "seconds": self.seconds,
            "evaluation_seconds": self.evaluation_seconds,
            "peak_memory": max(self.peak_memory, peak.memory(self.device)),
        }
        if self.device.type == "cuda":
            tree["rng"]["cuda"] = torch.cuda.get_rng_state(self.device)
        arrays, skeleton = state.pack(tree)
        about = {"step": self.step, "steps_in_epoch": self.feed.steps_in_epoch, "tree": skeleton}
        self.writer.checkpoint(self.step, arrays, about)

    def _resume(self) -> str:
        """Go on from the newest checkpoint that can be read; a fork that has none of its own, from its start.

        Returns:
            Which checkpoints cannot be read and what it went on from in their place, for people; "" where all is well.

        Raises:
            DamagedFile: where there are checkpoints and none can be read: to start over is for a person to say, see
                ``control.start_over``. Likewise where a fork's start cannot: from step 0 it would be another run.
        """
        origin = lineage.origin(self.run)
        fop = None if origin is None else self.built.fop
        fresh = {} if fop is None else copy.deepcopy(fop.state_dict()["fop"]["layers"])
        steps = self.run.checkpoint_steps()
        sources: list[tuple[str, Path, Callable[[], Any]]] = [
            (f"the checkpoint of step {step:,}", self.run.checkpoint_path(step), partial(self.run.checkpoint, step))
            for step in reversed(steps)
        ]
        if origin is not None and not steps:
            sources = [("its start", self.run.start_path(), self.run.start)]
        unusable = []
        for name, path, read in sources:
            try:
                arrays, about = read()
                tree = state.unpack(arrays, about["tree"])
                self.built.model.load_state_dict(tree["model"])
                self._load_optimizer(tree["optimizer"], fresh)
                torch.set_rng_state(tree["rng"]["cpu"])
                if "cuda" in tree["rng"] and self.device.type == "cuda":
                    torch.cuda.set_rng_state(tree["rng"]["cuda"], self.device)
                kept = tree["window"]
                self.window.losses.copy_(kept["losses"])
                self.window.sums.copy_(kept["correct"])
                self.window.steps, self.window.samples = kept["steps"], kept["images"]
                self.window.seconds = kept["seconds"]
                self.window.previous = {name: g.to(self.device) for name, g in kept["previous"].items()}
                self.step, self.seconds = about["step"], tree["seconds"]
                self.evaluation_seconds = tree.get("evaluation_seconds", 0.0)  # which older ones have not
                self.peak_memory = tree.get("peak_memory", 0)
            except torch.OutOfMemoryError:
                raise  # the checkpoint is good: an older one, or starting over, would throw it away
            except (FileNotFoundError, DamagedFile, ValueError, KeyError, RuntimeError) as error:
                why = str(error) if isinstance(error, DamagedFile) else f"{path}: {type(error).__name__}: {error}"
                self.log(f"{name} is unusable: {why}")
                unusable.append(why)
                continue
            self.log(f"going on from step {self.step:,}")
            return f"went on from step {self.step:,}, a newer checkpoint is damaged: {unusable[0]}" if unusable else ""
        if not unusable:
            return ""
        if not steps and origin is not None:
            raise DamagedFile(
                f"{self.run.start_path()}: what this fork goes on from is unusable, see its log; fork {origin.parent} "
                f"at step {origin.step:,} again"
            )
        raise NoCheckpoint(
            f"no checkpoint of {self.run.id} can be read: {'; '.join(unusable)}. Put a copy of one back and resume, or "
            f"start over: `python -m fop_core train --resume {self.run.id} --from-start`"
        )

    def _load_optimizer(self, kept: dict[str, Any], fresh: dict[int, Any]) -> None:
        """Load a checkpoint's optimizer. A fork's start may have "factors", matrices by name, in place of "layers".

        What learns M, and an M that is not among them, are then as in a new run, ``fresh``.
        """
        own = kept.get("fop", {})
        if self.built.fop is None or "factors" not in own:
            self.built.optimizer.load_state_dict(kept)
            return
        factors = own["factors"]
        own = {key: value for key, value in own.items() if key != "factors"}
        self.built.fop.load_state_dict({**kept, "fop": {**own, "layers": fresh}})
        self.built.fop.load_factors(factors)


@contextlib.contextmanager
def _signals() -> Iterator[list[str]]:
    """Give a list that SIGTERM and the first SIGINT append their names to; only the main thread can listen."""
    requests: list[str] = []
    if threading.current_thread() is not threading.main_thread():
        yield requests
        return

    def on_signal(number: int, frame: Any) -> None:
        if requests and number == signal.SIGINT:
            raise KeyboardInterrupt
        requests.append("Ctrl-C" if number == signal.SIGINT else signal.Signals(number).name)

    before = {number: signal.signal(number, on_signal) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield requests
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cause(error: Exception) -> str:
    """Return the one of ``state.CAUSES`` that an error stands for, or ""."""
    kinds: dict[type[Exception], str] = {
        NoCheckpoint: "checkpoint",
        datasets.DataError: "data",
        build.DeviceError: "device",
        torch.AcceleratorError: "device",
        MemoryError: "memory",
    }
    return next((cause for kind, cause in kinds.items() if isinstance(error, kind)), "")


def _end(control: Control, log: Log, ending: str, reason: str, cause: str = "", details: str = "", by: str = "") -> str:
    control.set(ending, reason, cause, by)
    with contextlib.suppress(OSError):  # the log may be what filled the disk
        log(f"{details}{ending}{': ' if reason else ''}{reason}")
    return ending
