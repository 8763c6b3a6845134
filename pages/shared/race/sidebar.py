"""The sidebar of a race: its settings' widgets, in the order in which one thinks of them."""

import math
from collections.abc import Iterable

import streamlit as st

from fop_core.figures.style import METHODS, number
from pages.shared.form import Form
from pages.shared.progress import leave_if_unwanted
from pages.shared.race.remembered import OWN, surface
from pages.shared.race.rules import OWN_RULE, OWN_TEXT, mistake, of_rule
from pages.shared.race.settings import racing, surface_spec
from pages.shared.text import literal
from toy_functions.expressions import ExpressionError
from toy_functions.framing import frame
from toy_functions.surfaces import SURFACES, Surface

LEFT_OUT = "Your own rule in the sidebar has a mistake, and is left out."
_ENDS = "A race ends at the step limit or by divergence."


def draw(form: Form) -> bool:
    """Show all settings; return whether they make a race. A formula that is none is explained beside it."""
    form.draw_presets()
    changes = st.container()  # filled at the end, when all widgets have spoken
    understood = choose_surface(form)
    for column, name in zip(st.columns(2), ("x", "y")):
        with column:
            form.draw(name)
    rules = choose_rules(form)
    if form.draw("rates") == "same":
        form.draw("rate")
    schedule(form)
    settings_of(form, rules)
    with st.expander("Stop, arithmetic, noise", key=f"{form.page} stop"):
        for name in ("tolerance", "steps", "dtype", "noise", "seed"):
            form.draw(name)
        if form["noise"]:
            form.draw("seeds")
    with changes:
        show_changes(form)
    return understood


def understands(form: Form) -> bool:
    """Return whether the settings make a surface: a user's own formula may have a mistake."""
    try:
        surface(surface_spec(form.now))
    except ValueError:
        return False
    return True


def choose_surface(form: Form) -> bool:
    """Show the choice of a surface, with its settings and its formula; return whether it is one."""
    form.draw("surface", on_change=lambda: _to_its_start(form))
    return _own(form) if form["surface"] == OWN else _known(form)


def choose_rules(form: Form) -> list[str]:
    """Show the choice of rules, with the text of the reader's own and what is wrong with it; return the chosen ones."""
    rules: list[str] = form.draw("rules")
    if OWN_RULE in rules:
        form.draw(OWN_TEXT)
        if error := mistake(form[OWN_TEXT]):
            _explain(error)
    return rules


def is_left_out(form: Form) -> bool:
    """Return whether a rule of the reader's own is chosen whose text has a mistake."""
    return form["rules"] != racing(form.now)


def schedule(form: Form) -> None:
    """Show what learning rates are multiplied by along the race."""
    form.draw("schedule")
    warmup, limit = form.draw("warmup"), form["steps"]
    if warmup > limit:
        st.warning(f"Longer than the race: {limit:,} steps are taken, its step limit. Give fewer, or raise that.")


def settings_of(form: Form, rules: Iterable[str]) -> None:
    """Show the settings of rules, each under its name."""
    for name in rules:
        with st.expander(f"{METHODS[name].name} settings", key=f"{form.page} {name}"):
            for setting in of_rule(name):
                if f"{name}.{setting}" != OWN_TEXT:
                    form.draw(f"{name}.{setting}")


def of_preset(form: Form) -> bool:
    """Return whether the surface is the preset's: another one is no change of the preset, but something else."""
    now, then = surface_spec(form.now), surface_spec(form.values[form.preset])
    return now[:2] == then[:2]  # its name, with the formula or the condition number


def changes(form: Form) -> str:
    """Return the names of what differs from the preset, of many the first four; nothing where nothing does."""
    names = [_called(form, name) for name in form.changed()]
    return f"{', '.join(names[:4])}{' and more' if len(names) > 4 else ''}"


def show_changes(form: Form) -> None:
    """Say what differs from the preset, and offer to take it back."""
    listed, preset = changes(form), f"“{form.presets.options[form.preset]}”"
    words, back = "As the preset has it.", "Reset to the preset"
    if listed:
        words = f"Changed from the preset: {listed}."
        if not of_preset(form):
            differ = "differs" if len(form.changed()) == 1 else "differ"
            words, back = f"Not a preset: {listed} {differ} from the preset {preset}.", f"Back to {preset}"
    st.caption(words)
    st.button(back, on_click=lambda: form.reset(form.preset), disabled=not listed, key=f"{form.page} reset")


def _called(form: Form, name: str) -> str:
    rule, dot, _ = name.partition(".")
    label = form.fields[name].label.removesuffix(" =")
    return f"{METHODS[rule].name} {label.lower()}" if dot else label.lower()


def _to_its_start(form: Form) -> None:
    name = st.session_state[form.key("surface")]
    if name in SURFACES:
        x, y = SURFACES[name].start
        form.put(x=x, y=y)


def _known(form: Form) -> bool:
    if form["surface"] == "quadratic":
        form.draw("condition")
        form.draw("angle")
    objective = surface(surface_spec(form.now))
    st.latex(objective.latex)
    if not math.isfinite(objective.floor):
        st.caption(f"f has no lowest value. {_ENDS}")
    return True


def _floor_text(objective: Surface, searched: bool) -> str:
    if not searched:
        return f"A run has converged when f is near f* = {number(objective.floor)}, as set below."
    if math.isfinite(objective.floor):
        return f"Lowest value found: f* = {number(objective.floor)}."
    return f"No minimum was found in view, or f falls below it elsewhere. {_ENDS}"


def _find(form: Form) -> None:
    objective = surface(surface_spec(form.now))
    view = frame(objective, (form["x"], form["y"]), leave_if_unwanted).view
    form.put(**dict(zip(("left", "right", "bottom", "top"), view)))


def _explain(error: ExpressionError) -> None:
    """Say what is wrong with a text, and point at the part that is meant."""
    st.error(literal(error.message))
    st.code(str(error).partition("\n")[2], language=None)


def _own(form: Form) -> bool:
    form.draw("f")
    understood = False
    try:
        objective = surface(surface_spec(form.now))
        st.latex(objective.latex)
        st.caption(_floor_text(objective, form["floor"] is None))
        understood = True
    except ExpressionError as error:
        _explain(error)
    except ValueError as error:
        st.error(literal(str(error)))
    with st.expander("View and lowest value", key=f"{form.page} view"):
        st.button(
            "Find the view",
            on_click=lambda: _find(form),
            disabled=not understood,
            help="Lets 288 descents look for minima, and frames what they find together with the start.",
            key=f"{form.page} find",
        )
        for name in ("left", "right", "bottom", "top", "floor"):
            form.draw(name)
    return understood
