"""The paper's cards, in its order: one for each figure and theorem."""

import functools
from collections.abc import Callable

from fop_core.reproduction import CIFAR, ONE_STEP, Gallery
from fop_core.reproduction.verdicts import Card, Control, Part

_MNIST = (
    "The paper gives no rate, batch size or σ for MNIST: here batch 128, and the rate that is best for SGD on held-out "
    "images.",
    "M is learned by Adam at 1e-4, on the hypergradient of the velocity.",
)
_CIFAR = (
    "A quarter of the network's width, 15 epochs and a tenth of the rate after epoch 8; the paper: full width, 150 "
    "epochs, after epoch 80.",
    "Chosen, since the paper does not say: BatchNorm, weight decay 5e-4, crops and flips.",
    "ρ is 5e-4, as in Figure 4; the paper: 1e-4, with ten times the steps.",
)


def figure_1(gallery: Gallery) -> Card:
    """Return Figure 1: steps on two toy functions."""
    return Card(
        "1",
        "Figure 1: toy functions",
        "FOP needs fewer steps than SGD and Adam on Booth's and Himmelblau's function.",
        (
            Part("Booth: FOP needs fewer steps than SGD and Adam.", "543 against 832 and 6,221"),
            Part("Himmelblau: FOP needs fewer steps than SGD and Adam.", "289 against 386 and 5,398"),
        ),
        differences=("The paper gives no settings: start, rates and stopping rule were searched for.",),
        pictures=("paper-1-booth", "paper-1-himmelblau"),
    )


def figure_2(gallery: Gallery) -> Card:
    """Return Figure 2: rank, on MNIST."""
    return Card(
        "2",
        "Figure 2: rank, on MNIST",
        "FOP of any rank trains faster than SGD; the higher the rank, the better it ends.",
        (
            Part("At SGD's best rate: full rank ends above SGD.", "+0.6 points, p < 1e-4"),
            Part("At SGD's best rate: every rank is ahead after one epoch.", "all faster"),
            Part("At SGD's best rate: the larger k, the better the final accuracy.", "in the order of k"),
            Part("At a rate too small for SGD, 1e-3, with σ = 0.3: full rank ends above SGD.", "+0.6 points, p < 1e-4"),
            Part("There: the larger k, the better the final accuracy.", "in the order of k"),
        ),
        controls=(
            Control("The same P, never learned (ρ = 0)."),
            Control("SGD at the rate ε tr(P)/n of the drawn P."),
        ),
        differences=_MNIST,
        plans=("paper-2-tune", "paper-2-best", "paper-2-small"),
        shipped=("paper-2",),
        pictures=("paper-2",),
    )


def figure_3_cifar10(gallery: Gallery) -> Card:
    """Return Figure 3, upper half: CIFAR-10."""
    return Card(
        "3-cifar10",
        "Figure 3, upper half: CIFAR-10",
        "FOP converges faster than SGD, S-HD, PP-HD and FOP-norm, and ends slightly better.",
        (
            Part("FOP is ahead of SGD after one epoch.", "faster"),
            Part("FOP ends above SGD.", "slightly better"),
        ),
        controls=(
            Control("A fixed P that takes the mean over a kernel out of the gradient: nothing is learned."),
            Control("The final P, frozen, from step 0."),
        ),
        differences=_CIFAR,
        plans=("paper-3-cifar10",),
        gallery=("cifar10-sgd", CIFAR, "cifar10-fop-norm", "cifar10-s-hd", "cifar10-pp-hd", "cifar10-frozen"),
        pictures=("paper-3-cifar10",),
    )


def figure_3_imagenet(gallery: Gallery) -> Card:
    """Return Figure 3, lower half: ImageNet."""
    return Card(
        "3-imagenet",
        "Figure 3, lower half: ImageNet",
        "FOP converges faster than SGD on ImageNet too, and ends slightly better.",
        (Part("FOP is ahead of SGD after one epoch.", "faster"), Part("FOP ends above SGD.", "slightly better")),
        differences=("Chosen, since the paper does not say: weight decay 1e-4, resized crops and flips, ρ 1e-4.",),
        plans=("paper-3-imagenet",),
    )


def figure_4a(gallery: Gallery) -> Card:
    """Return Figure 4a: rates and momenta of SGD, with FOP and without."""
    return Card(
        "4a",
        "Figure 4a: rates and momenta of SGD",
        "FOP widens the range of rates and momenta that train; the gain is largest where both are high.",
        (Part("FOP is better by a standard deviation in more settings than it is worse.", "highlighted in blue"),),
        differences=("Four rates and four momenta, two seeds, an eighth of the network's width, 10 epochs.",),
        plans=("paper-4a",),
    )


def figure_4b(gallery: Gallery) -> Card:
    """Return Figure 4b: Adam with FOP and without."""
    return Card(
        "4b",
        "Figure 4b: rates of Adam",
        "Adam's best rate is improved by FOP.",
        (Part("At Adam's best rate FOP ends above Adam.", "better"),),
        differences=("Four rates, two seeds, an eighth of the network's width, 10 epochs.",),
        plans=("paper-4b",),
    )


