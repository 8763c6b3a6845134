import json

import pytest

from fop_core.studies import cells, protocol
from fop_core.studies.protocol import parse_axis
from fop_core.training import config
from fop_core.training.config import ConfigError
from tests.studies.made import study


def test_an_axis_of_a_part_that_a_method_has_not_is_not_multiplied_for_it():
    plan = study()
    all_of = cells.check(plan)
    assert len(all_of) == 27 and cells.count(plan) == (27, 6)
    assert [len(tried) for tried in cells.points(plan).values()] == [3, 6]
    assert {cell.config.fop.rank for cell in all_of if cell.method == "fop"} == {1, 16}
    assert all(cell.config.fop is None and cell.point.keys() == {"optimizer.lr"} for cell in all_of[:9])
    assert len({cell.key for cell in all_of}) == 27


def test_a_cell_has_the_presets_settings_the_studys_and_its_own():
    plan = study(base={"epochs": 3, "fop.hyper_lr": 1e-3, "optimizer.beta1": 0.5}, methods=["momentum", "fop", "adam"])
    first = cells.check(plan)[0]
    changed = ["epochs=3", "optimizer.lr=0.01", "data.held_out=0.1"]
    assert first.config == config.change(config.preset("mnist-mlp", "momentum"), changed)
    by_method = {cell.method: cell.config for cell in cells.check(plan)}
    assert by_method["fop"].fop.hyper_lr == 1e-3 and by_method["adam"].optimizer.beta1 == 0.5
    assert by_method["fop"].optimizer.beta1 == 0.9, "which SGD has not: it is left out"


def test_tuning_is_on_held_out_images_and_reporting_on_the_test_set_with_fresh_seeds():
    plan = study(held_out=0.2)
    report = cells.cells(plan, {"fop": {"optimizer.lr": 0.1, "fop.rank": 16}})[27:]
    assert {cell.config.data.held_out for cell in cells.cells(plan)} == {0.2}
    assert [(cell.role, cell.config.data.held_out, cell.seed) for cell in report] == [
        ("report", 0.0, seed) for seed in (3, 4, 5)
    ]


def test_without_axes_nothing_is_tuned_and_the_seeds_report():
    plan = protocol.parse({"name": "s", "seeds": [4, 7]})
    all_of = cells.check(plan)
    assert [(cell.method, cell.seed, cell.role) for cell in all_of] == [
        (method, seed, "report") for method in ("momentum", "fop") for seed in (4, 7)
    ]


def test_settings_that_depend_on_another_axis_are_multiplied_only_there():
    plan = study("fop.preconditioner=factored,low_rank", "fop.rank=1,4", methods=["fop", "sgd"])
    points = cells.points(plan)
    assert [dict(point) for point in points["fop"]] == [
        {"fop.preconditioner": "factored"},
        {"fop.preconditioner": "low_rank", "fop.rank": 1},
        {"fop.preconditioner": "low_rank", "fop.rank": 4},
    ]
    assert points["sgd"] == [{}]


def test_an_axis_can_be_for_one_method_alone():
    plan = study("sgd:optimizer.lr=0.1,1", "adam:optimizer.lr=0.001,0.01,0.1", methods=["sgd", "adam"])
    assert [len(tried) for tried in cells.points(plan).values()] == [2, 3]


def test_a_base_optimizer_without_a_method_of_the_preset_can_be_compared():
    (cell, *_) = cells.check(study("optimizer.lr=0.02", methods=["muon"]))
    assert cell.config.optimizer == config.base("mnist-mlp", "sgd", "muon") and cell.config.fop is None


def test_quasi_random_points_are_as_many_for_each_method_within_the_range_and_always_the_same():
    axes = ("optimizer.lr=log:1e-3:1e-1:2", "fop.rank=lin:1:64:2", "fop.layout=auto,input")
    plan = study(*axes, sampling="quasi-random", trials=12)
    points = cells.points(plan)
    assert [len(tried) for tried in points.values()] == [12, 12]
    rates = sorted(point["optimizer.lr"] for point in points["fop"])
    assert 1e-3 <= rates[0] < 3e-3 and 3e-2 < rates[-1] <= 1e-1
    assert sum(rate < 1e-2 for rate in rates) == 6, "by their logarithms, half are below the middle"
    assert all(type(point["fop.rank"]) is int for point in points["fop"])
    assert {point["fop.layout"] for point in points["fop"]} == {"auto", "input"}
    assert cells.points(plan) == points
    more = cells.points(study(*axes, sampling="quasi-random", trials=16))
    assert more["fop"][:12] == points["fop"], "more trials keep those before"


