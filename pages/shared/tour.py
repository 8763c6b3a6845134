"""The stops of the tour: what the app has to show, each an address, a sentence, and one thing to try."""

from dataclasses import dataclass

RUN = "cifar10-fop-velocity"  # of the gallery


@dataclass(frozen=True)
class Stop:
    """A stop of the tour.

    Attributes:
        title: a few words.
        address: of the page, with its settings, from the app's own address on: "" or "basins?size=64".
        sentence: what there is to see.
        attempt: one thing to try there.
        part: selects what it is about where that is far down the page, or "".
    """

    title: str
    address: str
    sentence: str
    attempt: str
    part: str = ""


STOPS = (
    Stop(
        "A valley",
        "",
        "First-order preconditioning learns P on its way, without second derivatives: here P turns onto H⁻¹.",
        "Drag the ring on the surface: all start again from where you leave it.",
    ),
    Stop(
        "The paper's Figure 1",
        "?preset=paper-booth&v=2",
        "From one start and at one rate SGD takes 832 steps, Adam 6,221, and FOP 543, the paper's own counts.",
        "Press “Find each optimizer's best rate”: at the rate that suits it, SGD needs 43.",
    ),
    Stop(
        "Every start at once",
        "basins",
        "On Himmelblau's function the same race from every point: colour is the minimum where a path ends, strength "
        "how soon.",
        "Point at a map, or tap it: the same start is described in all of them.",
    ),
    Stop(
        "A real network's P",
        f"preconditioners?run={RUN}&layer=18.weight",
        "What FOP learned on CIFAR-10: P of a 3 × 3 kernel, at each of 113 snapshots.",
        "Play the step cursor, and watch the constant pattern's gain fall from 1 to nearly 0.",
    ),
    Stop(
        "What if?",
        f"preconditioners?run={RUN}&panel=fork",
        "A run can go on from a checkpoint with another P: frozen, reset, normalized, or taken from another run.",
        "Choose one of them, and read what it does to P. To launch it, CIFAR-10's images have to be here.",
        part=".st-key-inspect-fork-kind",
    ),
)
