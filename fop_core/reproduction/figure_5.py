"""Figure 5: what FOP learned on CIFAR-10, from the study ``paper-3-cifar10`` where it ships, else from the gallery.

Each part says something of every layer. Of several seeds it comes out where it does in each layer by Student's t over
the seeds, p < 0.05 by Holm's method over the layers; of one seed where the numbers have that order.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from scipy import stats

from fop_core import inspection
from fop_core.reproduction import CIFAR, ONE_STEP
from fop_core.reproduction.cifar import DIFFERENCES, FOP, STUDY
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import p_words, signed
from fop_core.reproduction.verdicts import ALPHA, Card, Control, Part
from fop_core.runs.learned import Layer
from fop_core.studies.statistics import holm

Array = np.ndarray
Layers = Mapping[str, Layer]
Measure = Callable[[Layer], float]

EPOCH = 391  # steps
SHUFFLES = 9999  # of positions, in Mantel's test


def learned(evidence: Evidence) -> list[Layers]:
    """Return what each seed of FOP learned on CIFAR-10, by layer, in the network's order."""
    packed = evidence.study(STUDY)
    of_seeds = {} if packed is None else packed.layers(FOP)
    return [of_seeds[seed] for seed in sorted(of_seeds)] or [evidence.gallery.learned(CIFAR).layers]


def of_study(evidence: Evidence) -> bool:
    """Return whether what was learned is the study's, and not the gallery's."""
    packed = evidence.study(STUDY)
    return packed is not None and bool(packed.layers(FOP))


def near(n: int) -> Mapping[str, Array]:
    """Return which pairs of positions of a 3 x 3 kernel are what to each other, each [n, n] of truth values."""
    row, column = np.divmod(np.arange(n), 3)
    down, across = np.abs(np.subtract.outer(row, row)), np.abs(np.subtract.outer(column, column))
    in_order = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) == 1
    return {
        "to itself": down + across == 0,
        "beside in a row": (down == 0) & (across == 1),
        "beside in a column": (down == 1) & (across == 0),
        "over the kernel's edge": in_order & (down == 1),
        "others": (down + across > 1) & ~in_order,
    }


def settled(layer: Layer) -> float:
    """Return the share of training at which P had gone nine tenths of its way to its end."""
    P = layer.all_P()
    way = np.linalg.norm(P - P[-1], axis=(-2, -1))
    return float(layer.steps[np.flatnonzero(way > 0.1 * way[0])[-1] + 1] / layer.steps[-1])


def spectrum(layer: Layer) -> Array:
    """Return the eigenvalues of the final P, ascending, float64 [n]."""
    return np.sort(layer.spectra[-1].astype(np.float64))


def mean_spectra(of_seeds: Sequence[Layers]) -> dict[str, Array]:
    """Return the eigenvalues of the final P of each layer, ascending, in the mean over seeds."""
    return {name: np.mean([spectrum(layers[name]) for layers in of_seeds], axis=0) for name in of_seeds[0]}


def alike(P: Array) -> tuple[float, float]:
    """Return how alike P [s, n, n] of one layer are between s seeds, and the p value of Mantel's test.

    The mean correlation, over pairs of seeds, of what ``inspection.residual`` leaves of P. The test shuffles the
    positions of each seed, rows and columns alike: under no common structure any order of them is as likely.
    """
    left = inspection.residual(P)
    centred = left - left.mean((-2, -1), keepdims=True)
    unit = centred / np.linalg.norm(centred, axis=(-2, -1), keepdims=True)
    seeds, n = unit.shape[:2]
    orders = np.random.default_rng(0).permuted(np.tile(np.arange(n), (SHUFFLES, seeds, 1)), axis=-1)
    shuffled = sum(
        unit[seed][orders[:, seed, :, None], orders[:, seed, None, :]] for seed in range(seeds)
    )  # [shuffles, n, n]
    chance = (np.square(shuffled).sum((-2, -1)) - seeds) / (seeds * (seeds - 1))
    mean = float((np.square(unit.sum(0)).sum() - seeds) / (seeds * (seeds - 1)))
    return mean, float(1 + (chance >= mean - 1e-12).sum()) / (SHUFFLES + 1)


def _over(of_seeds: Sequence[Layers], measure: Measure) -> Array:
    """Return a number of each layer of each seed, [seeds, layers]."""
    return np.array([[measure(layer) for layer in layers.values()] for layers in of_seeds])


