"""What a network is to learn: the shapes of samples and outputs, the loss, and what else is measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from torch import Tensor
from torch.nn import functional

Measure = Callable[[Tensor, Tensor], Tensor]
"""Of a batch's outputs and targets; 0-d."""


@dataclass(frozen=True)
class Task:
    """A task. That of built-in data is what ``make_model`` of a plug-in gets as ``data``.

    Attributes:
        input: the shape of one sample, without the batch.
        output: of what the network makes of it; of a classification one number a class.
        loss: the mean over the samples of a batch.
        summed: the same as a sum.
        metrics: what else is measured, by name: sums over the samples of a batch.
    """

    input: tuple[int, ...]
    output: tuple[int, ...]
    loss: Measure
    summed: Measure
    metrics: Mapping[str, Measure] = field(default_factory=dict)


def classification(input: tuple[int, ...], classes: int) -> Task:
    """Return the task to tell images of so many classes apart, by cross-entropy."""
    return Task(input, (classes,), functional.cross_entropy, _summed_cross_entropy, {"accuracy": _correct})


def _summed_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    return functional.cross_entropy(logits.float(), labels, reduction="sum")


def _correct(logits: Tensor, labels: Tensor) -> Tensor:
    return (logits.argmax(1) == labels).sum()


def own(input: tuple[int, ...], output: tuple[int, ...], loss: Measure, metrics: Mapping[str, Measure]) -> Task:
    """Return a task whose loss and metrics are means over a batch."""
    return Task(
        input, output, loss, _times_samples(loss), {name: _times_samples(each) for name, each in metrics.items()}
    )


def _times_samples(mean: Measure) -> Measure:
    return lambda outputs, targets: mean(outputs, targets) * len(targets)
