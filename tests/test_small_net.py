"""The comparison on a small net: what is run, what is taken in, and what is reckoned of it."""

import json
import math

import numpy as np
import pytest
from scipy import stats

from benchmarks.small_net.__main__ import main
from benchmarks.small_net.plan import CONFIRMED_ON, HELD_OUT, METHODS, MOST, Cell, best, defaults, sweep
from benchmarks.small_net.report import difference, measured
from benchmarks.small_net.runs import Runs, Unfinished, tune
from fop_core.runs import compare, store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config
from tests.runs.tiny import ABOUT
from tests.training import tiny


def made(folder, cell: Cell, accuracies=(0.5,) * 10, state="finished", cause="", megabytes: int | None = 500) -> Run:
    """A run of a cell that nobody trained: its accuracy after each epoch is written down."""
    run = store.create(cell.config.to_json(), name=cell.name, folder=folder)
    part = "held_out" if cell.held_out else "test"
    writer = RunWriter(run, ABOUT)
    for epoch, accuracy in enumerate(accuracies, start=1):
        row = {"step": 157 * epoch, "epoch": 157 * epoch / 157, "seconds": 20.0 * epoch, "train_loss": 1.0}
        writer.row(row | {f"{part}_accuracy": accuracy})
    writer.close()
    with Control(run) as control:
        control.set(state, "", cause)
    if megabytes is not None:
        run.label(notes=f"peak memory {megabytes} MB, CPU 200 s")
    return run


def tuned(folder, method: str, peak: int = 0, accuracy: float = 0.6) -> None:
    """All runs of a method's tuning, best so many factors of the root of 10 above its rate, and at its own rho."""
    rate, rho = defaults(method)

    def score(cell: Cell, distance: float) -> float:
        final = accuracy - 0.01 * abs(distance)
        if cell not in there:
            there.add(cell)
            made(folder, cell, (0.1,) * 9 + (final,))
        return final

    there: set[Cell] = set()
    rates = sweep(
        rate,
        lambda some: [score(Cell(method, each, rho, 0, HELD_OUT), 2 * math.log10(each / rate) - peak) for each in some],
    )
    if rho is not None:
        chosen = best(rates)
        sweep(
            rho,
            lambda some: [score(Cell(method, chosen, each, 0, HELD_OUT), 2 * math.log10(each / rho)) for each in some],
        )


@pytest.mark.parametrize(
    ("peak", "expected"),
    [
        (0.05, [0.005, 0.0158, 0.05, 0.158, 0.5]),
        (0.158, [0.005, 0.0158, 0.05, 0.158, 0.5]),
        (0.5, [0.005, 0.0158, 0.05, 0.158, 0.5, 1.58]),
        (1e-3, [0.0005, 0.00158, 0.005, 0.0158, 0.05, 0.158, 0.5]),
        (1e9, [0.005, 0.0158, 0.05, 0.158, 0.5, 1.58, 5.0, 15.8, 50.0]),
    ],
)
def test_a_sweep_has_five_values_and_goes_on_where_the_best_is_an_end(peak, expected):
    scores = sweep(0.05, lambda values: [-abs(math.log10(value / peak)) for value in values])
    assert list(scores) == expected
    assert best(scores) == min(expected, key=lambda value: abs(math.log10(value / peak)))


def test_a_rate_that_diverged_is_never_the_best_and_of_equals_the_smallest_is():
    scores = sweep(
        0.05, lambda values: [-math.inf if value > 0.02 else -abs(math.log10(value / 0.0158)) for value in values]
    )
    assert best(scores) == 0.0158 and len(scores) == 5 and scores[0.05] == -math.inf
    assert len(sweep(0.05, lambda values: [-math.inf] * len(values))) == MOST, "it ends where nothing is any good"
    assert best({3: 0.1, 2: 0.2, 1: 0.2}) == 1


