"""Theorems 1 and 2 under the hand: a quadratic, what is claimed of it, and what is true."""

from collections.abc import Sequence
from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fop_core.figures import theorems as drawings
from fop_core.figures.theorems import Mark
from fop_core.reproduction import demonstrations
from fop_core.reproduction.demonstrations import Second
from fop_core.reproduction.theorems import Quadratic
from pages.components.plot import plot
from pages.paper import sentences
from pages.paper.settings import CASES, QUADRATIC
from pages.shared.form import Form

SYMBOLS = {"stated": "circle", "proven": "diamond", "repaired": "square"}
ABOUT_1 = """
The theorem scales P to the norm γ(t) = δ(t)‖P‖ + (1 − δ(t)) p∞, here with δ(t) = 1/t². Its proof bounds what is
learned: ‖P‖ ≤ ‖P₀‖ + tρK², with K the largest gradient met. That is shown for P learned directly, by plain steps.
The descent is of f = θᵀHθ/2 from θ = (1, 1).
"""
ABOUT_2 = """
For f = θᵀHθ/2 the largest factor that a step s leaves of f, over all θ, is ‖I − s H½PH½‖². That is the line.
A claim below the line is too strong. The repaired one needs no more than P > 0.
"""


def first(form: Form) -> None:
    """Show Theorem 1, with what moves it."""
    left = _columns(form, "t1", ("form", "limit", "rho"))
    quadratic = _quadratic(form, "t1")
    limit = float(form["t1.limit"])
    shown = demonstrations.first(quadratic, form["t1.form"], limit, form["t1.rho"])
    of_bound, of_promise = sentences.first(shown, quadratic, limit)
    with left:
        st.markdown(of_bound, help=ABOUT_1)
        plot(
            drawings.norms(shown.descent.norms, shown.descent.bounds, key="t1"),
            of="theorem 1",
            key="theorem 1 norms",
            alt=f"The norm of P and its bound over steps. {_plain(of_bound)}",
            aspect=2.4,
            heights=(220, 280),
        )
        st.markdown(of_promise)
        plot(
            drawings.losses(shown.descent.losses, key="t1"),
            of="theorem 1",
            key="theorem 1 losses",
            alt=f"f over steps. {_plain(of_promise)}",
            aspect=2.4,
            heights=(220, 280),
        )
    form.publish()


def second(form: Form) -> None:
    """Show Theorem 2, with what moves it."""
    left = _columns(form, "t2", ())
    shown = demonstrations.second(_quadratic(form, "t2"))
    with left:
        said = sentences.second(shown)
        st.markdown(said, help=ABOUT_2)
        plot(
            drawings.contraction(shown.steps, shown.worst, _marks(shown), key="t2"),
            of="theorem 2",
            key="theorem 2 factors",
            alt=f"The largest factor that a step leaves of f, over its length, and what is claimed. {_plain(said)}",
            aspect=2.0,
            heights=(260, 340),
        )
        others = [claim for claim in shown.claims if claim.name != "stated"]
        st.markdown(
            "\n".join(
                f"- {sentences.NAMES[claim.name]}, with the step {sentences.STEP[claim.name]} and the factor "
                f"{sentences.FACTOR[claim.name]}, it {sentences.comparison(claim)}"
                for claim in others
            )
        )
    form.publish()


def _marks(shown: Second) -> list[Mark]:
    marks = []
    for claim in shown.claims:
        made = claim.contraction
        if made is not None:
            label = sentences.NAMES[claim.name].lower()
            marks.append(Mark(label, made.step, made.stated, made.worst, SYMBOLS[claim.name], made.holds))
    return marks


def _columns(form: Form, theorem: str, more: Sequence[str]) -> DeltaGenerator:
    """Show all that moves a theorem in the right of two columns; return the left."""
    left, right = st.columns([2, 1], gap="medium")
    with right:
        with st.container(horizontal=True, gap="small"):
            for case in CASES[theorem]:
                settings = case.settings(theorem)
                st.button(case.label, on_click=partial(form.put, **settings), key=f"{theorem} {case.label}")
        for name in (*more, *QUADRATIC):
            form.draw(f"{theorem}.{name}")
    return left


def _quadratic(form: Form, theorem: str) -> Quadratic:
    return demonstrations.symmetric(*(float(form[f"{theorem}.{name}"]) for name in QUADRATIC))


def _plain(markdown: str) -> str:
    """Return a sentence without its marks, for a screen reader."""
    return markdown.replace("**", "").replace(":material/check_circle: ", "").replace(":material/cancel: ", "")
