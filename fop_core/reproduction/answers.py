"""The answer to "Does FOP help?", in sentences filled by numbers: docs/does-fop-help.md, and how the Paper page opens.

Whether a sentence adds "not significant" follows from the numbers, so that none says what they do not.
"""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from fop_core.reproduction import CIFAR, cifar, contrasts, lacking, mnist, plans
from fop_core.reproduction.cards import cards
from fop_core.reproduction.contrasts import RULES, Group, of_net, small_net
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import (
    Corrected,
    above,
    compared,
    corrected,
    p_words,
    percent,
    share,
    signed,
    spread,
)
from fop_core.reproduction.mnist import CLOSE, LARGE, SGD
from fop_core.reproduction.planned import gpu_hours
from fop_core.reproduction.plans import BEST_RATE, SMALL_RATE
from fop_core.reproduction.shipped import Packed, PackedRun
from fop_core.reproduction.verdicts import ALPHA
from fop_core.studies.statistics import Difference

NORM = cifar.OF_GALLERY["fop-norm"]
CALLED = {
    "sgd": "SGD",
    "adamw": "AdamW",
    "muon": "Muon",
    "soap": "SOAP",
    "shampoo": "Shampoo",
    "fop": "FOP",
    "exponential": "FOP, P = exp(M)",
    "osgm": "FOP by OSGM's feedback",
    "after": "FOP after the base's step",
}


def _by(difference: Difference | Corrected, *, brief: bool = False) -> str:
    """Return in words how much one is above another; in brief without how p was corrected."""
    of = difference.difference if isinstance(difference, Corrected) else difference
    how = f" {difference.how}" if isinstance(difference, Corrected) and not brief else ""
    p = difference.p
    n = f"n = {of.n}"
    if of.test == "none":
        return f"{signed(of.mean)} points ({n}: no test)"
    words = f"{signed(of.mean)} points ({n}, {p_words(p)}{how})"
    return words if p < ALPHA else f"{words}, not significant"


def _full_rank(ours: Mapping[str, Mapping[int, float]], theirs: Mapping[str, Mapping[int, float]]) -> Corrected:
    """Return by how much full rank is above another, corrected for all ranks that both have."""
    both = [name for name in plans.SMALL_RANKS if ours.get(name) and theirs.get(name)]
    made = corrected([above(ours[name], theirs[name]) for name in both], "ranks")
    return made[both.index("full")]


def _other_ranks(ours: Mapping[str, Mapping[int, float]], theirs: Mapping[str, Mapping[int, float]]) -> str:
    """Return at which ranks one is significantly above or below another, in words."""
    both = [name for name in plans.SMALL_RANKS if ours.get(name) and theirs.get(name)]
    made = dict(zip(both, corrected([above(ours[name], theirs[name]) for name in both], "ranks")))
    said = ""
    for word, sign in (("above", 1), ("below", -1)):
        those = [name for name, each in made.items() if each.p < ALPHA and sign * each.difference.mean > 0]
        if those:
            points = ", ".join(f"{mnist.rank(name)} {signed(made[name].difference.mean)}" for name in those)
            said += f"; significantly {word} it: {points}"
    return said


def _of_ranks(small: Packed, *, learned: bool) -> dict[str, dict[int, float]]:
    return {name: percent(small.of(plans.small(name, LARGE, learned=learned))) for name in plans.SMALL_RANKS}


