"""Each figure of the paper that the runs that ship can make, by name; and why others cannot be made."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure

from fop_core import inspection
from fop_core.figures import landscape, paper, paper_learned, training_curves
from fop_core.figures.paper_learned import Ridges
from fop_core.figures.style import METHODS
from fop_core.figures.trajectories import downsampled
from fop_core.optim.rules import RULES
from fop_core.reproduction import CIFAR, FULL, LOW_RANK, ONE_STEP, Gallery, angle_layers, cifar, figure_5, shipped
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.figure_5 import Layers
from fop_core.reproduction.plans import RANKS, small
from fop_core.reproduction.shipped import Packed
from toy_functions import presets, race
from toy_functions.racing import Race

Looks = tuple[str, str]
"""Of a line its label and its dash."""
BINS = 24
SHOWN = (0, 100, 391, 1173, 3128, 5865)
"""Steps of Figure 5a: the start, and about a quarter of an epoch, 1, 3, 8 and 15 epochs."""


def booth(gallery: Gallery) -> Figure:
    """Return Figure 1, left."""
    return _race(presets.PAPER_BOOTH)


def himmelblau(gallery: Gallery) -> Figure:
    """Return Figure 1, right."""
    return _race(presets.PAPER_HIMMELBLAU)


def _race(settings: Race) -> Figure:
    kinds = {kind: name for name, kind in RULES.items()}
    runs = [
        downsampled(
            kinds[type(settings.rules[name])],
            trajectory.points,
            trajectory.losses,
            trajectory.status,
            trajectory.preconditioners,
        )
        for name, trajectory in race(settings).items()
    ]
    surface = settings.surface
    box = landscape.frame(surface.view, settings.start, [run.path for run in runs])
    ground = landscape.survey(surface.value, surface.floor, box)
    return paper.race_figure(ground, runs, settings.start, surface.minima, surface.floor, settings.tolerance)


def ranks(gallery: Gallery) -> Figure:
    """Return Figure 2 at the rate that is best for SGD: test accuracy on MNIST, mean and range of five seeds."""
    styles = {name: (f"FOP, k = {k}", "7px,3px") for name, k in RANKS.items() if k in (4, 16)}
    return _accuracies(shipped.load("paper-2-best"), {**styles, "full": ("FOP, full rank", "solid")}, {})


def small_rate_ranks(gallery: Gallery) -> Figure:
    """Return Figure 2 at a rate too small for SGD, with P as drawn beside the learned one."""
    ranks = {"k4": "k = 4", "k16": "k = 16", "full": "full rank"}
    learned = {small(name, 0.3, learned=True): (f"FOP, {label}", "solid") for name, label in ranks.items()}
    fixed = {small(name, 0.3, learned=False): (f"{label}, never learned", "2px,3px") for name, label in ranks.items()}
    return _accuracies(shipped.load("paper-2-small"), learned, fixed)


def _accuracies(packed: Packed, learned: Mapping[str, Looks], fixed: Mapping[str, Looks]) -> Figure:
    """Return test accuracy over epochs of SGD and of some variants, those that learn nothing in another colour."""
    lines = []
    of = {"momentum": ("SGD, momentum 0.9", "solid")} | dict(learned) | dict(fixed)
    for method, (label, dash) in of.items():
        color = METHODS["momentum" if method == "momentum" else "fop" if method in learned else "adam"].color
        seeds = [run.over("epoch", "test_accuracy") for run in packed.of(method)]
        lines.append(paper_learned.over_seeds(label, seeds, color=color, dash=dash))
    return paper_learned.bands(lines, "epoch", "test accuracy", percent=True)


def methods_on_cifar(gallery: Gallery) -> Figure:
    """Return the upper half of Figure 3, of 15 epochs: test accuracy on CIFAR-10 of the paper's methods."""
    packed, name = _evidence(gallery).study(cifar.STUDY), "test_accuracy"
    methods = [*cifar.BASELINES, cifar.FOP]  # FOP on top
    lines = []
    for method, style in zip(methods, training_curves.line_styles(methods)):
        if packed is None:
            seeds = [gallery.run(cifar.OF_GALLERY[method]).metrics.over("epoch", name)]
        else:
            seeds = [run.over("epoch", name) for run in packed.of(method)]
        label = "SGD, momentum 0.9" if method == "momentum" else training_curves.named(method)
        looks = {"color": style.color, "dash": style.dash, "width": style.width}
        lines.append(paper_learned.over_seeds(label, seeds, **looks))
    return paper_learned.bands(lines, "epoch", "test accuracy", percent=True)


def _evidence(gallery: Gallery) -> Evidence:
    """Return what ships, with this gallery."""
    evidence = Evidence(gallery.folder)
    evidence.gallery = gallery
    return evidence


def _first_seed(gallery: Gallery) -> Layers:
    """Return what the first seed of FOP learned on CIFAR-10, by layer."""
    return figure_5.learned(_evidence(gallery))[0]


