"""Variants: a method of a study under a name and with settings of its own."""

import json

import pytest

from fop_core import cli
from fop_core.figures.training_curves import line_styles
from fop_core.jobs import queue
from fop_core.runs import store as runs
from fop_core.studies import cells, conclusions, progress, protocol, report, store, submit
from fop_core.studies.drawings import reported
from fop_core.studies.variants import Variant, parse_variant, variant_text
from fop_core.training import config
from fop_core.training.config import ConfigError
from tests.studies import made

K4 = {"method": "fop", "settings": {"fop.rank": 4, "fop.init_std": 0.3}, "description": "k = 4"}
FIXED = {"method": "fop", "settings": {"fop.rank": 4, "fop.init_std": 0.3, "fop.hyper_lr": 0.0}}


def study(**more):
    content = {"name": "ranks", "methods": ["momentum", "k4", "k4-fixed"], "variants": {"k4": K4, "k4-fixed": FIXED}}
    return protocol.parse({**content, "seeds": [3, 4], **more})


def test_a_variants_cells_are_those_of_its_method_with_these_settings():
    of = {}
    for cell in cells.check(study(base={"epochs": 2, "fop.init_std": 0.1})):
        of.setdefault(cell.method, []).append(cell)
    for name, settings in (("k4", K4["settings"]), ("k4-fixed", FIXED["settings"])):
        base = {"epochs": 2, **settings}
        plain = cells.check(protocol.parse({"name": "s", "methods": ["fop"], "seeds": [3, 4], "base": base}))
        assert [cell.key for cell in of[name]] == [cell.key for cell in plain]
        assert [cell.config for cell in of[name]] == [cell.config for cell in plain]
    assert of["momentum"][0].config.fop is None


def test_axes_are_tried_of_variants_too():
    plan = study(axes=[protocol.parse_axis("optimizer.lr=0.01,0.1").model_dump()])
    assert [len(tried) for tried in cells.points(plan).values()] == [2, 2, 2] and cells.count(plan) == (12, 6)
    assert {cell.config.fop.rank for cell in cells.check(plan) if cell.method == "k4"} == {4}


def test_a_study_from_before_there_were_variants_reads_on(folder):
    stored = store.create(protocol.parse({"name": "old"}), folder)
    path = stored.path / "study.json"
    content = json.loads(path.read_text())
    del content["study"]["variants"]
    path.write_text(json.dumps(content))
    assert store.load("old", folder).study == stored.study and stored.study.variants == {}


def test_a_study_of_variants_is_written_read_bound_and_reported(folder):
    done = submit.submit(study(base={"epochs": 1}), folder)
    assert len(done.made) == len(queue.waiting(folder)) == 6
    run = runs.find(done.stored.runs[cells.check(done.stored.study)[2].key], folder)
    assert run.about["lineage"]["method"] == "fop" and "fop.rank=4" in run.about["lineage"]["set"]
    assert " k4 " in run.labels["name"]
    made.write(store.load("ranks", folder), lambda cell: 0.9 + 0.01 * (cell.method == "k4") + 0.001 * cell.seed)
    table = progress.table("ranks", folder)
    assert table.study == study(base={"epochs": 1})
    said = " ".join(conclusions.conclusions(table))
    assert "k4" in said and "k4-fixed" in said
    assert reported.lines(table) is not None and b"k4-fixed" in report.html("ranks", folder)


def test_what_is_there_with_a_variants_settings_is_taken_in(folder):
    plain = {"name": "plain", "methods": ["fop"], "seeds": [3, 4], "base": {"epochs": 1, **K4["settings"]}}
    first = submit.submit(protocol.parse(plain), folder)
    done = submit.submit(study(base={"epochs": 1}), folder)
    assert sorted(done.adopted) == sorted(first.made) and len(done.made) == 4