def short(evidence: Evidence) -> list[str]:
    """Return the answer in a few sentences."""
    of_best, of_close, of_large, of_rules = contrasts.groups(evidence)
    small = contrasts.studies(evidence)[1]
    made = cards(evidence)
    count = {name: sum(card.verdict == name for card in made) for name in ("reproduced", "in part", "not", "not run")}
    learned, fixed = (_of_ranks(small, learned=each)["full"] for each in (True, False))
    sgd = percent(small.of(SGD))
    drawn = share(above(fixed, sgd).mean, above(learned, sgd).mean)
    length = mnist.lengths(evidence.study(mnist.CONTROL), "length").get("full")
    of_length = share(above(length, sgd).mean, above(learned, sgd).mean) if length else ""
    as_long = f", and {of_length} when SGD only takes steps as long" if length else ""
    races = next(card for card in made if card.name == "1")
    searched = " (Figure 1, whose settings were searched for until it did)" if races.verdict == "reproduced" else ""
    first, last = (contrasts.on_cifar(evidence, epoch) for epoch in (1, cifar.EPOCHS[-1]))
    one_step = next(name for name in first if "one-step" in name)
    end = max(of_best.at)
    close = (percent(small.of(plans.small("full", CLOSE, learned=each)), 2) for each in (False, True))
    of_drawn = share(*(above(each, percent(small.of(SGD), 2)).mean for each in close))
    said = partial(_by, brief=True)
    return [
        f"- On MNIST at the best rate of SGD ({BEST_RATE:g}), FOP of full rank less SGD: "
        f"{said(of_best.at[end]['full rank'])}.",
        f"- At a rate too small for SGD ({SMALL_RATE:g}) and with σ = {LARGE:g}: "
        f"{said(of_large.at[end]['full rank'])}. {drawn} of that is there when nothing is learned{as_long}.",
        f"- There with σ = {CLOSE:g}, where P starts close to I, after two epochs: "
        f"{said(of_close.at[2]['full rank'])}. {of_drawn} of that is there when nothing is "
        f"learned. In the end: {said(of_close.at[end]['full rank'])}.",
        f"- On a small net on CIFAR-10, FOP and SGD both tuned, after two epochs: "
        f"{said(of_rules.at[2]['`fop`'])}. In the end: {said(of_rules.at[end]['`fop`'])}.",
        *_one_step(evidence),
        f"- On a wider one, after one epoch: {said(first['FOP'])}. In the end: {said(last['FOP'])}. "
        f"With the paper's own one-step hypergradient: {said(first[one_step])}, and in the end "
        f"{said(last[one_step])}.",
        "- p is Welch's test, by Holm's method over the ranks or rules of the same setting.",
        f"- Of the paper's {len(made)} claims {count['reproduced']} came out{searched}, {count['in part']} in part, "
        f"{count['not']} not. {count['not run']} {'has' if count['not run'] == 1 else 'have'} not been run.",
    ]


def _one_step(evidence: Evidence) -> list[str]:
    """Say how the one-step hypergradient of the paper does on the small net, where that was measured."""
    packed = evidence.study(lacking.TRACE)
    if packed is None:
        return []
    one_step, fop, sgd = (percent(packed.of(method)) for method in ("one-step", "fop", "momentum"))
    made = corrected([above(fop, one_step), above(fop, sgd), above(one_step, sgd)], "comparisons")
    of_velocity, _, of_sgd = (_by(each, brief=True) for each in made)
    return [
        "- There, at the preset's rate, FOP by the velocity's hypergradient less FOP by one step, the paper's: "
        f"{of_velocity}. The latter less SGD: {of_sgd}."
    ]


def _those(group: Group, epoch: int, names: list[str]) -> str:
    """Return some of a group with the range of their differences: "k = 1 and k = 4 (+0.53 to +3.62)"."""
    every = group.at[epoch]
    said = ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
    said = f"all {len(names)} {group.rows}" if len(names) == len(every) else said
    points = sorted({every[name].difference.mean for name in names})
    ends = signed(points[0]) if len(points) == 1 else f"{signed(points[0])} to {signed(points[-1])}"
    return f"after epoch {epoch} {said} ({ends})"


def _lines(evidence: Evidence, which: tuple[int, ...], words: tuple[str, ...]) -> list[str]:
    """Return of each group, and each epoch, the kinds that ``Group.signs`` sorts there."""
    lines = []
    for group in contrasts.groups(evidence):
        said = [
            _those(group, epoch, names) + word
            for epoch in group.at
            for kind, word in zip(which, words)
            if (names := group.signs(epoch)[kind])
        ]
        if said:
            lines.append(f"- On {group.where} (n = {group.n}): {'; '.join(said)}.")
    return lines


def where_it_helps(evidence: Evidence) -> list[str]:
    """Return where FOP is above SGD by the test, by settings and epoch."""
    return _lines(evidence, (0,), ("",))


def where_it_does_not(evidence: Evidence) -> list[str]:
    """Return where FOP is below SGD, and where the difference is not significant."""
    return _lines(evidence, (1, 2), (" significantly below SGD", ""))


def comparisons(evidence: Evidence) -> list[str]:
    """Return the table of all comparisons that have several seeds."""
    epochs = [" or ".join(dict.fromkeys(map(str, each))) for each in zip(contrasts.EARLY, small_net()["epochs"])]
    head = ["FOP less SGD, in points (p)", "n", *(f"epoch {each}" for each in epochs)]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *contrasts.table(evidence))]


