"""What if? A new run that goes on from another's checkpoint, with its matrices M kept, changed or replaced.

    available(run)                  the steps it can be forked from, or why there are none
    plan(run, matrices=...)         what the fork would be, checked against both runs' files
    create(plan)                    its directory; ``jobs.queue.submit`` puts it in the queue as any run

A fork holds what it needs, in ``start.safetensors``: the parent's checkpoint with M as the fork begins, so that neither
parent nor donor has to be there when it is trained. All is done on arrays and JSON: nothing here loads torch.
"""

import copy
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fop_core.optim import layouts
from fop_core.optim.forms import FORMS
from fop_core.runs import plugins, store
from fop_core.runs.files import DamagedFile, Header
from fop_core.runs.lineage import MATRICES
from fop_core.runs.run import Run
from fop_core.training import config, datasets, threads
from fop_core.training.config import ConfigError, FOPConfig, TrainConfig

Array = np.ndarray
Shape = tuple[int, ...]

_LABELS = {"unchanged": "as its parent", "normalized": "P normalized"}


class ForkError(ValueError):
    """A fork that cannot be made; says of what, why, and what to do.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> try:
        ...     fork.plan(runs.load("mnist-sgd-seed0"), matrices="frozen")
        ... except fork.ForkError as error:
        ...     print(error)
        mnist-sgd-seed0 was trained without FOP: it has no M
    """


class Available(NamedTuple):
    """Where a run can be forked.

    Attributes:
        steps: of its checkpoints, ascending.
        reason: why there are none, else "".

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> fork.available(runs.load("cifar10-fop-velocity")).steps
        (5865,)
    """

    steps: tuple[int, ...]
    reason: str


@dataclass(frozen=True)
class ForkPlan:
    """A fork that can be made.

    Attributes:
        run: the parent.
        matrices: what becomes of M, a key of ``lineage.MATRICES``.
        step: of the parent's checkpoint.
        config: the fork's settings.
        settings: in which they differ from the parent's, as ``config.change`` takes them.
        steps_in_epoch: updates in one pass over the training set.
        total: the step at which the fork ends.
        donor: whose M it gets, where that is so.
        donor_step: of the donor's snapshot.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> plan = fork.plan(runs.load("cifar10-fop-velocity"), matrices="frozen", epochs=20)
        >>> plan.name, plan.step, plan.total, plan.settings
        ('cifar10-fop-velocity, M frozen at 5865', 5865, 7820, ('fop.hyper_lr=0.0', 'epochs=20'))
        >>> print(plan.description.partition(" M ")[0])
        From step 5,865 (epoch 15) of cifar10-fop-velocity to step 7,820 (epoch 20), 1,955 steps.
        >>> plan.lineage["parent"], plan.lineage["matrices"]
        ('cifar10-fop-velocity', 'frozen')
    """

    run: Run
    matrices: str
    step: int
    config: TrainConfig
    settings: tuple[str, ...]
    steps_in_epoch: int
    total: int
    donor: Run | None = None
    donor_step: int | None = None

    @property
    def name(self) -> str:
        """What the fork is called unless it is given a name."""
        words = _LABELS.get(self.matrices, f"M {self.matrices}")
        return f"{self.run.name}, {words} at {self.step}"

    @property
    def lineage(self) -> dict[str, Any]:
        """What run.json says of where it comes from: how its parent was made, and what ``lineage.origin`` reads."""
        made = self.run.about["lineage"]
        lineage = {key: made[key] for key in ("preset", "method", "config") if key in made}
        lineage["set"] = [*made.get("set", ()), *self.settings]
        lineage |= {"parent": self.run.id, "step": self.step, "matrices": self.matrices}
        lineage |= threads.inherited(self.run)
        if self.donor is not None:
            lineage |= {"donor": self.donor.id, "donor_step": self.donor_step}
        return lineage

    @property
    def description(self) -> str:
        """What the fork is, in sentences for a person."""
        epoch, end = self.step / self.steps_in_epoch, self.total / self.steps_in_epoch
        sentences = [
            f"From step {self.step:,} (epoch {epoch:g}) of {self.run.name} to step {self.total:,} (epoch {end:g}), "
            f"{self.total - self.step:,} steps."
        ]
        donor = "" if self.donor is None else f", from step {self.donor_step:,} of {self.donor.name}"
        sentences.append(f"{MATRICES[self.matrices]}{donor}.")
        if self.settings:
            sentences.append(f"Settings changed: {', '.join(self.settings)}.")
        if self.config.optimizer.plugin is not None:
            return " ".join(sentences)  # its rate is the file's own
        before, after = (self._rate(settings) for settings in (config.of_run(self.run), self.config))
        sentences.append(f"The learning rate goes on at {after:.3g}")
        sentences[-1] += (
            "." if before == after else f", not at its parent's {before:.3g}: the schedule is over other epochs."
        )
        return " ".join(sentences)

    def _rate(self, settings: TrainConfig) -> float:
        """Return the learning rate of the first step after the checkpoint."""
        return settings.optimizer.lr * settings.schedule.at(self.step / self.steps_in_epoch, settings.epochs)


