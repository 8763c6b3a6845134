"""Race optimizers on a surface, from one start, and see the paths, the losses and what is learned on the way."""

import math
from dataclasses import replace
from functools import partial

import streamlit as st

from fop_core.figures import interactive
from fop_core.figures.bands import Band
from fop_core.figures.relief import relief
from fop_core.figures.style import METHODS, plain, point
from fop_core.figures.trajectories import DrawnTrajectory
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.components.plot import plot
from pages.shared.form import Form
from pages.shared.progress import progress, unhurried
from pages.shared.race import sidebar as race_sidebar
from pages.shared.race.remembered import Result, Spec, at_best, bands, picture, results, surface
from pages.shared.race.settings import FIELDS, PRESETS, VIEWS, spec, surface_spec, values
from pages.shared.text import literal
from pages.trajectories import eigen_errors, exports, fair_race, seeds
from pages.trajectories.live import movable
from pages.trajectories.player import player
from pages.trajectories.readout import readout, summary
from pages.trajectories.update import update
from toy_functions.framing import digits
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
scene = SCENES[form.preset]

READING = """
Symbols on a path stand at steps 1, 10, 100, …

At the head of the run that is chosen beside the picture:
- the shape of P in its colour, that of H⁻¹ in black: what each makes of a circle of steps, drawn to one size. Where H,
the Hessian, has a negative eigenvalue, |H|⁻¹ is shown, dashed.
- −ε g in black and −ε P g in its colour, as long as they move the head. Where the longer one is too short or too long
to be drawn, both are multiplied or divided by the number beside them.
"""


def about() -> str:
    """Return what the race is: the preset's sentence with what differs from the preset, or a race of the reader's."""
    changes = race_sidebar.changes(form)
    if not changes:
        return scene.sentence
    decisive = {name: text for name, text in form.address().items() if name not in VIEWS}
    of_map = decisive == st.session_state.get("race of a map")
    if race_sidebar.of_preset(form) and not of_map:
        return f"{scene.sentence} **Changed:** {changes}. It may come out otherwise."
    where = literal(f"{surface(race.surface).name} from {point(*race.start)}")
    return f"A race on {where}{', opened from a map in Basins' if of_map else ''}."


def from_click() -> None:
    """Take the start that the reader has set on the surface, to a thousandth of the view."""
    clicked = st.session_state["race"].start
    across, up = digits(surface(surface_spec(form.now)).view)
    form.put(x=round(clicked["x"], across), y=round(clicked["y"], up))
    st.session_state["clicks"] = st.session_state.get("clicks", 0) + 1


def from_legend() -> None:
    """Take over which runs the reader has hidden."""
    form.put(hidden=st.session_state["race"].hidden)


def from_slider() -> None:
    """Take the rate that the reader has moved, as if it had been written into its field."""
    for name, value in st.session_state["race"].rates.items():
        form.put(**{name: form.fields[name].read(repr(value))})


def show(untuned: Spec) -> None:
    """Show a race: the player and the table, losses, what is learned, and the fair race.

    Args:
        untuned: the race at the rates that are set.
    """
    bar = sentence.empty()
    tuned = None
    if form["rates"] == "best":
        tuned = at_best(untuned, progress(bar, "Looking for each optimizer's best learning rate"))
    race = tuned or untuned
    objective = surface(race.surface)
    outcomes = results(race, progress(bar, "Racing"))
    of_seeds = bands(race, progress(bar, "Racing with all seeds"))
    if tuned is not None:
        results(untuned, progress(bar, "Racing at the given rates"))  # for the fair race below
    bar.empty()
    runs = [result.run for result in outcomes]
    key, log_steps = str(race.surface), form["axis"] == "log"

    published = _published() if objective is scene.race.surface and tuned is None else {}
    learners = [result for result in outcomes if result.learned is not None]

    with st.container(key="scene"):
        left, right = st.columns([2, 1], gap="medium")
    with left:
        surface_image = picture(race, runs)
        solid = relief(surface_image, objective.value, form["height"] == "log") if form["view"] == "3d" else None
        player(
            race,
            outcomes,
            surface_image,
            objective,
            key="race",
            clicks=st.session_state.get("clicks", 0),
            hidden=form["hidden"],
            log_steps=log_steps,
            arrows=form["arrows"],
            solid=solid,
            opening=not form.address(),
            on_start=from_click,
            on_hidden=from_legend,
            movable=movable(race, form["rates"], "rate"),
            on_rates=from_slider,
        )
        st.caption(
            f"Click to start all from there; {'crosses are minima, and ' if objective.minima else ''}"
            f"{(solid or surface_image).description}.",
            help=READING,
        )
        _losses(race, runs, of_seeds, objective, key, log_steps)
    with tools:
        exports.draw(
            exports.Shown(race, outcomes, surface_image, log_steps, form["arrows"], solid=solid, bands=of_seeds)
        )
    with right:
        with st.container(horizontal=True, vertical_alignment="center"):
            for name in ("view", *(["height"] if solid else []), "arrows"):
                form.draw(name)
        update(outcomes, race, key="update")
        readout(outcomes, published, race.tolerance, objective, key="readout", bands=of_seeds, seed=race.seed)
        if published:
            badge = summary(outcomes, published)
            with st.container(key="published"):
                st.caption(f"**{badge}** The settings are a reconstruction.", help=scene.race.note)
        if not learners:
            st.caption("FOP, S-HD and PP-HD learn a preconditioner P: choose one of them to see it here.")

    if learners:
        _learning(race, learners, outcomes, key, log_steps)
    else:
        eigen_errors.draw(race, outcomes, key, log_steps)
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


