"""Figure 3 on CIFAR-10: its card, from the study ``paper-3-cifar10`` where it ships, else from the gallery."""

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from fop_core.reproduction import CIFAR, FROZEN, ONE_STEP
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, comes_out, compared, percent, signed, spread, tests_words
from fop_core.reproduction.plans import PLANS
from fop_core.reproduction.verdicts import Card, Control, Part
from fop_core.studies.statistics import holm

STUDY, CONTROL = "paper-3-cifar10", "paper-3-control"
KINDS: Mapping[str, str] = {
    "rate": "SGD at the rate ε tr(P)/n of each layer, as FOP's run of that seed had it at each step.",
    "final": "The final P of FOP's run of that seed, frozen from step 0.",
}
"""What ``paper-3-control`` has, in words."""
SGD, FOP = "momentum", "fop"
BASELINES: Mapping[str, str] = {"momentum": "SGD", "s-hd": "S-HD", "pp-hd": "PP-HD", "fop-norm": "FOP-norm"}
"""What the paper compares FOP with."""
UNLIKE = ("momentum", "s-hd", "pp-hd")
"""Those of them that do not turn the gradient."""
OF_GALLERY = {
    "momentum": "cifar10-sgd",
    "fop": CIFAR,
    "fop-norm": "cifar10-fop-norm",
    "s-hd": "cifar10-s-hd",
    "pp-hd": "cifar10-pp-hd",
    "mean-removing": FROZEN,
}
"""Runs of one seed each, until there is the study."""
EPOCHS = (1, 2, 4, 8, 15)
VELOCITY = "M learns by the hypergradient of the velocity; the paper's (section 2.4, Eq. 4) is of the last step alone."
JPEG = "CIFAR-10 is a copy in JPEG, which is stored with loss."
CHOSEN = "Chosen, since the paper does not say: BatchNorm, weight decay 5e-4, crops and flips."
DIFFERENCES = (
    "A quarter of the network's width, 15 epochs and a tenth of the rate after epoch 8; the paper: full width, 150 "
    "epochs, after epoch 80.",
    CHOSEN,
    "ρ is 5e-4, as in Figure 4; the paper: 1e-4, with ten times the steps.",
    VELOCITY,
    JPEG,
)

Accuracies = Mapping[str, Mapping[int, float]]


def accuracies(evidence: Evidence, epoch: int) -> dict[str, dict[int, float]]:
    """Return test accuracy in percent at the end of an epoch, by method and seed."""
    packed = evidence.study(STUDY)
    if packed is not None:
        return {method: percent(runs, epoch) for method in packed.study.methods if (runs := packed.of(method))}
    made: dict[str, dict[int, float]] = {}
    for method, name in OF_GALLERY.items():
        epochs, values = evidence.gallery.run(name).metrics.over("epoch", "test_accuracy")
        made[method] = {0: 100 * float(values[int(np.argmin(np.abs(epochs - epoch)))])}
    return made


def figure_3(evidence: Evidence) -> Card:
    """Return the card of Figure 3's upper half."""
    first, last = accuracies(evidence, 1), accuracies(evidence, EPOCHS[-1])
    shipped = evidence.study(STUDY) is not None
    return Card(
        "3-cifar10",
        "Figure 3, upper half: CIFAR-10",
        "FOP converges faster than SGD, S-HD, PP-HD and FOP-norm, and ends slightly better.",
        (
            _over_baselines("After one epoch FOP is ahead of SGD, S-HD and PP-HD.", "faster", first, UNLIKE),
            _over_baselines("After one epoch it is ahead of FOP-norm, too.", "faster", first, ("fop-norm",)),
            _over_baselines("It ends above all four.", "slightly better", last, tuple(BASELINES)),
        ),
        controls=(fixed_control(first, last), _one_step(evidence, first, last), *_of_p(evidence, first, last)),
        differences=DIFFERENCES if shipped else (*DIFFERENCES, "One seed of each method; the paper: three."),
        plans=(STUDY, CONTROL),
        shipped=(STUDY,) if shipped else (),
        gallery=(*(() if shipped else OF_GALLERY.values()), ONE_STEP),
        pictures=("paper-3-cifar10",),
    )


