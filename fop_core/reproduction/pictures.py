"""The paper's figures for the browser, from runs that ship: ``figures.FIGURES`` has the same for print."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import plotly.graph_objects as go

from fop_core import inspection
from fop_core.figures import landscape, learned_curves, matrices, rotation, training_curves
from fop_core.figures.learned_curves import Spectra, depth_colors
from fop_core.figures.paths import paths
from fop_core.figures.rotation import AngleSpread
from fop_core.figures.style import METHODS
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.figures.trajectories import downsampled
from fop_core.optim.rules import RULES
from fop_core.reproduction import CIFAR, FULL, LOW_RANK, ONE_STEP, angle_layers, cifar, figure_5, mnist, planned
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.lacking import RHO, TEXT, TRACE
from fop_core.reproduction.lacking_pictures import rates_of_m, text_by_time, traces
from fop_core.reproduction.picture import Panel, Picture, needed, over_seeds, seeds_words
from fop_core.reproduction.plans import RANKS, SMALL_RANKS, SMALL_RATE, STDS, small
from fop_core.reproduction.shipped import Packed, PackedRun
from fop_core.reproduction.verdicts import Card
from fop_core.runs.learned import Layer
from fop_core.runs.run import Run
from toy_functions import presets, race
from toy_functions.racing import Race

Array = np.ndarray

SHOWN = (0, 100, 391, 1173, 3128, 5865)  # steps of Figure 5a
EVERY = 200  # steps between two points of Figure A.1, as in the paper


def _race(settings: Race) -> Picture:
    kinds = {kind: name for name, kind in RULES.items()}
    runs = [
        downsampled(kinds[type(settings.rules[name])], path.points, path.losses, path.status, path.preconditioners)
        for name, path in race(settings).items()
    ]
    surface = settings.surface
    box = landscape.frame(surface.view, settings.start, [run.path for run in runs])
    ground = landscape.survey(surface.value, surface.floor, box)
    figure = paths(ground, runs, settings.start, surface.minima, key=surface.name)
    ends = ", ".join(run.label for run in runs)
    return Picture(
        (Panel(figure, f"Paths on {surface.name}'s function from one start, with their steps: {ends}", 1.15),),
        f"{surface.name}: paths from one start, and how many steps each takes. Crosses are minima.",
    )


def booth(evidence: Evidence) -> Picture:
    """Return Figure 1, left."""
    return _race(presets.PAPER_BOOTH)


def himmelblau(evidence: Evidence) -> Picture:
    """Return Figure 1, right."""
    return _race(presets.PAPER_HIMMELBLAU)


DASHES = ("2px,3px", "5px,2px", "8px,3px", "10px,3px,2px,3px", "5px,2px,1px,2px")
SGD = LineStyle(METHODS["momentum"].color, "7px,3px", 2.0)
RANK_COLORS = dict(zip(RANKS, depth_colors(2 * len(RANKS) - 1)[len(RANKS) - 1 :]))
"""From violet, rank 1, to FOP's orange, full rank: SGD has the blue."""


def _epochs(runs: Sequence[PackedRun]) -> list[tuple[Array, Array]]:
    return [run.over("epoch", "test_accuracy") for run in runs]


def _called(name: str) -> str:
    return "FOP, full" if name == "full" else f"FOP, k = {RANKS[name]}"


def ranks(evidence: Evidence) -> Picture:
    """Return Figure 2 at SGD's best rate: test accuracy on MNIST by rank."""
    packed = needed(evidence, mnist.BEST)
    lines = [over_seeds("SGD", SGD, _epochs(packed.of(mnist.SGD)))]
    for name, dash in zip(RANKS, (*DASHES, "solid")):
        style = LineStyle(RANK_COLORS[name], dash, 3.0 if name == "full" else 2.0)
        line = over_seeds(_called(name), style, _epochs(packed.of(name)))
        lines.append(line if name == "full" else replace(line, band=None))  # six bands would hide each other
    figure = training_curves.figure(lines, "epoch", "test accuracy", percent=True, key="paper 2")
    return Picture(
        (Panel(figure, "Test accuracy over epochs of SGD and of FOP by rank, at SGD's best rate"),),
        f"Test accuracy on MNIST at SGD's best rate, {seeds_words(len(packed.of(mnist.SGD)))}, of SGD and full rank.",
    )


