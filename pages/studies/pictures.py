"""The figures of an open study, each with a sentence under it of what can be concluded from it and what cannot."""

from collections.abc import Callable, Sequence
from functools import partial

import plotly.graph_objects as go
import streamlit as st

from fop_core.figures.studies import Grids
from fop_core.figures.training_curves import named
from fop_core.runs.loaded import Loaded
from fop_core.studies import analysis
from fop_core.studies.analysis import Comparisons
from fop_core.studies.conclusions import conclusions as conclusions_of
from fop_core.studies.drawings import reported, tuned
from fop_core.studies.drawings.drawn import Drawn, label
from fop_core.studies.progress import StudyTable
from fop_core.studies.protocol import Analysis
from pages.components.plot import plot
from pages.shared.curves import KEPT
from pages.shared.form import Form
from pages.shared.text import literal
from pages.studies import trials

DRAWN = "studies drawn"
ALL = "all"  # every method is compared with every other one
HEIGHTS = {"grid": (230, 380), "parallel": (300, 420)}


@st.cache_resource(show_spinner=False, max_entries=4 * KEPT)
def _loaded(path: str) -> Loaded:
    return Loaded(path)


def loaded(path: str) -> Loaded:
    """Return the metrics of a run, up to date."""
    return _loaded(path).refresh()


def remembered(
    of: StudyTable, name: str, view: tuple[object, ...], make: Callable[[], Drawn | None]
) -> tuple[Drawn, dict[str, go.Figure]] | None:
    """Return a figure and its pictures; they are made anew where the study, or how it is shown, has changed."""
    kept = st.session_state.setdefault(DRAWN, {})
    made_of = of.stored.id, of.version, id(of), view
    if kept.get(name, (None,))[0] != made_of:
        drawn = make()
        kept[name] = made_of, None if drawn is None else (drawn, drawn.drawing.screens())
    result: tuple[Drawn, dict[str, go.Figure]] | None = kept[name][1]
    return result


def show(
    of: StudyTable,
    name: str,
    view: tuple[object, ...],
    make: Callable[[], Drawn | None],
    on_cell: Callable[[str, int, int], None] | None = None,
) -> bool:
    """Show a figure with its title and its sentences; return whether there is anything to show.

    Args:
        of: the study.
        name: of the figure.
        view: how it is shown: all that it depends on beside the study.
        make: makes it.
        on_cell: is called with the title of a grid and the row and the column of a cell that is clicked.
    """
    made = remembered(of, name, view, make)
    if made is None:
        return False
    drawn, screens = made
    st.subheader(drawn.title, anchor=False)
    if len(screens) > 1:
        for column, (title, figure) in zip(st.columns(len(screens), gap="small"), screens.items()):
            with column:
                st.markdown(f"**{literal(title)}**")
                click = None if on_cell is None else partial(_clicked, on_cell, title)
                _plot(of, drawn, figure, f"{drawn.name} {title}", f"{title}: {drawn.drawing.alt}", 1.25, click)
    else:
        [figure] = screens.values()
        _plot(of, drawn, figure, drawn.name, drawn.drawing.alt, 2.4)
    st.caption(literal(" ".join(drawn.sentences)))
    return True


def _clicked(on_cell: Callable[[str, int, int], None], title: str, data: object) -> None:
    match data:
        case [int(row), int(column)]:
            on_cell(title, row, column)


def _plot(
    of: StudyTable,
    drawn: Drawn,
    figure: go.Figure,
    key: str,
    alt: str,
    aspect: float,
    on_click: Callable[[object], None] | None = None,
) -> None:
    least, most = HEIGHTS.get(drawn.name, (240, 340))
    rows = len(getattr(drawn.drawing, "rows", ())) if drawn.name in ("target", "pairwise") else 0
    if rows:
        least = most = 70 + 62 * rows
    plot(figure, of=of.stored.id, key=f"study {key}", alt=alt, aspect=aspect, heights=(least, most), on_click=on_click)


def comparisons(of: StudyTable, form: Form) -> Comparisons:
    """Return what the analysis says: the one that was fixed, or the one that the reader asks for."""
    return analysis.comparisons(of, chosen_analysis(of, form))


def chosen_analysis(of: StudyTable, form: Form) -> Analysis | None:
    """Return another analysis than the one that was fixed, where the reader has asked for one."""
    fixed = of.study.analysis
    changes: dict[str, object] = {}
    if form["by"] and form["by"] != fixed.column:
        changes["column"] = form["by"]
    against = "" if form["against"] == ALL else form["against"]
    if form["against"] in (ALL, *of.study.methods) and against != fixed.baseline:
        changes["baseline"] = against
    return fixed.model_copy(update=changes) if changes else None