def figure_5a(gallery: Gallery) -> Card:
    """Return Figure 5a: P through training."""
    return Card(
        "5a",
        "Figure 5a: P through training",
        "P has a whitening structure: positive to itself, negative to its neighbours, nothing over the kernel's edge.",
        (
            Part("Each position has a positive weight to itself.", "strong"),
            Part("Neighbours in a row and in a column have negative weights.", "negative"),
            Part("Over the kernel's edge there is less than beside it.", "no wrapping"),
        ),
        differences=("The last spatial layer on CIFAR-10; the paper shows the ninth of a ResNet-18 on ImageNet.",),
        gallery=(CIFAR,),
        pictures=("paper-5a",),
    )


def figure_5b(gallery: Gallery) -> Card:
    """Return Figure 5b: the values of P through training."""
    return Card(
        "5b",
        "Figure 5b: the values of P",
        "The diagonal shrinks, the other entries grow, and more so in higher layers.",
        (
            Part("The diagonal shrinks in every layer.", "from 1"),
            Part("The other entries increase.", "increase"),
            Part("The norm has settled by two thirds of training.", "roughly two thirds"),
        ),
        differences=_CIFAR,
        gallery=(CIFAR,),
        pictures=("paper-5b",),
    )


def figure_5c(gallery: Gallery) -> Card:
    """Return Figure 5c: eigenvalues of the final P."""
    return Card(
        "5c",
        "Figure 5c: eigenvalues of P",
        "Eigenvalues shift downward and become more uniform in higher layers; P is nearly singular.",
        (
            Part("The smallest eigenvalue is near 0 in every layer.", "near-zero determinant"),
            Part("The mean of the eigenvalues falls with depth.", "downward"),
            Part("Their standard deviation falls with depth.", "more uniform"),
        ),
        differences=_CIFAR,
        gallery=(CIFAR, ONE_STEP),
        pictures=("paper-5c", "paper-5c-eigenvectors", "paper-5c-one-step"),
    )


def figure_a1(gallery: Gallery) -> Card:
    """Return Figure A.1: the angle between g and P g on MNIST."""
    return Card(
        "A.1",
        "Figure A.1: the angle between g and P g",
        "P turns the gradient by slightly less than 45° in every layer of the network on MNIST.",
        (
            Part("At SGD's best rate, σ = 0.01, full rank: most angles lie between 35° and 45°.", "slightly below 45°"),
            Part("At 1e-3, σ = 0.3, full rank: most angles lie between 35° and 45°.", "slightly below 45°"),
        ),
        controls=(
            Control("The same P, never learned (ρ = 0), and arctan(√(nk) σ² / (1 + kσ²)) of a random M [n, k]."),
        ),
        differences=_MNIST,
        plans=("paper-2-best", "paper-2-small"),
        shipped=("paper-2",),
        pictures=("paper-A1", "paper-A1-rank16", "paper-A1-cifar10"),
    )


def theorem_1(gallery: Gallery) -> Card:
    """Return Theorem 1."""
    return Card(
        "theorem-1",
        "Theorem 1: a rescaled P converges",
        "Gradient descent by a learned P converges where P's norm is rescaled to below 1/L in the end.",
        (Part("On a quadratic it converges, and ‖P‖ stays below the proof's bound.", "converges"),),
    )


def theorem_2(gallery: Gallery) -> Card:
    """Return Theorem 2."""
    return Card(
        "theorem-2",
        "Theorem 2: a fixed P converges linearly",
        "The step (2 λmin − λmax²)/L leaves at most 1 − μρ of f, for any symmetric P ≥ 0.",
        (Part("On quadratics no step leaves more than the stated factor.", "1 − μρ"),),
    )


CARDS: dict[str, Callable[[Gallery], Card]] = {
    "1": figure_1,
    "2": figure_2,
    "3-cifar10": figure_3_cifar10,
    "3-imagenet": figure_3_imagenet,
    "4a": figure_4a,
    "4b": figure_4b,
    "5a": figure_5a,
    "5b": figure_5b,
    "5c": figure_5c,
    "A.1": figure_a1,
    "theorem-1": theorem_1,
    "theorem-2": theorem_2,
}


@functools.cache
def card(name: str) -> Card:
    """Return a card, computed from what ships; each once a process.

    Raises:
        ValueError: where there is none of that name.

    Example:
        >>> from fop_core.reproduction.cards import card
        >>> card("2").title
        'Figure 2: rank, on MNIST'
    """
    if name not in CARDS:
        raise ValueError(f"no figure {name!r}: there are {', '.join(CARDS)}")
    return CARDS[name](Gallery())


def cards() -> tuple[Card, ...]:
    """Return all cards, in the paper's order.

    Example:
        >>> from fop_core.reproduction.cards import cards
        >>> [each.name for each in cards()][:3]
        ['1', '2', '3-cifar10']
    """
    return tuple(map(card, CARDS))
