"""What the Train page's settings ask for: the configs, the runs, the commands that make the same."""

import argparse
import shlex

import pytest

from fop_core.commands import train
from fop_core.optim.forms import FORMS
from fop_core.runs import compare
from fop_core.training import config
from fop_core.training.config import BASES, METHODS, PRESETS, OptimizerConfig, TrainConfig
from fop_core.training.seeds import MOST
from pages.shared.fields import Choice, Flag
from pages.shared.shell import folders
from pages.shared.train import settings as train_settings
from pages.shared.train.fields import plain, setting
from pages.shared.train.settings import CONFIG, FIELDS, GROUPS, applies, values
from pages.train.draft import draft

EVERY = [(preset, method) for preset in PRESETS for method in METHODS]


def draft_of(preset: str = "mnist-mlp", method: str = "fop", **changes):
    """The draft of a preset with some settings changed; "__" stands for "."."""
    named = {name.replace("__", "."): value for name, value in changes.items()}
    return draft(preset, {**values(preset, method), "method": method, **named})


def from_shell(command: str) -> tuple[TrainConfig, argparse.Namespace]:
    """The config that the command line makes of a command."""
    parser = argparse.ArgumentParser()
    train.add(parser.add_subparsers())
    words = shlex.split(command)
    assert words[:3] == ["python", "-m", "fop_core"]
    chosen = parser.parse_args(words[3:])
    return config.change(config.preset(chosen.preset, chosen.method or "fop"), chosen.settings), chosen


def test_every_setting_of_a_config_but_the_seed_is_on_the_page():
    made = compare.flat(config.preset("mnist-mlp").to_json())
    assert set(CONFIG) == set(made) - {"seed"}
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(CONFIG)
    assert all(field.help for field in CONFIG.values())


@pytest.mark.parametrize(("preset", "method"), EVERY)
def test_untouched_it_is_the_preset(preset, method):
    drafted = draft_of(preset, method)
    assert drafted.config == config.preset(preset, method) and not drafted.wrong
    [run] = drafted.runs
    assert run.settings == () and run.title == f"{preset} {method}"


@pytest.mark.parametrize(("preset", "method"), EVERY)
def test_the_commands_make_the_same_runs(preset, method):
    drafted = draft_of(
        preset,
        method,
        epochs="7",
        seeds="0, 3-4",
        compare=True,
        name="it's mine",
        optimizer__lr="3e-3",
        fop__trace="velocity" if method == "fop-after" else "0.5",
        schedule__kind="step",
        schedule__milestones="2, 4.5",
        data__path="/a folder/of mine",
        max_steps="900",
        fop__rescale="2",
    )
    assert not drafted.wrong
    assert len(drafted.runs) == (3 if METHODS[method].fop is None else 6)
    for run in drafted.runs:
        made, chosen = from_shell(run.command)
        assert made == run.config
        assert chosen.name == run.title and run.lineage["set"] == chosen.settings


@pytest.mark.parametrize("path", ["123", "null", "true", " spaced", "[1]", '"quoted"', "a=b", "~/x", "1e5", "ü'\"$"])
def test_a_folder_may_be_called_anything(path):
    drafted = draft_of(data__path=path)
    assert drafted.config is not None and drafted.config.data.path == path.strip()
    assert from_shell(drafted.runs[0].command)[0] == drafted.config


def test_nothing_typed_is_none_where_there_may_be_none():
    drafted = draft_of(max_steps="", fop__rescale="", data__path="", data__limit="", checkpoint_steps="7")
    assert drafted.config is not None and drafted.config.max_steps is None and drafted.config.checkpoint_steps == 7
    assert drafted.config.data.limit is None and draft_of(data__limit="500").config.data.limit == 500


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("epochs", "0", "greater than or equal to 1"),
        ("epochs", "", "valid integer"),
        ("epochs", "many", "'many' given"),
        ("optimizer.lr", "0", "greater than 0"),
        ("optimizer.lr", "NaN", "given"),
        ("optimizer.lr", "1e999", "given"),
        ("fop.rank", "1.5", "given"),
        ("fop.trace", "2", "given"),
        ("batch_size", "65537", "65536"),
        ("device", "gpu", "given"),
        ("schedule.milestones", "4", "step needs some"),
        ("data.image_size", "32", "mnist has 28 pixels"),
        ("data.limit", "9", "mnist has 10 classes"),
        ("optimizer.nesterov", True, "needs momentum"),
        ("seeds", "3000000000", "less than 2147483648"),
        ("seeds", "4-2", "write 2-4"),
        ("seeds", "a", "write 0, 1, 2 or 0-2"),
        ("seeds", "0-200", f"at most {MOST}"),
    ],
)
def test_what_is_wrong_is_said_of_its_setting_and_nothing_can_be_launched(name, text, words):
    changes = {"optimizer.momentum": "0"} if name == "optimizer.nesterov" else {}
    drafted = draft("mnist-mlp", {**values("mnist-mlp", "fop"), name: text, **changes})
    assert words in drafted.wrong[name] and set(drafted.wrong) == {name}
    assert drafted.config is None and not drafted.runs


def test_several_wrong_ones_are_all_named():
    assert set(draft_of(epochs="0", fop__rank="0", seeds="x").wrong) == {"epochs", "fop.rank", "seeds"}


@pytest.mark.parametrize("method", [name for name, each in METHODS.items() if each.fop is not None])
def test_the_baseline_is_the_same_run_without_fop(method):
    drafted = draft_of(method=method, compare=True, seeds="1-2", epochs="3", optimizer__lr="0.2")
    assert [run.config.seed for run in drafted.runs] == [1, 1, 2, 2]
    for ours, theirs in drafted.pairs:
        assert theirs is not None and theirs.method == "momentum"
        assert theirs.config.to_json() == ours.config.to_json() | {"fop": None}
        assert "epochs=3" in theirs.settings


