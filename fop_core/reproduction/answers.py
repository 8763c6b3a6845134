"""The answer to "Does FOP help?", in sentences filled by numbers: docs/does-fop-help.md, and how the Paper page opens.

Whether a sentence adds "not significant" follows from the numbers, so that none says what they do not.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from fop_core.reproduction import cifar, mnist, plans
from fop_core.reproduction.cards import cards
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import (
    Corrected,
    above,
    comes_out,
    compared,
    corrected,
    p_words,
    percent,
    share,
    signed,
    spread,
)
from fop_core.reproduction.mnist import BEST, LARGE, SGD, SMALL
from fop_core.reproduction.planned import gpu_hours
from fop_core.reproduction.plans import BEST_RATE, SMALL_RATE
from fop_core.reproduction.shipped import Packed
from fop_core.reproduction.verdicts import ALPHA
from fop_core.studies.statistics import Difference

SMALL_NET = Path(__file__).resolve().parents[2] / "docs" / "results" / "small_net.json"
"""What ``benchmarks.small_net`` measured of tuned methods."""
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
RULES = {"fop": "fop", "exponential": "fop-exponential", "osgm": "fop-osgm", "after": "fop-after"}
"""FOP's rules in it, by the method that each is."""


@cache
def small_net() -> Mapping[str, Any]:
    """Return what ``benchmarks.small_net`` measured, as JSON."""
    content: dict[str, Any] = json.loads(SMALL_NET.read_text())
    return content


def _of_net(method: str, at: int) -> dict[int, float]:
    """Return test accuracies in percent of a method of the small net: at 0 after one epoch, at -1 in the end."""
    return {seed: 100 * run["accuracy"][at] for seed, run in enumerate(small_net()["methods"][method]["runs"])}


def _by(difference: Difference | Corrected) -> str:
    """Return in words how much one is above another."""
    of = difference.difference if isinstance(difference, Corrected) else difference
    how = f" {difference.how}" if isinstance(difference, Corrected) else ""
    p = difference.p
    n = f"n = {of.n}"
    if of.test == "none":
        return f"{signed(of.mean)} points ({n}: no test)"
    words = f"{signed(of.mean)} points ({n}, {p_words(p)}{how})"
    return words if p < ALPHA else f"{words}, not significant"


def _studies(evidence: Evidence) -> tuple[Packed, Packed]:
    best, small = evidence.study(BEST), evidence.study(SMALL)
    if best is None or small is None:
        raise ValueError(f"no runs of {BEST} or {SMALL}: the answer needs both")
    return best, small


def _full(small: Packed, learned: bool) -> dict[int, float]:
    return percent(small.of(plans.small("full", LARGE, learned=learned)))


def _less(small: Packed, theirs: Mapping[str, Mapping[int, float]]) -> Corrected:
    """Return by how much learned FOP of full rank is above another one, corrected for all ranks that both have."""
    of = {name: percent(small.of(plans.small(name, LARGE, learned=True))) for name in plans.SMALL_RANKS}
    both = [name for name, values in of.items() if values and theirs.get(name)]
    made = corrected([above(of[name], theirs[name]) for name in both], "ranks")
    return made[both.index("full")]


def short(evidence: Evidence) -> list[str]:
    """Return the answer in a few sentences."""
    best, small = _studies(evidence)
    made = cards(evidence)
    count = {name: sum(card.verdict == name for card in made) for name in ("reproduced", "in part", "not", "not run")}
    learned, fixed, sgd = _full(small, True), _full(small, False), percent(small.of(SGD))
    drawn = share(above(fixed, sgd).mean, above(learned, sgd).mean)
    length = mnist.lengths(evidence.study(mnist.CONTROL), "length").get("full")
    of_length = share(above(length, sgd).mean, above(learned, sgd).mean) if length else ""
    as_long = f", and {of_length} when SGD only takes steps as long" if length else ""
    races = next(card for card in made if card.name == "1")
    searched = " (Figure 1, whose settings were searched for until it did)" if races.verdict == "reproduced" else ""
    first, last = (cifar.accuracies(evidence, epoch) for epoch in (1, cifar.EPOCHS[-1]))
    return [
        f"- On MNIST, at the rate that suits SGD best ({BEST_RATE:g}), FOP of full rank less SGD: "
        f"{_by(above(percent(best.of('full')), percent(best.of(SGD))))}.",
        f"- At a rate too small for SGD ({SMALL_RATE:g}) and with σ = {LARGE:g}: "
        f"{_by(above(learned, sgd))}. {drawn} of that is there when nothing is learned{as_long}.",
        f"- On CIFAR-10 after one epoch, FOP less SGD: {_by(above(first['fop'], first['momentum']))}. In the end: "
        f"{_by(above(last['fop'], last['momentum']))}.",
        f"- Of the paper's {len(made)} claims {count['reproduced']} came out{searched}, {count['in part']} in part, "
        f"{count['not']} not; {count['not run']} have not been run.",
    ]