def small_ranks(evidence: Evidence) -> Picture:
    """Return Figure 2 at a rate too small for SGD: P learned, and never learned."""
    packed, std = needed(evidence, mnist.SMALL), max(STDS)
    lines = [over_seeds("SGD", SGD, _epochs(packed.of(mnist.SGD)))]
    for name in SMALL_RANKS[1:]:
        for learned, dash in ((False, "2px,3px"), (True, "solid")):
            style = LineStyle(RANK_COLORS[name], dash, 3.0 if name == "full" else 2.0)
            label = _called(name).removeprefix("FOP, ") + ("" if learned else ", fixed")
            lines.append(over_seeds(label, style, _epochs(packed.of(small(name, std, learned=learned)))))
    figure = training_curves.figure(lines, "epoch", "test accuracy", percent=True, key="paper 2 small")
    return Picture(
        (Panel(figure, "Test accuracy over epochs of SGD and of FOP by rank, at 1e-3, P learned and never learned"),),
        f"At {SMALL_RATE:g}, σ = {std:g}. Solid: P is learned. Dotted: it stays as it was drawn. "
        f"{seeds_words(len(packed.of(mnist.SGD))).capitalize()}.",
    )


def methods_on_cifar(evidence: Evidence) -> Picture:
    """Return the upper half of Figure 3: test accuracy on CIFAR-10 of each method."""
    packed = evidence.study(cifar.STUDY)
    if packed is not None:
        methods = [method for method in packed.study.methods if packed.of(method)]
        series_of = [_epochs(packed.of(method)) for method in methods]
    else:
        methods = list(cifar.OF_GALLERY)
        series_of = [[_accuracy(evidence.gallery.run(name))] for name in cifar.OF_GALLERY.values()]
    lines = [
        over_seeds("SGD" if method == "momentum" else training_curves.named(method), style, seeds)
        for method, style, seeds in zip(methods, training_curves.line_styles(methods), series_of)
    ]
    lines.sort(key=lambda line: line.line_style.width)  # FOP on top
    figure = training_curves.figure(lines, "epoch", "test accuracy", percent=True, key="paper 3")
    return Picture(
        (Panel(figure, f"Test accuracy over epochs of {', '.join(line.label for line in lines)}"),),
        f"Test accuracy on CIFAR-10: {seeds_words(max(map(len, series_of)))}. The rate falls after epoch 8.",
    )


def rates_of_sgd(evidence: Evidence) -> Picture:
    """Return Figure 4a: accuracy over the rate, a chart for each momentum, with FOP and without."""
    packed = needed(evidence, planned.RATES)
    momenta = sorted({float(run.cell.point["optimizer.momentum"]) for run in packed.runs})
    panels = []
    for momentum in momenta:
        there = {"optimizer.momentum": momentum}
        panels.append(
            Panel(_over_rates(packed, ("momentum", "fop"), there), f"Momentum {momentum:g}: accuracy by rate")
        )
    return Picture(
        tuple(panels),
        f"Accuracy at the end over the learning rate, for momentum {', '.join(f'{each:g}' for each in momenta)}. "
        "Gaps diverged.",
    )


def rates_of_adam(evidence: Evidence) -> Picture:
    """Return Figure 4b: Adam's accuracy over its rate, with FOP and without."""
    packed = needed(evidence, planned.ADAM)
    figure = _over_rates(packed, packed.study.methods, {})
    return Picture(
        (Panel(figure, "Accuracy over the learning rate of Adam, alone and with FOP before or after its moments"),),
        "Accuracy on held-out images at the end, over the learning rate.",
    )


