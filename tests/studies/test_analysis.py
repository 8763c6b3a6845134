import math

import numpy as np
import pytest

from fop_core.runs.compare import Curve
from fop_core.studies import advance, analysis, progress, protocol, report, store, submit
from fop_core.studies.analysis import comparisons, winners
from fop_core.studies.conclusions import conclusions
from fop_core.studies.drawings import reported
from tests.studies import made
from tests.studies.made import study, table

OURS, THEIRS = [0.92, 0.93, 0.94, 0.95], [0.90, 0.91, 0.93, 0.92]


def said(made_of, *parts):
    sentences = conclusions(made_of)
    return any(all(part in sentence for part in parts) for sentence in sentences), sentences


def test_the_fixed_analysis_is_of_pairs_and_another_one_is_marked_as_explored():
    of = table({"momentum": THEIRS, "fop": OURS})
    (row,) = comparisons(of).rows
    assert (row.method, row.other, row.difference.test) == ("momentum", "fop", "paired t")
    assert row.declared and row.better == "fop" and comparisons(of).explored == ()
    other = of.study.analysis.model_copy(update={"column": "test_loss"})
    assert "fixed" in comparisons(of, other).explored[0]
    assert said(of, "fop has the better test accuracy", "2.00 points", "n = 4")[0]


def test_a_baseline_limits_what_is_compared_and_corrected():
    of = {"sgd": THEIRS, "momentum": THEIRS, "fop": OURS}
    assert len(comparisons(table(of)).rows) == 3
    against = comparisons(table(of, analysis={"baseline": "sgd"}))
    assert [(row.method, row.other) for row in against.rows] == [("momentum", "sgd"), ("fop", "sgd")]
    assert against.rows[1].adjusted == pytest.approx(2 * against.rows[1].difference.p)
    alone = comparisons(table(of, analysis={"baseline": "sgd", "correction": "none"}))
    assert alone.rows[1].adjusted == alone.rows[1].difference.p


def test_what_diverged_is_worst_and_what_is_open_declares_nothing():
    of = table({"momentum": [0.9, -math.inf, 0.9, 0.9], "fop": [0.95] * 4})
    made_of = comparisons(of)
    assert made_of.groups["momentum"].diverged == 1 and made_of.rows[0].difference.test == "sign test"
    assert said(of, "momentum", "1 diverged, and count as infinitely bad")[0]
    of = table({"momentum": [0.5, 0.51, 0.5, 0.51], "fop": [0.9, 0.91, 0.9, 0.92]})
    assert comparisons(of).rows[0].declared
    of.state[0] = "running"
    assert (
        comparisons(of).rows[0].adjusted < 0.001
        and not comparisons(of).final
        and not any(row.declared for row in comparisons(of).rows)
    )
    assert said(of, "nothing is declared yet")[0] and said(of, "n = 3 of 4")[0]


@pytest.mark.parametrize("worse", [[0.97] * 10, [-math.inf] * 9 + [0.97]])
def test_better_is_whom_the_test_has_ahead_though_one_lost_run_makes_the_mean_infinite(worse):
    of = table({"momentum": [0.98] * 9 + [-math.inf], "fop": worse})
    (row,) = comparisons(of).rows
    assert row.declared and row.difference.test == "sign test" and row.better == "momentum"
    assert said(of, "momentum has the better test accuracy on more seeds than fop (sign test, n = 10, p = 0.021)")[0]
    steps = {"momentum": [200.0] * 11 + [math.inf], "fop": [300.0] * 12}
    of = table({"momentum": [0.9] * 12, "fop": [0.9] * 12}, steps)
    assert said(of, "momentum needs fewer steps to the target on more seeds than fop")[0]


def test_seeds_that_are_too_few_are_said_to_be():
    assert said(table({"momentum": [0.9], "fop": [0.95]}), "one run of each shows no difference")[0]
    there, sentences = said(table({"momentum": [0.9, 0.93], "fop": [0.92, 0.92]}), "cannot be seen with these seeds")
    assert there, sentences


def test_times_to_a_target_are_compared_by_their_ratio_and_those_that_miss_it_are_infinite():
    of = table(
        {"momentum": [0.9] * 4, "fop": [0.9] * 4}, {"momentum": [400.0, 420, 380, 410], "fop": [200.0, 205, 195, 210]}
    )
    row = next(row for row in comparisons(of).rows if row.measure == "steps")
    assert row.better == "fop" and math.exp(row.difference.mean) == pytest.approx(1.98, abs=0.05)
    assert said(of, "fop needs fewer steps to the target than momentum", "times")[0]
    of = table({"momentum": [0.9] * 2, "fop": [0.9] * 2}, {"momentum": [math.inf, 400], "fop": [200, 200]})
    row = next(row for row in comparisons(of).rows if row.measure == "steps")
    assert row.difference.test == "sign test" and row.difference.mean == math.inf
    of = table({"momentum": [0.9] * 2, "fop": [0.9] * 2}, {"momentum": [math.inf] * 2, "fop": [math.inf] * 2})
    assert said(of, "steps", "no run of either got there")[0]


