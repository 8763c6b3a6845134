"""What docs/paper.md says of Figures 2, 3 and A.1, in sentences filled by numbers.

The words are written for the runs that ship; whether a difference is significant follows from the numbers.
"""

import numpy as np

from fop_core.reproduction import CIFAR, FULL, LOW_RANK, SETTLED, Gallery, angle_layers, cifar, contrasts, mnist, plans
from fop_core.reproduction.contrasts import Group
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import Corrected, above, corrected, p_words, percent, signed
from fop_core.reproduction.mnist import CLOSE, CONTROL, EPOCHS, INPUTS, LARGE, SGD, SMALL, USUAL, angles, usual_share
from fop_core.reproduction.plans import BEST_RATE, SMALL_RANKS, SMALL_RATE
from fop_core.reproduction.shipped import PackedRun
from fop_core.reproduction.verdicts import ALPHA

END = EPOCHS[-1]


def _with_p(made: Corrected) -> str:
    return f"{signed(made.difference.mean)} ({p_words(made.p)})"


def _between(values: list[float], unit: str, digits: int = 1) -> str:
    return f"{min(values):.{digits}f}{unit} to {max(values):.{digits}f}{unit}"


def _significant(group: Group) -> str:
    """Return how many of a group's comparisons are significant."""
    every = [each.p for of in group.at.values() for each in of.values()]
    return f"{sum(p < ALPHA for p in every)} of {len(every)}"


def _small(evidence: Evidence, std: float, *, learned: bool) -> list[PackedRun]:
    small = evidence.study(SMALL)
    return [] if small is None else small.of(plans.small("full", std, learned=learned))


def figure_2(evidence: Evidence) -> list[str]:
    """Return what Figure 2's tables say."""
    of_best = contrasts.groups(evidence)[0]
    small = contrasts.studies(evidence)[1]
    early = {
        over_sgd: {epoch: mnist.learning(small, CLOSE, epoch, over_sgd=over_sgd) for epoch in (1, 2, 3, END)}
        for over_sgd in (True, False)
    }
    full, never = (
        ", ".join(f"{_with_p(of['full'])} after epoch {epoch}" for epoch, of in early[over_sgd].items())
        for over_sgd in (True, False)
    )
    of_large = [mnist.learning(small, LARGE, epoch, over_sgd=False) for epoch in EPOCHS]
    adds = sum(each.p < ALPHA for of in of_large for each in of.values())
    runs = {learned: _small(evidence, CLOSE, learned=learned) for learned in (True, False)}
    longer = {
        learned: float(np.concatenate([run.metrics["length_ratio/1.weight"].values for run in of]).mean())
        for learned, of in runs.items()
    }
    last = float(np.mean([run.metrics["length_ratio/1.weight"].values[-1] for run in runs[True]]))
    turned = _between([float(angles(runs[True], layer).mean()) for layer in INPUTS], "°", 0)
    return [
        f"- At SGD's best rate, {BEST_RATE:g}, {_significant(of_best)} comparisons with SGD are significant, "
        f"after epochs {', '.join(map(str, of_best.at))}.",
        f"- At {SMALL_RATE:g} and σ = {LARGE:g} the paper's picture appears, the larger k the better, and the same P "
        f"that is never learned draws it too. What learning adds is significant in {adds} of "
        f"{sum(map(len, of_large))} comparisons, after epochs {', '.join(map(str, EPOCHS))}. But k = 1 ends above SGD, "
        f"too, by {_with_p(mnist.learning(small, LARGE, END, over_sgd=True)['k1'])}: by the paper's caption it should "
        "not.",
        f"- At {SMALL_RATE:g} and σ = {CLOSE:g} P starts close to I. Full rank less SGD: "
        f"{full}. Less the same P, never learned: {never}. "
        f"k = 100 less SGD after epoch 2: {_with_p(early[True][2]['k100'])}.",
        f"- There the learned P of full rank makes g {longer[True]:.0f} times as long on average in layer 1 "
        f"({last:.0f} times at the end; as drawn {longer[False]:.2f} times), and turns it by {turned} by layer from "
        f"step {SETTLED} on.",
    ]


def _so(above_it: int, below_it: int) -> str:
    """Return what follows of P's directions from at how many ranks FOP is above, and below, SGD with steps as long."""
    if above_it:
        return ""
    return f": P's directions do not help{', and where it is below they harm' if below_it else ''}"


def figure_2_length(evidence: Evidence) -> list[str]:
    """Return what the controls of the step's length say."""
    small, control = contrasts.studies(evidence)[1], evidence.study(CONTROL)
    sgd = percent(small.of(SGD))
    less = {}
    for rule, learned in (("length", True), ("length", False), ("start", True)):
        of = mnist.lengths(control, rule)
        there = [name for name in SMALL_RANKS if name in of]
        ours = [percent(small.of(plans.small(name, LARGE, learned=learned))) for name in there]
        made = corrected([above(each, of[name]) for name, each in zip(there, ours)], "ranks")
        less[rule, learned] = dict(zip(there, made))
    points = {
        of: ", ".join(f"{mnist.rank(name)} {_with_p(each)}" for name, each in made.items()) for of, made in less.items()
    }
    counts = [
        sum(each.p < ALPHA and (each.difference.mean > 0) is better for each in less["length", learned].values())
        for learned in (True, False)
        for better in (True, False)
    ]
    off = [above(values, sgd).mean for rule in mnist.LENGTHS for values in mnist.lengths(control, rule, CLOSE).values()]
    return [
        f"- With σ = {LARGE:g}, learned FOP less SGD whose gradients are as long as P g, and turned nowhere: "
        f"{points['length', True]}; significantly above it at {counts[0]} ranks, below it at {counts[1]}"
        f"{_so(*counts[:2])}.",
        f"- With the P that is never learned, of exactly that length, less that SGD: {points['length', False]}; "
        f"above it at {counts[2]} ranks, below it at {counts[3]}{_so(*counts[2:])}.",
        f"- Learned FOP less SGD at ε tr(P)/n, which counts only what is along g: {points['start', True]}. That SGD, "
        "too, has the picture, the larger k the better.",
        f"- With σ = {CLOSE:g} a P as drawn changes next to nothing, and so do the controls, which take it so: they "
        f"end {signed(min(off))} to {signed(max(off))} points off SGD. Of what is learned there they say nothing.",
    ]