def test_a_variant_around_another_base_has_that_ones_own_defaults():
    around = {"method": "fop", "settings": {"optimizer.name": "adam", "optimizer.beta1": 0.8}}
    plan = study(methods=["around"], variants={"around": around}, base={"epochs": 1})
    settings = cells.check(plan)[0].config
    wanted = config.base("mnist-mlp", "fop", "adam").model_copy(update={"beta1": 0.8})
    assert settings.optimizer == wanted and settings.fop == config.preset("mnist-mlp", "fop").fop


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"variants": {"k4": K4, "k4-fixed": {**FIXED, "method": "newton"}}}, "variants.k4-fixed: no method 'newton'"),
        ({"variants": {"k4": K4}}, "no method 'k4-fixed': there are .*k4"),
        ({"methods": ["momentum", "k4"]}, "k4-fixed: is not among the methods"),
        ({"methods": ["fop"], "variants": {"fop": K4}}, "is a method's own name"),
        ({"methods": ["a,b"], "variants": {"a,b": K4}}, "letters, digits"),
        ({"methods": ["../k4"], "variants": {"../k4": K4}}, "letters, digits"),
        ({"methods": ["k" * 61], "variants": {"k" * 61: K4}}, "letters, digits"),
        (
            {"methods": ["m"], "variants": {"m": {"method": "momentum", "settings": {"fop.rank": 4}}}},
            "none of the sett",
        ),
        ({"methods": ["m"], "variants": {"m": {"method": "fop", "settings": {"fop.rnak": 4}}}}, "mean fop.rank"),
        ({"methods": ["m"], "variants": {"m": {"method": "fop", "settings": {"seed": 4}}}}, "fresh seeds report"),
        ({"methods": ["m"], "variants": {"m": {"method": "fop", "settings": {"data.held_out": 0.5}}}}, "give held_out"),
        ({"methods": ["m"], "variants": {"m": {"method": "fop", "settings": {"fop.rank": -4}}}}, "fop.rank"),
        ({"methods": ["m"], "variants": {"m": {"method": "k4"}}}, "no method 'k4'"),
        ({"methods": ["m"], "variants": {"m": {"method": "plugin"}}}, "an optimizer of your own"),
        ({"variants": {"k4": K4, "k4-fixed": K4}}, "k4 and k4-fixed have the same settings"),
        ({"methods": ["fop", "f"], "variants": {"f": {"method": "fop"}}}, "fop and f have the same settings"),
        ({"axes": [{"field": "fop.rank", "values": [1, 2]}]}, "k4 has its own value"),
        ({"variants": {"k4": {**K4, "more": 1}}}, "more"),
        ({"variants": {"k4": 4}}, "k4"),
        ({"variants": [K4]}, "variants"),
        ({"variants": {f"k{n}": K4 for n in range(101)}}, "variants: has 101"),
    ],
)
def test_what_is_no_variant_is_refused_and_nothing_is_written(folder, changes, why):
    with pytest.raises(ConfigError, match=why):
        submit.submit(study(**changes), folder)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    "text", ["", "k4", "k4=", "=fop", "k4=fop:", "k4=fop:fop.rank", "k4=fop:fop.rank=", "k4=fop:fop.rank=1,fop.rank=2"]
)
def test_a_text_that_says_no_variant_is_refused(text):
    with pytest.raises(ConfigError, match=r"write|twice"):
        parse_variant(text)


@pytest.mark.parametrize(
    "text", ["a=sgd", "b=fop:fop.rank=4", 'c=fop:fop.layout="auto",schedule.milestones=[2, 4],fop.rescale=null']
)
def test_a_variant_is_written_as_it_is_read(text):
    assert variant_text(*parse_variant(text)) == text


def test_commands_submit_variants(folder, capsys):
    words = "study submit --name s --seeds 3 --set epochs=1 --methods momentum --variant".split()
    assert cli.main([*words, "k4=fop:fop.rank=4,fop.init_std=0.3"]) == 0
    plan = store.load("s", folder).study
    assert plan.methods == ("momentum", "k4") and plan.variants["k4"].settings == K4["settings"]
    assert cli.main([*words, "k4=fop", "--variant", "k4=fop"]) == 2 and "twice" in capsys.readouterr().err
    assert cli.main("study submit --name t --seeds 3 --variant a=fop:fop.rank=2 --dry-run".split()) == 0
    assert "1 runs: 0 to tune, 1 to report" in capsys.readouterr().out


def test_variants_have_looks_of_their_own():
    styles = line_styles(["momentum", *(f"k{n}" for n in range(12))])
    assert len({(style.color, style.dash) for style in styles}) == 13


@pytest.mark.parametrize(
    "value", ["x, b=1", "v,c.d=2", ["q,c.d=2"], {"k": "v, z=3"}, None, True, 0.3, "a b", 'say "no"']
)
def test_a_value_of_any_kind_is_read_as_it_was_written(value):
    variant = Variant(method="fop", settings={"a": value, "b.c": value})
    assert parse_variant(variant_text("k", variant)) == ("k", variant)


@pytest.mark.parametrize(
    ("text", "value"), [("v=fop:a=1,2", "1,2"), ("v=fop:a= word , b=2", "word"), ("v=fop:a=4x", "4x")]
)
def test_what_is_no_json_is_a_word(text, value):
    assert parse_variant(text)[1].settings["a"] == value
