"""Figures 2 and A.1 on MNIST: their cards and tables, from the three studies ``paper-2-*``."""

import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np

from fop_core.reproduction import SETTLED, plans
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import (
    Corrected,
    above,
    comes_out,
    compared,
    corrected,
    mean_words,
    p_words,
    percent,
    rising,
    share,
    signed,
    spread,
    tests_words,
)
from fop_core.reproduction.plans import BEST_RATE, RANKS, SMALL_RANKS, SMALL_RATE, STDS
from fop_core.reproduction.shipped import Packed, PackedRun
from fop_core.reproduction.verdicts import ALPHA, Card, Control, Part
from fop_core.studies.statistics import Difference, holm

Array = np.ndarray

TUNE, BEST, SMALL, CONTROL = "paper-2-tune", "paper-2-best", "paper-2-small", "paper-2-control"
SGD = "momentum"
EPOCHS = (1, 2, 3, 5, 10)
INPUTS = {"1.weight": 784, "3.weight": 100, "5.weight": 100, "7.weight": 100}
"""n of each layer of the network: its inputs."""
LENGTHS = {
    "start": "SGD at the rate ε tr(P)/n in each layer",
    "length": "SGD whose gradient is made as long as P g in each layer, and not turned",
}
"""The rules of ``controls.step_length``, in words."""
USUAL = (35.0, 45.0)
"""Degrees that are "slightly below 45°"."""
CLOSE, LARGE = min(STDS), max(STDS)
"""σ of a P that starts close to I, and of one that does not."""
FEWEST = 4
"""The rank below which the paper's caption says that "final accuracy is no longer better"."""
DIFFERENCES = (
    "The paper gives no rate, batch size or σ for MNIST: here batch 128, and the rate that is best for SGD on held-out "
    "images.",
    "M is learned by Adam at 1e-4, on the hypergradient of the velocity.",
)


def chance_deg(n: int, k: int, std: float) -> float:
    """Return the angle between g and (I + M M^T) g, in degrees, of a Gaussian M [n, k] that has learned nothing.

    With s = std^2, M M^T g has on average k s of g's length along g, and squared k (k + n) s^2 of it in all: what is
    across g is sqrt(k n) s long, up to terms of 1/n. A square M of large std turns any g by 45 degrees.
    """
    s = std * std
    return math.degrees(math.atan2(math.sqrt(k * n) * s, 1 + k * s))


def rates(tune: Packed) -> dict[float, dict[int, float]]:
    """Return the held-out accuracy of SGD in percent, by rate and seed."""
    made: dict[float, list[PackedRun]] = {}
    for run in tune.of(SGD):
        made.setdefault(float(run.cell.point["optimizer.lr"]), []).append(run)
    of = {rate: percent(runs, column="held_out_accuracy") for rate, runs in sorted(made.items())}
    return {rate: values for rate, values in of.items() if values}


def best_rate(tune: Packed) -> float:
    """Return the rate with the highest mean accuracy on held-out images."""
    by_rate = rates(tune)
    return max(by_rate, key=lambda rate: statistics.mean(by_rate[rate].values()))


def figure_2(evidence: Evidence) -> Card:
    """Return the card of Figure 2."""
    best, small = evidence.study(BEST), evidence.study(SMALL)
    settings: list[tuple[str, Packed | None, dict[str, str]]] = [
        (f"At SGD's best rate, {BEST_RATE:g}, σ = {CLOSE:g}", best, {name: name for name in RANKS})
    ]
    for std in (CLOSE, LARGE):
        names = {name: plans.small(name, std, learned=True) for name in SMALL_RANKS}
        settings.append((f"At {SMALL_RATE:g}, too small for SGD, σ = {std:g}", small, names))
    return Card(
        "2",
        "Figure 2: rank, on MNIST",
        "FOP of any rank trains faster than SGD; the higher the rank, the better it ends, for k < 4 no better.",
        tuple(part for setting in settings for part in _parts(*setting)),
        controls=(
            _never_learned(small),
            _learned_early(small),
            *(_as_long(rule, evidence.study(CONTROL), small) for rule in LENGTHS),
        ),
        differences=DIFFERENCES,
        plans=(TUNE, BEST, SMALL, CONTROL),
        shipped=tuple(name for name in (TUNE, BEST, SMALL, CONTROL) if evidence.study(name) is not None),
        pictures=("paper-2", "paper-2-small"),
    )


