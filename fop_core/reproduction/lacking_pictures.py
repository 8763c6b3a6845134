"""Pictures of what the paper lacks: accuracy by setting, over epochs, and against the time of training."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fop_core.figures import training_curves
from fop_core.figures.training_curves import Line
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.lacking import CALLED, RHO, TEXT, TRACE
from fop_core.reproduction.picture import Panel, Picture, needed, over_seeds, seeds_words
from fop_core.reproduction.planned import at_best
from fop_core.reproduction.shipped import Packed, PackedRun

Array = np.ndarray
ACCURACY = "test_accuracy"


def rates_of_m(evidence: Evidence) -> Picture:
    """Return accuracy over ρ, and against the time of training at the best of them."""
    packed = needed(evidence, RHO)
    by: dict[float, list[float]] = {}
    for run in packed.of("fop"):
        if run.cell.role == "tune":
            by.setdefault(float(run.cell.point["fop.hyper_lr"]), []).append(run.last("held_out_accuracy"))
    rates = np.array(sorted(rate for rate in by if rate > 0))
    values = [np.where(np.isfinite(by[rate]), by[rate], np.nan) for rate in rates]
    [style] = training_curves.line_styles(["fop"])
    mean, low, high = (np.array([of(each) for each in values]) for of in (np.mean, np.min, np.max))
    figure = training_curves.figure(
        [Line("FOP", style, rates, mean, band=(rates, low, high))],
        "ρ, the rate of M",
        "held-out accuracy",
        log_x=True,
        percent=True,
        key="paper rho",
    )
    at_zero = by.get(0.0, [])
    zero = f" At ρ = 0 it is {100 * float(np.mean(at_zero)):.1f} %." if at_zero and np.isfinite(at_zero).all() else ""
    panel = Panel(figure, "Accuracy on held-out images over the rate of M")
    return _with_time(packed, panel, f"Left: held-out images, by ρ.{zero} Right: each at its best.")


def traces(evidence: Evidence) -> Picture:
    """Return accuracy over epochs, and against the time of training, by the hypergradient's trace."""
    return _over_epochs(needed(evidence, TRACE), "")


def text_by_time(evidence: Evidence) -> Picture:
    """Return accuracy on text over epochs, and against the time of training, each method at its best rate."""
    return _over_epochs(needed(evidence, TEXT), " Each at its best rate.")


def _over_epochs(packed: Packed, more: str) -> Picture:
    figure = training_curves.figure(
        _lines(packed, over_epochs), "epoch", "test accuracy", percent=True, key=f"{packed.study.name} epochs"
    )
    panel = Panel(figure, "Test accuracy over epochs, by method")
    return _with_time(packed, panel, f"Left: by epochs. Right: the same by time.{more}")


def _with_time(packed: Packed, panel: Panel, caption: str) -> Picture:
    """Return a panel beside accuracy against the time of training."""
    figure = training_curves.figure(
        _lines(packed, over_seconds),
        "seconds of training",
        "test accuracy",
        percent=True,
        key=f"{packed.study.name} time",
    )
    count = max((len(runs) for runs in _reported(packed).values()), default=0)
    time = Panel(figure, "Test accuracy against seconds of training, by method")
    return Picture((panel, time), f"{caption} {seeds_words(count).capitalize()}.")


def _reported(packed: Packed) -> Mapping[str, Sequence[PackedRun]]:
    """Return the runs on the test set of each method at its best, but those that measured nothing."""
    made = {
        method: [run for run in at_best(packed, method, "report") if ACCURACY in run.metrics and "epoch" in run.metrics]
        for method in packed.study.methods
    }
    return {method: runs for method, runs in made.items() if runs}


def _lines(packed: Packed, over: Callable[[Sequence[PackedRun]], list[tuple[Array, Array]]]) -> list[Line]:
    runs = _reported(packed)
    styles = training_curves.line_styles([packed.study.kind(method) for method in runs])
    return [over_seeds(CALLED.get(method, method), style, over(runs[method])) for method, style in zip(runs, styles)]


def over_epochs(runs: Sequence[PackedRun]) -> list[tuple[Array, Array]]:
    """Return of each run its accuracy over epochs."""
    return [run.over("epoch", ACCURACY) for run in runs]


def over_seconds(runs: Sequence[PackedRun]) -> list[tuple[Array, Array]]:
    """Return of each run its accuracy against time: at each epoch the seconds that the runs took, in their mean."""
    times = [run.over("epoch", "seconds") for run in runs if "seconds" in run.metrics]
    if len(times) < len(runs):
        return []
    accuracies = over_epochs(runs)
    shared = [epochs for epochs, _ in (*times, *accuracies)]
    epochs = shared[0][np.all([np.isin(shared[0], each) for each in shared], axis=0)]
    seconds = np.mean([values[np.isin(at, epochs)] for at, values in times], axis=0)
    return [(seconds, values[np.isin(at, epochs)]) for at, values in accuracies]