def available(run: Run) -> Available:
    """Return the steps at which a run can be forked, or why there are none.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> fork.available(runs.load("mnist-sgd-seed0"))
        Available(steps=(), reason='mnist-sgd-seed0 was trained without FOP: it has no M')
    """
    try:
        settings = config.of_run(run)
    except (ConfigError, DamagedFile, OSError) as error:
        return Available((), f"its settings cannot be read: {error}")
    if settings.fop is None:
        return Available((), f"{run.id} was trained without FOP: it has no M")
    try:
        there = run.checkpoint_steps()
    except (DamagedFile, OSError) as error:
        return Available((), f"{run.id} has no checkpoint to go on from: {error}")
    steps, damaged = [], []
    for step in there:
        try:
            run.checkpoint_header(step)
        except FileNotFoundError:
            continue  # a newer one has taken its place just now
        except (DamagedFile, OSError) as error:
            damaged.append(str(error))
        else:
            steps.append(step)
    if steps:
        return Available(tuple(steps), "")
    why = "; ".join(damaged) or "a run keeps its last two, and a packed one of the gallery mostly none"
    return Available((), f"{run.id} has no checkpoint to go on from: {why}")


def plan(
    run: Run,
    *,
    matrices: str,
    at: int | None = None,
    donor: Run | None = None,
    donor_step: int | None = None,
    epochs: int | None = None,
    steps: int | None = None,
) -> ForkPlan:
    """Return what a fork of a run would be. Nothing is written.

    Args:
        run: the parent; it may be running.
        matrices: what becomes of M, a key of ``lineage.MATRICES``.
        at: the step of the checkpoint to go on from; the last one unless given.
        donor: for "transplanted", the run whose M is taken; an earlier step of ``run`` itself will do.
        donor_step: of the donor's snapshot; its last one that has every M whole unless given.
        epochs: passes over the training set in all, the parent's among them; as many as the parent's unless given.
        steps: end after so many steps from ``at``, where the epochs do not end sooner. With neither of the two, the
            parent's ``max_steps`` holds too.

    Raises:
        ForkError: where it cannot be made, or its data are not here.
        DamagedFile: where a file of one of the runs cannot be read.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> run = runs.load("cifar10-fop-velocity")
        >>> fork.plan(run, matrices="reset", epochs=20).total
        7820
        >>> try:
        ...     fork.plan(run, matrices="reset")
        ... except fork.ForkError as error:
        ...     print(str(error).partition(", ")[2])
        no step is left: give epochs = 16 or more
    """
    if matrices not in MATRICES:
        raise ForkError(f"matrices is {matrices!r}: give one of {', '.join(MATRICES)}")
    there = available(run)
    if not there.steps:
        raise ForkError(there.reason)
    step = there.steps[-1] if at is None else at
    if step not in there.steps:
        raise ForkError(f"{run.id} has no checkpoint at step {step:,}: it has them at {_listed(there.steps)}")
    parent = config.of_run(run)
    _refuse_what_changes_nothing(run, parent, matrices)
    header, about = _checkpoint_header(run, step)
    steps_in_epoch = _steps_in_epoch(run, step, about)

    settings = []
    settings += ["fop.hyper_lr=0.0"] if matrices == "frozen" else []
    settings += ["fop.normalized=true"] if matrices == "normalized" else []
    settings += [f"epochs={epochs}"] if epochs not in (None, parent.epochs) else []
    if steps is not None:
        if type(steps) is not int or steps < 1:
            raise ForkError(f"steps is {steps!r}: give a whole number of at least 1")
        settings.append(f"max_steps={step + steps}")
    elif epochs is not None and parent.max_steps is not None:
        settings.append("max_steps=null")
    try:
        changed = config.change(parent, settings)
    except ConfigError as error:
        raise ForkError(f"a fork of {run.id} with M {matrices}: {error}") from None
    try:
        datasets.find(changed.data)
    except datasets.DataError as error:
        raise ForkError(f"a fork of {run.id} has nothing to train on: {error}") from None
    total = changed.total_steps(steps_in_epoch)
    _refuse_what_has_ended(run, changed, step, steps_in_epoch, steps)

    if matrices == "transplanted":
        if donor is None:
            raise ForkError("matrices is 'transplanted': say from which run, as donor (--from)")
        donor_step = _fitting_snapshot(run, parent, _layers(run, header, about), donor, donor_step)
    elif donor is not None or donor_step is not None:
        raise ForkError(f"matrices is {matrices!r}: only 'transplanted' takes M from a donor")
    return ForkPlan(run, matrices, step, changed, tuple(settings), steps_in_epoch, total, donor, donor_step)


