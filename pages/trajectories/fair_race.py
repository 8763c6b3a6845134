"""The fair race: each optimizer at the learning rate that suits it best, beside the race at the given ones."""

import streamlit as st

from fop_core.figures import fair
from fop_core.figures.style import METHODS, plain
from pages.components.plot import plot
from pages.shared.form import Form
from pages.shared.race import Result, Spec, rate, results, sweeps, swept_steps
from pages.trajectories.exports import stem


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
            fair.Rates(
                name,
                sweep.rates,
                sweep.converged_steps,
                rate(spec, name),
                sweep.best,
            )
            for name, sweep in swept.items()
        ]
        figure, alt = fair.rates(rates), "Steps against learning rate"
        plot(figure, of=stem(spec), key="rates", alt=alt, aspect=1.7, heights=(280, 360))
        st.caption(
            "Steps to the tolerance against the learning rate. Symbols: the best; rings: the given rates. Where a line "
            f"has a gap or ends, the run diverges or takes more than {swept_steps(spec):,} steps."
        )
    with right:
        rows = ["| | given ε | steps | best ε | steps |", "| --- | --: | --: | --: | --: |"]
        for one, other in zip(results(spec), results(tuned)):
            name = one.run.rule
            cells = [plain(rate(spec, name)), _steps(one), plain(rate(tuned, name)), _steps(other)]
            if swept[name].best is None:
                cells[2:] = ["none", "–"]
            rows.append(f"| {METHODS[name].name} | {' | '.join(cells)} |")
        st.markdown("\n".join(rows))
        st.button(
            "Back to the given rates",
            on_click=lambda: form.put(rates=form.values[form.preset]["rates"]),
            key=f"{form.page} untune",
        )


def _steps(result: Result) -> str:
    if result.run.status == "converged":
        return f"{result.run.steps:,}"
    return "diverged" if result.run.status == "diverged" else f"> {result.run.steps:,}"
