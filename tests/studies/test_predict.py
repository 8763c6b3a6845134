import math
import time

import pytest

from fop_core import warm
from fop_core.runs import store as runs
from fop_core.studies import cells, predict, statistics, submit
from fop_core.studies.predict import detectable
from fop_core.training import config
from tests.studies import made
from tests.studies.made import study
from tests.training.test_plugins import DATA, SETTINGS, source


def there(folder, method, seed, last, *changes, seconds=2.0):
    settings = config.change(config.preset("mnist-mlp", method), [f"seed={seed}", *changes])
    lineage = {"preset": "mnist-mlp", "method": method}
    return made.ended(
        runs.create(settings.to_json(), folder=folder, lineage=lineage), [last / 2, last], seconds=seconds
    )


def test_the_cost_is_that_of_runs_of_like_settings_scaled_by_their_epochs(folder):
    for method in ("momentum", "fop"):
        there(folder, method, 0, 0.9, "epochs=2", "optimizer.lr=0.7")
    will = predict.predict(study("optimizer.lr=0.01,0.05,0.1"), folder)
    # Two epochs took 4 s and 1 s of evaluation; a cell has ten.
    assert will.costs["momentum"].seconds == pytest.approx(predict.STARTUP + 20 + 5)
    assert (will.tuning, will.reporting, will.there) == (18, 6, 0)
    once = predict.LOADING if warm.FORKS else 0
    assert will.seconds == pytest.approx(once + 24 * will.costs["fop"].seconds) and will.size > 0
    assert will.wall_seconds == will.seconds / will.slots
    submit.submit(study("optimizer.lr=0.01", name="one"), folder)
    assert predict.predict(study("optimizer.lr=0.01,0.05,0.1"), folder).there == 6


def test_settings_that_cost_more_are_counted_at_what_they_cost(folder):
    for rank, seconds in ((1, 2.0), (16, 6.0)):
        there(folder, "fop", 0, 0.9, f"fop.rank={rank}", seconds=seconds)
    will = predict.predict(study("fop.rank=1,16", methods=["fop"], fresh_seeds=[5]), folder)
    of_rank = {
        rank: predict.predict(study(f"fop.rank={rank}", methods=["fop"]), folder).costs["fop"] for rank in (1, 16)
    }
    assert of_rank[16].seconds > 1.5 * of_rank[1].seconds
    mean = (of_rank[1].seconds + of_rank[16].seconds) / 2
    assert will.costs["fop"].seconds == pytest.approx(mean) and len(will.costs["fop"].sources) == 2
    once = predict.LOADING if warm.FORKS else 0
    assert will.seconds == pytest.approx(once + 3 * of_rank[1].seconds + 3 * of_rank[16].seconds + mean)
    assert math.isnan(predict.predict(study("fop.rank=1,4", methods=["fop"]), folder).seconds), (
        "of rank 4 nothing is known"
    )


def test_what_nothing_tells_is_not_predicted(folder):
    there(folder, "momentum", 0, 0.9)
    will = predict.predict(study(), folder)
    assert list(will.costs) == ["momentum"] and math.isnan(will.seconds) and math.isnan(will.size)


def test_a_probe_measures_the_first_steps_in_a_folder_of_its_own(folder, monkeypatch):
    moments, loaded = [], predict._loaded
    monkeypatch.setattr(predict, "_loaded", lambda run: moments.append(loaded(run)) or moments[-1])
    plan = study("optimizer.lr=0.05,0.1", methods=["sgd"], base={"threads": 1, "data.limit": 500, "epochs": 2})
    will = predict.predict(plan, folder, probe=True)
    took = time.time() - moments[0] if moments else math.inf  # from when it had torch loaded
    cost = will.costs["sgd"]
    assert cost.sources == () and 0.1 < cost.seconds < 300
    assert cost.seconds <= took, "what a run that is forked takes"
    once = predict.LOADING if warm.FORKS else 0
    assert will.seconds == pytest.approx(once + (will.tuning + will.reporting) * cost.seconds)
    assert list(runs.directories(folder)) == []
    assert len(cells.cells(plan)) == will.tuning


def test_the_detectable_difference_is_that_of_the_paired_spread_of_what_is_there(folder):
    assert detectable(study(), folder) is None
    for seed, (one, other) in enumerate([(0.90, 0.91), (0.92, 0.93), (0.91, 0.94)]):
        there(folder, "momentum", seed, one)
        there(folder, "fop", seed, other)
    can = detectable(study(), folder)
    std = statistics.paired([0.90, 0.92, 0.91], [0.91, 0.93, 0.94]).std
    assert can.pairs == 3 and can.std == pytest.approx(std) and "share" in can.source
    assert can.difference == pytest.approx(statistics.detectable(std, 3))
    four = detectable(study(methods=["momentum", "fop", "sgd", "adam"]), folder)
    assert four.difference == pytest.approx(statistics.detectable(std, 3, 0.05 / 6)), "of six comparisons"
    to_target = detectable(study(target={"value": 0.9}), folder)
    assert to_target.difference == pytest.approx(statistics.detectable(std, 3, 0.05 / 3)), "steps and seconds too"
    assert (can.level, to_target.level) == (0.05, 0.05 / 3)


def test_runs_that_are_all_the_same_tell_no_difference(folder):
    for seed in range(2):
        for method in ("momentum", "fop"):
            there(folder, method, seed, 0.9)
    assert detectable(study(), folder) is None


def test_of_one_method_alone_the_difference_is_as_if_nothing_were_shared(folder):
    for seed, last in enumerate([0.90, 0.92, 0.91]):
        there(folder, "momentum", seed, last)
    can = detectable(study(fresh_seeds=[7]), folder)
    assert can.std == pytest.approx(math.sqrt(2) * 0.01) and can.difference == math.inf


@pytest.mark.parametrize(
    "other", [["epochs=3"], ["max_steps=12"], ["data.limit=200"], ["data.normalize=standard"], ["model.width=2"]]
)
def test_runs_of_other_data_network_or_length_do_not_tell_the_spread(folder, other):
    for seed in range(3):
        for method in ("momentum", "fop"):
            there(folder, method, seed, 0.9 + 0.01 * seed ** (1 if method == "fop" else 2), *other)
    assert detectable(study(), folder) is None
    field, _, value = other[0].partition("=")
    like = study(base={field: int(value) if value.isdecimal() else value})
    assert detectable(like, folder).pairs == 3


def test_the_spread_is_not_known_of_another_content_of_ones_own_data(folder):
    own = source(SETTINGS + DATA)
    named = {"file": own.file, "sha256": own.digest}
    plugin, sources = {**named, "settings": {"n": 2}}, dict.fromkeys(("data", "model"), own)
    for seed in range(3):
        for method in ("momentum", "sgd"):
            content = config.preset("mnist-mlp", method).to_json() | {"seed": seed}
            last = 0.01 * seed ** (1 if method == "sgd" else 2)
            content |= {part: {"name": "plugin", "plugin": named, "settings": {"n": 2}} for part in sources}
            settings, lineage = config.parse(content).to_json(), {"preset": "mnist-mlp", "method": method}
            made.ended(runs.create(settings, folder=folder, lineage=lineage, sources=sources), [0.5, 0.9 + last])

    def of(**change):
        of_study = {"data": plugin | change, "model": plugin}
        return detectable(study("optimizer.lr=0.1", methods=["momentum", "sgd"], plugins=of_study), folder)

    assert of().pairs == 3
    assert of(sha256="1" * 64) is None and of(settings={"n": 3}) is None
