"""Paper: each figure and theorem again, from real runs, with the controls that it lacked, and a verdict."""

import streamlit as st

from fop_core.reproduction.cards import cards
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.paper import card
from pages.paper.settings import FIELDS, PRESETS, VALUES
from pages.shared.form import Form

form = Form("paper", PRESETS, FIELDS, {"all": VALUES}, tuple(VALUES))

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Paper", anchor=False, width="content")
    copy_link("copy")
form.draw_warnings()
for each in cards():
    card.show(each, form)
deliver()
form.publish()
