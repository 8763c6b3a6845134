"""What cards say of runs that diverged, that are not all there, or that are noise."""

import dataclasses

import numpy as np
import pytest

from fop_core.reproduction import cifar, mnist, mnist_tables, planned, plans
from fop_core.reproduction.cards import CARDS
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import above, comes_out, compared, percent, spread
from fop_core.reproduction.shipped import Packed, PackedRun, _all_cells
from fop_core.runs.series import Series

RATES = plans.PLANS[planned.RATES].study
ADAM = plans.PLANS[planned.ADAM].study
CELLS = {}
NONE = {name: None for name in (mnist.TUNE, mnist.BEST, mnist.SMALL, mnist.CONTROL)}


class Replaced(Evidence):
    """What ships, with some studies replaced."""

    def __init__(self, studies: dict[str, Packed | None]) -> None:
        super().__init__()
        self._studies.update(studies)


def made(study, value, diverged=lambda cell: False, keep=lambda cell: True, epochs=(1.0, 10.0)) -> Packed:
    """Return a study whose runs all measured ``value(cell)``, but those that diverged before the first epoch."""
    runs = []
    for cell in filter(keep, CELLS.setdefault(study.name, _all_cells(study))):
        steps = np.arange(1, len(epochs) + 1)
        column = "held_out_accuracy" if cell.role == "tune" else "test_accuracy"
        metrics = {"epoch": Series(steps, np.array(epochs)), column: Series(steps, np.full(len(epochs), value(cell)))}
        if diverged(cell):
            metrics = {"epoch": Series(steps[:1], np.zeros(1))}
        state, cause = ("failed", "diverged") if diverged(cell) else ("finished", "")
        runs.append(PackedRun("run", cell, state, cause, {}, {}, 1, metrics))
    return Packed(study, tuple(runs))


def cut(run: PackedRun, steps: int) -> PackedRun:
    """Return a run as if it had diverged after so many steps."""
    metrics = {
        name: Series(series.steps[series.steps <= steps], series.values[series.steps <= steps])
        for name, series in run.metrics.items()
        if (series.steps <= steps).any()
    }
    return dataclasses.replace(run, state="failed", cause="diverged", metrics=metrics)


def high(cell) -> bool:
    return cell.point["optimizer.lr"] >= 0.2


def figure_4a(*arguments, **more):
    return planned.figure_4a(Replaced({planned.RATES: made(RATES, *arguments, **more)}))


@pytest.mark.parametrize(("who", "says"), [("momentum", "better in 8, worse in 0"), ("fop", "better in 0, worse in 8")])
def test_a_setting_at_which_one_method_diverges_is_won_by_the_other(who, says):
    card = figure_4a(lambda cell: 0.6 + 0.0001 * cell.seed, diverged=lambda cell: cell.method == who and high(cell))
    assert card.parts[0].measured.startswith(f"{says} of 16 (sign test, p = 0.016")
    assert card.parts[0].holds is (who == "momentum")
    assert "runs diverged" in card.parts[1].measured and "inf" not in card.parts[1].measured


def test_a_setting_at_which_both_diverge_is_a_tie():
    card = figure_4a(lambda cell: 0.6, diverged=high)
    assert card.parts[0].measured.startswith("better in 0, worse in 0 of 16")
    assert card.verdict == "not" and "nan" not in card.parts[1].measured


def test_figure_4a_of_noise_seldom_comes_out():
    noise = np.random.default_rng(0)
    counts = np.zeros(2)
    for _ in range(25):
        counts += [bool(part.holds) for part in figure_4a(lambda cell: 0.6 + 0.01 * noise.standard_normal()).parts]
    assert counts.max() <= 5, "of 25 by chance alone one, and 6 with a probability of 0.1 %"


def test_figure_4a_of_two_rates_and_momenta_has_no_test_between_halves():
    quick = plans.PLANS[planned.RATES].quick
    card = planned.figure_4a(Replaced({planned.RATES: made(quick, lambda cell: 0.6 + 0.1 * (cell.method == "fop"))}))
    assert card.parts[0].measured.startswith("better in 4, worse in 0 of 4 (sign test, p = 0.12")
    assert "no test" in card.parts[1].measured and card.parts[1].holds is False, "the gain is the same everywhere"


def test_figure_4a_of_a_gain_that_grows_comes_out():
    def value(cell) -> float:
        rank = sorted((0.01, 0.05, 0.2, 0.5)).index(cell.point["optimizer.lr"])
        rank += sorted((0, 0.5, 0.9, 0.99)).index(cell.point["optimizer.momentum"])
        return 0.6 + 0.0001 * cell.seed + (0.01 * (1 + rank) if cell.method == "fop" else 0)

    card = figure_4a(value)
    assert card.verdict == "reproduced"
    assert card.parts[0].measured == "better in 16, worse in 0 of 16 (sign test, p < 1e-4; Holm's correction)"
    assert card.parts[1].measured.startswith("+6.0 against +3.3 points (rank sum, p = 0.0")


