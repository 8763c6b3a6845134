"""The paper's figures for the browser, from runs that ship: ``figures.FIGURES`` has the same for print."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import plotly.graph_objects as go

from fop_core import inspection
from fop_core.figures import landscape, learned_curves, matrices, training_curves
from fop_core.figures.learned_curves import Spectra, depth_colors
from fop_core.figures.paths import paths
from fop_core.figures.runs import downsampled
from fop_core.figures.style import METHODS
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.optim.rules import RULES
from fop_core.reproduction import BASELINE, CIFAR, FULL, LOW_RANK, ONE_STEP, Gallery, angle_layers
from fop_core.runs import compare, series
from fop_core.runs.learned import Layer
from fop_core.runs.run import Run
from toy_functions import presets, race
from toy_functions.racing import Race

Array = np.ndarray

SHOWN = (0, 100, 391, 1173, 3128, 5865)  # steps of Figure 5a
EVERY = 200  # steps between two points of Figure A.1, as in the paper


@dataclass(frozen=True)
class Panel:
    """A chart of a picture.

    Attributes:
        figure: to draw.
        alt: what a screen reader says of it.
        aspect: width over height.
    """

    figure: go.Figure
    alt: str
    aspect: float = 2.0


@dataclass(frozen=True)
class Picture:
    """A figure of the paper, as the page shows it.

    Attributes:
        panels: its charts.
        caption: what they show, of how many runs, and what their spread is.
    """

    panels: tuple[Panel, ...]
    caption: str


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


def booth(gallery: Gallery) -> Picture:
    """Return Figure 1, left."""
    return _race(presets.PAPER_BOOTH)


def himmelblau(gallery: Gallery) -> Picture:
    """Return Figure 1, right."""
    return _race(presets.PAPER_HIMMELBLAU)


def over_seeds(label: str, style: LineStyle, seeds: Sequence[tuple[Array, Array]]) -> Line:
    """Return the mean over seeds, within the least and the largest of them."""
    x, values = series.aggregate(seeds).x, series.aggregate(seeds).mean
    if len(seeds) < 2:
        return Line(label, style, x, values)
    stacked = np.stack([np.interp(x, *each, left=np.nan, right=np.nan) for each in seeds])
    return Line(label, style, x, values, band=(x, stacked.min(0), stacked.max(0)))


def ranks(gallery: Gallery) -> Picture:
    """Return Figure 2: test accuracy on MNIST by rank."""
    styles = {
        BASELINE: ("SGD", LineStyle(METHODS["momentum"].color, "7px,3px", 2.0)),
        LOW_RANK: ("FOP, k = 16", LineStyle(METHODS["fop"].color, "2px,3px", 2.0)),
        FULL: ("FOP, full", LineStyle(METHODS["fop"].color, "solid", 3.0)),
    }
    lines = [
        over_seeds(label, style, [run.metrics.over("epoch", "test_accuracy") for run in gallery.seeds(name)])
        for name, (label, style) in styles.items()
    ]
    figure = training_curves.figure(lines, "epoch", "test accuracy", percent=True, key="paper 2")
    return Picture(
        (Panel(figure, "Test accuracy over epochs of SGD and of FOP by rank"),),
        "Test accuracy on MNIST: mean, and minimum to maximum, of three seeds.",
    )


def cifar(gallery: Gallery) -> Picture:
    """Return the upper half of Figure 3, of the gallery's runs: test accuracy on CIFAR-10 of each method."""
    runs = [gallery.run(f"cifar10-{name}") for name in ("sgd", "s-hd", "pp-hd", "fop-norm", "fop-velocity")]
    methods = [compare.method(compare.flat(run.config)) for run in runs]
    lines = [
        Line("SGD" if method == "momentum" else training_curves.named(method), style, *_accuracy(run))
        for run, method, style in zip(runs, methods, training_curves.line_styles(methods))
    ]
    figure = training_curves.figure(lines, "epoch", "test accuracy", percent=True, key="paper 3")
    return Picture(
        (Panel(figure, "Test accuracy over epochs of SGD, S-HD, PP-HD, FOP-norm and FOP"),),
        "Test accuracy on CIFAR-10, one seed each. The rate falls after epoch 8.",
    )


def _accuracy(run: Run) -> tuple[Array, Array]:
    return run.metrics.over("epoch", "test_accuracy")


def change(gallery: Gallery) -> Picture:
    """Return Figure 5a: P of the last spatial layer through training, and what is left of it without 11^T."""
    layer = list(gallery.learned(CIFAR).layers.values())[-1]
    indices = [layer.nearest(step) for step in SHOWN]
    P = layer.all_P()[indices]
    titles = [f"{int(layer.steps[at]):,}" for at in indices]
    titles[0] = f"step {titles[0]}"
    figure = matrices.grid({"P": list(P), "P − aI − c11ᵀ": list(inspection.residual(P))}, titles, key="paper 5a")
    return Picture(
        (Panel(figure, f"P of the layer {layer.name} at the steps {', '.join(titles)}, a matrix of 9 × 9", 2.4),),
        "P of the last spatial layer on CIFAR-10. Below, what is left once a multiple of I and of 11ᵀ is taken out.",
    )


