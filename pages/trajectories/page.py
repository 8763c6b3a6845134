"""Race optimizers on a surface, from one start, and see the paths, the losses and what is learned on the way."""

import math
from dataclasses import replace
from functools import partial

import streamlit as st

from fop_core.figures import interactive
from fop_core.figures.runs import Run
from fop_core.figures.style import METHODS, plain, point
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.components.plot import plot
from pages.shared import race_sidebar
from pages.shared.form import Form
from pages.shared.progress import progress
from pages.shared.race import Result, Spec, at_best, picture, results, surface
from pages.shared.race_settings import FIELDS, PRESETS, VIEWS, spec, surface_spec, values
from pages.shared.text import literal
from pages.trajectories import exports, fair_race
from pages.trajectories.learned import learned
from pages.trajectories.player import player
from pages.trajectories.readout import readout, summary
from toy_functions.scenes import SCENES
from toy_functions.surfaces import Surface

form = Form(
    "trajectories",
    PRESETS,
    FIELDS,
    {name: values(scene) for name, scene in SCENES.items()},
    VIEWS,
    before="paper-booth",
)
form.put_again()
scene = SCENES[form.preset]


def origin() -> str:
    """Return where a race comes from that is no preset, in words."""
    decisive = {name: text for name, text in form.address().items() if name not in VIEWS}
    if decisive == st.session_state.get("race of a map"):
        return ", opened from a map in Basins"
    return f", changed from the preset “{scene.title}”" if race_sidebar.of_preset(form) else ""


def from_click() -> None:
    """Take the start that the reader has set on the surface, to a thousandth of the view."""
    clicked = st.session_state["race"].start
    left, right, bottom, top = surface(surface_spec(form.now)).view
    digits = [max(0, 3 - math.floor(math.log10(size))) for size in (right - left, top - bottom)]
    form.put(x=round(clicked["x"], digits[0]), y=round(clicked["y"], digits[1]))
    st.session_state["clicks"] = st.session_state.get("clicks", 0) + 1


def show(untuned: Spec) -> None:
    """Show a race: the player and the table, losses, what is learned, and the fair race.

    Args:
        untuned: the race at the rates that are set.
    """
    bar = st.empty()
    tuned = None
    if form["rates"] == "best":
        tuned = at_best(untuned, progress(bar, "Looking for each optimizer's best learning rate"))
    race = tuned or untuned
    objective = surface(race.surface)
    outcomes = results(race, progress(bar, "Racing"))
    if tuned is not None:
        results(untuned, progress(bar, "Racing at the given rates"))  # for the fair race below
    bar.empty()
    runs = [result.run for result in outcomes]
    key, log_steps = str(race.surface), form["axis"] == "log"

    published = _published() if objective is scene.race.surface and tuned is None else {}
    learners = [result for result in outcomes if result.learned is not None]

    left, right = st.columns([2, 1], gap="medium")
    with left:
        surface_image = picture(race, runs)
        player(
            race,
            outcomes,
            surface_image,
            objective,
            key="race",
            clicks=st.session_state.get("clicks", 0),
            log_steps=log_steps,
            arrows=form["arrows"],
            solid=form["view"] == "3d",
            on_start=from_click,
        )
        st.caption(
            "Click on the surface to start all from there. Symbols stand at steps 1, 10, 100, …; "
            f"{'crosses are minima, and ' if objective.minima else ''}{surface_image.description}."
        )
    with tools:
        exports.draw(exports.Shown(race, runs, surface_image, log_steps))
    with right:
        with st.container(horizontal=True, vertical_alignment="center"):
            for name in ("view", "axis", "arrows"):
                form.draw(name)
        readout(outcomes, published, race.tolerance, objective, key="readout")
        if published:
            badge = summary(outcomes, published)
            st.caption(
                f"**{badge}** The settings are a reconstruction.",
                help=scene.race.note,
            )
        if learners:
            learned(learners, key="learned")
            st.caption(
                "In colour the shape of P, in black that of H⁻¹, with which each step would be Newton's. P grows where "
                "successive gradients agree and shrinks where they turn: small steps stretch it across H⁻¹, large or "
                "noisy ones bring it to lie along.",
                help="Each ellipse is what the matrix makes of a circle of steps, drawn to one size. Where H, the "
                "Hessian, has a negative eigenvalue, |H|⁻¹ is shown, dashed.",
            )
        else:
            st.caption("FOP, S-HD and PP-HD learn a preconditioner P: choose one of them to see it here.")

    _losses(race, runs, objective, key, log_steps)
    if learners:
        _learning(race, learners, key, log_steps)
    fair_race.draw(form, untuned, tuned)