def _losses(
    race: Spec, runs: list[DrawnTrajectory], of_seeds: list[Band], objective: Surface, key: str, log_steps: bool
) -> None:
    runs = seeds.medians(runs, of_seeds, lowest=form["loss"] == "tolerance")
    if form["loss"] == "tolerance":
        figure = interactive.steps_to_tolerance(runs, objective.floor, log_steps, key, of_seeds)
        alt = "The step after which f has been below a tolerance: what another tolerance would have counted."
    else:
        figure = interactive.losses(
            runs, objective.floor, race.tolerance, log_steps, key, form["loss"] == "log", of_seeds
        )
        tolerance = plain(race.tolerance).replace("-", "\N{NON-BREAKING HYPHEN}")
        what = "f" if objective.floor == 0 else "f − f*"
        alt = (
            f"The loss at each step: a run converges when {what} gets below {tolerance}, the tolerance."
            if math.isfinite(objective.floor)
            else "The loss at each step. No lowest value is known, so no run converges."
        )
    ends = ", ".join(run.label for run in runs)
    follows = form["loss"] != "tolerance"
    median = f", median of {race.seeds} seeds" if of_seeds else ""
    title, of = f"Loss against step{median}: {ends}", exports.stem(race)
    plot(figure, of=of, key="losses", alt=title, aspect=2.6, heights=(280, 360), follows=follows)
    st.caption(alt + seeds.of_losses(race))
    with st.container(horizontal=True, vertical_alignment="center"):
        for name in ("axis", "loss"):
            form.draw(name)


def _learning(race: Spec, learners: list[Result], outcomes: list[Result], key: str, log_steps: bool) -> None:
    small = partial(plot, of=exports.path_stem(race), aspect=1.7, heights=(240, 300), follows=True)
    left, right = st.columns(2, gap="medium")
    with left:
        figure = interactive.eigenvalues([result.run for result in learners], log_steps, key)
        if figure is not None:
            small(figure, key="eigenvalues", alt="Eigenvalues of P")
        st.caption(
            "The two eigenvalues of P: how many times longer it makes a step along its own two directions."
            + seeds.of_one(race),
            help="P, the preconditioner, multiplies the gradient before each step. At a scale of 1 it begins as the "
            "identity, both eigenvalues 1, the dotted line. Where one is negative, P turns that part of the gradient "
            "around. P grows where successive gradients agree and shrinks where they turn. Small steps stretch it "
            "across H⁻¹; large or noisy ones turn it along H⁻¹.",
        )
    with right:
        beside = eigen_errors.draw(race, outcomes, key, log_steps)
    with left if beside else right:
        turned = [(result.run, result.learned) for result in learners if result.learned is not None]
        figure = interactive.angles(turned, log_steps, key)
        if figure is not None:
            small(figure, key="angles", alt="Angle between g and P g")
        st.caption(
            "How far P turns the gradient g, as in the paper's Figure A.1." + seeds.of_one(race),
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
sentence = st.container(key="sentence")
if understood:
    sentence.markdown(about())
else:
    sentence.markdown(
        "The formula or its view in the sidebar has a mistake." + " The last one without is still raced on." * shown
    )
if race_sidebar.is_left_out(form):
    st.markdown(race_sidebar.LEFT_OUT)
form.draw_warnings()
if form.arrives:  # so that a long race can be changed
    with st.sidebar:
        race_sidebar.draw(form)
if shown and race.rules:
    with unhurried(form.arrives):
        show(race)
elif shown:
    st.info("Choose at least one optimizer in the sidebar.")
if not form.arrives:  # last, so that a click on the surface is answered before forty widgets are
    with st.sidebar:
        race_sidebar.draw(form)
deliver()
form.publish()