def entries(gallery: Gallery) -> Picture:
    """Return Figure 5b: the values of P in the first and in the last spatial layer through training."""
    layers = list(gallery.learned(CIFAR).layers.values())
    colors = depth_colors(2)
    panels = []
    for layer, color in ((layers[0], colors[0]), (layers[-1], colors[1])):
        for part, what in (("diagonal", "diagonal"), ("off_diagonal", "off-diagonal")):
            found = inspection.part_histograms(layer.all_P(), part)
            assert found is not None, "a kernel has both"
            name = layer.name.removesuffix(".weight")
            figure, _ = learned_curves.ridges(
                layer.steps, *found, color, f"{what} of P, layer {name}", f"{name} {part}"
            )
            panels.append(Panel(_without_cursor(figure), f"Values of the {what} of P in layer {name} over steps", 1.5))
    return Picture(
        tuple(panels),
        "Values of P through training, from back to front, in the first and the last spatial layer.",
    )


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


def spectra(gallery: Gallery) -> Picture:
    """Return Figure 5c: the sorted eigenvalues of the final P of the seven spatial layers."""
    return _spectra(gallery, CIFAR, log=False, caption="Eigenvalues of the final P of each spatial layer, one seed.")


def one_step_spectra(gallery: Gallery) -> Picture:
    """Return the same of the one-step hypergradient of Eq. 4."""
    return _spectra(gallery, ONE_STEP, log=True, caption="The same, learned by the one-step hypergradient of Eq. 4.")


def _spectra(gallery: Gallery, name: str, log: bool, caption: str) -> Picture:
    layers = gallery.learned(name).layers
    made = [
        Spectra(layer.removesuffix(".weight"), color, each.spectrum_steps, each.spectra)
        for (layer, each), color in zip(layers.items(), depth_colors(len(layers)))
    ]
    figure, _ = learned_curves.sorted_eigenvalues(made, log, name)
    return Picture((Panel(figure, "Sorted eigenvalues of the final P of each layer"),), _by_depth(layers, caption))


def _by_depth(layers: Mapping[str, Layer], caption: str) -> str:
    names = [name.removesuffix(".weight") for name in layers]
    return f"{caption} From blue, layer {names[0]}, to orange, layer {names[-1]}."


def full_rank_angles(gallery: Gallery) -> Picture:
    """Return Figure A.1: angles of I + M M^T of full rank on MNIST, of three seeds."""
    return _angles(gallery.seeds(FULL), "Full rank, σ = 0.01: mean, and minimum to maximum, of three seeds.")


def low_rank_angles(gallery: Gallery) -> Picture:
    """Return the same of rank 16."""
    return _angles(gallery.seeds(LOW_RANK), "Rank 16, σ = 0.01: mean, and minimum to maximum, of three seeds.")


def spatial_angles(gallery: Gallery) -> Picture:
    """Return angles of the spatial M M^T on CIFAR-10, which Figure A.1 does not have."""
    return _angles([gallery.run(CIFAR)], "M Mᵀ of kernels on CIFAR-10, which the paper does not show; one seed.")


def _angles(runs: Sequence[Run], caption: str) -> Picture:
    names = angle_layers(runs)
    lines = []
    for name, color in zip(names, depth_colors(len(names))):
        seeds = [_thinned(*run.metrics[f"angle_deg/{name}"]) for run in runs]
        lines.append(over_seeds(name.removesuffix(".weight"), LineStyle(color, "solid", 2.0), seeds))
    figure = learned_curves.over_steps(lines, "degrees between g and P g", key=caption, rules=(45.0,))
    figure.layout.yaxis.autorangeoptions = {"include": [0.0, 50.0]}  # so that the paper's 45 degrees are seen
    return Picture((Panel(figure, "Angle between g and P g over steps, in each layer"),), caption)


def _thinned(steps: Array, values: Array) -> tuple[Array, Array]:
    """Return one point in ``EVERY`` steps, as the paper has them."""
    kept = np.unique(np.searchsorted(steps, np.arange(0, steps[-1] + 1, EVERY)).clip(0, len(steps) - 1))
    return steps[kept], values[kept]


PICTURES: Mapping[str, tuple[str, Callable[[Gallery], Picture]]] = MappingProxyType(
    {
        "paper-1-booth": ("Booth", booth),
        "paper-1-himmelblau": ("Himmelblau", himmelblau),
        "paper-2": ("Gallery", ranks),
        "paper-3-cifar10": ("Gallery", cifar),
        "paper-5a": ("One layer", change),
        "paper-5b": ("Two layers", entries),
        "paper-5c": ("Velocity", spectra),
        "paper-5c-one-step": ("One-step", one_step_spectra),
        "paper-A1": ("Full rank", full_rank_angles),
        "paper-A1-rank16": ("Rank 16", low_rank_angles),
        "paper-A1-cifar10": ("CIFAR-10", spatial_angles),
    }
)
"""What draws each, and what it is called beside others of one card."""