def test_a_profile_takes_each_seed_as_a_problem():
    of = table({"momentum": [0.9] * 2, "fop": [0.9] * 2}, {"momentum": [400, math.inf], "fop": [200, 300]})
    ratios, profiles, scores = analysis.profile(of, ratios=np.array([1.0, 2.0]))
    np.testing.assert_array_equal(profiles, [[0, 0.5], [1, 1]])
    assert scores.tolist() == [pytest.approx(1 / 3), 1.0] and len(ratios) == 2
    of.steps_to_target[:] = math.nan
    assert len(analysis.profile(of)[0]) == 0


def test_a_record_is_the_first_step_at_which_the_mean_meets_the_target():
    of = table({"momentum": [0.9] * 3, "fop": [0.9] * 3}, {}, target={"value": 0.8})
    for index in range(6):
        values = np.array([0.5, 0.8 + 0.01 * of.seed[index], 0.9 + 0.001 * of.seed[index]])
        steps = np.array([100, 200, 300])
        of.curves[index] = {"test_accuracy": Curve(steps, steps / 100, values if index < 3 else values - 0.5)}
    first, second = analysis.records(of)
    assert (first.method, first.steps, first.n) == ("momentum", 300, 3) and first.p < 0.05
    assert (second.method, second.steps) == ("fop", math.inf)
    assert said(of, "momentum reaches test accuracy 80.00 % on average by step 300 (one-sided t of that step alone")[0]
    assert said(of, "fop is not shown to reach")[0]


def tuned(folder, values, **more):
    submit.submit(study(**more), folder)
    made.write(store.load("s", folder), values, "tune")
    return progress.table("s", folder)


def test_the_winner_is_the_best_mean_over_seeds_and_one_lost_seed_loses(folder):
    def value(cell):
        if cell.config.optimizer.lr == 0.1 and cell.seed == 1:
            return math.nan
        return {0.01: 0.5, 0.05: 0.6, 0.1: 0.9}[cell.config.optimizer.lr] + 0.01 * cell.seed

    won = winners(tuned(folder, value))
    assert won["momentum"].point == {"optimizer.lr": 0.05} and won["momentum"].failed == 1
    assert won["momentum"].score == pytest.approx(0.61) and won["momentum"].std == pytest.approx(0.01)
    assert (won["fop"].trials, won["fop"].fewest, won["fop"].failed) == (6, 3, 2)
    assert won["fop"].point == {"optimizer.lr": 0.05, "fop.rank": 1}, "of two equal ones the first"


def test_a_winner_at_the_end_of_an_axis_and_unequal_trials_are_said(folder):
    of = tuned(folder, lambda cell: cell.config.optimizer.lr + (0.01 if cell.method == "fop" else 0))
    there, sentences = said(of, "momentum is best at the end of an axis (optimizer.lr = 0.1)")
    assert there, sentences
    assert said(of, "fop was tuned over 6 settings, another method over 3")[0]
    # Of the six scores 0.02, 0.02, 0.06, 0.06, 0.11, 0.11 the best of three is 0.11 in 16 of 20 choices, 0.06 in 4.
    assert winners(of)["fop"].expected == pytest.approx((16 * 0.11 + 4 * 0.06) / 20)


def test_a_point_counts_once_all_its_seeds_have_ended(folder):
    submit.submit(study(), folder)
    assert winners(progress.table("s", folder)) == {}
    made.write(store.load("s", folder), lambda cell: 0.5 + 0.1 * (cell.seed == 2), "tune")
    of = progress.table("s", folder)
    of.state[0] = "running"
    won = winners(of)["momentum"]
    assert not won.final and won.point == {"optimizer.lr": 0.05}


def test_what_was_reported_before_the_analysis_was_fixed_is_said():
    of = table({"momentum": THEIRS, "fop": OURS})
    assert not said(of, "before this study")[0]
    of.adopted = [True] * 3 + [False] * 5
    assert said(of, "3 of 8 reported runs were there before this study, and may be why it compares what it does.")[0]