def _over_baselines(says: str, published: str, of: Accuracies, baselines: Sequence[str]) -> Part:
    there = {method: BASELINES[method] for method in baselines if of.get(method)}
    if not of.get(FOP) or len(there) < len(baselines):  # of all nothing is known while one is missing
        return Part(says, published)
    differences = {method: above(of[FOP], of[method]) for method in there}
    adjusted = dict(zip(differences, holm([each.p for each in differences.values()])))
    better = [method for method, each in differences.items() if comes_out(each, adjusted[method])]
    points = ", ".join(f"{name} {signed(differences[method].mean, 1)}" for method, name in there.items())
    n = min(each.n for each in differences.values())
    test = tests_words(differences.values())
    measured = f"FOP less {points} points; above {len(better)} of {len(there)} (n = {n}; {test})"
    return Part(says, published, measured, len(better) == len(there))


def fixed_control(first: Accuracies, last: Accuracies) -> Control:
    """Return the control of Figure 3 that learns nothing, by the accuracies after one epoch and in the end."""
    what = "A fixed P that takes the mean over a kernel out of the gradient, P = I − c 11ᵀ: nothing is learned."
    if not all(of.get(method) for of in (first, last) for method in ("mean-removing", FOP, SGD)):
        return Control(what)
    return Control(
        what,
        f"It less SGD after one epoch: {compared(first['mean-removing'], first[SGD])}; FOP less SGD "
        f"{signed(above(first[FOP], first[SGD]).mean)}. In the end: "
        f"{signed(above(last['mean-removing'], last[SGD]).mean)}, FOP "
        f"{signed(above(last[FOP], last[SGD]).mean)} points.",
    )


def _one_step(evidence: Evidence, first: Accuracies, last: Accuracies) -> Control:
    what = "The hypergradient of the last step alone around momentum, as in the paper's section 2.4; one seed."
    epochs, accuracy = evidence.gallery.run(ONE_STEP).metrics.over("epoch", "test_accuracy")
    shows = []
    for when, epoch, of in (("After one epoch", EPOCHS[0], first), ("In the end", EPOCHS[-1], last)):
        reached = 100 * float(accuracy[int(np.argmin(np.abs(epochs - epoch)))])
        others = {"SGD": of.get(SGD, {}), "FOP": of.get(FOP, {})}
        beside = ", ".join(f"{name} {spread(values)}" for name, values in others.items() if values)
        shows.append(f"{when} it is at {reached:.2f} %{f'; {beside}' if beside else ''}.")
    return Control(what, " ".join(shows))


def _of_p(evidence: Evidence, first: Accuracies, last: Accuracies) -> list[Control]:
    """Return the controls that are made of the P of FOP's own runs."""
    packed, plan = evidence.study(CONTROL), PLANS[CONTROL]
    count = plan.runs // len(KINDS)
    cost = f"{count} runs, {count * plan.seconds / 3600:.1f} hours of one core"
    made = []
    for kind, what in KINDS.items():
        shows = []
        for when, epoch, of in (("After one epoch", EPOCHS[0], first), ("In the end", EPOCHS[-1], last)):
            ours = {} if packed is None else percent(packed.of(kind), epoch)
            if ours and of.get(SGD) and of.get(FOP):
                less_sgd, fop = compared(ours, of[SGD]), compared(of[FOP], ours)
                shows.append(f"{when}, it less SGD: {less_sgd}; FOP less it: {fop}.")
        made.append(Control(what, " ".join(shows)) if shows else Control(f"{what} It takes {cost}."))
    return made


def rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of Figure 3's upper half."""
    at = {epoch: accuracies(evidence, epoch) for epoch in EPOCHS}
    head = ["method", *(f"epoch {epoch}" for epoch in EPOCHS), "n"]
    packed = evidence.study(CONTROL)
    for epoch, kind in itertools.product(EPOCHS, () if packed is None else KINDS):
        at[epoch][f"control, {kind}"] = percent(packed.of(kind), epoch) if packed is not None else {}
    return head, [
        [method, *(spread(at[epoch][method]) for epoch in EPOCHS), str(len(of))]
        for method, of in at[EPOCHS[-1]].items()
        if of
    ]