def figure_3(evidence: Evidence) -> list[str]:
    """Return what Figure 3's table says."""
    at = {epoch: contrasts.on_cifar(evidence, epoch) for epoch in (1, 2, 4, *range(9, cifar.EPOCHS[-1] + 1))}
    both = {epoch: [signed(of[name].difference.mean) for name in ("FOP", "FOP-norm")] for epoch, of in at.items()}
    late = [at[epoch][name].difference.mean for epoch in at if epoch > 8 for name in ("FOP", "FOP-norm")]
    one_step = next(name for name in at[1] if "one-step" in name)
    ends = [at[epoch][one_step].difference.mean for epoch in (1, cifar.EPOCHS[-1])]
    n = at[1]["FOP"].difference.n
    seeds = f"n = {n}: no test" if n == 1 else f"n = {n}"
    return [
        f"- Less SGD with momentum: FOP {both[1][0]} and FOP-norm {both[1][1]} points after one epoch, {both[2][0]} "
        f"and {both[2][1]} after two, {both[4][0]} and {both[4][1]} after four ({seeds}).",
        f"- The rate falls after epoch 8. From then on both stay below SGD, by {-max(late):.1f} to {-min(late):.1f} "
        "points; the paper finds FOP above all of these at the end.",
        f"- The paper's own hypergradient (Eq. 4, one-step) around momentum, less SGD: {signed(ends[0])} after one "
        f"epoch, {signed(ends[1])} in the end (one seed).",
    ]


def figure_a1(evidence: Evidence) -> list[str]:
    """Return what Figure A.1's tables say."""
    settled = {name: _settled(evidence.gallery, name) for name in (FULL, LOW_RANK, CIFAR)}
    first, *others = (values for name in (FULL, LOW_RANK) for values in settled[name])
    usual = sum(int(((each >= USUAL[0]) & (each <= USUAL[1])).sum()) for each in (first, *others))
    runs = {
        words: _small(evidence, std, learned=learned)
        for words, std, learned in (("close", CLOSE, True), ("large", LARGE, True), ("drawn", LARGE, False))
    }
    of = {words: [angles(each, layer) for layer in INPUTS] for words, each in runs.items()}
    means = {words: _between([float(each.mean()) for each in layers], "°") for words, layers in of.items()}
    shares = {words: ", ".join(f"{100 * usual_share(each):.0f} %" for each in layers) for words, layers in of.items()}
    elsewhere = _between([float(each.mean()) for each in others], "°")
    out = sum(usual_share(each) > 0.5 for each in of["drawn"])
    between = f"between {USUAL[0]:.0f}° and {USUAL[1]:.0f}°"
    of_cifar = _between([float(values.mean()) for values in settled[CIFAR]], "°", 0)
    return [
        f"- At 0.05 and σ = {CLOSE:g}, the gallery's runs in the first table: {first.mean():.1f}° on average in the "
        f"first layer of full rank, {elsewhere} elsewhere. Of all their angles {usual} lie "
        f"{between}: the largest is {max(float(each.max()) for each in (first, *others)):.1f}°.",
        f"- At {SMALL_RATE:g} and σ = {CLOSE:g} learning turns g much further, at full rank by {means['close']} on "
        f"average, but not by the same angle in all layers. The layers' angles lie {between} {shares['close']} of the "
        "time.",
        f"- At {SMALL_RATE:g} and σ = {LARGE:g} the learned P of full rank turns g by {means['large']}; {between} "
        f"{shares['large']} of the time.",
        f"- **Nearest to the paper's picture is a full-rank M drawn with σ = {LARGE:g} and never learned**: "
        f"{means['drawn']} on average, {between} {shares['drawn']} of the time. By the card's rule, more than half of "
        f"the time in every layer, it comes out in {out} of {len(INPUTS)} layers. The "
        'paper wants σ² "small so that P starts out close to the identity", and does not say how small.',
        f"- On CIFAR-10, where M starts as the identity, the mean angle is {of_cifar} by layer, below the 90° at which "
        "a step would no longer descend: the part of the gradient that is constant over a kernel is gone.",
    ]


def _settled(gallery: Gallery, name: str) -> list[np.ndarray]:
    """Return the angles of each layer of a gallery's run, over all its seeds, from step ``SETTLED`` on."""
    runs = [gallery.run(CIFAR)] if name == CIFAR else gallery.seeds(name)
    series = [[run.metrics[f"angle_deg/{layer}"] for run in runs] for layer in angle_layers(runs)]
    return [np.concatenate([each.values[each.steps >= SETTLED] for each in of]) for of in series]