def _parts(at: str, packed: Packed | None, names: dict[str, str]) -> tuple[Part, ...]:
    """Return the claim's parts at some settings: each is judged at all of them."""
    return (
        _ends_above(f"{at}: full rank ends above SGD.", packed, names),
        _leads(f"{at}: every rank is ahead after one epoch.", packed, names),
        _rises(f"{at}: the larger k, the better it ends.", packed, names),
        _from_the_fewest(f"{at}: it ends above SGD from k = {FEWEST} on, and with k = 1 it does not.", packed, names),
    )


def there(packed: Packed | None, names: dict[str, str]) -> dict[str, list[PackedRun]]:
    """Return the runs of each rank that was run, by its name in ``RANKS``."""
    made = {} if packed is None else {name: packed.of(method) for name, method in names.items()}
    return {name: runs for name, runs in made.items() if percent(runs)}


def sgd_runs(packed: Packed | None) -> list[PackedRun]:
    """Return the runs of SGD in a study; none where there is none."""
    runs = [] if packed is None else packed.of(SGD)
    return runs if percent(runs) else []


def _ends_above(says: str, packed: Packed | None, names: dict[str, str]) -> Part:
    published = "+0.6 points, p < 1e-4, 5 runs"
    ours, theirs = there(packed, names).get("full"), sgd_runs(packed)
    if not ours or not theirs:
        return Part(says, published)
    difference = above(percent(ours), percent(theirs))
    return Part(says, published, compared(percent(ours), percent(theirs)), comes_out(difference))


def _over_sgd(
    runs: dict[str, list[PackedRun]], sgd: list[PackedRun], epoch: int | None = None
) -> tuple[dict[str, Difference], list[str]]:
    """Return by how much each rank is above SGD at the end of an epoch or of the run, and which ranks are, by Holm."""
    theirs = percent(sgd, epoch)
    of = {name: percent(each, epoch) for name, each in runs.items()}
    if not theirs or not all(of.values()):
        return {}, []
    differences = {name: above(each, theirs) for name, each in of.items()}
    adjusted = dict(zip(differences, holm([each.p for each in differences.values()])))
    return differences, [name for name, each in differences.items() if comes_out(each, adjusted[name])]


def _leads(says: str, packed: Packed | None, names: dict[str, str]) -> Part:
    published = "all are faster"
    runs, theirs = there(packed, names), sgd_runs(packed)
    if len(runs) < len(names) or not theirs:  # of every rank nothing is known while one is missing
        return Part(says, published)
    differences, leading = _over_sgd(runs, theirs, 1)
    if not differences:
        return Part(says, published)
    points = ", ".join(f"{rank(name)} {signed(each.mean, 1)}" for name, each in differences.items())
    measured = f"{points} points; {len(leading)} of {len(runs)} ahead ({_tested(differences)})"
    return Part(says, published, measured, len(leading) == len(runs))


def _from_the_fewest(says: str, packed: Packed | None, names: dict[str, str]) -> Part:
    published = f"for k < {FEWEST}, final accuracy is no longer better"
    runs, theirs = there(packed, names), sgd_runs(packed)
    if len(runs) < len(names) or not theirs:
        return Part(says, published)
    differences, better = _over_sgd(runs, theirs)
    points = ", ".join(f"{rank(name)} {signed(each.mean)}" for name, each in differences.items())
    few, many = ([name for name in runs if (RANKS[name] < FEWEST) is less] for less in (True, False))
    counts = [f"{sum(name in better for name in those)} of {len(those)}" for those in (few, many)]
    measured = (
        f"{points} points; above SGD {counts[0]} with k < {FEWEST}, {counts[1]} of the others ({_tested(differences)})"
    )
    return Part(says, published, measured, better == many)


def _tested(differences: Mapping[str, Difference]) -> str:
    return f"n = {min(each.n for each in differences.values())}; {tests_words(differences.values())}"


