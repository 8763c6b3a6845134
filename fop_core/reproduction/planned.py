"""Cards of figures that need more than a CPU, or whose studies are planned: Figure 3 on ImageNet, Figures 4a and 4b."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

from fop_core.reproduction.cifar import JPEG, VELOCITY, fixed_control
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, comes_out, compared, p_words, percent, signed
from fop_core.reproduction.plans import PLANS
from fop_core.reproduction.shipped import Packed, PackedRun
from fop_core.reproduction.verdicts import ALPHA, Card, Control, Part
from fop_core.studies.cells import Point, Role
from fop_core.studies.statistics import holm, rank_sum, unpaired

IMAGENET, FIXED, RATES, ADAM = "paper-3-imagenet", "paper-3-imagenet-fixed", "paper-4a", "paper-4b"
SMALL_NET = (
    "An eighth of the network's width, 20,000 images, flips without crops, 10 epochs and a tenth of the rate after "
    "epoch 6; the paper: full width, all images, 150 epochs, after epoch 80."
)


def gpu_hours(card: Card) -> str:
    """Return what a card that was not run would take, in words."""
    return "" if card.gpu_hours is None else f"about {card.gpu_hours:,.0f} GPU hours"


def figure_3_imagenet(evidence: Evidence) -> Card:
    """Return the card of Figure 3's lower half."""
    packed = evidence.study(IMAGENET)
    there = [each for each in (packed, evidence.study(FIXED)) if each is not None]
    runs = {method: each.of(method) for each in there for method in each.study.methods}
    first, last = ({method: percent(each, epoch) for method, each in runs.items()} for epoch in (1, None))
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
        controls=(fixed_control(first, last),),
        differences=(
            "Chosen, since the paper does not say: weight decay 1e-4, resized crops and flips, ρ 1e-4.",
            VELOCITY,
        ),
        plans=(IMAGENET, FIXED),
        shipped=tuple(each.study.name for each in there),
        gpu_hours=PLANS[IMAGENET].hours if packed is None else None,
    )


def figure_4a(evidence: Evidence) -> Card:
    """Return the card of Figure 4a."""
    packed = evidence.study(RATES)
    says = "FOP is better by a standard deviation in more settings than it is worse by one."
    published = "highlighted in blue, most for higher rates and momenta"
    part = Part(says, published)
    more = Part("The gain is larger in the upper half of rates and momenta than in the lower.", "larger")
    gains = [] if packed is None else _gains(packed)
    halves = [[each for each in gains if each.high is half] for half in (True, False)]
    if gains:
        better, worse = (sum(each.sign == sign for each in gains) for sign in (1, -1))
        of_signs = float(stats.binomtest(better, better + worse).pvalue) if better + worse else 1.0
        of_halves = rank_sum(*([each.points for each in half] for half in halves))
        correction = ""
        if not math.isnan(of_halves):
            (of_signs, of_halves), correction = holm([of_signs, of_halves]), "; Holm's correction"
        measured = f"better in {better}, worse in {worse} of {len(gains)} (sign test, {p_words(of_signs)}{correction})"
        part = Part(says, published, measured, better > worse and of_signs < ALPHA)
        if all(halves):
            test = "no test" if math.isnan(of_halves) else f"rank sum, {p_words(of_halves)}{correction}"
            larger = _lead(*halves) > 0 and not of_halves >= ALPHA  # as with one seed, where there is no test
            more = Part(more.says, more.published, f"{_of_half(*halves)} ({test})", larger)
    return Card(
        "4a",
        "Figure 4a: rates and momenta of SGD",
        "FOP widens the range of rates and momenta that train; the gain is largest where both are high.",
        (part, more),
        controls=(_best_of_grid(packed),),
        differences=(
            "Four rates and four momenta, two seeds; the paper has more of each, and three.",
            "Measured on images that are held out of training; the paper: on the test set.",
            SMALL_NET,
            "Chosen, since the paper does not say: BatchNorm, weight decay 5e-4.",
            VELOCITY,
            JPEG,
        ),
        plans=(RATES,),
        shipped=(RATES,) if packed is not None else (),
    )


def _best_of_grid(packed: Packed | None) -> Control:
    what = "SGD at the best of all rates and momenta: whether FOP reaches more, or the same at more settings."
    of = {} if packed is None else {method: at_best(packed, method, "tune") for method in ("fop", "momentum")}
    ours, theirs = (percent(of.get(method, []), column="held_out_accuracy") for method in ("fop", "momentum"))
    if not ours or not theirs:
        return Control(what)
    words = ", ".join(
        f"{name} {_words(of[method][0].cell.point)}" for method, name in (("fop", "FOP"), ("momentum", "SGD"))
    )
    return Control(
        what,
        f"FOP less SGD, each at its best of the grid: {compared(ours, theirs)}. Chosen and measured on the same "
        f"images: {words}.",
    )


