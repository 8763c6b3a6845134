"""How a verdict looks and reads."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from fop_core.reproduction.planned import gpu_hours
from fop_core.reproduction.verdicts import Card, Part, Verdict


class Look(NamedTuple):
    """How a verdict looks; its word says the same.

    Attributes:
        word: what it is called.
        icon: before it.
        color: of its badge.
    """

    word: str
    icon: str
    color: Literal["green", "orange", "red", "gray"]


LOOKS: dict[Verdict, Look] = {
    "reproduced": Look("Reproduced", ":material/check_circle:", "green"),
    "in part": Look("In part", ":material/contrast:", "orange"),
    "not": Look("Not reproduced", ":material/cancel:", "red"),
    "not run": Look("Not run", ":material/schedule:", "gray"),
}


def verdict(card: Card) -> str:
    """Return a card's verdict in words: "In part", "Not run: about 41 GPU hours"."""
    word = LOOKS[card.verdict].word
    return f"{word}: {gpu_hours(card)}" if card.verdict == "not run" and card.gpu_hours is not None else word


def tally(cards: Sequence[Card]) -> str:
    """Return how many cards have each verdict: "3 reproduced, 5 in part, 2 not reproduced, 2 not run"."""
    counts = [(look.word.lower(), sum(card.verdict == name for card in cards)) for name, look in LOOKS.items()]
    return ", ".join(f"{count} {word}" for word, count in counts if count)


def outcome(part: Part) -> tuple[str, str]:
    """Return the icon and the word of what came of a part of a claim."""
    if part.holds is None:
        return LOOKS["not run"].icon, "Not measured"
    return (LOOKS["reproduced"].icon, "Comes out") if part.holds else (LOOKS["not"].icon, "Does not")


def anchor(card: Card) -> str:
    """Return the name of a card's place on the page."""
    name = card.name.replace(".", "-").lower()
    return name if name.startswith("theorem") else f"figure-{name}"


def short(card: Card) -> str:
    """Return a card's title without what it is about: "Figure 2", "Figure 3, upper half"."""
    return card.title.partition(":")[0]