def _rises(says: str, packed: Packed | None, names: dict[str, str]) -> Part:
    published = "in the order of k"
    runs = there(packed, names)
    if len(runs) < len(names):
        return Part(says, published)
    by_rank = {float(RANKS[name]): list(percent(each).values()) for name, each in runs.items()}
    correlation, p = rising(by_rank)
    means = ", ".join(f"{rank(name)} {mean_words(percent(each))}" for name, each in runs.items())
    n = sum(map(len, by_rank.values()))
    measured = f"{means} %; Spearman's ρ = {signed(correlation)}, {p_words(p)} (n = {n})"
    return Part(says, published, measured, correlation > 0 and p < 0.05)


def rank(name: str) -> str:
    """Return what a rank is called: "k = 4", "full"."""
    return "full" if name == "full" else f"k = {RANKS[name]}"


def _never_learned(small: Packed | None) -> Control:
    what = f"The same P, drawn with σ = {LARGE:g} and never learned (ρ = 0), at {SMALL_RATE:g}."
    fixed = there(small, {name: plans.small(name, LARGE, learned=False) for name in SMALL_RANKS})
    learned = there(small, {name: plans.small(name, LARGE, learned=True) for name in SMALL_RANKS})
    theirs = sgd_runs(small)
    if "full" not in fixed or "full" not in learned or not theirs:
        return Control(what)
    drawn, whole = (above(percent(runs["full"]), percent(theirs)).mean for runs in (fixed, learned))
    both = [name for name in learned if name in fixed]
    less = {name: above(percent(learned[name]), percent(fixed[name])) for name in both}
    more = ", ".join(f"{rank(name)} {signed(each.mean)}" for name, each in less.items())
    tests = holm([each.p for each in less.values()])
    significant = sum(p < 0.05 for p in tests)
    return Control(
        what,
        f"Full rank less SGD: {compared(percent(fixed['full']), percent(theirs))}. That is "
        f"{share(drawn, whole)} of the learned one's {signed(whole)}. What learning adds: {more} points; "
        f"{significant} of {len(both)} are significant ({tests_words(less.values())}).",
    )


def learning(small: Packed, std: float, epoch: int, *, over_sgd: bool) -> dict[str, Corrected]:
    """Return by how much FOP whose P was learned is above others after an epoch, by rank; those that were run.

    Args:
        small: the study ``paper-2-small``.
        std: σ of the P that was drawn.
        epoch: at whose end.
        over_sgd: whether the others are SGD, or FOP whose P stayed as it was drawn.
    """
    made = {}
    for name in SMALL_RANKS:
        ours = percent(small.of(plans.small(name, std, learned=True)), epoch)
        theirs = percent(small.of(SGD if over_sgd else plans.small(name, std, learned=False)), epoch)
        if ours and theirs:
            made[name] = above(ours, theirs)
    return dict(zip(made, corrected(list(made.values()), "ranks")))


def _learned_early(small: Packed | None) -> Control:
    what = f"The same P, drawn with σ = {CLOSE:g} and never learned (ρ = 0), at {SMALL_RATE:g}, after some epochs."
    if small is None:
        return Control(what)
    of = {epoch: learning(small, CLOSE, epoch, over_sgd=False).get("full") for epoch in EPOCHS}
    made = {epoch: each for epoch, each in of.items() if each is not None}
    if not made:
        return Control(what)
    points = ", ".join(
        f"after epoch {epoch} {signed(each.difference.mean)} ({p_words(each.p)})" for epoch, each in made.items()
    )
    tested = list(made.values())
    return Control(
        what,
        f"Full rank, learned less never learned: {points} points (n = {min(each.difference.n for each in tested)}; "
        f"{tests_words([each.difference for each in tested], tested[0].how)}). No control has steps as long as "
        "those of the learned P: the next two take P as it was drawn.",
    )


def lengths(control: Packed | None, rule: str, std: float = LARGE) -> dict[str, dict[int, float]]:
    """Return the final accuracy in percent of SGD with steps as long as a P makes them, by P's rank and seed.

    Args:
        control: the study ``paper-2-control``.
        rule: of ``controls.step_length``.
        std: of the P that was drawn.
    """
    runs = there(control, {name: plans.as_long(rule, name, std) for name in SMALL_RANKS})
    return {name: percent(each) for name, each in runs.items()}