@dataclass(frozen=True)
class Compared:
    """A comparison of FOP with SGD.

    Attributes:
        where: in words.
        ours: accuracies in percent by seed.
        theirs: SGD's.
        family: what it is one of, in words; "" where it stands alone.
    """

    where: str
    ours: dict[int, float]
    theirs: dict[int, float]
    family: str = ""


def _compared_with_sgd(evidence: Evidence) -> list[Compared]:
    """Return every comparison of FOP with SGD."""
    best, small = _studies(evidence)
    close = percent(small.of(plans.small("full", min(plans.STDS), learned=True)))
    at_best, at_small = percent(best.of(SGD)), percent(small.of(SGD))
    first, last = (cifar.accuracies(evidence, epoch) for epoch in (1, cifar.EPOCHS[-1]))
    mnist_at = f"On MNIST at the rate {BEST_RATE:g}, SGD's best"
    made = [
        Compared(
            f"{mnist_at}, {'full rank' if name == 'full' else f'k = {k}'}", percent(best.of(name)), at_best, "ranks"
        )
        for name, k in plans.RANKS.items()
    ]
    too_small = f"On MNIST at {SMALL_RATE:g}, too small for SGD, full rank, P close to I: σ = {min(plans.STDS):g}"
    made += [
        Compared(too_small, close, at_small),
        Compared(f"On MNIST at {SMALL_RATE:g}, full rank, σ = {LARGE:g}", _full(small, True), at_small),
        Compared("On CIFAR-10 after one epoch", first["fop"], first["momentum"]),
        Compared(f"On CIFAR-10 after all {cifar.EPOCHS[-1]}", last["fop"], last["momentum"]),
    ]
    net = "On the small net below, both tuned, in the end"
    return made + [
        Compared(f"{net}: `{method}`", _of_net(name, -1), _of_net("sgd", -1), "rules") for name, method in RULES.items()
    ]


def _those(evidence: Evidence, helps: bool) -> list[str]:
    """Return the comparisons that come out, or the others; those of a family by Holm's method."""
    every = _compared_with_sgd(evidence)
    families = {each.family for each in every if each.family}
    made: dict[str, Corrected] = {}
    for family in families:
        of = [each for each in every if each.family == family]
        differences = [above(each.ours, each.theirs) for each in of]
        made |= dict(zip((each.where for each in of), corrected(differences, family)))
    lines = []
    for each in every:
        of_several = made.get(each.where)
        outcome = comes_out(above(each.ours, each.theirs)) if of_several is None else of_several.comes_out
        if outcome is helps:
            lines.append(f"- {each.where}: {compared(each.ours, each.theirs, of_several)}.")
    return lines


def where_it_helps(evidence: Evidence) -> list[str]:
    """Return where FOP is above SGD: by the test, or of one seed by the numbers."""
    return _those(evidence, helps=True)


def where_it_does_not(evidence: Evidence) -> list[str]:
    """Return where FOP is below SGD, or the difference is not significant."""
    return _those(evidence, helps=False)


def step_length(evidence: Evidence) -> list[str]:
    """Return what of FOP is the length of the step."""
    _, small = _studies(evidence)
    learned, fixed, sgd = _full(small, True), _full(small, False), percent(small.of(SGD))
    lengths = []
    for layer in mnist.INPUTS:
        series = [run.metrics[f"length_ratio/{layer}"] for run in small.of(plans.small("full", LARGE, learned=False))]
        lengths.append(float(np.concatenate([each.values for each in series]).mean()))
    never = {name: percent(small.of(plans.small(name, LARGE, learned=False))) for name in plans.SMALL_RANKS}
    return [
        f"- Drawn with σ = {LARGE:g} and never learned, full rank less SGD at {SMALL_RATE:g}: {compared(fixed, sgd)}.",
        f"- Learned less never learned: {_by(_less(small, never))}.",
        f"- Such a P makes a step {lengths[0]:.0f} times as long in the first layer, and at least "
        f"{math.floor(min(lengths[1:]))} times in the others.",
        *_as_long(evidence, small, learned, sgd),
    ]