def create(plan: ForkPlan, *, name: str = "", tags: tuple[str, ...] = (), folder: Path | None = None) -> Run:
    """Make the directory of a planned fork, in state queued: whole, or not at all.

    Args:
        plan: what ``plan`` returned.
        name: for people; ``plan.name`` unless given.
        tags: for people.
        folder: where; ``store.runs_folder()`` unless given. The parent may be in another one.

    Raises:
        ForkError: where the parent has dropped the checkpoint meanwhile, or the donor the snapshot.
        DamagedFile: where one of them cannot be read.
        OSError: ENOSPC on a full disk.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> plan = fork.plan(runs.load("cifar10-fop-velocity"), matrices="frozen", epochs=20)
        >>> run = fork.create(plan)
        >>> run.name, run.state.state, run.config["fop"]["hyper_lr"]
        ('cifar10-fop-velocity, M frozen at 5865', 'queued', 0.0)
    """
    try:
        arrays, about = plan.run.checkpoint(plan.step)
        factors = {}
        if plan.donor is not None and plan.donor_step is not None:
            factors = whole_matrices(plan.donor.snapshot(plan.donor_step))
    except FileNotFoundError as error:
        raise ForkError(
            f"{error.filename} is gone meanwhile: look again at what {plan.run.id} can be forked from"
        ) from None
    try:
        start = _changed(arrays, about, plan.matrices, factors)
    except (KeyError, TypeError, AttributeError, ValueError):
        which = f"the checkpoint of {plan.run.id} at step {plan.step:,}"
        raise ForkError(f"{which} is none of a trainer with FOP") from None
    return store.create(
        plan.config.to_json(),
        name=name or plan.name,
        tags=tags,
        lineage=plan.lineage,
        start=start,
        sources=plugins.of_run(plan.run),
        folder=folder,
    )