def _as_long(rule: str, control: Packed | None, small: Packed | None) -> Control:
    what = f"{LENGTHS[rule]}, of the same P that was drawn with σ = {LARGE:g}, at {SMALL_RATE:g}."
    learned = there(small, {name: plans.small(name, LARGE, learned=True) for name in SMALL_RANKS})
    both = {name: values for name, values in lengths(control, rule).items() if name in learned}
    if not both:
        return Control(what)
    less = {name: above(percent(learned[name]), values) for name, values in both.items()}
    adjusted = dict(zip(less, holm([each.p for each in less.values()])))
    means = ", ".join(f"{rank(name)} {spread(values)}" for name, values in both.items())
    points = ", ".join(f"{rank(name)} {signed(each.mean)}" for name, each in less.items())
    above_it, below_it = (
        sum(adjusted[name] < ALPHA and (each.mean > 0) is positive for name, each in less.items())
        for positive in (True, False)
    )
    n = min(each.n for each in less.values())
    return Control(
        what,
        f"It ends at {means} %. Learned FOP less that: {points} points; above it in {above_it} of {len(less)}, "
        f"below it in {below_it} (n = {n}; {tests_words(less.values())}).",
    )


def angles(runs: Sequence[PackedRun], layer: str) -> Array:
    """Return every angle between g and P g of a layer from step 200 on, in degrees, over all seeds."""
    series = [run.metrics[f"angle_deg/{layer}"] for run in runs if f"angle_deg/{layer}" in run.metrics]
    values = np.concatenate([each.values[each.steps >= SETTLED] for each in series]) if series else np.empty(0)
    return values[np.isfinite(values)]  # a run that diverges turns g nowhere


def usual_share(values: Array) -> float:
    """Return the share of angles that are slightly below 45 degrees, see ``USUAL``."""
    return float(((values >= USUAL[0]) & (values <= USUAL[1])).mean())


def _turned(says: str, packed: Packed | None, method: str) -> Part:
    published = "usually slightly below 45°, in all four layers"
    runs = [] if packed is None else packed.of(method)
    of = {layer: angles(runs, layer) for layer in INPUTS} if runs else {}
    if not of or not all(map(len, of.values())):
        return Part(says, published)
    means = ", ".join(f"{values.mean():.1f}°" for values in of.values())
    shares = ", ".join(f"{100 * usual_share(values):.0f} %" for values in of.values())
    measured = f"mean by layer {means}; between 35° and 45° {shares} of the time (n = {len(runs)})"
    return Part(says, published, measured, all(usual_share(values) > 0.5 for values in of.values()))


def figure_a1(evidence: Evidence) -> Card:
    """Return the card of Figure A.1."""
    best, small = evidence.study(BEST), evidence.study(SMALL)
    what = (
        f"The same P with σ = {LARGE:g}, never learned; and arctan(√(nk) σ² / (1 + kσ²)), the angle that a random M "
        "[n, k] gives."
    )
    fixed = [] if small is None else small.of(plans.small("full", LARGE, learned=False))
    shows = ""
    if fixed:
        shows = "; ".join(
            f"layer {index}: {angles(fixed, layer).mean():.1f}°, by the formula {chance_deg(n, n, LARGE):.1f}°, "
            f"between {USUAL[0]:.0f}° and {USUAL[1]:.0f}° {100 * usual_share(angles(fixed, layer)):.0f} % of the time"
            for index, (layer, n) in enumerate(INPUTS.items(), 1)
        )
        shows = f"Full rank turns g, without learning anything, by these angles. In {shows} (n = {len(fixed)})."
    return Card(
        "A.1",
        "Figure A.1: the angle between g and P g",
        "P turns the gradient by slightly less than 45° in every layer of the network on MNIST.",
        (
            _turned(f"At SGD's best rate, σ = {CLOSE:g}, full rank: most angles are 35° to 45°.", best, "full"),
            _turned(
                f"At {SMALL_RATE:g}, σ = {CLOSE:g}, full rank: most angles are 35° to 45°.",
                small,
                plans.small("full", CLOSE, learned=True),
            ),
            _turned(
                f"At {SMALL_RATE:g}, σ = {LARGE:g}, full rank: most angles are 35° to 45°.",
                small,
                plans.small("full", LARGE, learned=True),
            ),
        ),
        controls=(Control(what, shows),),
        differences=DIFFERENCES,
        plans=(BEST, SMALL),
        shipped=tuple(name for name in (BEST, SMALL) if evidence.study(name) is not None),
        pictures=("paper-A1", "paper-A1-rank16", "paper-A1-cifar10"),
    )
