"""Paper: each figure and theorem again, from real runs, with the controls that it lacked, and a verdict."""

import streamlit as st

from fop_core.reproduction.answers import short
from fop_core.reproduction.cards import cards, shipped_evidence
from fop_core.reproduction.lacking import Question, questions
from fop_core.reproduction.verdicts import Card
from fop_core.runs.files import DamagedFile, RunError
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.paper import card, shown
from pages.paper.settings import FIELDS, PRESETS, VALUES
from pages.shared.form import Form
from pages.shared.text import literal

LACKS = "What the paper lacks"
form = Form("paper", PRESETS, FIELDS, {"all": VALUES}, tuple(VALUES))
every: tuple[Card, ...] = ()
open_questions: tuple[Question, ...] = ()
answer: list[str] = []
trouble = ""
try:
    every, open_questions, answer = cards(), questions(), short(shipped_evidence())
except (RunError, DamagedFile, ValueError, OSError) as error:
    trouble = f"What ships of the runs cannot be read: {error}"

with st.sidebar, st.container(key="contents"):
    st.markdown(
        "\n".join(
            f"- {shown.STYLES[each.verdict].icon} [{literal(shown.short(each))}](#{shown.anchor(each)}): "
            f"{shown.STYLES[each.verdict].word.lower()}"
            for each in every
        )
    )
    if open_questions:
        lines = [
            f"- {shown.OUTCOMES[each.outcome].icon} [{literal(each.title)}](#{shown.anchor(each)}): "
            f"{shown.OUTCOMES[each.outcome].word.lower()}"
            for each in open_questions
        ]
        st.markdown("\n".join([f"[{LACKS}](#lacks)", "", *lines]))
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Paper", anchor=False, width="content")
    copy_link("copy")
form.draw_warnings()
if trouble:
    st.error(literal(trouble))
else:
    st.markdown("**Does FOP help?**")
st.markdown("\n".join(f"- {literal(line.removeprefix('- '))}" for line in answer))
for each in every:
    card.show(each, form)
if open_questions:
    st.header(LACKS, anchor="lacks")
for question in open_questions:
    card.ask(question, form)
deliver()
form.publish()