@pytest.mark.parametrize(
    ("text", "values", "scale"),
    [
        ("optimizer.lr=0.01,0.05", (0.01, 0.05), "list"),
        ("optimizer.lr=log:1e-3:1e-1:3", (0.001, 0.01, 0.1), "log"),
        ("fop.rank=log:1:64:4", (1, 4, 16, 64), "log"),
        ("fop.rank=lin:1:3:9", (1, 2, 3), "lin"),
        ("fop.normalized=true,false", (True, False), "list"),
        ("fop.layout=auto,input", ("auto", "input"), "list"),
        ("schedule.milestones=[2],[2,4]", ([2], [2, 4]), "list"),
        ("fop.rescale=null,2", (None, 2), "list"),
    ],
)
def test_an_axis_is_written_as_a_list_or_a_range(text, values, scale):
    axis = parse_axis(text)
    assert (axis.values, axis.scale) == (values, scale)
    assert protocol.Axis.model_validate(json.loads(axis.model_dump_json())) is not None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("optimizer.lr", "write field=values"),
        ("optimizer.lr=", "has none"),
        ("optimizer.lr=0.1,0.1", "twice"),
        ("optimizer.lr=log:0:1:3", "above 0"),
        ("optimizer.lr=log:1e-3:1e-1", "from:to:count"),
        ("optimizer.lr=lin:1:0:3", "from below to"),
        ("a:b:c=1", "write field=values"),
    ],
)
def test_what_is_no_axis_is_refused_with_what_is_expected(text, why):
    with pytest.raises(ConfigError, match=why):
        parse_axis(text)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"axes": [{"field": "optimizer.lrr", "values": [1]}]}, "did you mean optimizer.lr"),
        ({"axes": [{"field": "seed", "values": [1]}]}, "seeds tune"),
        ({"axes": [{"field": "data.held_out", "values": [0.1]}]}, "give held_out"),
        ({"axes": [{"field": "fop.rank", "values": [1]}], "methods": ["sgd"]}, "nothing is multiplied"),
        ({"axes": [{"field": "optimizer.lr", "values": []}]}, "has none"),
        ({"axes": [{"field": "optimizer.lr", "values": [-1]}]}, "sgd with optimizer.lr=-1: optimizer.lr: -1 given"),
        ({"axes": [{"field": "optimizer.lr", "values": [1], "methods": ["fop"]}]}, "not among sgd"),
        ({"axes": [{"field": "batch_size", "values": [1, 2]}] * 2}, "twice"),
        ({"methods": []}, "there are none"),
        ({"methods": ["sgd", "sgd"]}, "twice"),
        ({"methods": ["newton"]}, "no method 'newton'"),
        ({"preset": "mnist"}, "no preset 'mnist'"),
        ({"seeds": []}, "seeds: there are none"),
        ({"seeds": [1, 1]}, "one twice"),
        ({"fresh_seeds": [2]}, "tune already"),
        ({"trials": 3}, "a grid has as many"),
        ({"sampling": "quasi-random"}, "how many points"),
        ({"analysis": {"baseline": "adam"}}, "not among sgd"),
        ({"choose": {"column": "test_accuracy"}}, "choose.column"),
        ({"name": "\x1b[2J"}, "visible line"),
        ({"limit": 11}, "9 runs to tune and 3 to report are more than 11"),
        ({"base": {"epoch": 3}}, "did you mean epochs"),
        ({"base": {"epochs": 0}}, "epochs: 0 given"),
        ({"base": {"fop.rank": 3}}, "fop.rank: is none of the settings of sgd"),
    ],
)
def test_what_is_no_study_is_refused_with_what_and_why(changes, why):
    content = {"name": "s", "methods": ["sgd"], "axes": [parse_axis("optimizer.lr=0.01,0.1,1").model_dump()]}
    with pytest.raises(ConfigError, match=why):
        cells.check(protocol.parse(content | changes))


def test_a_product_far_beyond_the_limit_is_refused_before_it_is_made():
    axes = [{"field": field, "values": list(range(1, 1000))} for field in ("batch_size", "epochs", "log_every")]
    with pytest.raises(ConfigError, match="997,002,999 points"):
        cells.check(protocol.parse({"name": "s", "axes": axes}))


def test_a_study_goes_to_json_and_back_unchanged():
    plan = study(target={"value": 0.97}, ending={}, analysis={"baseline": "momentum"})
    assert protocol.parse(json.loads(json.dumps(plan.to_json()))) == plan
