"""Race optimizers on a surface, from one start, and see the paths, the losses and what is learned on the way."""

from dataclasses import replace

import streamlit as st

from fop_core.figures import interactive
from fop_core.figures.style import plain, point
from pages.parts import race_sidebar
from pages.parts.copy_link import copy_link
from pages.parts.form import Form
from pages.parts.plot import plot
from pages.parts.race_settings import FIELDS, PRESETS, VIEWS, spec, values
from pages.parts.readout import readout, summary
from pages.parts.spec import Spec, picture, results, surface
from pages.parts.text import literal
from toy_functions.scenes import SCENES

form = Form("trajectories", PRESETS, FIELDS, {name: values(scene) for name, scene in SCENES.items()}, VIEWS)
scene = SCENES[form.preset]

CHANGED = "The preset's settings, which have been changed here, are a reconstruction under which these counts come out."


def show(race: Spec) -> None:
    """Show a race: paths and table, losses and eigenvalues."""
    place = surface(race.surface)
    found = results(race)
    runs = [result.run for result in found]
    ground = picture(race, runs)
    ends = ", ".join(run.label for run in runs)
    key, log_steps = str(race.surface), form["axis"] == "log"

    left, right = st.columns([2, 1], gap="medium")
    with left:
        figure = interactive.trajectories(ground, runs, race.start, place.minima, key)
        plot(figure, key="paths", words=f"Paths over {place.name}: {ends}", aspect=1.0, heights=(0, 800), exact=True)
        st.caption(
            "Each path begins at the ring and carries its optimizer's symbol at steps 1, 10, 100, …; "
            f"{'crosses are minima, and ' if place.minima else ''}{ground.words}."
        )
    with right:
        published = scene.race.published if place is scene.race.surface else {}
        readout(found, published, race.tolerance, place, key="readout")
        if published:
            st.caption(f"**{summary(found, published)}** {scene.race.note if not form.changed() else CHANGED}")

    left, right = st.columns([2, 1], gap="medium")
    with left:
        figure = interactive.losses(runs, place.floor, race.tolerance, log_steps, key)
        plot(figure, key="losses", words=f"Loss against step: {ends}", aspect=1.7, heights=(280, 330))
        tolerance = plain(race.tolerance).replace("-", "\N{NON-BREAKING HYPHEN}")
        st.caption(f"The loss at each step: a run converges when it gets below {tolerance}, the tolerance.")
        form.draw("axis")
    with right:
        learned = interactive.eigenvalues(runs, log_steps, key)
        if learned is None:
            st.caption("FOP, S-HD and PP-HD learn a preconditioner P: choose one of them to see its eigenvalues here.")
            return
        plot(learned, key="eigenvalues", words=f"Eigenvalues of P: {ends}", aspect=0.95, heights=(280, 330))
        st.caption(
            "The two eigenvalues of the learned P: how many times longer it makes a step along its own two directions.",
            help="P, the preconditioner, multiplies the gradient before each step. It begins as the identity, both "
            "eigenvalues 1, the dotted line. Where one is negative, P turns that part of the gradient around.",
        )


with st.sidebar:
    understood = race_sidebar.draw(form)
race = spec(form.now)
if understood:
    st.session_state["last surface"] = race.surface
elif "last surface" in st.session_state:  # the picture stays while a formula is being typed
    race = replace(race, surface=st.session_state["last surface"])
shown = understood or "last surface" in st.session_state

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.header("Trajectories", anchor=False, width="content")
    copy_link("copy")
if not understood:
    st.markdown("The formula in the sidebar has a mistake." + " The last one without is still raced on." * shown)
elif form.changed():
    where = f"{surface(race.surface).name} from {point(*race.start)}"
    st.markdown(f"A race on {literal(where)}, changed from the preset “{scene.title}”.")
else:
    st.markdown(scene.sentence)
if form.warnings:
    st.warning(
        "Not all of the address could be used; the preset's own settings stand in for it.\n"
        + "\n".join(f"- {literal(warning)}" for warning in form.warnings)
    )
if shown and race.rules:
    show(race)
elif shown:
    st.info("Choose at least one optimizer in the sidebar.")
form.publish()
