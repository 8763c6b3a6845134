import numpy as np
import pytest

from fop_core.figures import matrices, theorems
from fop_core.figures.theorems import FALSE, TOP, TRUE, Mark

STEPS = np.linspace(0.0, 4.0, 101)
WORST = np.maximum((1 - 0.05 * STEPS) ** 2, (1 - 0.5 * STEPS) ** 2)


def test_a_claim_below_the_line_looks_false_and_says_both_numbers():
    marks = [
        Mark("as stated", 0.75, 0.925, 0.9264, "circle", False),
        Mark("repaired", 2.0, 0.9, 0.81, "square", True),
    ]
    figure = theorems.contraction(STEPS, WORST, marks)
    line, stated, repaired = figure.data
    assert line.name == "reached" and line.y.max() <= TOP
    assert (stated.marker.color, repaired.marker.color) == (FALSE, TRUE)
    assert stated.marker.symbol != repaired.marker.symbol, "colour is not all that tells them apart"
    assert "stated 0.925" in stated.hovertemplate and "reached 0.926" in stated.hovertemplate
    low, high = figure.layout.yaxis.range
    assert low < min(line.y.min(), 0.9) and high > 1


def test_what_is_infinite_is_a_gap():
    figure = theorems.norms(np.array([1.0, np.inf]), np.array([1.0, 2.0]))
    bound, learned = figure.data
    assert learned.y[0] == 1 and np.isnan(learned.y[1]) and bound.y[1] == 2
    assert np.isnan(theorems.losses(np.array([1.0, np.inf])).data[0].y[1])


def test_a_row_of_matrices_has_one_range_around_0_which_is_printed():
    figure = matrices.grid({"P": [np.eye(2), -3 * np.eye(2)], "rest": [np.zeros((2, 2))] * 2}, ["step 0", "100"])
    assert [(trace.zmin, trace.zmax) for trace in figure.data] == [(-3, 3), (-3, 3), (-1, 1), (-1, 1)]
    texts = [note.text for note in figure.layout.annotations]
    assert "P, colours from −3.00 to 3.00" in texts and "step 0" in texts


def test_what_is_not_finite_does_not_set_the_range():
    assert matrices.grid({"P": [np.array([[1.0, np.nan], [np.inf, 2.0]])]}, ["0"]).data[0].zmax == 2


def test_a_row_with_too_few_matrices_is_refused():
    with pytest.raises(ValueError, match="P has 1 matrices for 2 titles"):
        matrices.grid({"P": [np.eye(2)]}, ["0", "1"])