def _over_rates(packed: Packed, methods: Sequence[str], there: Mapping[str, float]) -> go.Figure:
    """Return the accuracy at the end over the rate, at the points of a study that have some values."""
    kinds = [packed.study.kind(method) for method in methods]
    lines = []
    for method, style in zip(methods, training_curves.line_styles(kinds)):
        by: dict[float, list[float]] = {}
        for run in packed.of(method):
            if run.cell.role == "tune" and all(run.cell.point.get(name) == value for name, value in there.items()):
                value = run.last("held_out_accuracy")
                by.setdefault(float(run.cell.point["optimizer.lr"]), []).append(value)
        rates = np.array(sorted(by))
        values = [np.where(np.isfinite(by[rate]), by[rate], np.nan) for rate in rates]
        mean, low, high = (np.array([of(each) for each in values]) for of in (np.mean, np.min, np.max))
        label = "SGD" if method == "momentum" else training_curves.named(method)
        lines.append(Line(label, style, rates, mean, band=(rates, low, high)))
    at = [f"{name.rpartition('.')[2]} {value:g}" for name, value in there.items()]
    title, key = ", ".join(["learning rate", *at]), " ".join([packed.study.name, *at])
    figure = training_curves.figure(lines, title, "held-out accuracy", log_x=True, percent=True, key=key)
    rates = np.unique(np.concatenate([line.x for line in lines]))
    return figure.update_xaxes(tickvals=rates, ticktext=[f"{rate:g}" for rate in rates])


def _accuracy(run: Run) -> tuple[Array, Array]:
    return run.metrics.over("epoch", "test_accuracy")


def change(evidence: Evidence) -> Picture:
    """Return Figure 5a: P of the last spatial layer through training, and what is left of it without 11^T."""
    layer = list(figure_5.learned(evidence)[0].values())[-1]
    indices = [layer.nearest(step) for step in SHOWN]
    P = layer.all_P()[indices]
    titles = [f"{int(layer.steps[at]):,}" for at in indices]
    titles[0] = f"step {titles[0]}"
    figure = matrices.grid({"P": list(P), "P − aI − c11ᵀ": list(inspection.residual(P))}, titles, key="paper 5a")
    return Picture(
        (Panel(figure, f"P of the layer {layer.name} at the steps {', '.join(titles)}, a matrix of 9 × 9", 2.4),),
        "P of the last spatial layer on CIFAR-10. Below, what is left once a multiple of I and of 11ᵀ is taken out"
        f"{_first_seed(evidence)}.",
    )


def entries(evidence: Evidence) -> Picture:
    """Return Figure 5b: the values of P in the first and in the last spatial layer through training."""
    layers = list(figure_5.learned(evidence)[0].values())
    colors = depth_colors(2)
    panels = []
    for layer, color in ((layers[0], colors[0]), (layers[-1], colors[1])):
        for part, what in (("diagonal", "diagonal"), ("off_diagonal", "off-diagonal")):
            histogram = inspection.part_histograms(layer.all_P(), part)
            assert histogram is not None, "a kernel has both"
            name = layer.name.removesuffix(".weight")
            figure, _ = learned_curves.ridges(
                layer.steps, *histogram, color, f"{what} of P, layer {name}", f"{name} {part}"
            )
            panels.append(Panel(_without_cursor(figure), f"Values of the {what} of P in layer {name} over steps", 1.5))
    return Picture(
        tuple(panels),
        "Values of P through training, from back to front, in the first and the last spatial layer"
        f"{_first_seed(evidence)}.",
    )


def _first_seed(evidence: Evidence) -> str:
    count = len(figure_5.learned(evidence))
    return "" if count == 1 else f"; the first of {count} seeds"


def _without_cursor(figure: go.Figure) -> go.Figure:
    """Return ridges less the one that follows a cursor, which this page has not."""
    axis = figure.layout.yaxis
    kept = [(value, text) for value, text in zip(axis.tickvals, axis.ticktext) if text != "cursor"]
    made = go.Figure(figure.data[:-1], figure.layout)
    made.update_layout(
        yaxis={
            "tickvals": [value for value, _ in kept],
            "ticktext": [text for _, text in kept],
            "range": [-0.3, axis.range[1]],
        }
    )
    return made


def spectra(evidence: Evidence) -> Picture:
    """Return Figure 5c: the sorted eigenvalues of the final P of the seven spatial layers."""
    of_seeds = figure_5.learned(evidence)
    count = "one seed" if len(of_seeds) == 1 else f"mean of {len(of_seeds)} seeds"
    return _spectra(of_seeds, CIFAR, f"Eigenvalues of the final P of each spatial layer, {count}.", log=False)