def matrices(gallery: Gallery) -> Figure:
    """Return Figure 5a: P of the last spatial layer through training, and what is left of it without 11^T."""
    layer = list(_first_seed(gallery).values())[-1]
    indices = [layer.nearest(step) for step in SHOWN]
    P = layer.all_P()[indices]
    across = [f"step {layer.steps[at]:,}" for at in indices]
    rows = {"$P$": list(P), r"$P - aI - c\,11^\top$": list(inspection.residual(P))}
    return paper_learned.matrices(rows, across, kernel=layer.kernel, shared=False)


def histograms(gallery: Gallery) -> Figure:
    """Return Figure 5b: the values of P of every spatial layer through training."""
    layers = {}
    for name, layer in _first_seed(gallery).items():
        P = layer.all_P()
        even = np.unique([layer.nearest(step) for step in np.linspace(0, layer.steps[-1], paper_learned.RIDGES)])
        kinds = dict(zip(("diagonal", "off-diagonal"), apart(P[even])))
        layers[name] = {
            kind: Ridges(layer.steps[even], *inspection.histograms(values, BINS)) for kind, values in kinds.items()
        }
    return paper_learned.ridges(layers, "entries of $P$")


def apart(P: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the diagonal [..., n] and the other entries [..., n (n - 1)] of P [..., n, n]."""
    n = P.shape[-1]
    return np.diagonal(P, axis1=-2, axis2=-1), P[..., ~np.eye(n, dtype=bool)]


def spectra(gallery: Gallery) -> Figure:
    """Return Figure 5c: the sorted eigenvalues of the final P of the seven spatial layers, in the mean over seeds."""
    return paper_learned.spectra(figure_5.mean_spectra(figure_5.learned(_evidence(gallery))))


def eigenvectors(gallery: Gallery) -> Figure:
    """Return what these eigenvalues belong to: the eigenvectors of the first, the middle and the last spatial layer."""
    layers = list(_first_seed(gallery).values())
    shown = [layers[0], layers[len(layers) // 2], layers[-1]]
    return paper_learned.eigenvectors({layer.name: layer.P(-1) for layer in shown}, shown[0].kernel or (3, 3))


def one_step_spectra(gallery: Gallery) -> Figure:
    """Return the same of the one-step hypergradient of Eq. 4."""
    layers = gallery.learned(ONE_STEP).layers
    return paper_learned.spectra({name: layer.spectra[-1] for name, layer in layers.items()}, log=True)


def full_rank_angles(gallery: Gallery) -> Figure:
    """Return Figure A.1: angles of I + M M^T of full rank on MNIST, of three seeds."""
    return _angles(gallery, FULL)


def low_rank_angles(gallery: Gallery) -> Figure:
    """Return the same of rank 16."""
    return _angles(gallery, LOW_RANK)


def _angles(gallery: Gallery, name: str) -> Figure:
    runs = gallery.seeds(name)
    layers = {layer: [run.metrics[f"angle_deg/{layer}"] for run in runs] for layer in angle_layers(runs)}
    return paper_learned.angles(layers, log=True)


def spatial_angles(gallery: Gallery) -> Figure:
    """Return angles of the spatial M M^T on CIFAR-10, which Figure A.1 does not have."""
    run = gallery.run(CIFAR)
    layers = {layer: [run.metrics[f"angle_deg/{layer}"]] for layer in angle_layers([run])}
    return paper_learned.angles(layers)


FIGURES: dict[str, Callable[[Gallery], Figure]] = {
    "paper-1-booth": booth,
    "paper-1-himmelblau": himmelblau,
    "paper-2": ranks,
    "paper-2-small": small_rate_ranks,
    "paper-3-cifar10": methods_on_cifar,
    "paper-5a": matrices,
    "paper-5b": histograms,
    "paper-5c": spectra,
    "paper-5c-eigenvectors": eigenvectors,
    "paper-5c-one-step": one_step_spectra,
    "paper-A1": full_rank_angles,
    "paper-A1-rank16": low_rank_angles,
    "paper-A1-cifar10": spatial_angles,
}
NEEDS = {"Figure 3, ImageNet": "paper-3-imagenet", "Figure 4a": "paper-4a", "Figure 4b": "paper-4b"}
"""The study of a figure that is none of ``FIGURES``: the Paper page draws it once that ships."""
ELSEWHERE = {
    "Figure 5a's own layer": "the ninth of a ResNet-18 on ImageNet: paper-5a shows the last spatial layer on CIFAR-10",
}


def left_out() -> dict[str, str]:
    """Return what is not made, and why."""
    there = shipped.names()
    return {
        figure: f"{study} ships: the Paper page draws it"
        if study in there
        else f"no runs of it ship: python -m fop_core paper --study {study} --rerun trains them"
        for figure, study in NEEDS.items()
    } | ELSEWHERE
