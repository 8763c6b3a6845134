"""The paper's cards, in its order: one for each figure and theorem."""

import functools
from collections.abc import Callable, Mapping

from fop_core.reproduction import cifar, figure_5, mnist, planned, toys
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.verdicts import Card

CARDS: Mapping[str, Callable[[Evidence], Card]] = {
    "1": toys.figure_1,
    "2": mnist.figure_2,
    "3-cifar10": cifar.figure_3,
    "3-imagenet": planned.figure_3_imagenet,
    "4a": planned.figure_4a,
    "4b": planned.figure_4b,
    "5a": figure_5.figure_5a,
    "5b": figure_5.figure_5b,
    "5c": figure_5.figure_5c,
    "A.1": mnist.figure_a1,
    "theorem-1": toys.theorem_1,
    "theorem-2": toys.theorem_2,
}


@functools.cache
def shipped_evidence() -> Evidence:
    """Return what ships: the gallery and the packed studies, each read once a process."""
    return Evidence()


@functools.cache
def _of_what_ships(name: str) -> Card:
    return CARDS[name](shipped_evidence())


def card(name: str, evidence: Evidence | None = None) -> Card:
    """Return a card.

    Args:
        name: a key of ``CARDS``.
        evidence: what it is computed from; unless given what ships, and of that once a process.

    Raises:
        ValueError: where there is none of that name.
        RunError: where something that ships is missing.
        DamagedFile: where it is not what was packed.

    Example:
        >>> from fop_core.reproduction.cards import card
        >>> card("2").verdict, card("2").title
        ('in part', 'Figure 2: rank, on MNIST')
    """
    if name not in CARDS:
        raise ValueError(f"no figure {name!r}: there are {', '.join(CARDS)}")
    if evidence is None or (shipped_evidence.cache_info().currsize and evidence is shipped_evidence()):
        return _of_what_ships(name)
    return CARDS[name](evidence)


def cards(evidence: Evidence | None = None) -> tuple[Card, ...]:
    """Return all cards, in the paper's order; arguments and errors as ``card``.

    Example:
        >>> from fop_core.reproduction.cards import cards
        >>> [each.name for each in cards()][:3]
        ['1', '2', '3-cifar10']
    """
    return tuple(card(name, evidence) for name in CARDS)