def one_seed(evidence: Evidence) -> list[str]:
    """Return what CIFAR-10's All-CNN says, of which there may be one seed alone."""
    at = {epoch: contrasts.on_cifar(evidence, epoch) for epoch in cifar.EPOCHS}
    head = ["less SGD, in points", "n", *(f"epoch {epoch}" for epoch in at)]
    rows = [
        [name, str(made.difference.n), *(contrasts.cell(of[name]) for of in at.values())]
        for name, made in at[1].items()
    ]
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def _lengths(runs: list[PackedRun]) -> dict[str, np.ndarray]:
    """Return how many times as long as g P g is, at every measured step of all seeds, by layer."""
    return {
        layer: np.concatenate([run.metrics[f"length_ratio/{layer}"].values for run in runs]) for layer in mnist.INPUTS
    }


def _times(of: list[np.ndarray]) -> str:
    """Return by how much layers lengthen in words: the mean, or their means, and single steps."""
    means = sorted(float(values.mean()) for values in of)
    said = f"{means[0]:.3g}" if len(of) == 1 else f"{means[0]:.3g} to {means[-1]:.3g}"
    steps = np.concatenate(of)
    return f"{said} times as long (single steps: {steps.min():.3g} to {steps.max():.3g})"


def step_length(evidence: Evidence) -> list[str]:
    """Return what of FOP is the length of the step."""
    small = contrasts.studies(evidence)[1]
    learned, fixed = (_of_ranks(small, learned=each) for each in (True, False))
    sgd = percent(small.of(SGD))
    drawn = _full_rank(fixed, dict.fromkeys(fixed, sgd))
    of_drawn, of_close = (
        list(_lengths(small.of(plans.small("full", std, learned=std == CLOSE))).values()) for std in (LARGE, CLOSE)
    )
    early, end = (mnist.learning(small, CLOSE, epoch, over_sgd=False)["full"] for epoch in (2, mnist.EPOCHS[-1]))
    return [
        f"- Drawn with σ = {LARGE:g} and never learned, full rank less SGD at {SMALL_RATE:g}: "
        f"{compared(fixed['full'], sgd, drawn)}.",
        f"- Learned less never learned: {_by(_full_rank(learned, fixed))}.",
        f"- On average such a P makes g {_times(of_drawn[:1])} in the first layer, and {_times(of_drawn[1:])} in "
        "the others.",
        *_as_long(evidence, learned, sgd),
        f"- With σ = {CLOSE:g} it is what is learned. Full rank, learned less never learned, after two epochs: "
        f"{_by(early)}; in the end: {_by(end)}. On average the learned P makes g {_times(of_close[:1])} in the "
        f"first layer, and {_times(of_close[1:])} in the others. How much of the gain is that has not been tried: "
        "the two controls take P as it was drawn.",
    ]


def _as_long(evidence: Evidence, learned: Mapping[str, dict[int, float]], sgd: dict[int, float]) -> list[str]:
    """Return how much of the learned P's gain SGD has with steps as long."""
    made = []
    for rule, words in mnist.LENGTHS.items():
        of = mnist.lengths(evidence.study(mnist.CONTROL), rule)
        if not of.get("full"):
            made.append(f"- {words}: not run.")
            continue
        gain = share(above(of["full"], sgd).mean, above(learned["full"], sgd).mean)
        over_sgd = compared(of["full"], sgd, _full_rank(of, dict.fromkeys(of, sgd)))
        made.append(
            f"- {words}, full rank, less SGD: {over_sgd}. That is {gain} of learned FOP's gain. "
            f"Learned FOP less that: {_by(_full_rank(learned, of))}{_other_ranks(learned, of)}."
        )
    return made


def _shortened(evidence: Evidence, name: str) -> str:
    """Return how many times as long as g P g is on average, by layer, in a run of the gallery."""
    metrics = evidence.gallery.run(name).metrics
    means = [float(metrics[each].values.mean()) for each in metrics.columns if each.startswith("length_ratio/")]
    return f"{min(means):.2f} to {max(means):.2f}"


