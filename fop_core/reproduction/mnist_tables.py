"""Tables of Figures 2 and A.1 on MNIST for docs/paper.md: each a head and rows."""

import math

from fop_core.reproduction import plans
from fop_core.reproduction.contrasts import cell
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, p_words, percent, signed, spread
from fop_core.reproduction.mnist import (
    BEST,
    CONTROL,
    EPOCHS,
    INPUTS,
    LENGTHS,
    SGD,
    SMALL,
    TUNE,
    angles,
    best_rate,
    chance_deg,
    learning,
    lengths,
    rank,
    rates,
    sgd_runs,
    there,
)
from fop_core.reproduction.plans import RANKS, SMALL_RANKS, STDS
from fop_core.studies.statistics import holm


def rate_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of SGD's rates: the head and the rows."""
    tune = evidence.study(TUNE)
    head = ["rate", "held-out accuracy", "n", ""]
    if tune is None:
        return head, []
    by_rate = rates(tune)
    trained = [rate for rate, values in by_rate.items() if all(map(math.isfinite, values.values()))]
    best = best_rate(tune) if trained else None
    return head, [
        [f"{rate:g}", spread(values), str(len(values)), "best" if rate == best else ""]
        for rate, values in by_rate.items()
    ]


def best_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of Figure 2 at SGD's best rate."""
    best = evidence.study(BEST)
    head = ["method", *(f"epoch {epoch}" for epoch in EPOCHS), "n", "less SGD", "p, Welch", "p, Holm"]
    runs = {SGD: sgd_runs(best)} | there(best, {name: name for name in RANKS})
    theirs = percent(runs[SGD])
    of = {name: above(percent(each), theirs) for name, each in runs.items() if name != SGD and theirs}
    adjusted = dict(zip(of, holm([each.p for each in of.values()])))
    rows = []
    for name, each in runs.items():
        if not each:
            continue
        cells = [spread(percent(each, epoch)) for epoch in EPOCHS]
        tests = [signed(of[name].mean), f"{of[name].p:.2f}", f"{adjusted[name]:.2f}"] if name in of else ["", "", ""]
        rows.append(["SGD" if name == SGD else f"FOP, {rank(name)}", *cells, str(len(each)), *tests])
    return head, rows


def small_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of Figure 2 at a rate too small for SGD: learned and never learned."""
    small = evidence.study(SMALL)
    head = [
        "σ",
        "method",
        "learned",
        "never learned",
        "n",
        "learned less never",
        "p, Welch",
        "p, Holm",
        "learned less SGD",
    ]
    if small is None or not (sgd := sgd_runs(small)):
        return head, []
    theirs = percent(sgd)
    rows = [["", "SGD", spread(theirs), "", str(len(theirs)), "", "", "", ""]]
    for std in STDS:
        both = {}
        for name in SMALL_RANKS:
            ours, drawn = (percent(small.of(plans.small(name, std, learned=each))) for each in (True, False))
            if ours and drawn:
                both[name] = ours, drawn
        adjusted = dict(zip(both, holm([above(*each).p for each in both.values()])))
        for name, (ours, drawn) in both.items():
            rows.append(
                [
                    f"{std:g}",
                    f"FOP, {rank(name)}",
                    spread(ours),
                    spread(drawn),
                    str(len(ours)),
                    signed(above(ours, drawn).mean),
                    *(
                        p_words(p).removeprefix("p = ").removeprefix("p ")
                        for p in (above(ours, drawn).p, adjusted[name])
                    ),
                    signed(above(ours, theirs).mean),
                ]
            )
    return head, rows


def length_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of SGD with steps as long as P makes them, beside FOP."""
    control, small = evidence.study(CONTROL), evidence.study(SMALL)
    head = ["σ", "P", "SGD at ε tr(P)/n", "SGD as long as P g", "FOP, never learned", "FOP, learned", "n"]
    rows = []
    for std in STDS:
        of = {rule: lengths(control, rule, std) for rule in LENGTHS}
        for name in SMALL_RANKS:
            fixed, learned = (
                [] if small is None else small.of(plans.small(name, std, learned=each)) for each in (False, True)
            )
            values = [*(of[rule].get(name, {}) for rule in LENGTHS), percent(fixed), percent(learned)]
            if any(of[rule].get(name) for rule in LENGTHS):
                n = min(len(each) for each in values if each)
                rows.append([f"{std:g}", rank(name), *(spread(each) for each in values), str(n)])
    return head, rows


def angle_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of angles by σ and rank: learned, never learned, and by the formula."""
    small = evidence.study(SMALL)
    head = ["σ", "method", "layer", "arctan(√(nk)σ²/(1 + kσ²))", "never learned", "learned", "learned, range"]
    rows = []
    for std in STDS if small is not None else ():
        for name in SMALL_RANKS:
            learned, fixed = (small.of(plans.small(name, std, learned=each)) for each in (True, False))  # type: ignore[union-attr]
            for layer, n in INPUTS.items():
                ours, drawn = angles(learned, layer), angles(fixed, layer)
                if not len(ours) or not len(drawn):
                    continue
                formula = chance_deg(n, min(n, RANKS[name]), std)
                between = f"{ours.min():.2f} to {ours.max():.2f}°"
                numbers = [f"{formula:.2f}°", f"{drawn.mean():.2f}°", f"{ours.mean():.2f}°", between]
                rows.append([f"{std:g}", f"FOP, {rank(name)}", layer, *numbers])
    return head, rows


def early_rows(evidence: Evidence) -> tuple[list[str], list[list[str]]]:
    """Return the table of what a P that is learned adds after some epochs, at a rate too small for SGD."""
    small = evidence.study(SMALL)
    head = ["σ", "learned, less", "method", *(f"epoch {epoch}" for epoch in EPOCHS)]
    rows = []
    for std in STDS if small is not None else ():
        for less, over_sgd in (("SGD", True), ("never learned", False)):
            of = {epoch: learning(small, std, epoch, over_sgd=over_sgd) for epoch in EPOCHS}  # type: ignore[arg-type]
            for name in SMALL_RANKS:
                cells = [cell(each[name]) if name in each else "–" for each in of.values()]
                if any(each != "–" for each in cells):
                    rows.append([f"{std:g}", less, f"FOP, {rank(name)}", *cells])
    return head, rows
