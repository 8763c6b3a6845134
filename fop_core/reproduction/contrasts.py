"""FOP less SGD in test accuracy, after several epochs: every comparison that there is, in groups of like ones.

A group's p values are corrected by Holm's method over its rows, each epoch by itself.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from fop_core.reproduction import ONE_STEP, cifar, mnist, plans
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import Corrected, above, corrected, p_words, percent, signed
from fop_core.reproduction.mnist import BEST, CLOSE, LARGE, SGD, SMALL
from fop_core.reproduction.plans import BEST_RATE, SMALL_RATE
from fop_core.reproduction.shipped import Packed
from fop_core.reproduction.verdicts import ALPHA

SMALL_NET = Path(__file__).resolve().parents[2] / "docs" / "results" / "small_net.json"
"""What ``benchmarks.small_net`` measured of tuned methods."""
RULES = {"fop": "fop", "exponential": "fop-exponential", "osgm": "fop-osgm", "after": "fop-after"}
"""FOP's rules in it, by the method that each is."""
EARLY = (1, 2, 3, 10)
"""Epochs on MNIST."""
ON_CIFAR = {"fop": "FOP", "fop-norm": "FOP-norm", "mean-removing": "a fixed P = I − c 11ᵀ"}
"""Methods of Figure 3 that are compared with SGD."""

Accuracies = Mapping[int, float]


@cache
def small_net() -> Mapping[str, Any]:
    """Return what ``benchmarks.small_net`` measured, as JSON."""
    content: dict[str, Any] = json.loads(SMALL_NET.read_text())
    return content


def of_net(method: str, at: int) -> dict[int, float]:
    """Return test accuracies in percent of a method of the small net: at 0 after the first epoch, at -1 in the end."""
    return {seed: 100 * run["accuracy"][at] for seed, run in enumerate(small_net()["methods"][method]["runs"])}


@dataclass(frozen=True)
class Group:
    """Comparisons of several kinds of FOP with SGD, at the same settings.

    Attributes:
        where: these, in words.
        rows: what the several kinds are: "ranks", "rules".
        at: FOP less SGD, by epoch and by kind.
    """

    where: str
    rows: str
    at: Mapping[int, Mapping[str, Corrected]]

    @property
    def n(self) -> int:
        """How many seeds each has, at least."""
        return min(each.difference.n for of in self.at.values() for each in of.values())

    def signs(self, epoch: int) -> tuple[list[str], list[str], list[str]]:
        """Return which kinds are above SGD after an epoch, which below it, and which differ not significantly."""
        made: tuple[list[str], list[str], list[str]] = ([], [], [])
        for name, each in self.at[epoch].items():
            made[2 if not each.p < ALPHA else 0 if each.difference.mean > 0 else 1].append(name)
        return made


def studies(evidence: Evidence) -> tuple[Packed, Packed]:
    """Return the studies at SGD's best rate and at one that is too small.

    Raises:
        ValueError: where there are none.
    """
    best, small = evidence.study(BEST), evidence.study(SMALL)
    if best is None or small is None:
        raise ValueError(f"no runs of {BEST} or {SMALL}: the answer needs both")
    return best, small


def _less(of: Mapping[str, Accuracies], theirs: Accuracies, rows: str) -> dict[str, Corrected]:
    return dict(zip(of, corrected([above(each, theirs) for each in of.values()], rows)))


def _on_mnist(packed: Packed, methods: Mapping[str, str], where: str) -> Group:
    at = {}
    for epoch in EARLY:
        of = {_rank(name): percent(packed.of(method), epoch) for name, method in methods.items()}
        at[epoch] = _less(of, percent(packed.of(SGD), epoch), "ranks")
    return Group(where, "ranks", at)


def _rank(name: str) -> str:
    return "full rank" if name == "full" else mnist.rank(name)


def groups(evidence: Evidence) -> list[Group]:
    """Return the comparisons that have several seeds: on MNIST by rank, and on the small net by rule."""
    best, small = studies(evidence)
    made = [_on_mnist(best, {name: name for name in plans.RANKS}, f"MNIST at {BEST_RATE:g}, σ = {CLOSE:g}")]
    for std in (CLOSE, LARGE):
        methods = {name: plans.small(name, std, learned=True) for name in plans.SMALL_RANKS}
        made.append(_on_mnist(small, methods, f"MNIST at {SMALL_RATE:g}, σ = {std:g}"))
    at = {}
    for index, epoch in enumerate(small_net()["epochs"]):
        of = {f"`{method}`": of_net(name, index) for name, method in RULES.items()}
        at[epoch] = _less(of, of_net("sgd", index), "rules")
    return [*made, Group("the small net, both tuned", "rules", at)]


def on_cifar(evidence: Evidence, epoch: int) -> dict[str, Corrected]:
    """Return FOP and its like less SGD on CIFAR-10 after an epoch, and the hypergradient of the paper's Eq. 4 alike."""
    of = cifar.accuracies(evidence, epoch)
    made = _less({words: of[method] for method, words in ON_CIFAR.items() if of.get(method)}, of[cifar.SGD], "methods")
    ours, theirs = (_of_gallery(evidence, name, epoch) for name in (ONE_STEP, cifar.OF_GALLERY[cifar.SGD]))
    return made | _less({"FOP, one-step (Eq. 4)": ours}, theirs, "methods")


def _of_gallery(evidence: Evidence, name: str, epoch: int) -> Accuracies:
    epochs, values = evidence.gallery.run(name).metrics.over("epoch", "test_accuracy")
    return {0: 100 * float(values[list(epochs).index(epoch)])}


def cell(made: Corrected) -> str:
    """Return a difference in points with its p value, the difference alone where there is no test; bold where p < 0.05.

    Example:
        >>> from fop_core.reproduction.contrasts import cell
        >>> from fop_core.reproduction.measured import above, corrected
        >>> cell(corrected([above({0: 2.0}, {0: 1.0})], "ranks")[0])
        '+1.00'
    """
    points = signed(made.difference.mean)
    if made.difference.test == "none":
        return points
    words = p_words(made.p).removeprefix("p = ").removeprefix("p ")
    return f"**{points}** ({words})" if made.p < ALPHA else f"{points} ({words})"


def table(evidence: Evidence) -> Iterator[list[str]]:
    """Return the rows of all comparisons that have several seeds: where, and a cell for each epoch."""
    for group in groups(evidence):
        for name in next(iter(group.at.values())):
            yield [f"{group.where}, {name}", str(group.n), *(cell(of[name]) for of in group.at.values())]
