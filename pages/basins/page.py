"""Where races end, from every start in a box, and at which rates FOP is stable."""

from dataclasses import replace
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from fop_core.figures.style import METHODS, plain
from pages.basins import content, exports, maps, widget
from pages.basins.maps import Grid, Rates
from pages.basins.settings import FIELDS, MAPS, PRESETS, grid, race_address, rates, values
from pages.components.copy_link import copy_link
from pages.components.download import deliver
from pages.components.follow import follow
from pages.shared.form import Form
from pages.shared.progress import progress, unhurried
from pages.shared.race import sidebar as race_sidebar
from pages.shared.race.remembered import surface
from pages.shared.reruns import run_again
from pages.shared.text import literal
from toy_functions import basins

COARSE = 64  # the grid that is shown before a finer one is computed
ROW = 30  # px of a row of the table

form = Form("basins", PRESETS, FIELDS, {name: values(scene) for name, scene in MAPS.items()}, ("size",))


def sidebar() -> bool:
    """Show all settings; return whether they make maps."""
    form.draw_presets()
    changes = st.container()  # filled at the end, when all widgets have spoken
    understood = race_sidebar.choose_surface(form)
    form.draw("size")
    rules = race_sidebar.choose_rules(form)
    race_sidebar.schedule(form)
    race_sidebar.settings_of(form, rules if "fop" in rules else [*rules, "fop"])
    with st.expander("Stop", key="basins stop"):
        form.draw("tolerance")
        form.draw("steps")
    with changes:
        race_sidebar.show_changes(form)
    return understood


def leave_for(**changes: Any) -> None:
    """Open a race of these settings in Trajectories, at the next run."""
    st.session_state["basins opens"] = st.session_state["race of a map"] = race_address(form.now, **changes)


def open_start(spec: Grid) -> None:
    """Open the race from the cell that the reader has chosen."""
    cell = st.session_state["maps"].open
    x, y = maps.start(spec, cell["column"], cell["row"])
    leave_for(x=x, y=y)


def open_rates() -> None:
    """Open FOP's race at the rates that the reader has chosen."""
    cell, (lr, hyper_lr) = st.session_state["rates"].open, maps.axes()
    leave_for(rules=["fop"], **{"fop.lr": lr[cell["column"]], "fop.hyper_lr": hyper_lr[cell["row"]]})


def compute(spec: Grid | Rates, what: str, bar: DeltaGenerator | None) -> None:
    """Compute maps, unless they are remembered, and say on the bar how far that is; any change or click ends it."""
    if bar is None or maps.known(spec):
        return
    maps.compute(spec, progress(bar, what))


def cancel() -> None:
    """Leave what these settings ask for uncomputed, until the reader wants it."""
    st.session_state["basins cancelled"] = dict(form.now)


def go_on() -> None:
    """Compute after all."""
    st.session_state.pop("basins cancelled", None)


def head(missing: bool, coarser: str) -> DeltaGenerator | None:
    """Show the first heading and, where maps are missing, the way to stop or start computing; return the bar.

    Args:
        missing: whether any map is.
        coarser: what the maps below are of where they are not what is asked for.
    """
    with st.container(key="basins-head", horizontal=True, vertical_alignment="center"):
        st.subheader("Where each start ends", anchor=False, width="content")
        if missing and st.session_state.get("basins cancelled") == form.now:
            st.markdown(f"Computing was cancelled.{coarser}", width="content")
            st.button("Compute", on_click=go_on)
        elif missing:
            # One button for all maps, before what changes: a click on a button that moves or is replaced is lost.
            st.button("Cancel", on_click=cancel)
            return st.progress(0.0, text="Computing")
    return None


def show() -> None:
    """Show all maps and the table: coarse ones first, then, in another run, fine ones."""
    fine, of_rates = grid(form.now), rates(form.now)
    coarse = replace(fine, size=min(COARSE, fine.size))
    done = maps.known(fine)  # maps of no rules are never missing
    coarser = f" These maps are of {_starts(coarse)}, not of {fine.size} × {fine.size}."
    bar = head(not (done and maps.known(of_rates)), coarser * (not done and maps.known(coarse)))
    others: tuple[tuple[float, float], ...] = ()
    if not fine.rules:
        st.info("Choose at least one optimizer in the sidebar.")
    else:
        if not done:
            compute(coarse, _starts(coarse), bar)
        shown = fine if done else coarse
        if maps.known(shown):
            starts(shown)
            others = maps.ends(shown).extra_minima
    st.subheader("Where FOP is stable", anchor=False)
    stability(of_rates, others, bar)
    deliver()
    form.publish()
    if bar is not None:
        compute(fine, _starts(fine), bar)
        run_again()


