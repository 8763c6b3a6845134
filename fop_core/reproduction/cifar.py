"""Figures 3 (CIFAR-10) and 5: their cards, from the study ``paper-3-cifar10`` where it ships, else from the gallery."""

import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from fop_core.reproduction import CIFAR, FROZEN, ONE_STEP
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, comes_out, compared, percent, signed, spread, tests_words
from fop_core.reproduction.verdicts import Card, Control, Part
from fop_core.runs.learned import Layer
from fop_core.studies.statistics import holm

STUDY = "paper-3-cifar10"
SGD, FOP = "momentum", "fop"
BASELINES: Mapping[str, str] = {"momentum": "SGD", "s-hd": "S-HD", "pp-hd": "PP-HD", "fop-norm": "FOP-norm"}
"""What the paper compares FOP with."""
UNLIKE = ("momentum", "s-hd", "pp-hd")
"""Those of them that do not turn the gradient."""
OF_GALLERY = {
    "momentum": "cifar10-sgd",
    "fop": CIFAR,
    "fop-norm": "cifar10-fop-norm",
    "s-hd": "cifar10-s-hd",
    "pp-hd": "cifar10-pp-hd",
    "mean-removing": FROZEN,
}
"""Runs of one seed each, until there is the study."""
EPOCHS = (1, 2, 4, 8, 15)
DIFFERENCES = (
    "A quarter of the network's width, 15 epochs and a tenth of the rate after epoch 8; the paper: full width, 150 "
    "epochs, after epoch 80.",
    "Chosen, since the paper does not say: BatchNorm, weight decay 5e-4, crops and flips.",
    "ρ is 5e-4, as in Figure 4; the paper: 1e-4, with ten times the steps.",
)

Accuracies = Mapping[str, Mapping[int, float]]


def accuracies(evidence: Evidence, epoch: int) -> dict[str, dict[int, float]]:
    """Return test accuracy in percent at the end of an epoch, by method and seed."""
    packed = evidence.study(STUDY)
    if packed is not None:
        return {method: percent(runs, epoch) for method in packed.study.methods if (runs := packed.of(method))}
    made = {}
    for method, name in OF_GALLERY.items():
        epochs, values = evidence.gallery.run(name).metrics.over("epoch", "test_accuracy")
        made[method] = {0: 100 * float(values[int(np.argmin(np.abs(epochs - epoch)))])}
    return made


def figure_3(evidence: Evidence) -> Card:
    """Return the card of Figure 3's upper half."""
    first, last = accuracies(evidence, 1), accuracies(evidence, EPOCHS[-1])
    shipped = evidence.study(STUDY) is not None
    return Card(
        "3-cifar10",
        "Figure 3, upper half: CIFAR-10",
        "FOP converges faster than SGD, S-HD, PP-HD and FOP-norm, and ends slightly better.",
        (
            _over_baselines("After one epoch FOP is ahead of SGD, S-HD and PP-HD.", "faster", first, UNLIKE),
            _over_baselines("After one epoch it is ahead of FOP-norm, too.", "faster", first, ("fop-norm",)),
            _over_baselines("It ends above all four.", "slightly better", last, tuple(BASELINES)),
        ),
        controls=(_control(first, last),),
        differences=DIFFERENCES if shipped else (*DIFFERENCES, "One seed of each method; the paper: three."),
        plans=(STUDY,),
        shipped=(STUDY,) if shipped else (),
        gallery=() if shipped else tuple(OF_GALLERY.values()),
        pictures=("paper-3-cifar10",),
    )


def _over_baselines(says: str, published: str, of: Accuracies, baselines: Sequence[str]) -> Part:
    there = {method: BASELINES[method] for method in baselines if of.get(method)}
    if not of.get(FOP) or len(there) < len(baselines):  # of all nothing is known while one is missing
        return Part(says, published)
    differences = {method: above(of[FOP], of[method]) for method in there}
    adjusted = dict(zip(differences, holm([each.p for each in differences.values()])))
    better = [method for method, each in differences.items() if comes_out(each, adjusted[method])]
    points = ", ".join(f"{name} {signed(differences[method].mean, 1)}" for method, name in there.items())
    n = min(each.n for each in differences.values())
    test = tests_words(differences.values())
    measured = f"FOP less {points} points; above {len(better)} of {len(there)} (n = {n}; {test})"
    return Part(says, published, measured, len(better) == len(there))