def _as_long(evidence: Evidence, small: Packed, learned: dict[int, float], sgd: dict[int, float]) -> list[str]:
    """Return how much of the learned P's gain SGD has with steps as long."""
    made = []
    for rule, words in mnist.LENGTHS.items():
        of = mnist.lengths(evidence.study(mnist.CONTROL), rule)
        ours = of.get("full")
        if not ours:
            made.append(f"- {words}: not run.")
            continue
        gain = share(above(ours, sgd).mean, above(learned, sgd).mean)
        made.append(
            f"- {words}, full rank, less SGD: {compared(ours, sgd)}. That is {gain} of learned FOP's gain. "
            f"Learned FOP less that: {_by(_less(small, of))}."
        )
    return made


def rotation(evidence: Evidence) -> list[str]:
    """Return what of FOP is rotation, and what is the mean that it removes."""
    first, last = (cifar.accuracies(evidence, epoch) for epoch in (1, cifar.EPOCHS[-1]))
    lead = above(first["fop"], first["momentum"]).mean
    fixed = above(first["mean-removing"], first["momentum"])
    norm, end = (above(of["fop"], of["fop-norm"]) for of in (first, last))
    return [
        "- FOP-norm keeps P at the identity's norm, so that it only turns. FOP less FOP-norm on CIFAR-10 after one "
        f"epoch: {_by(norm)}; in the end: {_by(end)}.",
        "- A fixed P that only removes the mean over each kernel, less SGD after one epoch: "
        f"{_by(fixed)}. That is {100 * fixed.mean / lead:.0f} % of FOP's {signed(lead)}.",
        f"- In the end, that fixed P less SGD: {_by(above(last['mean-removing'], last['momentum']))}; FOP less SGD: "
        f"{_by(above(last['fop'], last['momentum']))}.",
    ]


def which_rule(evidence: Evidence) -> list[str]:
    """Return which rule these numbers favour, with the table that decides."""
    end = {name: _of_net(name, -1) for name in small_net()["methods"]}
    best = max(RULES, key=lambda name: sum(end[name].values()))
    others = [name for name in end if name not in (*RULES, "sgd")]
    rival = max((name for name in end if name not in RULES), key=lambda name: sum(end[name].values()))
    over_sgd = {
        name: each
        for names, words in ((list(RULES), "rules"), (others, "methods without FOP"))
        for name, each in zip(names, corrected([above(end[name], end["sgd"]) for name in names], words))
    }
    rules = [name for name in RULES if name != "fop"]
    over_paper = dict(zip(rules, corrected([above(end[name], end["fop"]) for name in rules], "rules")))
    without = ["sgd", *others]
    over_best = dict(zip(without, corrected([above(end[name], end[best]) for name in without], "methods without FOP")))
    less_paper = f"; less the paper's rule: {_by(over_paper[best])}" if best in over_paper else ""
    lines = [
        f"- Of FOP's rules `{RULES[best]}` has the highest mean, and we would use it. In the end, less SGD: "
        f"{_by(over_sgd[best])}{less_paper}.",
        f"- {CALLED[rival]} has the highest mean of those without FOP. Less `{RULES[best]}`: {_by(over_best[rival])}.",
        "",
        "| method, tuned | epoch 1 | in the end | less SGD | p, Welch | p, Holm | s of one core | MB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name, of in small_net()["methods"].items():
        tests = ["", "", ""]
        if name != "sgd":
            made = over_sgd[name]
            tests = [signed(made.difference.mean), f"{made.difference.p:.2g}", f"{made.p:.2g}"]
        cells = [CALLED[name], spread(_of_net(name, 0)), spread(end[name]), *tests]
        costs = ["–" if of[cost] is None else f"{of[cost]:,.0f}" for cost in ("cpu_seconds", "peak_memory_mb")]
        lines.append(f"| {' | '.join([*cells, *costs])} |")
    return lines


def not_run(evidence: Evidence) -> list[str]:
    """Return what nobody has run here."""
    lines = []
    for card in cards(evidence):
        if card.verdict == "not run":
            hours = gpu_hours(card) or f"{sum(plans.PLANS[name].hours for name in card.plans):,.1f} hours of one core"
            lines.append(f"- {card.title}: {hours}, `{card.command} --rerun`.")
    there = [name for name in ("paper-rho", "paper-trace", "paper-text") if evidence.study(name) is None]
    lines += [f"- {plans.PLANS[name].about} `python -m fop_core paper --study {name} --rerun`." for name in there]
    return lines


ANSWERS: Mapping[str, Callable[[Evidence], list[str]]] = {
    "short": short,
    "where it helps": where_it_helps,
    "where it does not": where_it_does_not,
    "step length": step_length,
    "rotation": rotation,
    "which rule": which_rule,
    "not run": not_run,
}
"""The parts of docs/does-fop-help.md, each lines of Markdown."""