def test_the_baseline_of_an_adam_is_named_adam():
    changes = {"optimizer__name": "adam", "optimizer__lr": "0.001", "optimizer__momentum": "0"}
    [(_, theirs)] = draft_of(compare=True, **changes).pairs
    assert theirs is not None and theirs.method == "adam" and theirs.settings == ()


def test_names_tell_runs_launched_together_apart():
    assert [run.title for run in draft_of(compare=True).runs] == ["mnist-mlp fop", "mnist-mlp momentum"]
    titles = [run.title for run in draft_of(compare=True, seeds="0-1", name=" mine ").runs]
    assert titles == ["mine seed 0", "mine without FOP seed 0", "mine seed 1", "mine without FOP seed 1"]


def test_settings_of_fop_are_no_matter_without_it():
    drafted = draft_of(method="momentum", fop__rank="nonsense", compare=True)
    assert drafted.config == config.preset("mnist-mlp", "momentum") and len(drafted.runs) == 1


@pytest.mark.parametrize("base", BASES)
def test_a_setting_is_shown_where_its_base_has_it(base):
    now = {**values("mnist-mlp", "fop"), "optimizer.name": base}
    other = {"nesterov": True, "momentum": 0.5, "dampening": 0.5, "beta1": 0.5, "beta2": 0.5, "alpha": 0.5, "eps": 0.5}
    other["precondition_every"] = 7
    for name, value in other.items():
        options = {"name": base, name: value} | ({"momentum": 0.9} if name == "nesterov" and base == "sgd" else {})
        try:
            OptimizerConfig(**options)
            takes = True
        except ValueError:
            takes = False
        assert applies(f"optimizer.{name}", now) == takes, name


OF_FOP = {"trace": "0.5", "feedback": "osgm", "init_scale": "0.5", "derivative": "root"}


@pytest.mark.parametrize("name", OF_FOP)
@pytest.mark.parametrize("apply", ["before", "after"])
@pytest.mark.parametrize("form", FORMS)
def test_a_setting_of_fop_is_shown_where_its_others_leave_it_a_meaning(form, apply, name):
    now = {**values("mnist-mlp", "fop"), "fop.preconditioner": form, "fop.apply": apply, f"fop.{name}": OF_FOP[name]}
    refused = draft("mnist-mlp", now).wrong
    assert refused.keys() == (set() if applies(f"fop.{name}", now) else {f"fop.{name}"})


def test_bounds_are_asked_for_where_a_rate_is_learned_and_an_epsilon_where_adam_has_it():
    now = dict(values("mnist-mlp", "fop"))
    for step, shown in (("0", False), (" 0.0", False), ("", False), ("0.02", True), ("wrong", True)):
        assert applies("fop.hyper_lr_bounds", {**now, "fop.hyper_lr_step": step}) == shown
    for name in ("adam", "sgd", "adagrad"):
        assert applies("fop.hyper_eps", {**now, "fop.hyper_optimizer": name}) == (name == "adam")


def test_two_bounds_are_typed_in_as_a_list_and_other_things_are_refused():
    drafted = draft_of(fop__hyper_lr_step="0.02", fop__hyper_lr_bounds="0.1, 10")
    assert drafted.config is not None and drafted.config.fop.hyper_lr_bounds == (0.1, 10.0)
    assert from_shell(drafted.runs[0].command)[0] == drafted.config
    for text in ("", "0.1", "2, 10", "0.1, 0.5", "0, 10", "0.1, 10, 100", "x"):
        assert set(draft_of(fop__hyper_lr_bounds=text).wrong) == {"fop.hyper_lr_bounds"}, text


def test_ranges_come_from_the_config():
    assert "From 1 up to 100,000" in CONFIG["epochs"].help.replace("Whole numbers from", "From")
    assert "Above 0 up to 1,000" in CONFIG["optimizer.lr"].help
    assert "From 0 below 1" in CONFIG["optimizer.momentum"].help
    assert "May be left empty" in CONFIG["max_steps"].help
    assert "Whole numbers from 1. May be left empty" in CONFIG["fop.max_dim"].help
    assert isinstance(CONFIG["model.batch_norm"], Flag) and isinstance(CONFIG["schedule.kind"], Choice)


@pytest.mark.parametrize(("preset", "method"), EVERY)
def test_an_address_holds_every_value(preset, method):
    for name, value in values(preset, method).items():
        assert FIELDS[name].read(FIELDS[name].write(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.05, "0.05"),
        (1e-8, "1e-8"),
        (1.0, "1"),
        (5e-4, "0.0005"),
        (None, ""),
        ((80.0, 4.5), "80, 4.5"),
        (1e22, "1e22"),
    ],
)
def test_values_are_shown_as_one_would_type_them(value, text):
    assert plain(value) == text
    if isinstance(value, float):
        assert float(text) == value


def test_settings_are_bare_words_where_the_command_line_reads_them_so():
    assert setting("a", "cosine") == "a=cosine"
    assert setting("a", "123") == 'a="123"'
    assert setting("a", None) == "a=null"


def test_folders_of_the_server_are_named(monkeypatch):
    monkeypatch.setenv("FOP_DATA_DIR", "/some where")
    monkeypatch.delenv("FOP_RUNS_DIR", raising=False)
    assert folders() == ["export FOP_DATA_DIR='/some where'"]


def test_what_is_kept_is_on_the_page():
    assert set(train_settings.KEPT) <= set(FIELDS) and set(train_settings.FIRST) <= set(CONFIG)
