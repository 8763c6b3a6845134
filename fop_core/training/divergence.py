"""Why did it diverge? What the last checkpoint knows: how long its steps were, and how long its loss bore them.

    kept(run)                        what was measured before, or None
    measure(run).sentences()         "ε·λmax(PH) was 3.1 at step 240; above 2 a step overshoots."

``divergence_worker`` does the same in a process of its own, for whoever has no torch loaded.

At the step of a checkpoint, or of a row, P and the weights are held constant, and H is the Hessian of the training loss
on the batches that came next, in training mode: BatchNorm by the batch's own moments, as in training.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from fop_core.runs.files import DamagedFile
from fop_core.runs.names import CURVATURE_JSON
from fop_core.runs.run import Run
from fop_core.training.config import BASES, OptimizerConfig

if TYPE_CHECKING:
    from fop_core.training.batches import Batch
    from fop_core.training.loop import Trainer

BATCHES = 4
LONGEST = 1000  # steps that are taken again for a run without a checkpoint

Report = Callable[[str, int, int], None]  # what is done, how much of it, of how much
Log = Callable[[str], None]


@dataclass(frozen=True)
class Curvature:
    """What was measured.

    Attributes:
        attempt: the run's last one when it was measured.
        step: updates applied.
        begun: the step from which on steps were taken again, to come to ``step``.
        checkpoint: whether that was a checkpoint, and not the run's start.
        rate: epsilon of the step to come.
        base: what the base optimizer is called.
        bound: the eps lambda above which the base overshoots; None of another base than SGD.
        formula: of the bound.
        with_P: eps lambda_max(P H); None without FOP, and where P is not positive.
        without_P: eps lambda_max(H).
        error_with_P: by how much that may be larger.
        error_without_P: likewise.
        negative: the least eigenvalue of each P that has one below 0, by layer.
        batches: of which H was made.
        images: in them.
        products: Hessian-vector products, over all batches each.
    """

    attempt: int
    step: int
    begun: int
    checkpoint: bool
    rate: float
    base: str
    bound: float | None
    formula: str
    with_P: float | None
    without_P: float
    error_with_P: float
    error_without_P: float
    negative: dict[str, float] = field(default_factory=dict)
    batches: int = BATCHES
    images: int = 0
    products: int = 0

    def sentences(self) -> list[str]:
        """Return what is known, for a person."""
        without = _number(self.without_P, self.error_without_P)
        with_P = None if self.with_P is None else _number(self.with_P, self.error_with_P)
        value = f"ε·λmax(H) was {without}" if with_P is None else f"ε·λmax(PH) was {with_P}"
        said = [f"{value} at step {self.step:,}"]
        if self.bound is None:
            said = [f"{said[0]}.", f"Above 2 a step of SGD overshoots; {self.base} has no such bound."]
        else:
            formula = f"{self.formula} = " if self.formula else ""
            said = [f"{said[0]}; above {formula}{self.bound:.3g} a step overshoots."]
        if with_P is not None:
            said.append(f"Without P it was {without}.")
        for layer, least in self.negative.items():
            said.append(f"P of {layer} has the eigenvalue {least:.3g}: along it each step goes uphill.")
        return [*said, *self._verdict(), *self._source()]

    def _verdict(self) -> list[str]:
        value = self.without_P if self.with_P is None else self.with_P
        if self.bound is None or self.negative or not np.isfinite([value, self.without_P]).all():
            return []
        if value <= self.bound:
            return ["At that step none was too long."]
        if self.with_P is None:
            return ["The rate was too large."]
        if self.without_P > self.bound:
            return ["The rate was too large, with P or without."]
        return ["P made the steps too long for this rate."]

    def _source(self) -> list[str]:
        said = [] if self.checkpoint else ["It has no checkpoint that can be used."]
        begin = f"step {self.begun:,}" if self.begun else "its start"
        if self.step > self.begun:
            said.append(f"For this its steps were taken again from {begin} on.")
        images = f"the {self.images:,} images that came next"
        return [*said, f"H is the Hessian of the loss on {images}, known by {self.products} products with vectors."]


def kept(run: Run) -> Curvature | None:
    """Return what was measured since a run's last attempt, or None.

    Raises:
        DamagedFile, OSError: where that, or the run, cannot be read.
    """
    content = run.curvature
    if not content:
        return None
    try:
        known = Curvature(**content)
    except TypeError as error:
        raise DamagedFile(f"{run.path / CURVATURE_JSON}: not what was measured ({error}): remove it") from None
    return known if known.attempt == len(run.attempts) else None


def measure(
    run: Run,
    *,
    at: int | None = None,
    batches: int = BATCHES,
    log: Log = lambda text: None,
    report: Report = lambda what, done, most: None,
) -> Curvature:
    """Measure how long a run's steps were for its loss; of one that diverged it is kept beside it.

    Args:
        run: with FOP or without; whether or not it diverged.
        at: the step; steps are taken again from the last checkpoint before it. Unless given it is the last checkpoint
            at which the numbers are finite; of a run that has none the last step with a finite loss, ``LONGEST`` at
            most, or where they are not finite there half as many steps, and so on down to its start.
        batches: of which H is made, those that came next.
        log: called with each line for people.
        report: called with what is done, how much of it, of how much.

    Raises:
        ValueError: where the run's settings, data or device do not do here, or its steps, taken again, diverge sooner.
    """
    if batches < 1 or (at is not None and at < 0):
        raise ValueError(f"{batches} batches at step {at}: give at least 1, and a step of at least 0")
    for checkpoint, step in _candidates(run, at):
        try:
            result = _at(run, checkpoint, step, batches, log, report)
        except (DamagedFile, FileNotFoundError) as error:
            if checkpoint is None:
                raise
            log(f"the checkpoint of step {checkpoint:,} cannot be used: {error}")
            continue
        if at is not None or np.isfinite([result.without_P, result.with_P or 0.0]).all():
            break
        log(f"at step {result.step:,} it had diverged already")
    if at is None and batches == BATCHES and run.state.cause == "diverged":
        try:
            run.keep_curvature(asdict(result))
        except (DamagedFile, OSError) as error:
            log(f"not kept beside the run: {error}")
    return result


def _candidates(run: Run, at: int | None) -> Iterator[tuple[int | None, int]]:
    """Yield from which checkpoint, None for the run's start, and at which step it may be measured, the best first."""
    for step in reversed(run.checkpoint_steps()):
        if at is None or step <= at:
            yield step, step if at is None else at
    if at is not None:
        yield None, at
        return
    attempts = run.attempts
    first = attempts[0]["from_step"] if attempts else 0
    run.metrics.update()
    left = 0
    if "train_loss" in run.metrics:
        steps, losses = run.metrics["train_loss"]
        finite = np.logical_and.accumulate(np.isfinite(losses)) & (steps <= first + LONGEST)
        if finite.any():  # the loss of step t is that of the weights after t - 1
            left = max(0, int(steps[finite][-1]) - 1 - first)
    while left:
        yield None, first + left
        left //= 2
    yield None, first