def rotation(evidence: Evidence) -> list[str]:
    """Return what of FOP is rotation, and what is the mean that it removes."""
    first, second, last = (cifar.accuracies(evidence, epoch) for epoch in (1, 2, cifar.EPOCHS[-1]))
    shares = [
        f"{share(above(of['mean-removing'], of[cifar.SGD]).mean, lead)} of FOP's {signed(lead)}"
        for of in (first, second)
        for lead in [above(of["fop"], of[cifar.SGD]).mean]
    ]
    fixed = [above(of["mean-removing"], of[cifar.SGD]) for of in (first, second, last)]
    norm, end = (above(of["fop"], of["fop-norm"]) for of in (first, last))
    return [
        "- The paper means FOP-norm to only turn: it keeps ‖P‖ at that of I. But P g is not as long as g: by layer "
        f"{_shortened(evidence, NORM)} times as long on average (FOP: {_shortened(evidence, CIFAR)}). FOP less "
        f"FOP-norm on CIFAR-10 after one epoch: {_by(norm)}; in the end: {_by(end)}.",
        f"- A fixed P that only removes the mean over each kernel, less SGD after one epoch: {_by(fixed[0])}, "
        f"{shares[0]}; after two: {_by(fixed[1])}, {shares[1]}.",
        f"- In the end, that fixed P less SGD: {_by(fixed[2])}; FOP less SGD: "
        f"{_by(above(last['fop'], last[cifar.SGD]))}.",
    ]


def which_rule(evidence: Evidence) -> list[str]:
    """Return which rule these numbers favour, with the table that decides."""
    end = {name: of_net(name, -1) for name in small_net()["methods"]}
    best = max(RULES, key=lambda name: sum(end[name].values()))
    others = [name for name in end if name not in (*RULES, "sgd")]
    rival = max((name for name in end if name not in RULES), key=lambda name: sum(end[name].values()))
    over_sgd = {
        name: each
        for names, words in ((list(RULES), "rules"), (others, "methods without FOP"))
        for name, each in zip(names, corrected([above(end[name], end["sgd"]) for name in names], words))
    }
    rules = [name for name in RULES if name != "fop"]
    of_second = small_net()["epochs"].index(2)
    over_fop, early = (
        dict(zip(rules, corrected([above(of_net(name, at), of_net("fop", at)) for name in rules], "rules")))
        for at in (-1, of_second)
    )
    without = ["sgd", *others]
    over_best = dict(zip(without, corrected([above(end[name], end[best]) for name in without], "methods without FOP")))
    less_fop = f"; less `fop`: {_by(over_fop[best])}, but after two epochs {_by(early[best])}" if best in rules else ""
    lines = [
        f"- Of FOP's rules `{RULES[best]}` has the highest mean in the end, and we would use it. Less SGD: "
        f"{_by(over_sgd[best])}{less_fop}.",
        f"- {CALLED[rival]} has the highest mean of those without FOP, in the end. Less `{RULES[best]}`: "
        f"{_by(over_best[rival])}.",
        "",
        "| method, tuned | epoch 1 | in the end | less SGD | p, Welch | p, Holm | s of one core | MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, of in small_net()["methods"].items():
        tests = ["", "", ""]
        if name != "sgd":
            made = over_sgd[name]
            tests = [signed(made.difference.mean), f"{made.difference.p:.2g}", f"{made.p:.2g}"]
        cells = [CALLED[name], spread(of_net(name, 0)), spread(end[name]), *tests]
        costs = ["–" if of[cost] is None else f"{of[cost]:,.0f}" for cost in ("cpu_seconds", "peak_memory_mb")]
        lines.append(f"| {' | '.join([*cells, *costs])} |")
    return lines


def not_run(evidence: Evidence) -> list[str]:
    """Return what nobody has run here."""
    lines = []
    for card in cards(evidence):
        if card.verdict == "not run":
            hours = f"{sum(plans.PLANS[name].hours for name in card.plans):,.1f} hours of one core"
            if gpu_hours(card):
                hours = f"{gpu_hours(card)} ({plans.PLANS[card.plans[0]].measured_on})"
            lines.append(f"- {card.title}: {hours}, `{card.command} --rerun`.")
    there = [name for name in ("paper-rho", "paper-trace", "paper-text") if evidence.study(name) is None]
    lines += [f"- {plans.PLANS[name].about} `python -m fop_core paper --study {name} --rerun`." for name in there]
    return lines


ANSWERS: Mapping[str, Callable[[Evidence], list[str]]] = {
    "short": short,
    "where it helps": where_it_helps,
    "where it does not": where_it_does_not,
    "comparisons": comparisons,
    "one seed": one_seed,
    "step length": step_length,
    "rotation": rotation,
    "which rule": which_rule,
    "not run": not_run,
}
"""The parts of docs/does-fop-help.md, each lines of Markdown."""
