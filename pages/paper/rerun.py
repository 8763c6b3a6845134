"""A card's studies: what they take, the button that launches them, and the runs that ship as runs of the reader's."""

import json
from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from fop_core.reproduction import forks, shipped
from fop_core.reproduction.cards import shipped_evidence
from fop_core.reproduction.plans import PLANS, Plan
from fop_core.reproduction.rerun import check, rerun, study_of
from fop_core.reproduction.verdicts import Card
from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.studies import predict
from fop_core.studies.cells import key
from fop_core.studies.predict import Prediction
from fop_core.training import config
from fop_core.training.config import ConfigError
from fop_core.training.datasets import DataError
from pages.components import download
from pages.components.download import File, Screen
from pages.paper.costs import cost, planned, run_count, runs_of, runs_of_all
from pages.paper.links import RUNS
from pages.shared import run_text
from pages.shared.listing import listing
from pages.shared.text import literal

OPEN, TROUBLE, MEASURE, MEASURED = "paper asks", "paper trouble", "paper measures", "paper measured"
SIZES = {"quick": "Quick, minutes", "full": "Full"}


def plans(card: Card) -> list[Plan]:
    """Return the plans of a card."""
    return [PLANS[name] for name in card.plans if name in PLANS]


def not_run(card: Card) -> None:
    """Say of a card that was not run what its studies would take."""
    for plan in plans(card):
        st.markdown(f"**Planned.** {literal(plan.about)} {literal(planned(plan))}.")
        download.button(
            "Study file (JSON)", partial(_study_file, plan.name), key=f"paper study {plan.name}", of=card.name
        )


def _study_file(name: str, screen: Screen) -> File:
    """Return a plan's study, as ``studies.protocol.parse`` reads it."""
    return File(f"{name}.json", json.dumps(PLANS[name].study.to_json(), indent=1, ensure_ascii=False) + "\n")


def button(card: Card) -> None:
    """Show the button that asks before anything is launched."""
    if plans(card):
        st.button("Rerun as a study…", on_click=_toggle, args=(card.name,), key=f"rerun {card.name}")


def _toggle(name: str) -> None:
    st.session_state[OPEN] = "" if st.session_state.get(OPEN) == name else name


def question(card: Card) -> None:
    """Show what the card's studies take, and the button that launches them, where the reader has asked for it."""
    if trouble := st.session_state.pop(f"{TROUBLE} {card.name}", ""):
        st.error(literal(trouble))
    if st.session_state.get(OPEN) != card.name:
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
        todo: list[Plan] = []
        unknown: list[Plan] = []
        for plan in plans(card):
            name = literal(study_of(plan, quick).name)
            try:
                known = check(plan, quick)
            except (ValueError, DataError, RunError, DamagedFile, OSError) as error:
                st.markdown(f"**{name}** cannot be launched: {run_text.message(str(error))}")
                continue
            if known:
                st.markdown(f"**{name}** is there already: open it above.")
                continue
            if _takes(plan, quick):
                unknown.append(plan)
            todo.append(plan)
        count = runs_of_all(todo, quick)
        shared = sum(runs_of(plan, quick) for plan in todo) - count
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
            st.button("Cancel", type="tertiary", on_click=_toggle, args=(card.name,), key=f"cancel {card.name}")
        if shared:
            st.caption(f"Trained once: {run_count(shared)} that two of these studies need.")
        st.caption("They wait in this machine's queue. A study can be stopped at any time, and goes on from there.")


def _takes(plan: Plan, quick: bool) -> bool:
    """Show what a plan's study takes; return whether that is not known."""
    of = study_of(plan, quick)
    text = json.dumps(of.to_json())
    measured: dict[str, Prediction] = st.session_state.setdefault(MEASURED, {})
    try:
        if text in st.session_state.get(MEASURE, []):
            st.session_state[MEASURE].remove(text)
            with st.spinner("Training a few steps of each method …"):
                measured[text] = predict.predict(of, probe=True, sources=plan.sources)
        takes = cost(plan, quick, measured.get(text))
    except (ValueError, DamagedFile, RunError, OSError) as error:
        st.warning(literal(str(error)))
        return False
    st.markdown(
        f"**{literal(of.name)}** {literal(plan.about)}  \n"
        f"{literal(run_count(takes.runs))} · time {literal(takes.time)} · disk {literal(takes.disk)}"
    )
    return not takes.known


def _measure(names: Sequence[str], quick: bool) -> None:
    st.session_state[MEASURE] = [json.dumps(study_of(PLANS[name], quick).to_json()) for name in names]


def _go(card: str, names: Sequence[str], quick: bool) -> None:
    """Launch the studies that the question named."""
    troubles = []
    for name in names:
        try:
            done = (forks.submit if forks.is_of_controls(name) else rerun)(PLANS[name], quick)
        except (ValueError, DataError, RunError, DamagedFile, OSError) as error:
            troubles.append(f"{name}: {error}")
        else:
            troubles += dict.fromkeys(done.troubles.values())
    st.session_state[f"{TROUBLE} {card}"] = "; ".join(troubles)
    if not troubles:
        st.session_state[OPEN] = ""
    listing(runs.runs_folder()).renew()  # they are there since this click


def unpacking(card: Card) -> None:
    """Show the button that writes the runs of a card's packed studies into the runs folder, or the way to them."""
    if not card.shipped:
        return
    evidence = shipped_evidence()
    studies = [packed for name in card.shipped if (packed := evidence.study(name)) is not None]
    keys = {run.id: run.cell.key for packed in studies for run in packed.runs}
    there = _keys_there(card, keys) & set(keys.values())
    if there:
        st.page_link(RUNS, label="Open its runs", query_params={"where": f"name~{','.join(card.shipped)}"})
    if count := len(set(keys.values()) - there):  # one that two of the studies have is one
        st.button(
            f"Put {'its' if not there else 'the other'} {run_count(count)} into Runs",
            on_click=_unpack,
            args=(card,),
            key=f"unpack {card.name}",
            help="They ship packed. This writes a folder for each into the runs folder, where a rerun takes them in.",
        )


def _keys_there(card: Card, packed: Mapping[str, str]) -> set[str]:
    """Return the keys of a card's cells of which there is a run: one that was unpacked, or one of a rerun.

    Args:
        card: the card.
        packed: the key of each run that ships, by its id.
    """
    made = set()
    for entry in listing(runs.runs_folder()).entries().values():
        try:
            if entry.damaged:
                continue
            origin = entry.run.about["lineage"].get("packed", "")
            if isinstance(origin, str) and origin in packed:
                made.add(packed[origin])
            elif entry.name.startswith(tuple(f"{name} " for name in card.shipped)):
                made.add(key(config.of_run(entry.run)))
        except (ConfigError, DamagedFile, OSError):
            continue
    return made


def _unpack(card: Card) -> None:
    evidence = shipped_evidence()
    try:
        for name in card.shipped:
            if (packed := evidence.study(name)) is not None:
                shipped.unpack(packed)
    except (RunError, DamagedFile, OSError) as error:
        st.session_state[f"{TROUBLE} {card.name}"] = str(error)
    listing(runs.runs_folder()).renew()