def _starts(spec: Grid) -> str:
    return f"{spec.size} × {spec.size} starts"


def starts(shown: Grid) -> None:
    """Show the maps of starts, and their table."""
    drawn = content.of_starts(shown)
    widget.starts(drawn, key="maps", on_open=lambda: open_start(shown))
    ends = maps.ends(shown)
    st.caption(
        f"{_starts(shown)}. Click on a map to race from there. A finger's first tap describes a start, the second "
        "opens its race. Strong colours are fast, faint ones slow."
        + " Minima are where many paths came to rest."
        * bool(ends.extra_minima)
    )
    exports.draw(shown, drawn)
    rows = table(shown)
    # With a height it has its room before it is there, and Streamlit lets a keyboard scroll it where it is too wide.
    st.table(rows, hide_index=True, border="horizontal", height=ROW * (len(rows) + 1))
    st.caption(
        f"Shares of the {_starts(shown)}. One that rests at a minimum without converging counts there and as not "
        "converged. The median is of those that converge."
    )


def table(shown: Grid) -> list[dict[str, str]]:
    """Return for each optimizer the share of starts that end in each way, and the median of the steps."""
    ends, rows = maps.ends(shown), []
    for (name, _), batch in zip(shown.rules, ends.batches):
        row = basins.summary(batch, ends.surface)
        shares = dict(zip(maps.names(ends), row.minima)) | {
            "Not converged": row.step_limit,
            "Diverged": row.diverged,
        }
        rows.append(
            {"Optimizer": METHODS[name].name}
            | {column: maps.convergent(share).replace(" ", "\N{NO-BREAK SPACE}") for column, share in shares.items()}
            | {"Median steps": "–" if row.median_steps is None else plain(row.median_steps)}
        )
    return rows


def stability(spec: Rates, others: tuple[tuple[float, float], ...], bar: DeltaGenerator | None) -> None:
    """Show the map of FOP's rates, and the start that it is for."""
    left, right = st.columns([3, 2], gap="medium")
    with right:
        for column, name in zip(st.columns(2), ("x", "y")):
            with column:
                form.draw(name)
        st.caption(
            f"One start at {maps.CELLS} × {maps.CELLS} pairs of rates. A click opens the race. The ring "
            "marks the rates that are set."
        )
        st.caption(
            "P is learned in steps of ρ ε. Where both are large, it grows before the gradients can turn it back, and f "
            "grows with it. Along the lower edge ρ is so small that P stays as it began."
        )
        st.caption("Schedule, form of P, momentum and hypergradient are those that are set in the sidebar.")
    with left:
        compute(spec, "Rates of FOP", bar)
        if maps.known(spec):
            now = form["fop.lr"], form["fop.hyper_lr"]
            drawn = content.of_rates(spec, now, others)
            widget.rates(drawn, key="rates", on_open=open_rates)
            exports.draw(spec, drawn)


if "basins opens" in st.session_state:
    form.publish()
    follow("pages/trajectories/page.py", "Open the race", st.session_state.pop("basins opens"))

with st.sidebar:
    understood = sidebar()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.title("Basins", anchor=False, width="content")
    copy_link("copy")
if not understood:
    st.markdown("The formula or its view in the sidebar has a mistake.")
elif form.changed():
    changed = f", changed from “{MAPS[form.preset].title}”" if race_sidebar.of_preset(form) else ""
    st.markdown(f"Maps of {literal(surface(grid(form.now).surface).name)}{changed}.")
else:
    st.markdown(MAPS[form.preset].sentence)
if race_sidebar.is_left_out(form):
    st.markdown(race_sidebar.LEFT_OUT)
form.draw_warnings()
if understood:
    with unhurried(form.arrives, form.publish):
        show()
else:
    form.publish()