def _changed(
    arrays: Mapping[str, Array], about: Mapping[str, Any], matrices: str, factors: Mapping[str, Array]
) -> tuple[dict[str, Array], dict[str, Any]]:
    """Return a checkpoint with M as a fork begins; the arrays that stay are the same ones.

    What learns M (the hyper-optimizer's moments and counts, u, the step size that u belongs to) goes with M: where that
    is replaced, the loop finds "factors" for "layers", and takes the rest from a new run.
    """
    changed = copy.deepcopy(dict(about))
    fop = _entry(changed["tree"], "optimizer", "fop")
    held = dict(arrays)
    if matrices == "frozen":
        _put(fop, "hyper_lr", 0.0)
    if matrices == "normalized" and "options" in dict(fop["dict"]):  # an earlier version's state names none
        _put(_entry(fop, "options"), "normalized", True)
    if matrices in ("reset", "transplanted"):
        held = {name: array for name, array in arrays.items() if not name.startswith("optimizer/fop/")}
        parts = []
        for name, M in factors.items():
            path = f"optimizer/fop/factors/{name}"
            held[path] = M
            parts.append([name, {"tensor": path, "strides": [stride // M.itemsize for stride in M.strides]}])
        fop["dict"] = [pair for pair in fop["dict"] if pair[0] != "layers"] + [["factors", {"dict": parts}]]
    return held, changed


# what is checked -----------------------------------------------------------------------------------------------------


def _refuse_what_changes_nothing(run: Run, parent: TrainConfig, matrices: str) -> None:
    fop = parent.fop
    assert fop is not None
    if not FORMS[fop.preconditioner].learns and matrices in ("frozen", "reset", "transplanted"):
        raise ForkError(f"{run.id} learns no M, its P is fixed: its forks are normalized or unchanged")
    if matrices == "frozen" and fop.hyper_lr == 0:
        raise ForkError(f"{run.id} has its M frozen already, hyper_lr is 0: its control is 'unchanged'")
    if matrices == "normalized" and fop.normalized:
        raise ForkError(f"{run.id} is normalized already: its control is 'unchanged'")


def _refuse_what_has_ended(run: Run, fork: TrainConfig, step: int, steps_in_epoch: int, steps: int | None) -> None:
    """Raise ForkError where a fork would have no step to take, or fewer than were asked for."""
    total, in_epochs = fork.total_steps(steps_in_epoch), fork.epochs * steps_in_epoch
    wanted = step + (1 if steps is None else steps)
    if total >= wanted:
        return
    needed = math.ceil(wanted / steps_in_epoch)
    what = "no step is left" if steps is None else f"{max(0, in_epochs - step):,} steps are left and not {steps:,}"
    if in_epochs >= wanted:  # it is max_steps that ends it
        raise ForkError(
            f"{run.id} is at step {step:,} of its max_steps = {fork.max_steps:,}, {what}: give steps, or epochs, "
            f"{fork.epochs} for as many as it was to have"
        )
    raise ForkError(
        f"{run.id} is at step {step:,} of the {in_epochs:,} of {fork.epochs} epochs, {what}: give epochs = {needed} or "
        "more"
    )


def _fitting_snapshot(
    run: Run, parent: TrainConfig, needed: Mapping[str, "_Layer"], donor: Run, step: int | None
) -> int:
    """Return the step of the donor's snapshot to take.

    Raises:
        ForkError: naming the first difference between the two runs' matrices.
    """
    try:
        theirs = config.of_run(donor).fop
    except ConfigError as error:
        raise ForkError(f"the donor {donor.id} has settings that cannot be read: {error}") from None
    ours = parent.fop
    assert ours is not None
    if theirs is None:
        raise ForkError(f"the donor {donor.id} was trained without FOP: it has no M")
    if theirs.preconditioner != ours.preconditioner:
        raise ForkError(
            f"M is of another form: {run.id} learns a {ours.preconditioner!r} P, the donor {donor.id} a "
            f"{theirs.preconditioner!r} one"
        )
    step = _whole_snapshot(donor, step)
    shapes = _shapes(donor.snapshot_header(step))
    for name, layer in needed.items():
        if name not in shapes:
            raise ForkError(f"{name} has an M in {run.id} and none in the donor {donor.id}")
        if shapes[name] != layer.M:
            raise ForkError(
                f"M of {name} is {list(layer.M)} in {run.id} and {list(shapes[name])} in the donor {donor.id}"
            )
        layout, other = (_layout(fop, layer.parameter) for fop in (ours, theirs))
        if layout != other:
            raise ForkError(
                f"M of {name} acts on the layout {layout!r} in {run.id} and on {other!r} in the donor {donor.id}"
            )
    if extra := [name for name in shapes if name not in needed]:
        raise ForkError(f"{extra[0]} has an M in the donor {donor.id} and none in {run.id}")
    bad = [name for name, M in whole_matrices(donor.snapshot(step)).items() if not np.isfinite(M).all()]
    if bad:
        raise ForkError(
            f"M of {bad[0]} holds numbers that are not finite at step {step:,} of the donor {donor.id}: give another "
            f"donor_step (--from-step) of {_listed(donor.snapshot_steps())}"
        )
    return step


def _whole_snapshot(donor: Run, step: int | None) -> int:
    """Return the step of a donor's snapshot that has every M whole: the given one, or the last there is."""
    steps = donor.snapshot_steps()
    if step is not None and step not in steps:
        raise ForkError(
            f"the donor {donor.id} has no snapshot of step {step:,}: it has them at {_listed(steps) or 'none'}"
        )
    for each in reversed(steps) if step is None else [step]:
        try:
            header = donor.snapshot_header(each)
        except FileNotFoundError:
            continue  # dropped just now
        if header and not (cut := [name for name in layer_names(header) if f"{name}/M" not in header]):
            return each
        if step is not None:
            raise ForkError(
                f"the donor's snapshot of step {step:,} has no whole M of {cut[0] if header else 'any layer'}: large "
                "ones are in the last snapshot alone"
            )
    raise ForkError(f"the donor {donor.id} has no snapshot with every M whole: a run's last one has them")


class _Layer(NamedTuple):
    """A layer with a preconditioner: the shape of M as ``FOP.factors`` gives it, and that of its parameter."""

    M: Shape
    parameter: Shape


def _layers(run: Run, header: Header, about: Mapping[str, Any]) -> dict[str, _Layer]:
    """Return the layers whose M a checkpoint holds, by parameter name."""
    try:
        optimizer = _entry(about["tree"], "optimizer")
        names = [name for group in _entry(optimizer, "param_groups") for name in _entry(group, "param_names")]
        form = _entry(optimizer, "fop", "preconditioner")
        layers = {}
        for number, layer in _entry(optimizer, "fop", "layers")["dict"]:
            name = names[number]
            _, parameter = header[f"model/{name}"]
            _, M = header[_entry(layer, "M")["tensor"]]
            layers[name] = _Layer({"tensor": (), "parameter": parameter}.get(FORMS[form].one_per, M), parameter)
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise DamagedFile(f"a checkpoint of {run.id} does not say which layers it has M for ({error!r})") from error
    return layers


def _layout(fop: FOPConfig, shape: Shape) -> str:
    """Return the name of the layout in which a parameter is preconditioned."""
    if FORMS[fop.preconditioner].one_per:  # it takes every tensor as it is
        return fop.preconditioner
    largest = FORMS[fop.preconditioner].max_dim if fop.max_dim is None else fop.max_dim
    layout = layouts.choose(fop.layout, shape, largest)
    return layout if isinstance(layout, str) else layout.name


def layer_names(header: Mapping[str, Any]) -> list[str]:
    """Return the layers of a snapshot, of which the keys are "<layer>/<what>".

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> fork.layer_names(runs.load("cifar10-fop-velocity").snapshot_header(0))[:2]
        ['0.weight', '12.weight']
    """
    return list(dict.fromkeys(name.partition("/")[0] for name in header))


def _shapes(header: Header) -> dict[str, Shape]:
    return {name.removesuffix("/M"): shape for name, (_, shape) in header.items() if name.endswith("/M")}


def whole_matrices(arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the whole M of a snapshot by layer.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.training import fork
        >>> M = fork.whole_matrices(runs.load("cifar10-fop-velocity").snapshot(5865))
        >>> M["18.weight"].shape
        (9, 9)
    """
    return {name.removesuffix("/M"): array for name, array in arrays.items() if name.endswith("/M")}


def _checkpoint_header(run: Run, step: int) -> tuple[Header, dict[str, Any]]:
    try:
        return run.checkpoint_header(step)
    except FileNotFoundError:
        raise ForkError(
            f"{run.id} has dropped its checkpoint of step {step:,} just now: give one of its last"
        ) from None


def _steps_in_epoch(run: Run, step: int, about: Mapping[str, Any]) -> int:
    """Return the steps of an epoch as a checkpoint has it, or, of one that does not, as the run's progress does."""
    steps = about.get("steps_in_epoch")
    if type(steps) is int and steps > 0:
        return steps
    progress = run.progress
    last, epoch = progress.get("step"), progress.get("epoch")
    if isinstance(last, (int, float)) and isinstance(epoch, (int, float)) and last > 0 < epoch:
        return round(last / epoch)
    raise ForkError(
        f"{run.id} does not say how many steps an epoch has, neither in its checkpoint of step {step:,} nor in "
        "progress.json: train it on to its next checkpoint"
    )


def _listed(steps: Any, most: int = 8) -> str:
    shown = [f"{step:,}" for step in steps]
    return ", ".join(shown if len(shown) <= most else [*shown[:2], "...", *shown[2 - most :]])


# a checkpoint's tree, as ``state.pack`` writes it ---------------------------------------------------------------------


def _entry(tree: Any, *path: Any) -> Any:
    """Return what is at a path of a tree's dicts.

    Raises:
        KeyError: where nothing is.
    """
    for key in path:
        tree = next((value for name, value in tree["dict"] if name == key), None)
        if tree is None:
            raise KeyError(key)
    return tree


def _put(tree: Any, key: str, value: Any) -> None:
    """Replace what a dict of a tree has under a key."""
    tree["dict"] = [[name, value if name == key else old] for name, old in tree["dict"]]
