"""Cards of figures that need more than a CPU, or whose studies are planned: Figure 3 on ImageNet, Figures 4a and 4b."""

from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, comes_out, compared, percent
from fop_core.reproduction.plans import PLANS
from fop_core.reproduction.shipped import Packed
from fop_core.reproduction.verdicts import Card, Control, Part

IMAGENET, RATES, ADAM = "paper-3-imagenet", "paper-4a", "paper-4b"
SMALL_NET = "An eighth of the network's width, 20,000 images, flips, 10 epochs; the paper: full width, 150 epochs."


def gpu_hours(card: Card) -> str:
    """Return what a card that was not run would take, in words."""
    return "" if card.gpu_hours is None else f"about {card.gpu_hours:,.0f} GPU hours"


def figure_3_imagenet(evidence: Evidence) -> Card:
    """Return the card of Figure 3's lower half."""
    packed = evidence.study(IMAGENET)
    parts = []
    for says, published, epoch in (
        ("After one epoch FOP is ahead of SGD.", "faster", 1),
        ("FOP ends above SGD.", "slightly better", None),
    ):
        ours, theirs = ({}, {}) if packed is None else (percent(packed.of(name), epoch) for name in ("fop", "momentum"))
        if not ours or not theirs:
            parts.append(Part(says, published))
        else:
            parts.append(Part(says, published, compared(ours, theirs), comes_out(above(ours, theirs))))
    return Card(
        "3-imagenet",
        "Figure 3, lower half: ImageNet",
        "FOP converges faster than SGD on ImageNet too, and ends slightly better.",
        tuple(parts),
        differences=("Chosen, since the paper does not say: weight decay 1e-4, resized crops and flips, ρ 1e-4.",),
        plans=(IMAGENET,),
        shipped=(IMAGENET,) if packed is not None else (),
        gpu_hours=PLANS[IMAGENET].hours if packed is None else None,
    )


def figure_4a(evidence: Evidence) -> Card:
    """Return the card of Figure 4a."""
    packed = evidence.study(RATES)
    says = "FOP is better by a standard deviation in more settings than it is worse by one."
    published = "highlighted in blue, most for higher rates and momenta"
    part = Part(says, published)
    more = Part("The gain is larger in the upper half of rates and momenta than in the lower.", "larger")
    if packed is not None and (gains := _gains(packed)):
        better = sum(gain > spread for gain, spread, _ in gains)
        worse = sum(-gain > spread for gain, spread, _ in gains)
        part = Part(says, published, f"better in {better}, worse in {worse} of {len(gains)}", better > worse)
        halves = [[gain for gain, _, high in gains if high is half] for half in (True, False)]
        if all(halves):
            means = [sum(half) / len(half) for half in halves]
            more = Part(
                more.says, more.published, f"{means[0]:+.1f} against {means[1]:+.1f} points", means[0] > means[1]
            )
    return Card(
        "4a",
        "Figure 4a: rates and momenta of SGD",
        "FOP widens the range of rates and momenta that train; the gain is largest where both are high.",
        (part, more),
        differences=("Four rates and four momenta, two seeds; the paper has more of each, and three.", SMALL_NET),
        plans=(RATES,),
        shipped=(RATES,) if packed is not None else (),
    )


def _gains(packed: Packed) -> list[tuple[float, float, bool]]:
    """Return of each rate and momentum FOP's gain in points, its spread over seeds, and whether both are high."""
    points = list({repr(run.cell.point): run.cell.point for run in packed.of("momentum")}.values())
    rates, momenta = (sorted({point[name] for point in points}) for name in ("optimizer.lr", "optimizer.momentum"))
    made = []
    for point in points:
        ours, theirs = (percent(packed.of(method, point), column="held_out_accuracy") for method in ("fop", "momentum"))
        if not ours or not theirs:
            continue
        difference = above(ours, theirs)
        high = point["optimizer.lr"] >= rates[len(rates) // 2]
        high = high and point["optimizer.momentum"] >= momenta[len(momenta) // 2]
        made.append((difference.mean, difference.std, high))
    return made


def figure_4b(evidence: Evidence) -> Card:
    """Return the card of Figure 4b."""
    packed = evidence.study(ADAM)
    parts = []
    for method, words in (("before", "P before Adam's moments"), ("after", "P after them")):
        says = f"At Adam's best rate, {words}: FOP ends above Adam."
        ours, theirs = ({}, {}) if packed is None else (percent(packed.of(name)) for name in (method, "adam"))
        if not ours or not theirs:
            parts.append(Part(says, "better"))
        else:
            parts.append(Part(says, "better", compared(ours, theirs), comes_out(above(ours, theirs))))
    return Card(
        "4b",
        "Figure 4b: rates of Adam",
        "Adam at its best rates is improved by FOP.",
        tuple(parts),
        controls=(Control("The step turned by P after Adam's moments (apply = after), which the paper leaves open."),),
        differences=("Four rates and two seeds; the paper has more rates, and three.", SMALL_NET),
        plans=(ADAM,),
        shipped=(ADAM,) if packed is not None else (),
    )