def _published() -> dict[str, int]:
    """Return the published step counts of the optimizers that run as published, by their names.

    Each runs by itself: which others are in the race changes no count.
    """
    changed = {name.partition(".")[0] for name in form.changed()} - {"rules"}
    if changed - set(METHODS):
        return {}
    names = {METHODS[rule].name for rule in changed}
    return {name: count for name, count in scene.race.published.items() if name not in names}


def _losses(race: Spec, runs: list[Run], objective: Surface, key: str, log_steps: bool) -> None:
    if form["loss"] == "tolerance":
        figure = interactive.steps_to_tolerance(runs, objective.floor, log_steps, key)
        alt = "The step after which f has been below a tolerance: what another tolerance would have counted."
    else:
        figure = interactive.losses(runs, objective.floor, race.tolerance, log_steps, key, form["loss"] == "log")
        tolerance = plain(race.tolerance).replace("-", "\N{NON-BREAKING HYPHEN}")
        what = "f" if objective.floor == 0 else "f − f*"
        alt = (
            f"The loss at each step: a run converges when {what} gets below {tolerance}, the tolerance."
            if math.isfinite(objective.floor)
            else "The loss at each step. No lowest value is known, so no run converges."
        )
    ends = ", ".join(run.label for run in runs)
    follows = form["loss"] != "tolerance"
    title, of = f"Loss against step: {ends}", exports.stem(race)
    plot(figure, of=of, key="losses", alt=title, aspect=2.6, heights=(280, 360), follows=follows)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(alt, width="content")
        form.draw("loss")


def _learning(race: Spec, learners: list[Result], key: str, log_steps: bool) -> None:
    small = partial(plot, of=exports.stem(race), aspect=1.7, heights=(240, 300), follows=True)
    left, right = st.columns(2, gap="medium")
    with left:
        figure = interactive.eigenvalues([result.run for result in learners], log_steps, key)
        if figure is not None:
            small(figure, key="eigenvalues", alt="Eigenvalues of P")
        st.caption(
            "The two eigenvalues of P: how many times longer it makes a step along its own two directions.",
            help="P, the preconditioner, multiplies the gradient before each step. At a scale of 1 it begins as the "
            "identity, both eigenvalues 1, the dotted line. Where one is negative, P turns that part of the gradient "
            "around.",
        )
    with right:
        turned = [(result.run, result.learned) for result in learners if result.learned is not None]
        figure = interactive.angles(turned, log_steps, key)
        if figure is not None:
            small(figure, key="angles", alt="Angle between g and P g")
        st.caption(
            "How far P turns the gradient g, as in the paper's Figure A.1.",
            help="While the angle is below 90° a small enough step still goes down.",
        )


understood = race_sidebar.understands(form)
race = spec(form.now)
if understood:
    st.session_state["last surface"] = race.surface
elif "last surface" in st.session_state:  # the picture stays while a formula is being typed
    race = replace(race, surface=st.session_state["last surface"])
shown = understood or "last surface" in st.session_state

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Trajectories", anchor=False, width="content")
    with st.container(key="tools", horizontal=True, width="content"):
        tools = st.container(width="content")
        copy_link("copy")
if not understood:
    st.markdown(
        "The formula or its view in the sidebar has a mistake." + " The last one without is still raced on." * shown
    )
elif form.changed():
    where = f"{surface(race.surface).name} from {point(*race.start)}"
    st.markdown(f"A race on {literal(where)}{origin()}.")
else:
    st.markdown(scene.sentence)
if race_sidebar.is_left_out(form):
    st.markdown(race_sidebar.LEFT_OUT)
form.draw_warnings()
if form.arrives:  # so that a long race can be changed
    with st.sidebar:
        race_sidebar.draw(form)
if shown and race.rules:
    show(race)
elif shown:
    st.info("Choose at least one optimizer in the sidebar.")
if not form.arrives:  # last, so that a click on the surface is answered before forty widgets are
    with st.sidebar:
        race_sidebar.draw(form)
deliver()
form.publish()