def one_step_spectra(evidence: Evidence) -> Picture:
    """Return the same of the one-step hypergradient of Eq. 4."""
    layers = evidence.gallery.learned(ONE_STEP).layers
    return _spectra([layers], ONE_STEP, "The same, learned by the one-step hypergradient of Eq. 4; one seed.", log=True)


def _spectra(of_seeds: Sequence[Mapping[str, Layer]], key: str, caption: str, log: bool) -> Picture:
    """Return the final spectra of every layer, in the mean over seeds."""
    layers = figure_5.mean_spectra(of_seeds)
    end = np.array([max(int(layer.steps[-1]) for layer in of_seeds[0].values())])
    made = [
        Spectra(name.removesuffix(".weight"), color, end, values[None])
        for (name, values), color in zip(layers.items(), depth_colors(len(layers)))
    ]
    figure, _ = learned_curves.sorted_eigenvalues(made, log, key)
    return Picture((Panel(figure, "Sorted eigenvalues of the final P of each layer"),), _by_depth(layers, caption))


def _by_depth(layers: Iterable[str], caption: str) -> str:
    names = [name.removesuffix(".weight") for name in layers]
    return f"{caption} From blue, layer {names[0]}, to orange, layer {names[-1]}."


def large_std_angles(evidence: Evidence) -> Picture:
    """Return Figure A.1 at a rate too small for SGD, sigma = 0.3, full rank: P learned, and never learned."""
    packed, std = needed(evidence, mnist.SMALL), max(STDS)
    lines: dict[bool, list[Line]] = {False: [], True: []}
    for name, color in zip(mnist.INPUTS, depth_colors(len(mnist.INPUTS))):
        for learned, dash in ((False, "2px,3px"), (True, "solid")):
            runs = packed.of(small("full", std, learned=learned))
            seeds = [_thinned(*run.metrics[f"angle_deg/{name}"]) for run in runs]
            label = name.removesuffix(".weight") + ("" if learned else ", never learned")
            lines[learned].append(over_seeds(label, LineStyle(color, dash, 2.0), seeds))
    caption = (
        f"Full rank, σ = {std:g}, at {SMALL_RATE:g}. Solid: P is learned. Dotted: it stays as it was drawn. "
        f"{seeds_words(len(packed.of(mnist.SGD))).capitalize()}."
    )
    made = _of_angles(lines[True], caption)
    drawn = [trace for trace in _of_angles(lines[False], "").panels[0].figure.data if trace.name]
    [panel] = made.panels
    figure = go.Figure([*drawn, *panel.figure.data], panel.figure.layout)  # labels at the learned ones alone
    return replace(made, panels=(replace(panel, figure=figure),))


def angles_by_std(evidence: Evidence) -> Picture:
    """Return the angle over sigma in the first layer, learned and never learned, over what a random M gives."""
    packed, layer = needed(evidence, mnist.SMALL), next(iter(mnist.INPUTS))
    n = mnist.INPUTS[layer]
    stds = np.geomspace(0.003, 1.0, 60)
    chance, marks = [], []
    for name, dash in zip(SMALL_RANKS, (*DASHES[:4], "solid")):
        k = RANKS[name]
        heights = np.array([mnist.chance_deg(n, k, float(std)) for std in stds])
        label = "full" if name == "full" else f"k = {k}"
        chance.append(Line(label, LineStyle(METHODS["sgd"].color, dash, 1.5), stds, heights))
        for std in STDS:
            for learned in (True, False):
                values = mnist.angles(packed.of(small(name, std, learned=learned)), layer)
                if len(values):
                    word = "learned" if learned else "never learned"
                    marks.append(AngleSpread(f"{label}, {word}", std, values, learned))
    figure = rotation.over_std(chance, marks, key="paper A1 std")
    return Picture(
        (Panel(figure, "Angle between g and P g over σ in the first layer, by rank", 1.7),),
        f"The first layer, at {SMALL_RATE:g}. Lines: arctan(√(nk)σ²/(1 + kσ²)) of a random M. Filled: learned. "
        "Open: never learned. Mean, and minimum to maximum.",
    )


def full_rank_angles(evidence: Evidence) -> Picture:
    """Return Figure A.1: angles of I + M M^T of full rank on MNIST, of three seeds."""
    return _angles(evidence.gallery.seeds(FULL), "Full rank, σ = 0.01: mean, and minimum to maximum, of three seeds.")


