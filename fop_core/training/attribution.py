"""What made the difference? An FOP run's controls: the same settings, seed and batches, and P without what it learned.

    unavailable(run)                why a control cannot be made, by kind; "" where it can, as far as is soon seen
    plan(run, "rate")               what it would be, checked against the run's files
    create(plan)                    its directory; ``jobs.queue.submit`` puts it in the queue as any run
    prescribe(run, optimizer)       what sets P in a control while it is trained

``lineage.CONTROLS`` says what there are. A control holds what its P is made of in ``start.safetensors``, so that its
parent need not be there when it is trained: for "final" the parent's M, "<layer>/M"; for "rate" the gains tr(P)/n as
the parent recorded them, "<layer>/gain" float64 at "<layer>/steps" int64. Nothing here loads torch.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fop_core.optim.forms import FORMS
from fop_core.runs import learned, lineage, plugins, store
from fop_core.runs.files import DamagedFile
from fop_core.runs.lineage import CONTROLS
from fop_core.runs.run import Run
from fop_core.runs.series import Series
from fop_core.runs.state import ALIVE
from fop_core.training import config, datasets, fork, threads
from fop_core.training.config import ConfigError, TrainConfig
from fop_core.training.fork import ForkError

if TYPE_CHECKING:
    from fop_core.optim.fop import FOP

Array = np.ndarray

MEAN = "eigenvalue_mean/"
"""Of the columns that hold tr(P)/n."""


@dataclass(frozen=True)
class ControlPlan:
    """A control that can be made.

    Attributes:
        run: the parent.
        kind: a key of ``CONTROLS``.
        config: the control's settings.
        settings: in which they differ from the parent's, as ``config.change`` takes them.
        step: of the parent, the last one whose P it takes.
        arrays: what its P is made of.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import attribution
        >>> plan = attribution.plan(runs.load("cifar10-fop-velocity"), "rate")
        >>> plan.name, plan.config.fop.preconditioner, plan.config.fop.hyper_lr
        ('cifar10-fop-velocity, SGD at ε·tr(P)/n', 'scalar', 0.0)
        >>> plan.lineage["parent"], plan.lineage["control"], plan.lineage["parent_step"]
        ('cifar10-fop-velocity', 'rate', 5865)
        >>> plan.description.partition(":")[0]
        'A control of cifar10-fop-velocity, from step 0'
    """

    run: Run
    kind: str
    config: TrainConfig
    settings: tuple[str, ...]
    step: int
    arrays: Mapping[str, Array]

    @property
    def name(self) -> str:
        """What the control is called unless it is given a name."""
        return f"{self.run.name}, {label(self.kind, self.config.optimizer.name)}"

    @property
    def lineage(self) -> dict[str, Any]:
        """What run.json says of where it comes from: how its parent was made, and what ``lineage.control`` reads."""
        made = self.run.about["lineage"]
        kept = {key: made[key] for key in ("preset", "method", "config") if key in made}
        kept["set"] = [*made.get("set", ()), *self.settings]
        kept |= {"parent": self.run.id, "control": self.kind, "parent_step": self.step}
        return kept | threads.inherited(self.run)

    @property
    def description(self) -> str:
        """What the control is, in sentences for a person."""
        more = {
            "rate": f"tr(P)/n was recorded up to step {self.step:,}: between two records it is interpolated, and held "
            "after the last.",
            "final": f"That is the P of step {self.step:,}.",
            "start": "Its P is I: this is the base alone." if self._starts_at_identity else "",
        }[self.kind]
        sentences = f"A control of {self.run.name}, from step 0: {CONTROLS[self.kind]}. {more}"
        return f"{sentences.strip()} Settings changed: {', '.join(self.settings)}."

    @property
    def _starts_at_identity(self) -> bool:
        fop = self.config.fop
        assert fop is not None
        return FORMS[fop.preconditioner].start in ("I", "1", "0") and getattr(fop, "init_scale", 1.0) == 1


def label(kind: str, base: str = "sgd") -> str:
    """Return a few words for a kind of control around a base optimizer.

    Example:
        >>> from fop_core.training.attribution import label
        >>> label("rate"), label("rate", "adam"), label("final")
        ('SGD at ε·tr(P)/n', 'P = tr(P)/n · I', 'final P from step 0')
    """
    rate = "SGD at ε·tr(P)/n" if base == "sgd" else "P = tr(P)/n · I"
    return {"rate": rate, "final": "final P from step 0", "start": "P as at its start"}[kind]


def unavailable(run: Run) -> dict[str, str]:
    """Return why a control of a run cannot be made, by kind; "" where it can, unless its files say otherwise.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import attribution
        >>> attribution.unavailable(runs.load("cifar10-fop-velocity"))
        {'rate': '', 'final': '', 'start': ''}
        >>> attribution.unavailable(runs.load("cifar10-frozen"))["final"]
        'cifar10-frozen learns nothing: its P is frozen from step 0 already'
    """
    try:
        parent, reason = _parent(run)
        if parent is None:
            return dict.fromkeys(CONTROLS, reason)
        return {kind: _refusal(run, parent, kind) for kind in CONTROLS}
    except (ConfigError, DamagedFile, OSError) as error:
        return dict.fromkeys(CONTROLS, str(error))


def plan(run: Run, kind: str) -> ControlPlan:
    """Return what a control of a run would be. Nothing is written.

    Args:
        run: the parent, an FOP run.
        kind: a key of ``CONTROLS``.

    Raises:
        ForkError: where it cannot be made, or its data are not here.
        DamagedFile: where a file of the run cannot be read.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import attribution
        >>> attribution.plan(runs.load("cifar10-fop-velocity"), "final").config.fop.hyper_lr
        0.0
    """
    if kind not in CONTROLS:
        raise ForkError(f"control is {kind!r}: give one of {', '.join(CONTROLS)}")
    try:
        parent, reason = _parent(run)
    except ConfigError as error:
        raise ForkError(f"the settings of {run.id} cannot be read: {error}") from None
    if parent is None or (reason := _refusal(run, parent, kind)):
        raise ForkError(reason)
    arrays: dict[str, Array] = {}
    step, settings = 0, ["fop.hyper_lr=0.0"]
    if kind == "final":
        step, arrays = _last_matrices(run)
    if kind == "rate":
        step, arrays = _gains(run)
        settings = [f"fop={_identity(parent)}"]
    changed = config.change(parent, settings)
    try:
        datasets.find(changed.data)
    except datasets.DataError as error:
        raise ForkError(f"a control of {run.id} has nothing to train on: {error}") from None
    return ControlPlan(run, kind, changed, tuple(settings), step, arrays)


def create(plan: ControlPlan, *, name: str = "", tags: tuple[str, ...] = (), folder: Path | None = None) -> Run:
    """Make the directory of a planned control, in state queued: whole, or not at all.

    Args:
        plan: what ``plan`` returned.
        name: for people; ``plan.name`` unless given.
        tags: for people.
        folder: where; ``store.runs_folder()`` unless given. The parent may be in another one.

    Raises:
        OSError: ENOSPC on a full disk.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import attribution
        >>> run = attribution.create(attribution.plan(runs.load("cifar10-fop-velocity"), "start"))
        >>> run.name, run.state.state
        ('cifar10-fop-velocity, P as at its start', 'queued')
    """
    about = {"control": plan.kind, "parent": plan.run.id, "step": plan.step}
    return store.create(
        plan.config.to_json(),
        name=name or plan.name,
        tags=tags,
        lineage=plan.lineage,
        start=(plan.arrays, about) if plan.arrays else None,
        sources=plugins.of_run(plan.run),
        folder=folder,
    )


def prescribe(run: Run, optimizer: "FOP | None") -> Callable[[int], None]:
    """Put a control's P into its optimizer; return what sets it anew for the step after so many updates.

    Of any other run neither does anything.

    Args:
        run: the run that is trained.
        optimizer: its own, as it begins.

    Raises:
        DamagedFile: where what its P is made of cannot be read, or is not what it should be.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import attribution
        >>> set_anew = attribution.prescribe(runs.load("mnist-sgd-seed0"), None)
        >>> print(set_anew(100))  # it is no control: nothing is set
        None
    """
    of = lineage.control(run)
    if of is None or of.kind == "start":
        return lambda step: None
    try:
        if optimizer is None:
            raise ValueError("it is trained without FOP")
        arrays, _ = run.start()
        if of.kind == "final":
            optimizer.load_factors(fork.whole_matrices(arrays))
            return lambda step: None
        layers = {layer.name: layer for layer in optimizer.layers()}
        names = [name.removesuffix("/gain") for name in arrays if name.endswith("/gain")]
        gains = [(layers[name], arrays[f"{name}/steps"], arrays[f"{name}/gain"]) for name in names]
        for _, steps, gain in gains:
            np.interp(0, steps, gain)
    except (FileNotFoundError, KeyError, ValueError) as error:
        raise DamagedFile(
            f"{run.start_path()}: what the P of this control is made of is unusable ({error}); make it anew, as a "
            f"control of {of.parent}"
        ) from error

    def follow(step: int) -> None:
        for layer, steps, gain in gains:
            layer.M.fill_(float(np.interp(step, steps, gain)))

    return follow


# what is checked -----------------------------------------------------------------------------------------------------


def _parent(run: Run) -> tuple[TrainConfig | None, str]:
    """Return the settings of a run that has controls; or None, and why it has none."""
    settings = config.of_run(run)
    if settings.fop is None:
        return None, f"{run.id} was trained without FOP: it has no P"
    if (of := lineage.control(run)) is not None:
        return None, f"{run.id} is itself a control, of {of.parent}"
    if (origin := lineage.origin(run)) is not None:
        return None, f"{run.id} is a fork and has no step 0: a control begins there, like {origin.parent}"
    return settings, ""


def _refusal(run: Run, parent: TrainConfig, kind: str) -> str:
    """Return why a run has no such control, as far as is seen without reading its numbers; else ""."""
    fop = parent.fop
    assert fop is not None
    form = FORMS[fop.preconditioner]
    if kind != "rate" and not (form.learns and fop.hyper_lr > 0):
        return f"{run.id} learns nothing: its P is frozen from step 0 already"
    if kind == "rate" and form.one_per == "tensor":
        return f"{run.id} has one rate a tensor for P: with tr(P)/n it would be itself"
    if kind == "start":
        return ""
    if kind == "final" and fop.rescale is not None:
        return f"{run.id} rescales P by the step (Theorem 1): no M alone makes its final P"
    state = run.state.state
    if state in (*ALIVE, "queued"):
        return f"{run.id} is {state}: its P is not at its end yet"
    least = 2 if kind == "rate" else 1
    if (count := len(run.snapshot_steps())) < least:
        return f"{run.id} has {count or 'no'} snapshot{'s' * (count != 1)} of P, and {least} are needed"
    return ""


def _last_matrices(run: Run) -> tuple[int, dict[str, Array]]:
    """Return the step of the last snapshot, and every M in it as "<layer>/M".

    Raises:
        ForkError: where one is not whole, or not finite.
    """
    step = run.snapshot_steps()[-1]
    try:
        arrays = run.snapshot(step)
    except FileNotFoundError:
        raise ForkError(f"{run.id} has dropped its snapshot of step {step:,} just now: try again") from None
    factors = fork.whole_matrices(arrays)
    for layer in fork.layer_names(arrays):
        if layer not in factors:
            raise ForkError(
                f"the last snapshot of {run.id}, of step {step:,}, has no whole M of {layer}: a run that has come to "
                "its end has it"
            )
        if not np.isfinite(factors[layer]).all():
            raise ForkError(f"M of {layer} holds numbers that are not finite at the end of {run.id}, step {step:,}")
    return step, {f"{layer}/M": M for layer, M in factors.items()}


def _gains(run: Run) -> tuple[int, dict[str, Array]]:
    """Return the last step at which tr(P)/n was recorded, and of each layer its "/steps" [s] and "/gain" [s].

    It is the column "eigenvalue_mean/<layer>"; of a run from before that, the mean of the spectra in its snapshots.
    What is not finite, as where a run has diverged, is left out.

    Raises:
        ForkError: where too little was recorded.
        DamagedFile: where a part of it cannot be read.
    """
    run.metrics.update()
    if run.metrics.damaged:
        raise DamagedFile("; ".join(run.metrics.damaged))
    columns = [name for name in run.metrics.columns if name.startswith(MEAN)]
    recorded = {name.removeprefix(MEAN): run.metrics[name] for name in columns}
    if not recorded:
        known = learned.of_run(run)
        if known.missing:
            raise DamagedFile(known.missing)
        recorded = {
            layer.name: Series(layer.spectrum_steps, layer.spectra.astype(np.float64).mean(1))
            for layer in known.layers.values()
            if layer.n and len(layer.spectra)
        }
    arrays: dict[str, Array] = {}
    for layer, (steps, gain) in recorded.items():
        finite = np.isfinite(gain)
        if finite.sum() < 2:
            raise ForkError(f"{run.id} recorded tr(P)/n of {layer} {int(finite.sum())} times, and two are needed")
        arrays |= {f"{layer}/steps": steps[finite], f"{layer}/gain": gain[finite]}
    if not arrays:
        raise ForkError(f"{run.id} did not record tr(P)/n, as older runs did not: train it anew")
    return int(max(each[-1] for name, each in arrays.items() if name.endswith("/steps"))), arrays


def _identity(parent: TrainConfig) -> str:
    """Return the settings of a P = c I for each tensor that is not learned, as JSON: applied as the parent's is."""
    fop = parent.fop
    assert fop is not None
    kept = {name: value for name, value in fop.model_dump(mode="json").items() if name in ("apply", "on_nonfinite")}
    return json.dumps({"preconditioner": "scalar", "hyper_lr": 0.0, **kept})
