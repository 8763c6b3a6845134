"""A figure of a study with what can be concluded from it, and the words that figures share."""

from dataclasses import dataclass

from fop_core.figures.studies import Drawing

NAMES = {"optimizer.lr": "learning rate ε", "fop.hyper_lr": "hypergradient rate ρ"}


@dataclass(frozen=True)
class Drawn:
    """A figure of a study.

    Attributes:
        name: of the figure, for addresses and files.
        title: over it.
        drawing: the figure.
        sentences: under it: what it shows, of how many, what can be concluded and what cannot.
    """

    name: str
    title: str
    drawing: Drawing
    sentences: tuple[str, ...]


def label(field: str) -> str:
    """Return what a setting is called in a figure."""
    return NAMES.get(field, field.rpartition(".")[2].replace("_", " "))


def over_seeds(n: int) -> str:
    """Return "1 seed", "2 seeds"."""
    return "1 seed" if n == 1 else f"{n} seeds"
