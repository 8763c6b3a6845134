"""A card's studies: what they take, and the button that launches them."""

import json
from collections.abc import Sequence

import streamlit as st

from fop_core.reproduction.plans import PLANS, Plan
from fop_core.reproduction.verdicts import Card
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import predict, store, submit
from fop_core.studies.predict import Prediction
from fop_core.training.config import ConfigError
from pages.paper.costs import cost, planned, run_count, runs_of, study
from pages.shared.listing import listing
from pages.shared.study_data import missing
from pages.shared.text import literal

ASKED, TROUBLE, MEASURE, MEASURED = "paper asks", "paper trouble", "paper measures", "paper measured"
SIZES = {"quick": "Quick, minutes", "full": "Full"}


def plans(card: Card) -> list[Plan]:
    """Return the plans of a card."""
    return [PLANS[name] for name in card.plans if name in PLANS]


def not_run(card: Card) -> None:
    """Say of a card that was not run what its studies would take."""
    for plan in plans(card):
        st.markdown(f"**Planned.** {literal(plan.about)} {literal(planned(plan))}.")


def button(card: Card) -> None:
    """Show the button that asks before anything is launched."""
    if plans(card):
        st.button("Rerun as a study…", on_click=_ask, args=(card.name,), key=f"rerun {card.name}")


def _ask(name: str) -> None:
    st.session_state[ASKED] = "" if st.session_state.get(ASKED) == name else name


def question(card: Card, there: Sequence[str]) -> None:
    """Show what the card's studies take, and the button that launches them, where the reader has asked for it.

    Args:
        card: the card.
        there: the ids of the studies that there are.
    """
    if trouble := st.session_state.pop(f"{TROUBLE} {card.name}", ""):
        st.error(literal(trouble))
    if st.session_state.get(ASKED) != card.name:
        return
    with st.container(border=True, key=f"ask {card.name}"):
        size = st.segmented_control(
            f"How much of {card.title}",
            list(SIZES),
            format_func=SIZES.__getitem__,
            default="quick",
            key=f"size {card.name}",
            required=True,
            label_visibility="collapsed",
        )
        quick = size == "quick"
        todo, unknown = [], []
        for plan in plans(card):
            of = study(plan, quick)
            if of.name in there:
                st.markdown(f"**{literal(of.name)}** is there already: open it above.")
                continue
            if without := missing(of):
                st.markdown(f"**{literal(of.name)}** cannot be launched. The data are missing: {without}")
                continue
            if _takes(plan, quick):
                unknown.append(plan)
            todo.append(plan)
        count = sum(runs_of(plan, quick) for plan in todo)
        with st.container(horizontal=True, vertical_alignment="center"):
            st.button(
                f"Launch {run_count(count)}",
                type="primary",
                disabled=not todo,
                on_click=_go,
                args=(card.name, [plan.name for plan in todo], quick),
                key=f"launch {card.name}",
            )
            if unknown:
                st.button(
                    "Measure time and disk",
                    on_click=_measure,
                    args=([plan.name for plan in unknown], quick),
                    key=f"measure {card.name}",
                    help="Trains the first steps of each method now, in a process of its own",
                )
            st.button("Cancel", type="tertiary", on_click=_ask, args=(card.name,), key=f"cancel {card.name}")
        st.caption("They wait in this machine's queue. A study can be stopped at any time, and goes on from there.")


def _takes(plan: Plan, quick: bool) -> bool:
    """Show what a plan's study takes; return whether that is not known."""
    of = study(plan, quick)
    text = json.dumps(of.to_json())
    measured: dict[str, Prediction] = st.session_state.setdefault(MEASURED, {})
    try:
        if text in st.session_state.get(MEASURE, []):
            st.session_state[MEASURE].remove(text)
            with st.spinner("Training a few steps of each method …"):
                measured[text] = predict.predict(of, probe=True)
        takes = cost(plan, quick, measured.get(text))
    except (ConfigError, DamagedFile, RunError, OSError) as error:
        st.warning(literal(str(error)))
        return False
    st.markdown(
        f"**{literal(of.name)}** {literal(plan.about)}  \n"
        f"{literal(run_count(takes.runs))} · time {literal(takes.time)} · disk {literal(takes.disk)}"
    )
    return not takes.known


def _measure(names: Sequence[str], quick: bool) -> None:
    st.session_state[MEASURE] = [json.dumps(study(PLANS[name], quick).to_json()) for name in names]


def _go(card: str, names: Sequence[str], quick: bool) -> None:
    """Launch the studies that the question named, those but that have come to be there since."""
    troubles = []
    for name in names:
        of = study(PLANS[name], quick)
        try:
            if of.name in store.ids(runs.runs_folder()):
                continue
            done = submit.submit(of)
        except (ConfigError, DamagedFile, RunError, OSError) as error:
            troubles.append(f"{of.name}: {error}")
        else:
            troubles += dict.fromkeys(done.troubles.values())
    if troubles:
        st.session_state[f"{TROUBLE} {card}"] = "; ".join(troubles)
    else:
        st.session_state[ASKED] = ""
    listing(runs.runs_folder()).entries(now=True)  # they are there since this click