def test_figure_4b_compares_report_runs_each_at_its_own_best_rate():
    best = {"adam": 0.001, "before": 0.003, "after": 0.003}

    def value(cell) -> float:
        lr = cell.point["optimizer.lr"]
        if cell.role == "tune":
            return 0.6 if lr == best[cell.method] else 0.3
        return 0.6 + 0.0001 * cell.seed + (0.05 if cell.method != "adam" else 0) + (0.2 if lr == 0.01 else 0)

    card = planned.figure_4b(Replaced({planned.ADAM: made(ADAM, value)}))
    assert card.verdict == "reproduced" and all(part.measured.startswith("+5.00 points") for part in card.parts)
    assert all(part.says.startswith("Each at its own best rate") for part in card.parts)
    tuned = made(ADAM, value, keep=lambda cell: cell.role == "tune")
    assert planned.figure_4b(Replaced({planned.ADAM: tuned})).verdict == "not run"


@pytest.mark.parametrize("steps", [0, 600, 3000])
@pytest.mark.parametrize("method", ["full", mnist.SGD])
def test_one_run_that_diverged_is_said_in_every_card_and_table(method, steps):
    best = Evidence().study(mnist.BEST)
    one = tuple(cut(run, steps) if (run.cell.method, run.seed) == (method, 3) else run for run in best.runs)
    evidence = Replaced({mnist.BEST: dataclasses.replace(best, runs=one)})
    parts = CARDS["2"](evidence).parts
    assert "1 of 5 diverged" in parts[0].measured and "rank sum" in parts[0].measured
    assert not any("inf" in part.measured or "nan" in part.measured for part in parts)
    assert all(part.holds is False for part in parts[:4])
    CARDS["A.1"](evidence)
    rows = {row[0]: row for row in mnist_tables.best_rows(evidence)[1]}
    assert rows["SGD" if method == mnist.SGD else "FOP, full"][1] == "1 of 5 diverged"


def test_rates_at_which_all_runs_diverge_are_said_and_the_best_is_one_that_trains():
    tune = Evidence().study(mnist.TUNE)
    runs = tuple(cut(run, 600) if run.cell.point["optimizer.lr"] >= 0.2 else run for run in tune.runs)
    evidence = Replaced({mnist.TUNE: dataclasses.replace(tune, runs=runs)})
    rows = {row[0]: row[1:] for row in mnist_tables.rate_rows(evidence)[1]}
    assert rows["0.5"] == ["3 of 3 diverged", "3", ""] and rows["0.1"][2] == "best"


def test_a_run_that_finished_without_a_column_has_none_of_it():
    [run] = made(
        ADAM,
        lambda cell: 0.5,
        keep=lambda cell: (cell.method, cell.seed, cell.point) == ("adam", 0, {"optimizer.lr": 0.001}),
    ).runs
    assert percent([run]) == {} and percent([run], 1) == {}
    assert percent([run], column="held_out_accuracy") == {run.seed: 50.0}


def test_ranks_decide_where_a_run_diverged_and_not_the_sign_of_infinity():
    minus = float("-inf")
    ours = {seed: 10.0 + seed for seed in range(10)}
    theirs = {**{seed: 97.0 + seed / 10 for seed in range(9)}, 9: minus}
    assert not comes_out(above(ours, theirs)) and comes_out(above(theirs, ours)), "one of theirs diverged, nine are far"
    assert compared(ours, theirs).startswith("worse (14.50 ± 3.03 % against 1 of 10 diverged, n = 10; rank sum")
    assert comes_out(above({0: 1.0}, {0: minus})) and not comes_out(above({0: minus}, {0: 1.0})), (
        "of one seed the order"
    )
    assert not comes_out(above({0: minus}, {0: minus}))
    assert spread([1.0, minus]) == "1 of 2 diverged"


def test_of_every_rank_nothing_is_known_while_one_is_missing():
    small = Evidence().study(mnist.SMALL)
    full = plans.small("full", mnist.LARGE, learned=True)
    some = dataclasses.replace(small, runs=tuple(run for run in small.runs if run.cell.method in (mnist.SGD, full)))
    card = mnist.figure_2(Replaced({**NONE, mnist.SMALL: some}))
    assert [part.holds for part in card.parts] == [None] * 8 + [True, None, None, None]
    assert card.verdict == "in part" and not any(part.measured for part in card.parts[9:])


def test_of_all_four_baselines_nothing_is_known_while_one_is_missing():
    study = plans.PLANS[cifar.STUDY].study

    def card(*methods: str):
        packed = made(
            study,
            lambda cell: (0.8 if cell.method == "fop" else 0.7) + 0.001 * cell.seed,
            keep=lambda cell: cell.method in methods,
            epochs=(1.0, 2.0, 4.0, 8.0, 15.0),
        )
        return cifar.figure_3(Replaced({cifar.STUDY: packed}))

    assert [part.holds for part in card("fop", "s-hd").parts] == [None, None, None]
    assert [part.holds for part in card("fop", "s-hd", "momentum", "pp-hd").parts] == [True, None, None]
    assert [part.holds for part in card("fop", *cifar.BASELINES).parts] == [True, True, True]
