"""Figures of a study are of its own table, and what stands under them says what can be concluded."""

import math

import numpy as np
import pytest

from fop_core.figures import print_style
from fop_core.studies import drawings, progress
from fop_core.studies.analysis import comparisons
from fop_core.studies.drawings import reported, tuned
from tests.studies import made
from tests.studies.filled import filled, study, usual

WON = {"momentum": {"optimizer.lr": 0.1}, "fop": {"optimizer.lr": 0.1, "fop.rank": 16}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))


def table(wanted, accuracy=usual, winners=None):
    return progress.table(filled(wanted, accuracy, winners).id)


def test_every_figure_of_a_finished_study_is_there_with_its_sentences_and_printed():
    wanted = study("s", "optimizer.lr=0.01,0.1", "fop.rank=1,16", target={"column": "test_accuracy", "value": 0.91})
    of = table(wanted, winners=WON)
    drawn = drawings.every(of, comparisons(of))
    names = ["pairwise", "lines", "grid", "sensitivity", "parallel", "target", "target", "profile"]
    assert [each.name for each in drawn] == names
    for each in drawn:
        assert each.sentences and all(sentence.endswith(".") for sentence in each.sentences), each.name
        assert print_style.save(each.drawing.paper(), "pdf").startswith(b"%PDF")


def test_a_grid_shows_the_best_of_what_it_does_not_show_and_says_so():
    wanted = study("s", "optimizer.lr=0.01,0.1", "fop.rank=1,16", "batch_size=64,128")
    better = {"batch_size": 64, "fop.rank": 16}
    of = table(wanted, lambda cell: usual(cell) + 0.01 * sum(cell.point.get(k) == v for k, v in better.items()))
    drawn = tuned.grids(of)
    assert drawn is not None
    grids = drawn.drawing
    assert (grids.columns.values, grids.rows.values) == ((0.01, 0.1), (64, 128)), "settings that both methods have"
    assert grids.methods == ("fop", "momentum")
    assert any("Of rank each cell shows the best value" in sentence for sentence in drawn.sentences)
    point = {"optimizer.lr": 0.1, "batch_size": 64, "fop.rank": 16}
    index = next(i for i in range(len(of)) if of.method[i] == "fop" and of.point[i] == point and of.seed[i] == 1)
    assert grids.with_[0, 1, 1] == of.last["held_out_accuracy"][index]

    by_rank = tuned.grids(of, rows="fop.rank")
    assert by_rank is not None
    theirs = by_rank.drawing.without
    np.testing.assert_array_equal(theirs[0], theirs[1])
    assert any("Momentum has no rank: it is the same along that side." in each for each in by_rank.sentences)


def test_what_diverged_is_infinite_and_what_has_no_run_yet_a_gap():
    def accuracy(cell):
        if cell.point["optimizer.lr"] == 0.1 and cell.method == "momentum":
            return math.nan if cell.seed == 0 else usual(cell)
        return None if cell.method == "fop" and cell.seed == 1 else usual(cell)

    of = table(study(), accuracy)
    drawn = tuned.grids(of)
    assert drawn is not None
    grids = drawn.drawing
    assert np.isneginf(grids.without[0, 1, 0]) and np.isfinite(grids.without[0, 1, 1])
    assert np.isnan(grids.with_[0, :, 1]).all()
    curves = tuned.sensitivity(of).drawing.curves
    assert [curve.method for curve in curves] == ["momentum", "fop"]
    assert np.isneginf(curves[0].values[1, 0])
    assert reported.pairwise(of, comparisons(of)) is None, "nothing is reported yet"


def test_a_study_without_axes_has_only_what_is_reported():
    of = table(study("s", axes=[]), winners=None)
    drawn = drawings.every(of, comparisons(of))
    assert [each.name for each in drawn] == ["pairwise", "lines"]


def test_equal_results_do_not_say_that_any_difference_could_be_seen():
    same = made.table({"momentum": [0.9, 0.8], "fop": [0.9, 0.8]})
    drawn = reported.pairwise(same, comparisons(same))
    assert drawn is not None and drawn.drawing.detectable is None
    assert not any("cannot tell differences" in sentence for sentence in drawn.sentences)


def test_quasi_random_trials_are_no_grid_and_their_points_are_not_joined():
    wanted = study("s", "optimizer.lr=log:0.001:0.1:5", sampling="quasi-random", trials=3)
    of = table(wanted)
    assert tuned.grids(of) is None
    drawn = tuned.sensitivity(of)
    assert drawn is not None and not any(curve.joined for curve in drawn.drawing.curves)
    few = table(study("few", "optimizer.lr=0.01,0.1", "fop.rank=1,16", sampling="quasi-random", trials=8))
    every = tuned.parallel(few)
    assert every is not None and "put ranges in place of lists for as many of each" in " ".join(every.sentences)


def test_a_method_that_is_best_at_the_edge_is_named():
    of = table(study("s", "optimizer.lr=0.01,0.03,0.1"))
    drawn = tuned.sensitivity(of)
    assert drawn is not None
    assert "Momentum and FOP are best at the edge of what was tried" in " ".join(drawn.sentences)


def test_times_to_a_target_are_by_fresh_seed_and_infinite_where_it_was_missed():
    wanted = study("s", target={"column": "test_accuracy", "value": 0.93})
    of = table(wanted, winners={method: {"optimizer.lr": 0.1} for method in ("momentum", "fop")})
    drawn = reported.time_to_target(of)
    assert drawn is not None
    values = {row.method: row.values for row in drawn.drawing.rows}
    assert np.isinf(values["momentum"]).all() and values["fop"].tolist() == [100, 100]
    profile = reported.performance_profile(of)
    assert (
        profile is not None
        and profile.drawing.profiles[0].share.max() == 0
        and profile.drawing.profiles[1].share[0] == 1
    )
    assert reported.time_to_target(table(study("t"))) is None