def test_every_run_is_the_small_net_and_two_methods_differ_in_their_optimizer_alone():
    rows = {}
    for method in METHODS:
        rate, rho = defaults(method)
        settings = Cell(method, rate, rho, 1, 0.0).config
        assert (settings.model.name, settings.model.width, settings.model.batch_norm) == ("all-cnn", 0.125, True)
        assert (settings.data.limit, settings.data.augmentation, settings.data.held_out) == (20_000, "flip", 0)
        assert (settings.epochs, settings.batch_size, settings.threads, settings.seed) == (10, 128, 1, 1)
        assert [settings.schedule.at(epoch, 10) for epoch in (0, 5.99, 6, 9)] == [1, 1, 0.1, 0.1]
        rows[method] = {
            name: value
            for name, value in compare.flat(settings.to_json()).items()
            if name.partition(".")[0] not in ("optimizer", "fop")
        }
    assert all(row == rows["sgd"] for row in rows.values())
    sgd = Cell("sgd", 0.05, None, 0, HELD_OUT).config
    assert (sgd.optimizer.name, sgd.optimizer.momentum, sgd.optimizer.weight_decay) == ("sgd", 0.9, 5e-4)
    assert sgd.fop is None and sgd.data.held_out == 0.2
    fop = Cell("exponential", 0.1, 2e-3, 0, HELD_OUT).config
    assert (fop.optimizer.lr, fop.fop.hyper_lr, fop.fop.preconditioner) == (0.1, 2e-3, "exponential")
    assert Cell("adamw", 1e-3, None, 0, 0.0).config.optimizer.beta2 == 0.999
    muon = Cell("muon", 0.1, None, 0, 0.0).config.optimizer
    assert (muon.name, muon.lr, muon.momentum, muon.nesterov) == ("muon", 0.1, 0.95, True), "the authors' own"
    assert {name: defaults(name)[0] for name in ("soap", "shampoo", "muon")} == {
        "soap": 3e-3,
        "shampoo": 1e-3,
        "muon": 0.02,
    }
    assert Cell("fop", 0.05, 5e-4, 0, 0.0).config.fop == config.preset("cifar10-allcnn-small").fop


def test_a_run_that_has_ended_is_taken_in_and_none_other(tmp_path):
    cells = [Cell("sgd", rate, None, 0, HELD_OUT) for rate in (0.05, 0.1, 0.2, 0.3)]
    finished = made(tmp_path, cells[0], (0.3,) * 9 + (0.7,))
    diverged = made(tmp_path, cells[1], (0.3,), "failed", "diverged")
    made(tmp_path, cells[2], (0.3,), "stopped")
    made(tmp_path, cells[3], (0.3,), "failed", "disk")
    (tmp_path / "no-run").mkdir()
    store.create({"epochs": "of another program"}, folder=tmp_path)
    runs = Runs(tmp_path, train=False)
    assert (runs.run(cells[0]).id, runs.score(cells[0])) == (finished.id, 0.7)
    assert (runs.run(cells[1]).id, runs.score(cells[1])) == (diverged.id, -math.inf)
    for cell in (*cells[2:], Cell("sgd", 0.05, None, 1, HELD_OUT), Cell("sgd", 0.05, None, 0, 0.0)):
        with pytest.raises(Unfinished, match="small-net sgd"):
            runs.run(cell)


def test_of_two_runs_of_one_cell_the_one_that_has_ended_counts(tmp_path):
    cell = Cell("sgd", 0.05, None, 0, HELD_OUT)
    made(tmp_path, cell, state="stopped")
    whole = made(tmp_path, cell)
    made(tmp_path, cell, state="lost")
    assert Runs(tmp_path, train=False).run(cell).id == whole.id


def test_rates_are_tuned_first_and_rho_at_the_best_of_them(tmp_path):
    tuned(tmp_path, "sgd", peak=2)
    tuned(tmp_path, "exponential", peak=-1)
    runs = Runs(tmp_path, train=False)
    sgd, fop = tune("sgd", runs), tune("exponential", runs)
    assert (sgd.rate, sgd.rho, len(sgd.rates), sgd.accuracy) == (0.5, None, 6, pytest.approx(0.6))
    assert (fop.rate, fop.rho, len(fop.rates), len(fop.rhos)) == (0.0158, 5e-4, 5, 5)
    assert len(list(store.scan(tmp_path))) == 6 + 5 + 4, "rho at its default was run with the rates"


def test_a_difference_is_paired_and_has_its_interval():
    reckoned = difference([0.61, 0.62, 0.66], [0.60, 0.60, 0.63])
    error = 0.01 / math.sqrt(3)
    assert reckoned["mean"] == pytest.approx(0.02) and reckoned["standard_error"] == pytest.approx(error)
    assert reckoned["high"] == pytest.approx(0.02 + 4.302653 * error) and reckoned["n"] == 3
    test = stats.ttest_rel([0.61, 0.62, 0.66], [0.60, 0.60, 0.63]).confidence_interval(0.95)
    assert (reckoned["low"], reckoned["high"]) == pytest.approx((test.low, test.high))


