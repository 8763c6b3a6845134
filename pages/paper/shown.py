"""How a verdict looks and reads."""

from typing import Literal, NamedTuple

from fop_core.reproduction.lacking import Question
from fop_core.reproduction.planned import gpu_hours
from fop_core.reproduction.verdicts import Card, Part, Verdict


class Style(NamedTuple):
    """How a verdict looks; its word says the same.

    Attributes:
        word: what it is called.
        icon: before it.
        color: of its badge.
    """

    word: str
    icon: str
    color: Literal["green", "orange", "red", "gray"]


STYLES: dict[Verdict, Style] = {
    "reproduced": Style("Reproduced", ":material/check_circle:", "green"),
    "in part": Style("In part", ":material/contrast:", "orange"),
    "not": Style("Not reproduced", ":material/cancel:", "red"),
    "not run": Style("Not run", ":material/schedule:", "gray"),
}

OUTCOMES: dict[str, Style] = {
    "measured": Style("Measured", ":material/check_circle:", "green"),
    "in part": Style("Measured in part", ":material/contrast:", "orange"),
    "not run": STYLES["not run"],
}
"""Of a question, which has no claim to be reproduced."""


def verdict(card: Card) -> str:
    """Return a card's verdict in words: "In part", "Not run: about 41 GPU hours"."""
    word = STYLES[card.verdict].word
    return f"{word}: {gpu_hours(card)}" if card.verdict == "not run" and card.gpu_hours is not None else word


def outcome(part: Part) -> tuple[str, str]:
    """Return the icon and the word of what came of a part of a claim."""
    if part.holds is None:
        return STYLES["not run"].icon, "Not measured"
    return (STYLES["reproduced"].icon, "Comes out") if part.holds else (STYLES["not"].icon, "Does not come out")


def anchor(card: Card) -> str:
    """Return the name of a card's place on the page."""
    name = card.name.replace(".", "-").lower()
    if isinstance(card, Question):
        return f"lacks-{name}"
    return name if name.startswith("theorem") else f"figure-{name}"


def short(card: Card) -> str:
    """Return a card's title without what it is about: "Figure 2", "Figure 3, upper half"."""
    return card.title.partition(":")[0]
