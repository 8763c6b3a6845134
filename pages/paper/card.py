"""A card: what the paper claims, what came of it here, and the way to the runs."""

import streamlit as st

from fop_core.reproduction.verdicts import Card
from pages.paper import theorems
from pages.shared.form import Form
from pages.shared.text import literal

DEMONSTRATED = {"theorem-1": theorems.first, "theorem-2": theorems.second}


def show(card: Card, form: Form) -> None:
    """Show a card."""
    with st.container(border=True, key=f"card {card.name}"):
        st.subheader(card.title, anchor=anchor(card))
        st.markdown(literal(card.claim))
        if card.name in DEMONSTRATED:
            st.fragment(DEMONSTRATED[card.name])(form)


def anchor(card: Card) -> str:
    """Return the name of a card's place on the page."""
    return card.name if card.name.startswith("theorem") else f"figure-{card.name}"