def _at(run: Run, checkpoint: int | None, step: int, batches: int, log: Log, report: Report) -> Curvature:
    """Return what is measured at a step, to which steps are taken again from a checkpoint or from the start."""
    from fop_core.training import replay  # whoever only reads what was measured has no torch loaded
    from fop_core.training.loop import Diverged

    def stepped(progress: dict[str, Any]) -> None:
        report("steps taken again", progress["step"], step)

    with replay.again(run, log, checkpoint=checkpoint, report=stepped) as trainer:
        begun = trainer.step
        if begun > step:
            raise ValueError(f"{run.id} begins at step {begun:,}: give a later one than {step:,}")
        if begun < step:
            try:
                trainer.train(until=step)
            except Diverged as diverged:
                raise ValueError(f"{run.id}, taken again from step {begun:,} on: {diverged}") from None
        measured = _measured(trainer, batches, report)
    return Curvature(len(run.attempts), trainer.step, begun, checkpoint is not None, **measured)


def _measured(trainer: "Trainer", count: int, report: Report) -> dict[str, Any]:
    """Return what ``Curvature`` holds of a trainer as it is now, from ``rate`` on."""
    import torch
    from torch import Tensor

    from fop_core.training import curvature

    trainer.prescribe(trainer.step)
    settings, model, fop = trainer.config, trainer.built.model, trainer.built.fop
    names, parameters = zip(*model.named_parameters())
    pairs = _coming(trainer, count)

    def loss(images: Tensor, labels: Tensor) -> Tensor:
        return trainer.task.loss(model(images), labels)

    H = curvature.hessian([partial(loss, *pair) for pair in pairs], parameters)
    generator = torch.Generator().manual_seed(0)
    start = [torch.randn(parameter.shape, generator=generator).to(parameter) for parameter in parameters]
    rate = trainer.rate()
    negative = {} if fop is None else curvature.negative(fop)
    ways: list[curvature.Product] = [lambda vector: vector]
    if fop is not None and not negative:
        ways.append(curvature.preconditioner(fop, names))
    values = []
    for number, P in enumerate(ways):

        def count_products(products: int, before: int = number * curvature.MOST) -> None:
            report("products with H", before + products, len(ways) * curvature.MOST)

        values.append(curvature.largest_eigenvalue(H, P, start, report=count_products))
    limit, formula = _bound(settings.optimizer)
    return {
        "rate": rate,
        "base": _called(settings.optimizer),
        "bound": limit,
        "formula": formula,
        "with_P": rate * values[1].value if len(values) > 1 else None,
        "without_P": rate * values[0].value,
        "error_with_P": rate * values[-1].error,
        "error_without_P": rate * values[0].error,
        "negative": negative,
        "batches": len(pairs),
        "images": sum(len(labels) for _, labels in pairs),
        "products": sum(each.products for each in values),
    }


def _coming(trainer: "Trainer", count: int) -> list["Batch"]:
    """Return the batches of the next steps of a trainer."""
    batches: list[Batch] = []
    epoch, start = divmod(trainer.step, trainer.feed.steps_in_epoch)
    while len(batches) < count:
        for batch in trainer.feed.epoch(epoch, start):
            batches.append(batch)
            if len(batches) == count:
                break
        epoch, start = epoch + 1, 0
    return batches


def _called(base: OptimizerConfig) -> str:
    return base.plugin.file if base.plugin is not None else BASES[base.name]


def _bound(base: OptimizerConfig) -> tuple[float | None, str]:
    """Return the bound of a base and its formula; None of another one than SGD."""
    from fop_core.training import curvature

    if base.name != "sgd":
        return None, ""
    limit = curvature.bound(base.momentum, base.dampening, base.nesterov)
    if not base.momentum:
        return limit, ""
    over = "/(1 + 2α)" if base.nesterov else "/(1 − τ)" if base.dampening else ""
    return limit, f"2(1 + α){over}"


def _number(value: float, error: float) -> str:
    if not np.isfinite(value):
        return "not a number"
    return f"{'at least ' if error > 0.05 * abs(value) else ''}{value:.3g}"
