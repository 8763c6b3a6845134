"""Curves of training runs."""

import numpy as np
import pytest

from fop_core.figures import training_curves
from fop_core.figures.style import DARK, LIGHT, METHODS, MINIMA, PINS
from fop_core.figures.training_curves import Line, LineStyle, figure, line_styles
from fop_core.training.config import METHODS as TRAINED
from tests.figures.test_style import contrast

X = np.arange(100.0)


def line(y=None, label="FOP", **more) -> Line:
    return Line(label, LineStyle("#D9541E", "solid", 3.0), X, np.exp(-X / 20) if y is None else y, **more)


@pytest.mark.parametrize("method", [*TRAINED, *METHODS])
def test_every_method_has_a_name_and_a_look_that_is_seen_on_light_and_dark(method):
    assert training_curves.named(method)
    [line_style] = line_styles([method])
    assert min(contrast(line_style.color, theme.paper) for theme in (LIGHT, DARK)) >= 3.5


def test_methods_have_their_colours_and_several_of_one_method_their_dashes():
    styles = line_styles(["momentum", "fop", "fop"])
    assert [line_style.color for line_style in styles] == [METHODS[name].color for name in ("momentum", "fop", "fop")]
    assert len({line_style.dash for line_style in styles[1:]}) == 2


def test_where_there_is_one_method_colours_tell_its_lines_apart():
    styles = line_styles(["fop"] * 40)
    assert len({line_style.color for line_style in styles[:8]}) == 8
    assert len({(line_style.color, line_style.dash) for line_style in styles}) == 40


def test_a_pinned_line_has_its_colour_and_the_others_look_as_they_do_without_it():
    alone = line_styles(["fop", "momentum", "fop"])
    styles = line_styles(["adam", "fop", "momentum", "fop"], [PINS[1], None, None, None])
    assert styles[0] == LineStyle(PINS[1], "solid", training_curves.PINNED) and styles[1:] == alone
    of_one = line_styles(["fop"] * 5, [None, PINS[0], None, PINS[2], None])
    assert (of_one[1].color, of_one[3].color) == (PINS[0], PINS[2])
    assert len({line_style.color for line_style in of_one}) == 5
    assert len(line_styles(["fop"] * 10, [*PINS, None, None])) == 10, "no colour is left, and dashes tell them apart"
    assert sorted(PINS) == sorted(MINIMA)


def test_pictures_of_one_span_show_the_same_part_of_the_axis_across():
    short, long = line(), Line("FOP", LineStyle("#D9541E", "solid", 3.0), 3 * X, X)
    apart = [figure([each], "step", "loss").layout.xaxis.autorangeoptions.include for each in (short, long)]
    one = [
        figure([each], "step", "loss", span=(0, 297)).layout.xaxis.autorangeoptions.include for each in (short, long)
    ]
    assert apart[0] != apart[1] and one[0] == one[1] == apart[1]


@pytest.mark.parametrize("log", [False, True])
def test_a_fall_of_the_rate_is_marked_where_it_is_on_either_axis(log):
    made = figure([line()], "step", "loss", log_x=log)
    training_curves.mark_falls(made, [(20.0, 0.1), *([] if log else [(0.0, 0.5)])])
    shape, note = made.layout.shapes[0], made.layout.annotations[-1 if log else -2]
    assert (shape.x0, shape.x1, shape.yref) == (20, 20, "paper")
    assert note.text == "ε × 0.1" and note.x == pytest.approx(np.log10(20) if log else 20)


def test_a_fall_before_the_first_step_has_no_mark_on_a_logarithmic_axis():
    made = figure([line()], "step", "loss", log_x=True)
    training_curves.mark_falls(made, [(0.0, 0.1)])
    assert not made.layout.shapes


def test_a_band_has_a_part_for_each_stretch_without_a_gap():
    low, high = X - 1, X + 1
    low[50] = np.nan
    drawn = figure([line(X, band=(X, low, high))], "step", "loss")
    [band] = [trace for trace in drawn.data if trace.fill == "toself"]
    assert np.isnan(band.y).sum() == 2
    assert not np.isin(50, band.x)


def test_a_label_stands_at_the_last_number_of_its_line():
    y = np.exp(-X / 20)
    y[80:] = np.nan
    [label] = figure([line(y)], "step", "loss").layout.annotations
    assert (label.x, label.y) == (79, pytest.approx(y[79]))
    [label] = figure([line(y)], "step", "loss", log_x=True, log_y=True).layout.annotations
    assert (label.x, label.y) == (pytest.approx(np.log10(79)), pytest.approx(np.log10(y[79])))


def test_what_is_no_number_any_more_has_a_mark():
    drawn = figure([line(broken=(np.array([81.0]), np.array([0.1])))], "step", "loss")
    [mark] = [trace for trace in drawn.data if trace.mode == "markers"]
    assert "not a number from step" in mark.hovertemplate


def test_nothing_to_draw_is_a_figure_all_the_same():
    for y in (np.full(100, np.nan), np.zeros(100)):
        drawn = figure([line(y)], "step", "loss", log_y=True)
        options = drawn.layout.yaxis.autorangeoptions
        assert options.clipmin < options.clipmax
    assert figure([], "step", "loss").layout.annotations == ()


def test_a_zoom_outlasts_new_points_for_no_range_is_set():
    layout = figure([line()], "step", "loss", log_y=True).layout
    assert layout.xaxis.range is None and layout.yaxis.range is None
    low, high = layout.yaxis.autorangeoptions.include
    assert low < np.exp(-99 / 20) and high > 1, "in the values' own unit, on a logarithmic axis too"


def test_a_label_is_shown_as_it_is_whoever_wrote_it():
    drawn = figure([line(label="<b>a</b> %{x}")], "step", "loss")
    assert drawn.layout.annotations[0].text.startswith("&lt;b>a&lt;/b>")
    assert "%{x}<" not in drawn.data[-1].hovertemplate.split("<br>")[0]


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["a", "model.layers.3.attention", "b"], ["a", "model.layers.3.…", "b"]),
        (
            [f"features.stage1.block{n}.residual" for n in (9, 10, 11)],
            ["…block9.residual", "…block10.residu…", "…block11.residu…"],
        ),
        ([f"cifar10-fop-velocity, {n}" for n in ("lr 0.1", "lr 0.01")], ["…0.1", "…0.01"]),
        (["x" * 20, "x" * 20], ["x" * 15 + "…"] * 2),
    ],
)
def test_labels_that_are_cut_still_differ_as_their_names_do(names, labels):
    drawn = figure([line(np.full(len(X), level), name) for level, name in enumerate(names)], "step", "loss")
    assert [each.text for each in drawn.layout.annotations] == labels
    assert [each.hovertext for each in drawn.layout.annotations] == names