def test_a_study_that_grew_after_its_results_is_explored(folder):
    tuned(folder, lambda cell: 0.9)
    advance.advance("s", folder)
    submit.grow("s", fresh_seeds=(20,), folder=folder)
    assert "grew" in comparisons(progress.table("s", folder)).explored[0]


def test_a_method_whose_every_setting_was_lost_keeps_no_other_from_being_declared_better(folder):
    def value(cell):
        if cell.method == "fop":
            return math.nan
        return (0.95 if cell.method == "adam" else 0.90) + 0.001 * (cell.seed * (2 if cell.method == "adam" else 1))

    tuned(folder, value, methods=["momentum", "adam", "fop"], seeds=[0], fresh_seeds=[1, 2, 3, 4])
    advance.advance("s", folder)
    made.write(store.load("s", folder), value)
    table = progress.table("s", folder)
    assert table.stored.lost == ["fop"] and comparisons(table).final
    assert [row.better for row in comparisons(table).rows] == ["adam", "", ""]
    assert said(table, "adam has the better test accuracy")[0] and said(table, "fop: no setting of 6 came")[0]
    assert not said(table, "nothing is declared")[0]
    [differences] = [part for part in report.sections(table, comparisons(table)) if part.title == "Differences"]
    assert [line[-1] for line in differences.lines] == ["adam is better", "not compared", "not compared"]
    drawn = reported.pairwise(table, comparisons(table))
    assert drawn is not None and len(drawn.drawing.rows) == 1


def test_a_method_whose_every_setting_was_lost_never_is_at_the_target(folder):
    def value(cell):
        return math.nan if cell.method == "fop" else 0.9 + 0.001 * cell.seed

    target = {"column": "test_accuracy", "value": 0.85}
    tuned(folder, value, methods=["momentum", "fop"], seeds=[0], fresh_seeds=[1, 2, 3], target=target)
    advance.advance("s", folder)
    made.write(store.load("s", folder), value)
    table = progress.table("s", folder)
    times = reported.time_to_target(table)
    assert times is not None
    values = {row.method: row.values for row in times.drawing.rows}
    assert np.isinf(values["fop"]).all() and np.isfinite(values["momentum"]).all()
    assert reported.performance_profile(table) is not None


def test_a_study_without_fresh_seeds_judges_by_what_chose_and_says_so(folder):
    of = tuned(folder, lambda cell: 0.9 + 0.01 * cell.seed, fresh_seeds=[])
    made_of = comparisons(of)
    assert made_of.role == "tune" and made_of.groups["fop"].n == 3 and "no fresh seeds" in made_of.explored[0]
    assert said(of, "on the held-out images, n = 3")[0]


def test_the_median_rule_ends_what_has_fallen_behind_and_nothing_else(folder):
    axis = "optimizer.lr=" + ",".join(f"{0.01 * each:g}" for each in range(1, 8))
    plan = study(axis, methods=["sgd"], seeds=[0], ending={"grace": 0.25, "others": 4})
    runs = [made.Run(folder / run_id) for run_id in submit.submit(plan, folder).stored.runs.values()]
    for run in runs:
        run.withdraw("start")
    for run, last in zip(runs[:4], (0.5, 0.6, 0.7, 0.8)):
        made.ended(run, [last, last, last, last], "held_out_accuracy")
    controls = []
    for run, values in zip(runs[4:], ([0.1, 0.2], [0.1, 0.66], [])):
        made.ended(run, values, "held_out_accuracy", "stopped")
        controls.append(made.Control(run))
        controls[-1].set("running")
    try:
        of = progress.table("s", folder)
        assert list(advance.falling_behind(of)) == [4], "the second is above the median of 0.65, the third not measured"
        of.adopted[4] = True
        assert advance.falling_behind(of) == {}, "it was there before, and may be another study's too"
        of.adopted[4] = False
        assert advance.advance("s", folder)
        assert runs[4].has_request("stop") and not runs[5].has_request("stop")
        controls[0].set("stopped", "by study s", by="study s")
    finally:
        for control in controls:
            control.__exit__(None, None, None)
    of = progress.table("s", folder)
    assert of.state[4] == "ended early" and "median of 4" in of.reason[4] and of.ended[4]
    assert of.outcome("held_out_accuracy")[4] == -math.inf
    assert runs[4].id not in submit.resume("s", folder).queued, "it stays ended"


def test_without_a_rule_nothing_is_ended(folder):
    of = tuned(folder, lambda cell: 0.5)
    assert of.study.ending is None and advance.falling_behind(of) == {}
    assert protocol.Median().others == 4