def _part(says: str, published: str, numbers: str, margins: Array, count: str = "") -> Part:
    """Return a part that says of every layer that a number is above 0.

    Args:
        says: it.
        published: in the paper.
        numbers: what was measured, in words.
        margins: [seeds, comparisons], those numbers.
        count: what they are where it comes out, in words; then how many do is said.
    """
    seeds, many = margins.shape
    if seeds == 1:
        out, test = margins[0] > 0, "one seed: no test"
    else:
        p = holm([_student(margins[:, at]) for at in range(many)])
        out, test = (margins.mean(0) > 0) & (np.array(p) < ALPHA), f"n = {seeds}; Student's t, Holm's correction"
        count = count or "comes out"
    counted = f"; {count} in {out.sum()} of {many}" if count else ""
    return Part(says, published, f"{numbers}{counted} ({test})", bool(out.all()))


def _student(values: Array) -> float:
    """Return the two-sided p of values having the mean 0; of values without a spread whether they are."""
    if not np.ptp(values):
        return 0.0 if values[0] else 1.0
    return float(stats.ttest_1samp(values, 0.0).pvalue)


def _card(
    evidence: Evidence,
    name: str,
    title: str,
    claim: str,
    parts: tuple[Part, ...],
    control: Control,
    pictures: tuple[str, ...],
    differences: tuple[str, ...] = (),
    gallery: tuple[str, ...] = (),
) -> Card:
    """Return a card of Figure 5, with what all three were measured on."""
    there = of_study(evidence)
    return Card(
        name,
        title,
        claim,
        parts,
        controls=(control,),
        differences=(*differences, *DIFFERENCES, *(() if there else ("One seed of FOP.",))),
        plans=(STUDY,),
        shipped=(STUDY,) if there else (),
        gallery=(*(() if there else (CIFAR,)), *gallery),
        pictures=pictures,
    )


def figure_5a(evidence: Evidence) -> Card:
    """Return the card of Figure 5a."""
    of_seeds = learned(evidence)

    def mean(where: str) -> Array:
        return _over(of_seeds, lambda layer: float(layer.P(-1)[near(layer.n)[where]].mean()))

    itself, edge = mean("to itself"), mean("over the kernel's edge")
    beside = (mean("beside in a row") + mean("beside in a column")) / 2  # of which there are as many
    return _card(
        evidence,
        "5a",
        "Figure 5a: P through training",
        "P has a whitening structure: positive to itself, negative to its neighbours, nothing over the kernel's edge.",
        (
            _part(
                "Each position has a positive weight to itself, in every layer.",
                "strong",
                f"{itself.min():.2f} to {itself.max():.2f}",
                itself,
            ),
            _part(
                "Neighbours have negative weights, in every layer.",
                "negative",
                f"{signed(beside.min())} to {signed(beside.max())}",
                -beside,
            ),
            _part(
                "Over the kernel's edge the weight is less than half of a neighbour's, in every layer.",
                "no wrapping",
                f"{signed(edge.min())} to {signed(edge.max())}",
                np.abs(beside) / 2 - np.abs(edge),
                "less than half",
            ),
            _across_seeds(of_seeds),
        ),
        Control("How much of it comes before there is any structure between neighbours.", _constant(of_seeds)),
        ("paper-5a",),
        ("The last spatial layer on CIFAR-10; the paper shows the ninth of a ResNet-18 on ImageNet.",),
    )


def _across_seeds(of_seeds: Sequence[Layers]) -> Part:
    says = "What is left of P without I and 11ᵀ is alike between initializations, in every layer."
    published = "similar structures across initializations"
    if len(of_seeds) < 2:
        return Part(says, published)
    made = [alike(np.stack([layers[name].P(-1) for layers in of_seeds])) for name in of_seeds[0]]
    means, adjusted = [mean for mean, _ in made], holm([p for _, p in made])
    return Part(
        says,
        published,
        f"correlations {signed(min(means))} to {signed(max(means))} (n = {len(of_seeds)}; Mantel's test, Holm's "
        f"correction, at most {p_words(max(adjusted))})",
        min(means) > 0 and max(adjusted) < ALPHA,
    )


def _constant(of_seeds: Sequence[Layers]) -> str:
    """Say how much of P - I is a multiple of 11^T after one epoch and at the end."""
    shares = []
    for layer in (list(layers.values())[-1] for layers in of_seeds):
        change = np.stack([layer.P(layer.nearest(EPOCH)), layer.P(-1)]) - np.eye(layer.n)
        shares.append(change.sum((-2, -1)) ** 2 / layer.n**2 / (change**2).sum((-2, -1)))
    first, last = 100 * np.mean(shares, axis=0)
    return (
        f"In the last layer {first:.0f} % of ‖P − I‖² is one constant weight between all positions after one "
        f"epoch, and {last:.0f} % at the end{_mean_of(of_seeds)}."
    )


def _mean_of(of_seeds: Sequence[Layers]) -> str:
    return "" if len(of_seeds) == 1 else f" (mean of {len(of_seeds)} seeds)"


