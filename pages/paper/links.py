"""The ways from a card to what it stands on: races, runs, what they learned, studies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from fop_core.reproduction import CIFAR, ONE_STEP
from fop_core.reproduction.verdicts import Card

TRAJECTORIES, RUNS, LEARNED, STUDIES = (
    f"pages/{name}/page.py" for name in ("trajectories", "runs", "preconditioners", "studies")
)
LAST = "18.weight"  # the last spatial layer on CIFAR-10


@dataclass(frozen=True)
class Link:
    """A way to another page.

    Attributes:
        page: its file.
        label: what the reader sees.
        query: its address's settings.
    """

    page: str
    label: str
    query: Mapping[str, str]


OWN: Mapping[str, tuple[Link, ...]] = MappingProxyType(
    {
        "1": (
            Link(TRAJECTORIES, "Race on Booth", {"preset": "paper-booth", "v": "2"}),
            Link(TRAJECTORIES, "Race on Himmelblau", {"preset": "paper-himmelblau", "v": "2"}),
        ),
        "5a": (Link(LEARNED, "Step through P", {"run": CIFAR, "layer": LAST, "see": "P"}),),
        "5b": (Link(LEARNED, "See its values", {"run": CIFAR, "layer": LAST, "panel": "histograms"}),),
        "5c": (
            Link(LEARNED, "See its spectra", {"run": CIFAR, "layer": LAST}),
            Link(LEARNED, "Of the one-step rule", {"run": ONE_STEP, "layer": LAST, "log": "1"}),
        ),
        "A.1": (Link(LEARNED, "See the angles", {"run": "mnist-fop-full-seed0", "panel": "rotation"}),),
    }
)
"""What a card leads to beside its runs."""


def links(card: Card, studies: Sequence[str]) -> list[Link]:
    """Return the ways from a card.

    Args:
        card: the card.
        studies: the ids of the studies that there are.
    """
    made = list(OWN.get(card.name, ()))
    if card.gallery:
        count = len(card.gallery)
        label = "Open the run" if count == 1 else f"Open the {count} runs"
        made.append(Link(RUNS, label, {"show": "gallery", "run": ",".join(card.gallery)}))
    made += [Link(STUDIES, f"Study {id_}", {"study": id_}) for id_ in studies if _of(card, id_)]
    return made


def _of(card: Card, id_: str) -> bool:
    """Return whether a study is a rerun of a card: it is called as one of its plans, with what made it unique."""
    return any(id_ == plan or id_.startswith(f"{plan}-") for plan in card.plans)