def _words(point: Point) -> str:
    names = {"optimizer.lr": "ε", "optimizer.momentum": "momentum"}
    return ", ".join(f"{names.get(field, field)} {value:g}" for field, value in point.items())


@dataclass(frozen=True)
class Gain:
    """How much FOP is above SGD at a rate and a momentum.

    Attributes:
        points: of accuracy; infinite where the other one diverged, 0 where both did.
        sign: 1 where it is better by a standard deviation, or only SGD diverged; -1 where it is worse; else 0.
        high: whether rate and momentum are both in the upper half.
    """

    points: float
    sign: int
    high: bool


def _gains(packed: Packed) -> list[Gain]:
    """Return of each rate and momentum that both methods were run at how much FOP is above SGD."""
    points = list({repr(run.cell.point): run.cell.point for run in packed.of("momentum")}.values())
    rates, momenta = (sorted({point[name] for point in points}) for name in ("optimizer.lr", "optimizer.momentum"))
    made = []
    for point in points:
        ours, theirs = (percent(packed.of(method, point), column="held_out_accuracy") for method in ("fop", "momentum"))
        if not ours or not theirs:
            continue
        difference = unpaired(list(ours.values()), list(theirs.values()), ALPHA)
        mean = 0.0 if math.isnan(difference.mean) else difference.mean  # both diverged
        spread = difference.std if math.isfinite(difference.std) else 0.0  # one diverged, or of one seed: the sign
        high = point["optimizer.lr"] >= rates[len(rates) // 2]
        high = high and point["optimizer.momentum"] >= momenta[len(momenta) // 2]
        made.append(Gain(mean, (mean > spread) - (-mean > spread), high))
    return made


def _lead(high: Sequence[Gain], low: Sequence[Gain]) -> int:
    """Return in how many more pairs the gain of the first is the larger one than the smaller one."""
    return sum((one.points > other.points) - (one.points < other.points) for one in high for other in low)


def _of_half(high: Sequence[Gain], low: Sequence[Gain]) -> str:
    """Return the gains of both halves in words: means where there are any, else how often it is better."""
    if all(math.isfinite(each.points) for each in (*high, *low)):
        means = [sum(each.points for each in half) / len(half) for half in (high, low)]
        return f"{signed(means[0], 1)} against {signed(means[1], 1)} points"
    of = [[each.sign for each in half] for half in (high, low)]
    counts = [f"better in {signs.count(1)}, worse in {signs.count(-1)} of {len(signs)}" for signs in of]
    return f"{counts[0]}, against {counts[1]}; runs diverged"


def at_best(packed: Packed, method: str, role: Role) -> list[PackedRun]:
    """Return a method's runs of a role at its own best point: the one that is best on held-out images."""
    runs = [run for run in packed.of(method) if run.cell.role == role]
    points = list({repr(run.cell.point): run.cell.point for run in runs}.values())

    def held_out(point: Point) -> float:
        tuned = [run for run in packed.of(method, point) if run.cell.role == "tune"]
        values = percent(tuned, column="held_out_accuracy").values()
        return sum(values) / len(values) if values else -math.inf

    best = max(points, key=held_out, default=None)
    return [run for run in runs if run.cell.point == best]


def figure_4b(evidence: Evidence) -> Card:
    """Return the card of Figure 4b."""
    packed = evidence.study(ADAM)
    of = {} if packed is None else {name: percent(at_best(packed, name, "report")) for name in packed.study.methods}
    theirs = of.get("adam", {})
    parts = []
    for method, words in (("before", "P before Adam's moments"), ("after", "P after them")):
        says = f"Each at its own best rate, {words}: FOP ends above Adam."
        ours = of.get(method, {})
        if not ours or not theirs:
            parts.append(Part(says, "better"))
        else:
            parts.append(Part(says, "better", compared(ours, theirs), comes_out(above(ours, theirs))))
    return Card(
        "4b",
        "Figure 4b: rates of Adam",
        "Adam at its best rates is improved by FOP.",
        tuple(parts),
        controls=(_where(of.get("before", {}), of.get("after", {})),),
        differences=(
            "Four rates and two seeds; the paper has more rates, and three.",
            "The best rate is chosen on images that are held out, and measured on the test set with other seeds.",
            SMALL_NET,
            "Chosen, since the paper does not say: BatchNorm, weight decay 5e-4.",
            VELOCITY,
            JPEG,
        ),
        plans=(ADAM,),
        shipped=(ADAM,) if packed is not None else (),
    )


def _where(before: Mapping[int, float], after: Mapping[int, float]) -> Control:
    what = (
        "Where P is: before Adam's moments it scales what they divide out again, after them the step (apply = after)."
    )
    if not before or not after:
        return Control(what)
    return Control(what, f"After the moments less before them, each at its own best rate: {compared(after, before)}.")