def figure_5b(evidence: Evidence) -> Card:
    """Return the card of Figure 5b."""
    of_seeds = learned(evidence)

    def change(layer: Layer, part: Array) -> float:
        return float(layer.P(-1)[part].mean() - layer.P(0)[part].mean())

    def unsettled(layer: Layer) -> float:
        third = layer.nearest(2 / 3 * float(layer.steps[-1]))
        return abs(float(np.linalg.norm(layer.P(third)) / np.linalg.norm(layer.P(-1))) - 1)

    diagonal = _over(of_seeds, lambda layer: change(layer, np.eye(layer.n, dtype=bool)))
    off = _over(of_seeds, lambda layer: change(layer, ~np.eye(layer.n, dtype=bool)))
    norms, early = _over(of_seeds, unsettled), 100 * _over(of_seeds, settled)
    shrinks = -diagonal
    return _card(
        evidence,
        "5b",
        "Figure 5b: the values of P",
        "The diagonal shrinks from 1, the other entries increase, and more so in higher layers; the norm settles.",
        (
            _part(
                "The diagonal shrinks, in every layer.",
                "shrinks",
                f"by {np.abs(diagonal).min():.2f} to {np.abs(diagonal).max():.2f}",
                shrinks,
            ),
            _part(
                "The mean of the other entries increases, in every layer.",
                "increase",
                f"{signed(off.min())} to {signed(off.max())}",
                off,
            ),
            _part(
                "The diagonal shrinks more in every higher layer than in the first.",
                "stronger in higher layers",
                f"by {_all_but_first(shrinks)}",
                shrinks[:, 1:] - shrinks[:, :1],
            ),
            _part(
                "At two thirds of training ‖P‖ is within 5 % of its end, in every layer.",
                "relatively fixed from two thirds on",
                f"within {100 * norms.max():.1f} %",
                0.05 - norms,
            ),
        ),
        Control(
            "Whether P settles by itself: the learning rate falls to a tenth at 53 % of training.",
            f"P has gone nine tenths of its way at {early.min():.0f} to {early.max():.0f} %, in the "
            f"median layer at {statistics.median(early.ravel().tolist()):.0f} %: about where the rate falls.",
        ),
        ("paper-5b",),
    )


def _all_but_first(values: Array) -> str:
    """Say a number of each layer, [seeds, layers], in the mean over seeds."""
    of_layer = values.mean(0)
    return f"{of_layer[0]:.2f} in the first layer, {of_layer[1:].min():.2f} to {of_layer[1:].max():.2f} in the others"


def _falls(values: Array) -> Array:
    """Return by how much values fall with depth: from the first layer to each other one, and from second to last."""
    return np.concatenate([values[:, :1] - values[:, 1:], values[:, 1:2] - values[:, -1:]], axis=1)


def figure_5c(evidence: Evidence) -> Card:
    """Return the card of Figure 5c."""
    of_seeds = learned(evidence)
    means = _over(of_seeds, lambda layer: float(spectrum(layer).mean()))
    stds = _over(of_seeds, lambda layer: float(spectrum(layer).std()))
    least = _over(of_seeds, lambda layer: float(spectrum(layer)[0] / spectrum(layer)[-1]))
    one_step = [spectrum(layer) for layer in evidence.gallery.learned(ONE_STEP).layers.values()]
    remaining = [float(abs(each[:-1] - 1).max()) for each in one_step]
    return _card(
        evidence,
        "5c",
        "Figure 5c: eigenvalues of P",
        "Eigenvalues shift downward and become more uniform in higher layers; P is nearly singular.",
        (
            _part(
                "The smallest eigenvalue is below 1 % of the largest, in every layer.",
                "a near-zero determinant",
                f"{100 * least.min():.2g} to {100 * least.max():.2g} % of it",
                0.01 - least,
            ),
            _part(
                "The mean eigenvalue is lower in higher layers: below the first one's, and last below second.",
                "shifts downward",
                _all_but_first(means),
                _falls(means),
            ),
            _part(
                "Their standard deviation is lower in higher layers: below the first one's, and last below second.",
                "more uniform",
                _all_but_first(stds),
                _falls(stds),
            ),
        ),
        Control(
            "The one-step hypergradient of Eq. 4 around momentum, which the paper names for it; one seed.",
            f"One eigenvalue grows to {min(each[-1] for each in one_step):.0f} to "
            f"{max(each[-1] for each in one_step):.0f}; the other eight stay within {max(remaining):.2f} of 1.",
        ),
        ("paper-5c", "paper-5c-eigenvectors", "paper-5c-one-step"),
        gallery=(ONE_STEP,),
    )