def test_the_report_has_every_method_as_tuned_on_fresh_seeds_and_says_what_is_missing(tmp_path, capsys):
    after = {"sgd": np.linspace(0.3, 0.57, 10), "exponential": np.linspace(0.36, 0.63, 10)}
    for method, accuracies in after.items():
        tuned(tmp_path, method)
        rate, rho = defaults(method)
        for seed in CONFIRMED_ON:
            extra = 0.01 * seed if method == "exponential" else 0.02 * seed
            values = accuracies + extra
            if method == "exponential":
                values[3] = 0.0
            made(tmp_path, Cell(method, rate, rho, seed, 0.0), values.tolist(), megabytes=400 + seed)
    tuned(tmp_path, "osgm", accuracy=0.99)
    main(["report", "--runs", str(tmp_path)])
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "small_net.json").read_text())
    assert report["methods"].keys() == after.keys()
    assert report["missing"].keys() == METHODS.keys() - after.keys()
    assert "small-net osgm" in report["missing"]["osgm"] and "seed 1" in report["missing"]["osgm"]
    sgd, fop = report["methods"]["sgd"], report["methods"]["exponential"]
    assert [each["mean"] for each in sgd["accuracy"]] == pytest.approx([0.34, 0.37, 0.43, 0.61])
    assert [each["std"] for each in sgd["accuracy"]] == pytest.approx([0.02] * 4) and sgd["accuracy"][0]["n"] == 3
    assert (sgd["cpu_seconds"], sgd["peak_memory_mb"], len(sgd["runs"])) == (200, 403, 3)
    assert (fop["rate"], fop["rho"], fop["held_out_accuracy"]) == (0.05, 5e-4, pytest.approx(0.6))
    assert fop["rates"].keys() == {"0.005", "0.0158", "0.05", "0.158", "0.5"}
    # Seed by seed 0.05, 0.04, 0.03 more, whatever the epoch, but for the fourth.
    means = [each["mean"] for each in fop["difference"]]
    assert means[:2] + means[3:] == pytest.approx([0.04] * 3) and means[2] == pytest.approx(-0.43)
    assert fop["difference"][0]["standard_error"] == pytest.approx(0.01 / math.sqrt(3))
    assert (report["chosen"], report["ahead_after"]) == ("exponential", [1, 2, 10])
    assert "| exponential | 0.05 | 0.0005 | 60.00 | 38.00 ± 1.00 |" in printed
    assert "| exponential | +4.00 [+1.52, +6.48] |" in printed and "after epochs: 1, 2, 10, of 1, 2, 4, 10." in printed
    assert (tmp_path / "small_net.md").read_text() == printed


def test_a_seed_that_diverged_is_no_accuracy_and_not_zero(tmp_path):
    for method in ("sgd", "fop"):
        tuned(tmp_path, method)
        rate, rho = defaults(method)
        for seed in CONFIRMED_ON:
            lost = method == "fop" and seed == 2
            cell, values = Cell(method, rate, rho, seed, 0.0), (0.5,) * (3 if lost else 10)
            made(tmp_path, cell, values, *(("failed", "diverged") if lost else ()), megabytes=None)
    main(["report", "--runs", str(tmp_path)])
    fop = json.loads((tmp_path / "small_net.json").read_text())["methods"]["fop"]
    assert [each["mean"] for each in fop["accuracy"]] == [pytest.approx(0.5), pytest.approx(0.5), None, None]
    assert fop["peak_memory_mb"] is None and fop["difference"][3]["mean"] is None
    assert "–" in (tmp_path / "small_net.md").read_text()


def test_a_missing_run_is_trained_as_any_other_and_not_again(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path / "sets"))
    tiny.cifar10(tmp_path / "sets" / "cifar10", train=2, test=1)
    cell = Cell("exponential", 0.05, 5e-4, 0, HELD_OUT)
    run = Runs(tmp_path / "runs").run(cell)
    assert run.state.state == "finished" and run.progress["steps"] == 10 and run.labels["tags"] == ["small-net", "tune"]
    assert measured(run)["peak_memory_mb"] > 100
    assert cell.name in capsys.readouterr().out
    lineage = run.about["lineage"]
    assert config.change(config.preset(lineage["preset"], lineage["method"]), lineage["set"]) == cell.config
    again = Runs(tmp_path / "runs").run(cell)
    assert again.id == run.id and len(again.attempts) == 1 and capsys.readouterr().out == ""


def test_a_run_that_cannot_be_trained_says_why_and_goes_on_once_it_can(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path / "sets"))
    cell = Cell("sgd", 0.05, None, 0, HELD_OUT)
    with pytest.raises(RuntimeError, match="is queued: exit status 2"):
        Runs(tmp_path / "runs").run(cell)
    tiny.cifar10(tmp_path / "sets" / "cifar10", train=2, test=1)
    assert Runs(tmp_path / "runs").run(cell).state.state == "finished"
    assert len(list(store.scan(tmp_path / "runs"))) == 1