def _control(first: Accuracies, last: Accuracies) -> Control:
    what = "A fixed P that takes the mean over a kernel out of the gradient, P = I − c 11ᵀ: nothing is learned."
    if not all(of.get(method) for of in (first, last) for method in ("mean-removing", FOP, SGD)):
        return Control(what)
    return Control(
        what,
        f"It less SGD after one epoch: {compared(first['mean-removing'], first[SGD])}; FOP less SGD "
        f"{signed(above(first[FOP], first[SGD]).mean)}. In the end: "
        f"{signed(above(last['mean-removing'], last[SGD]).mean)}, FOP "
        f"{signed(above(last[FOP], last[SGD]).mean)} points.",
    )


def rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of Figure 3's upper half."""
    at = {epoch: accuracies(evidence, epoch) for epoch in EPOCHS}
    head = ["method", *(f"epoch {epoch}" for epoch in EPOCHS), "n"]
    return head, [
        [method, *(spread(at[epoch][method]) for epoch in EPOCHS), str(len(of))]
        for method, of in at[EPOCHS[-1]].items()
    ]


def _layers(evidence: Evidence, run: str = CIFAR) -> list[Layer]:
    return list(evidence.gallery.learned(run).layers.values())


def _all_but_first(values: Sequence[float]) -> str:
    return f"{values[0]:.2f} in the first layer, {min(values[1:]):.2f} to {max(values[1:]):.2f} in the others"


def _falls(values: Sequence[float]) -> bool:
    """Return whether values fall with depth: every layer's is below the first one's, and the last below the second."""
    return max(values[1:]) < values[0] and values[-1] < values[1]


def figure_5a(evidence: Evidence) -> Card:
    """Return the card of Figure 5a."""
    itself, beside, edge = [], [], []
    for layer in _layers(evidence):
        P = layer.P(-1)
        row, column = np.divmod(np.arange(layer.n), 3)
        down, across = np.abs(row[:, None] - row), np.abs(column[:, None] - column)
        in_order = np.abs(np.subtract.outer(np.arange(layer.n), np.arange(layer.n))) == 1
        itself.append(float(np.diag(P).mean()))
        beside.append(float(P[down + across == 1].mean()))
        edge.append(float(P[in_order & (down == 1)].mean()))
    count = len(itself)
    n = f"{count} layers, one seed: no test"
    return Card(
        "5a",
        "Figure 5a: P through training",
        "P has a whitening structure: positive to itself, negative to its neighbours, nothing over the kernel's edge.",
        (
            Part(
                "Each position has a positive weight to itself, in every layer.",
                "strong",
                f"{min(itself):.2f} to {max(itself):.2f} ({n})",
                min(itself) > 0,
            ),
            Part(
                "Neighbours have negative weights, in every layer.",
                "negative",
                f"{signed(min(beside))} to {signed(max(beside))} ({n})",
                max(beside) < 0,
            ),
            Part(
                "Over the kernel's edge the weight is less than half of a neighbour's, in every layer.",
                "no wrapping",
                f"{signed(min(edge))} to {signed(max(edge))}; less than half in "
                f"{sum(abs(a) < abs(b) / 2 for a, b in zip(edge, beside))} of {count}",
                all(abs(a) < abs(b) / 2 for a, b in zip(edge, beside)),
            ),
        ),
        controls=(
            Control(
                "How much of it comes before there is any structure between neighbours.",
                _constant(_layers(evidence)[-1]),
            ),
        ),
        differences=(
            "The last spatial layer on CIFAR-10; the paper shows the ninth of a ResNet-18 on ImageNet.",
            *DIFFERENCES,
        ),
        gallery=(CIFAR,),
        pictures=("paper-5a",),
    )


def _constant(layer: Layer) -> str:
    """Say how much of P - I is a multiple of 11^T after one epoch and at the end."""
    shares = []
    for at in (layer.nearest(391), len(layer.steps) - 1):
        change = layer.P(at) - np.eye(layer.n)
        shares.append(float(change.sum() ** 2 / layer.n**2 / (change**2).sum()))
    return (
        f"In the last layer {100 * shares[0]:.0f} % of ‖P − I‖² is one constant weight between all positions after one "
        f"epoch, and {100 * shares[1]:.0f} % at the end."
    )