def conclusions(of: StudyTable, form: Form) -> None:
    """Say what can be concluded, first of all."""
    said = conclusions_of(of, chosen_analysis(of, form))
    st.markdown("**What can be concluded**")
    st.markdown("\n".join(f"- {literal(sentence)}" for sentence in said) or "- Nothing yet.")


def pictures(of: StudyTable, form: Form) -> None:
    """Show all figures that there is something for."""
    view = (form["by"], form["against"])
    show(of, "pairwise", view, lambda: reported.pairwise(of, comparisons(of, form)))
    show(of, "lines", (form["x"], of.version), lambda: reported.lines(of, "", form["x"], loaded))
    axes = [_known(form[name], of) for name in ("rows", "columns")]
    of_grid = (*axes, *(_method(form[name], of) for name in ("with", "without")))
    show(of, "grid", of_grid, lambda: tuned.grids(of, *of_grid), partial(_open_cell, of, form, of_grid))
    show(of, "sensitivity", (form["rate"],), lambda: tuned.sensitivity(of, _known(form["rate"], of)))
    show(of, "parallel", (), lambda: tuned.parallel(of))
    counted = (form["count"],)
    show(of, "target", counted, lambda: reported.time_to_target(of, form["count"]))
    show(of, "profile", counted, lambda: reported.performance_profile(of, form["count"]))


def _open_cell(of: StudyTable, form: Form, of_grid: Sequence[str], title: str, row: int, column: int) -> None:
    """Open the trials that a cell of the grid shows the best of; for a widget's callback."""
    drawn = tuned.grids(of, *of_grid)
    assert drawn is not None and isinstance(drawn.drawing, Grids)
    grids = drawn.drawing
    titles = [panel.title for panel in grids.panels()]
    kinds = [grids.methods[titles.index(title)]] if title in titles[:2] else list(grids.methods)
    wanted = tuned.fields_of_grid(of, *of_grid)
    values = (grids.rows.values[row], grids.columns.values[column])
    shown = [
        trial.id
        for trial in trials.trials(of, "tune")
        if of.study.called(trial.method) in kinds
        and all(of.point[trial.cells[0]].get(field, value) == value for field, value in zip(wanted, values) if field)
    ]
    form.put(cell=",".join(shown[: trials.MOST]), role="tune")


def _known(field: str, of: StudyTable) -> str:
    return field if field in tuned.fields(of) else ""


def _method(method: str, of: StudyTable) -> str:
    return method if method in of.study.methods else ""


def sidebar(of: StudyTable, form: Form) -> None:
    """Show how the figures are drawn."""
    there = list(tuned.fields(of))
    both = tuned.methods(of)
    if both is not None and there:
        st.markdown("**Grid**")
        for name, usual in zip(("with", "without"), both):
            _choice(form, name, list(of.study.methods), usual, partial(_named, of))
        if len(there) > 1:
            usual_axes = tuned.axes_of_grid(
                of, *(_method(form[name], of) or one for name, one in zip(("with", "without"), both))
            )
            for name, usual in zip(("columns", "rows"), usual_axes):
                _choice(form, name, there, usual, label)
    numbers = list(tuned.numbers(of))
    if len(numbers) > 1:
        st.markdown("**Sensitivity**")
        _choice(form, "rate", numbers, numbers[0], label)
    st.markdown("**Curves**")
    form.draw("x")
    if of.study.target is not None:
        form.draw("count")
    with st.expander("Another analysis", key="studies analysis"):
        st.caption("The analysis was fixed before the first run. Another one can be looked at, and is marked explored.")
        fixed = of.study.analysis
        _choice(form, "by", ["test_accuracy", "test_loss"], fixed.column, _title)
        _choice(form, "against", [ALL, *of.study.methods], fixed.baseline or ALL, partial(_against, of))


def _named(of: StudyTable, method: str) -> str:
    return named(of.study.called(method))


def _against(of: StudyTable, method: str) -> str:
    return "all with all" if method == ALL else _named(of, method)


def _title(column: str) -> str:
    return column.replace("_", " ")


def _choice(form: Form, name: str, options: Sequence[str], usual: str, shown: Callable[[str], str]) -> None:
    """Show the choice among what a study has; the usual one is none in the address, so that each study has its own."""
    key = f"studies choice {name}"
    st.session_state[key] = form[name] if form[name] in options else usual

    def chosen() -> None:
        value = st.session_state[key]
        form.put(**{name: "" if value == usual else value})

    label = form.fields[name].label
    st.selectbox(label, options, key=key, format_func=shown, filter_mode=None, on_change=chosen)
