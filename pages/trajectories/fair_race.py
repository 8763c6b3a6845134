"""The fair race: each optimizer at the learning rate that suits it best, beside the race at the given ones."""

from collections.abc import Mapping, Sequence

import streamlit as st

from fop_core.figures import fair
from fop_core.figures.style import METHODS, plain
from pages.components.plot import plot
from pages.shared.form import Form
from pages.shared.race.remembered import Result, Spec, rate, results, sweeps, swept_steps
from pages.shared.race.rules import KINDS, of_rule
from pages.trajectories.exports import path_stem
from toy_functions.basins import CONVERGED, DIVERGED
from toy_functions.tuning import Sweep


def draw(form: Form, spec: Spec, tuned: Spec | None) -> None:
    """Show steps against learning rate and both races, or the way there.

    Args:
        form: of the page.
        spec: of the race at the given rates.
        tuned: the same with each at its best; None where that is not asked for.
    """
    st.subheader("A fair race", anchor=False)
    if tuned is None:
        st.markdown(
            "At one learning rate for all, who wins depends on the rate. Find for each the one that suits it best."
        )
        st.button("Find each optimizer's best rate", on_click=lambda: form.put(rates="best"), key=f"{form.page} tune")
        return
    swept = sweeps(spec)
    with st.container(key="fair-race"):
        left, right = st.columns([5, 4], gap="medium")  # the table has five columns
    with left:
        rates = [
            fair.RuleRates(
                name,
                sweep.rates,
                sweep.converged_steps,
                rate(spec, name),
                sweep.best,
                doubt(sweep),
            )
            for name, sweep in swept.items()
        ]
        figure, alt = fair.rates(rates), "Steps against learning rate"
        plot(figure, of=path_stem(spec), key="rates", alt=alt, aspect=1.7, heights=(280, 360))
        st.caption(
            "Steps to the tolerance against the learning rate. Symbols: fewest steps; rings: the given rates. Where a "
            f"line has a gap or ends, the run diverges or takes more than {swept_steps(spec):,} steps."
        )
    with right:
        rows = ["| | given ε | steps | best ε | steps |", "| --- | --: | --: | --: | --: |"]
        for one, other in zip(results(spec), results(tuned)):
            name = one.run.rule
            cells = [plain(rate(spec, name)), _steps(one), plain(rate(tuned, name)), _steps(other)]
            if swept[name].best is None:
                cells[2:] = ["none", "–"]
            elif of_best := doubt(swept[name]):
                cells[2] += f", {of_best.partition(':')[0]}"
            rows.append(f"| {METHODS[name].name} | {' | '.join(cells)} |")
        st.markdown("\n".join(rows))
        for sentence in remarks(swept):
            st.caption(sentence)
        if spec.seeds > 1:
            st.caption(f"Tuned and counted with seed {spec.seed} alone.")
        st.button(
            "Back to the given rates",
            on_click=lambda: form.put(rates=form.values[form.preset]["rates"]),
            key=f"{form.page} untune",
        )


def doubt(sweep: Sweep) -> str:
    """Return why the rate of fewest steps is not called the best; nothing where the rates beside it converge too."""
    failing = sweep.beside[sweep.beside != CONVERGED]
    diverged = bool((failing == DIVERGED).all())
    if not failing.size:
        return ""
    if failing.size < sweep.beside.size:
        return f"an edge: one neighbour {'diverges' if diverged else 'does not converge'}"
    return f"an island: neighbours {'diverge' if diverged else 'do not converge'}"


def remarks(swept: Mapping[str, Sweep]) -> list[str]:
    """Return which rates are not called the best, and what of each rule was tuned, in sentences."""
    doubts = {name: of_best for name, sweep in swept.items() if (of_best := doubt(sweep))}
    learners = [name for name in swept if "hyper_lr" in of_rule(name)]
    by_rho = [name for name in learners if KINDS[name].main_rate == "hyper_lr"]
    fixed = [name for name in learners if name not in by_rho]
    return [
        *(f"{METHODS[name].name}: not called the best, {of_best}." for name, of_best in doubts.items()),
        *([f"Only ε is tuned: ρ of {_listed(fixed)} stays as it is set."] if fixed else []),
        *([f"Of {_listed(by_rho)} the rate here is ρ."] if by_rho else []),
    ]


def _listed(rules: Sequence[str]) -> str:
    *others, last = (METHODS[name].name for name in rules)
    return f"{', '.join(others)} and {last}" if others else last


def _steps(result: Result) -> str:
    if result.run.status == "converged":
        return f"{result.run.steps:,}"
    return "diverged" if result.run.status == "diverged" else f"> {result.run.steps:,}"