def low_rank_angles(evidence: Evidence) -> Picture:
    """Return the same of rank 16."""
    return _angles(evidence.gallery.seeds(LOW_RANK), "Rank 16, σ = 0.01: mean, and minimum to maximum, of three seeds.")


def spatial_angles(evidence: Evidence) -> Picture:
    """Return angles of the spatial M M^T on CIFAR-10, which Figure A.1 does not have."""
    return _angles(
        [evidence.gallery.run(CIFAR)], "M Mᵀ of kernels on CIFAR-10, which the paper does not show; one seed."
    )


def _angles(runs: Sequence[Run], caption: str) -> Picture:
    names = angle_layers(runs)
    lines = []
    for name, color in zip(names, depth_colors(len(names))):
        seeds = [_thinned(*run.metrics[f"angle_deg/{name}"]) for run in runs]
        lines.append(over_seeds(name.removesuffix(".weight"), LineStyle(color, "solid", 2.0), seeds))
    return _of_angles(lines, caption)


def _of_angles(lines: Sequence[Line], caption: str) -> Picture:
    figure = learned_curves.over_steps(lines, "degrees between g and P g", key=caption, rules=(45.0,))
    figure.layout.yaxis.autorangeoptions = {"include": [0.0, 50.0]}  # so that the paper's 45 degrees are shown
    return Picture((Panel(figure, "Angle between g and P g over steps, in each layer"),), caption)


def _thinned(steps: Array, values: Array) -> tuple[Array, Array]:
    """Return one point in ``EVERY`` steps, as the paper has them."""
    kept = np.unique(np.searchsorted(steps, np.arange(0, steps[-1] + 1, EVERY)).clip(0, len(steps) - 1))
    return steps[kept], values[kept]


PICTURES: Mapping[str, tuple[str, Callable[[Evidence], Picture]]] = MappingProxyType(
    {
        "paper-1-booth": ("Booth", booth),
        "paper-1-himmelblau": ("Himmelblau", himmelblau),
        "paper-2": ("SGD's best rate", ranks),
        "paper-2-small": ("Too small a rate", small_ranks),
        "paper-3-cifar10": ("Methods", methods_on_cifar),
        "paper-4a": ("Rates", rates_of_sgd),
        "paper-4b": ("Rates", rates_of_adam),
        "paper-5a": ("One layer", change),
        "paper-5b": ("Two layers", entries),
        "paper-5c": ("Velocity", spectra),
        "paper-5c-one-step": ("One-step", one_step_spectra),
        "paper-A1-small": ("σ = 0.3", large_std_angles),
        "paper-A1-std": ("By σ", angles_by_std),
        "paper-A1": ("Full rank, σ = 0.01", full_rank_angles),
        "paper-A1-rank16": ("Rank 16", low_rank_angles),
        "paper-A1-cifar10": ("CIFAR-10", spatial_angles),
        RHO: ("Rates", rates_of_m),
        TRACE: ("Traces", traces),
        TEXT: ("Text", text_by_time),
    }
)
"""What draws each, and what it is called beside others of one card."""
MORE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"4a": ("paper-4a",), "4b": ("paper-4b",), "A.1": ("paper-A1-small", "paper-A1-std")}
)
"""What a card shows before its own pictures, where there are the runs for it."""
NEEDED: Mapping[str, str] = MappingProxyType(
    {
        "paper-2": mnist.BEST,
        "paper-2-small": mnist.SMALL,
        "paper-4a": planned.RATES,
        "paper-4b": planned.ADAM,
        "paper-A1-small": mnist.SMALL,
        "paper-A1-std": mnist.SMALL,
        RHO: RHO,
        TRACE: TRACE,
        TEXT: TEXT,
    }
)
"""The study that a picture is drawn from, of those that are drawn from one alone."""


def drawable(card: Card, evidence: Evidence) -> list[str]:
    """Return which of ``PICTURES`` a card can show."""
    names = dict.fromkeys([*MORE.get(card.name, ()), *card.pictures])
    there = {name: evidence.study(name) is not None for name in set(NEEDED.values())}
    return [name for name in names if name in PICTURES and there.get(NEEDED.get(name, ""), True)]
