"""A card: what the paper claims, what came of it here, and the way to the runs."""

from collections.abc import Sequence

import streamlit as st

from fop_core.formatting import NONE
from fop_core.reproduction.cards import shipped_evidence
from fop_core.reproduction.lacking import HEAD, Question
from fop_core.reproduction.picture import Picture
from fop_core.reproduction.pictures import PICTURES, drawable
from fop_core.reproduction.verdicts import Card, Part
from fop_core.studies import store
from pages.components.plot import plot
from pages.paper import rerun, shown, theorems
from pages.paper.links import links
from pages.paper.settings import picture_field
from pages.shared.form import Form
from pages.shared.text import literal

DEMONSTRATED = {"theorem-1": theorems.first, "theorem-2": theorems.second}
HEIGHTS = (240, 420)  # px of a chart
BESIDE = 3  # parts of a claim that stand beside its picture


@st.cache_resource(show_spinner=False)
def _picture(name: str) -> Picture:
    _, draw = PICTURES[name]
    return draw(shipped_evidence())


def show(card: Card, form: Form) -> None:
    """Show a card."""
    with st.container(border=True, key=f"card {card.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(literal(card.title), anchor=shown.anchor(card), width="content")
            style = shown.STYLES[card.verdict]
            st.badge(shown.verdict(card), icon=style.icon, color=style.color)
        st.markdown(literal(card.claim))
        drawn = drawable(card, shipped_evidence())
        if drawn:
            left, right = st.columns([3, 2], gap="medium")
            with left:
                st.fragment(_pictures)(card, drawn, form)
            with right:
                _parts(card.parts[:BESIDE])
            _below(card.parts[BESIDE:])
        else:
            _below(card.parts)
        _controls(card)
        if card.verdict == "not run":
            rerun.not_run(card)
        if card.name in DEMONSTRATED:
            st.fragment(DEMONSTRATED[card.name])(form)
        _differences(card)
        st.fragment(_ways)(card)


def ask(question: Question, form: Form) -> None:
    """Show a question that the paper leaves open, as ``show`` does a claim: its table beside what is compared."""
    with st.container(border=True, key=f"card {question.name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(literal(question.title), anchor=shown.anchor(question), width="content")
            style = shown.OUTCOMES[question.outcome]
            st.badge(style.word, icon=style.icon, color=style.color)
        st.markdown(literal(question.claim))
        drawn = drawable(question, shipped_evidence())
        if drawn:
            st.fragment(_pictures)(question, drawn, form)
        _below(question.parts)
        if question.rows:
            used = [index for index in range(len(HEAD)) if any(row[index] != NONE for row in question.rows)]
            rows = [{HEAD[index]: literal(row[index]) for index in used} for row in question.rows]
            st.table(rows, hide_index=True, border="horizontal")
        else:
            rerun.not_run(question)
        _differences(question)
        st.fragment(_ways)(question)


def _pictures(card: Card, drawn: Sequence[str], form: Form) -> None:
    """Show a card's picture, and the choice among several."""
    name, key = picture_field(card.name), f"paper picture {card.name}"
    at = form[name] if form[name] in drawn else drawn[0]
    if len(drawn) > 1:
        st.session_state[key] = at

        def chosen() -> None:
            form.put(**{name: "" if st.session_state[key] == drawn[0] else st.session_state[key]})

        st.segmented_control(
            f"Picture of {shown.short(card)}",
            drawn,
            format_func=lambda each: PICTURES[each][0],
            key=key,
            required=True,
            label_visibility="collapsed",
            on_change=chosen,
        )
    picture = _picture(at)
    rows = [picture.panels[begin : begin + 2] for begin in range(0, len(picture.panels), 2)]
    for row_index, row in enumerate(rows):
        for index, (panel, column) in enumerate(zip(row, st.columns(len(row)) if len(row) > 1 else [st.container()])):
            with column:
                plot(
                    panel.figure,
                    of=shown.short(card),
                    key=f"picture {card.name} {2 * row_index + index}",
                    alt=panel.alt,
                    aspect=panel.aspect,
                    heights=HEIGHTS,
                )
    st.caption(literal(picture.caption))
    form.publish()


def _below(parts: Sequence[Part]) -> None:
    """Show parts two by two."""
    for begin in range(0, len(parts), 2):
        for part, column in zip(parts[begin : begin + 2], st.columns(2, gap="medium")):
            with column:
                _parts([part])


def _parts(parts: Sequence[Part]) -> None:
    """Show parts of a claim, published beside measured."""
    for part in parts:
        icon, word = shown.outcome(part)
        with st.container(gap="xxsmall"):
            st.markdown(f"{icon} **{word}.** {literal(part.says)}")
            numbers = [("Published", part.published), ("Measured", part.measured)]
            said = [f"{what}: {literal(number)}" for what, number in numbers if number]
            if said:
                st.caption("  \n".join(said))


def _differences(card: Card) -> None:
    """Show in what the settings are others than the paper's."""
    if card.differences:
        count = len(card.differences)
        with st.expander(f"What differs from the paper ({count})", key=f"differences {card.name}"):
            st.markdown("\n".join(f"- {literal(each)}" for each in card.differences))


def _controls(card: Card) -> None:
    """Show what the paper did not try, and what comes of it."""
    for control in card.controls:
        shows = f"**It shows:** {literal(control.shows)}" if control.shows else "Not run."
        st.markdown(f"**Control.** {literal(control.what)} {shows}")


def _ways(card: Card) -> None:
    """Show where a card leads to, the way to run it again, and the command that prints it."""
    with st.container(horizontal=True, vertical_alignment="center", key=f"ways {card.name}"):
        for link in links(card, store.ids()):
            st.page_link(link.page, label=literal(link.label), query_params=dict(link.query))
        rerun.unpacking(card)
        rerun.button(card)
    rerun.question(card)
    st.code(card.command, language="bash", wrap_lines=True)