def figure_5b(evidence: Evidence) -> Card:
    """Return the card of Figure 5b."""
    diagonal, off, norms, early = [], [], [], []
    for layer in _layers(evidence):
        P = layer.all_P()
        on, others = np.diagonal(P, axis1=-2, axis2=-1), P[..., ~np.eye(layer.n, dtype=bool)]
        diagonal.append(float(on[-1].mean() - on[0].mean()))
        off.append(float(others[-1].mean() - others[0].mean()))
        size = np.linalg.norm(P, axis=(-2, -1))
        third = layer.nearest(2 / 3 * float(layer.steps[-1]))
        norms.append(float(abs(size[third] / size[-1] - 1)))
        way = np.linalg.norm(P - P[-1], axis=(-2, -1))
        early.append(float(layer.steps[np.flatnonzero(way > 0.1 * way[0])[-1] + 1] / layer.steps[-1]))
    n = f"{len(diagonal)} layers, one seed: no test"
    return Card(
        "5b",
        "Figure 5b: the values of P",
        "The diagonal shrinks from 1, the other entries increase, and more so in higher layers; the norm settles.",
        (
            Part(
                "The diagonal shrinks, in every layer.",
                "shrinks",
                f"by {min(map(abs, diagonal)):.2f} to {max(map(abs, diagonal)):.2f} ({n})",
                max(diagonal) < 0,
            ),
            Part(
                "The mean of the other entries increases, in every layer.",
                "increase",
                f"{signed(min(off))} to {signed(max(off))} ({n})",
                min(off) > 0,
            ),
            Part(
                "The diagonal shrinks more in every higher layer than in the first.",
                "stronger in higher layers",
                f"by {_all_but_first([abs(each) for each in diagonal])} ({n})",
                min(abs(each) for each in diagonal[1:]) > abs(diagonal[0]),
            ),
            Part(
                "At two thirds of training ‖P‖ is within 5 % of its end, in every layer.",
                "relatively fixed from two thirds on",
                f"within {100 * max(norms):.1f} % ({n})",
                max(norms) < 0.05,
            ),
        ),
        controls=(
            Control(
                "Whether P settles by itself: the learning rate falls to a tenth at 53 % of training.",
                f"P has gone nine tenths of its way at {100 * min(early):.0f} to {100 * max(early):.0f} %, in the "
                f"median layer at {100 * statistics.median(early):.0f} %: about where the rate falls.",
            ),
        ),
        differences=DIFFERENCES,
        gallery=(CIFAR,),
        pictures=("paper-5b",),
    )


def figure_5c(evidence: Evidence) -> Card:
    """Return the card of Figure 5c."""
    values = [np.sort(layer.spectra[-1].astype(np.float64)) for layer in _layers(evidence)]
    means, stds = [float(each.mean()) for each in values], [float(each.std()) for each in values]
    least = [float(each[0] / each[-1]) for each in values]
    one_step = [np.sort(layer.spectra[-1].astype(np.float64)) for layer in _layers(evidence, ONE_STEP)]
    remaining = [float(abs(each[:-1] - 1).max()) for each in one_step]
    n = f"{len(values)} layers, one seed: no test"
    return Card(
        "5c",
        "Figure 5c: eigenvalues of P",
        "Eigenvalues shift downward and become more uniform in higher layers; P is nearly singular.",
        (
            Part(
                "The smallest eigenvalue is below 1 % of the largest, in every layer.",
                "a near-zero determinant",
                f"{100 * min(least):.2g} to {100 * max(least):.2g} % of it ({n})",
                max(least) < 0.01,
            ),
            Part(
                "The mean eigenvalue is lower in higher layers: below the first one's, and last below second.",
                "shifts downward",
                f"{_all_but_first(means)} ({n})",
                _falls(means),
            ),
            Part(
                "Their standard deviation is lower in higher layers: below the first one's, and last below second.",
                "more uniform",
                f"{_all_but_first(stds)} ({n})",
                _falls(stds),
            ),
        ),
        controls=(
            Control(
                "The one-step hypergradient of Eq. 4 around momentum, which the paper names for it.",
                f"One eigenvalue grows to {min(each[-1] for each in one_step):.0f} to "
                f"{max(each[-1] for each in one_step):.0f}; the other eight stay within {max(remaining):.2f} of 1.",
            ),
        ),
        differences=DIFFERENCES,
        gallery=(CIFAR, ONE_STEP),
        pictures=("paper-5c", "paper-5c-eigenvectors", "paper-5c-one-step"),
    )
