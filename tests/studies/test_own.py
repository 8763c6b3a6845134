"""Studies of files of one's own: their settings are axes, and every cell's are checked before a run is made."""

import pytest

from fop_core import cli
from fop_core.jobs import queue
from fop_core.runs import confirmed, plugins
from fop_core.runs.plugins import PluginError
from fop_core.runs.run import Run
from fop_core.studies import conclusions, drawings, progress, protocol, report, store, submit, watcher
from fop_core.studies.analysis import comparisons
from fop_core.studies.cells import check, has
from fop_core.studies.drawings import tuned
from fop_core.training import config
from fop_core.training.config import ConfigError
from tests.studies.filled import filled, usual
from tests.training.test_plugins import EXAMPLES

LION = plugins.read(EXAMPLES / "lion.py")
WIDE = plugins.read(EXAMPLES / "wide_mlp.py")
SETTINGS = {"lr": 1e-4, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}
PLUGINS = {
    "optimizer": {"file": LION.file, "sha256": LION.digest, "settings": SETTINGS},
    "model": {"file": WIDE.file, "sha256": WIDE.digest, "settings": {"width": 32, "depth": 2}},
}


def study(*axes, **changes):
    content = {
        "name": "own",
        "methods": ["plugin", "momentum"],
        "axes": [protocol.parse_axis(axis).model_dump() for axis in axes],
        "plugins": PLUGINS,
        "seeds": [0],
        "base": {"max_steps": 5},
    }
    return protocol.parse(content | changes)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    monkeypatch.setattr(watcher, "ensure", lambda folder, again=False: None)
    return tmp_path / "runs"


def test_the_settings_of_a_file_are_axes_of_the_methods_that_have_it():
    made = check(study("optimizer.settings.lr=1e-4,3e-4", "model.settings.width=16,32", "optimizer.lr=0.1,0.05"))
    by = {method: [cell for cell in made if cell.method == method] for method in ("plugin", "momentum")}
    assert (len(by["plugin"]), len(by["momentum"])) == (4, 4)
    for cell in by["plugin"]:
        assert set(cell.point) == {"optimizer.settings.lr", "model.settings.width"}
        assert cell.config.optimizer.settings == SETTINGS | {"lr": cell.point["optimizer.settings.lr"]}
        assert cell.config.data.held_out == 0.1 and cell.config.fop is None
    for cell in by["momentum"]:
        assert set(cell.point) == {"optimizer.lr", "model.settings.width"} and cell.config.optimizer.plugin is None
        assert cell.config.model.settings == {"width": cell.point["model.settings.width"], "depth": 2}
    assert len({cell.key for cell in made}) == 8


def test_what_a_file_does_not_have_is_no_axis():
    with pytest.raises(ConfigError, match=r"settings\.beta3: no such setting; there are optimizer\.settings"):
        study("optimizer.settings.beta3=0.1")
    with pytest.raises(ConfigError, match="methods: an optimizer of your own is meant: give its file"):
        study(plugins={})
    with pytest.raises(ConfigError, match=r"lion\.py is your own method \(plugin\), which is not among them"):
        study(methods=["momentum"])


def test_fop_around_ones_own_optimizer_is_a_variant_beside_it_alone(folder, capsys):
    file = str(EXAMPLES / "lion.py")
    words = [
        "study",
        "--folder",
        str(folder),
        "submit",
        "--name",
        "around",
        "--preset",
        "mnist-mlp",
        "--optimizer",
        file,
        "--methods",
        "plugin",
    ]
    words += ["--variant", "around=fop:optimizer.name=plugin,fop.rank=2", "--axis", "optimizer.settings.lr=0.01,0.001"]
    assert cli.main([*words, "--seeds", "0", "--set", "max_steps=5"]) == 0
    made = [Run(folder / id_).config for id_ in store.load("around", folder).runs.values()]
    assert len(made) == 4 and {each["optimizer"]["plugin"]["file"] for each in made} == {"lion.py"}
    assert {each["optimizer"]["settings"]["lr"] for each in made if each["fop"]} == {0.01, 0.001}
    assert [each["fop"]["rank"] for each in made if each["fop"]] == [2, 2]


def test_a_variant_around_ones_own_optimizer_asks_for_its_file():
    variant = {"around": {"method": "fop", "settings": {"optimizer.name": "plugin"}}}
    with pytest.raises(ConfigError, match=r"variants\.around: an optimizer of your own is meant: give its file"):
        study(methods=["around"], variants=variant, plugins={})


def test_other_settings_of_a_part_that_a_file_makes_are_none():
    content = check(study("optimizer.settings.lr=1,2"))[0].config.to_json()
    assert not any(has(content, field) for field in ("optimizer.lr", "optimizer.settings.x", "model.width"))
    assert has(content, "optimizer.settings.beta1") and has(content, "data.held_out")


def of_a_file(**more):
    """Return a study of momentum and a file's optimizer, whose runs have ended."""
    axes = ("momentum:optimizer.lr=0.01,0.1", "plugin:optimizer.settings.lr=1e-4,3e-4,1e-3")
    wanted = study(
        *axes,
        methods=["momentum", "plugin"],
        plugins={"optimizer": PLUGINS["optimizer"]},
        seeds=[0, 1],
        base={},
        target={"column": "test_accuracy", "value": 0.89},
        **more,
    )
    won = {"momentum": {"optimizer.lr": 0.1}, "plugin": {"optimizer.settings.lr": 1e-3}}

    def better(cell):
        more = 0.03 + 0.0001 * (cell.seed - 0.5) if cell.method == "plugin" else 0
        return usual(cell) + more + cell.point.get("optimizer.settings.lr", 0)

    return filled(wanted, better, won, {"optimizer": LION})


def test_what_is_said_and_drawn_of_a_file_has_its_name(folder, monkeypatch, capsys):
    monkeypatch.setenv("FOP_RUNS_DIR", str(folder))
    table = progress.table(of_a_file().id)
    compared = comparisons(table)
    drawn = [each for each in drawings.every(table, compared) if each.name != "sensitivity"]  # to momentum's rate
    drawn.append(tuned.sensitivity(table, "optimizer.settings.lr"))
    assert len(drawn) == 8
    said = [*conclusions.conclusions(table)]
    for each in drawn:
        figures = [figure.to_json() for figure in each.drawing.screens().values()]
        said += [each.title, *each.sentences, each.drawing.alt, *figures]
        assert any("lion.py" in figure for figure in figures), each.name
    for section in report.sections(table, compared):
        if section.title not in ("Protocol", "Runs"):  # which have settings by their names, and the runs' ids
            said += [*section.sentences, *(cell for line in section.lines for cell in line)]
    assert cli.main(["study", "status", "own"]) == cli.main(["study", "list"]) == 0
    said += capsys.readouterr().out.splitlines()
    assert not [words for words in said if "plugin" in words]
    assert sum("lion.py" in words for words in said) > 20
    assert "lion.py: won with lr 0.001, 93.19 %" in "\n".join(said)
    assert "lion.py has the better test accuracy" in "\n".join(said)
    assert any(line[0] == "lion.py" for line in report.sections(table, compared)[-1].lines)


def test_a_variant_that_is_called_as_the_file_keeps_them_apart():
    variants = {"lion.py": {"method": "fop", "settings": {"optimizer.name": "plugin"}}}
    both = study(methods=["plugin", "lion.py"], variants=variants, plugins={"optimizer": PLUGINS["optimizer"]})
    assert [both.called(method) for method in both.methods] == ["plugin", "lion.py"]


def test_a_study_keeps_the_files_and_gives_them_to_its_runs(folder):
    for each in (LION, WIDE):
        confirmed.confirm(each.digest)
    sources = {"optimizer": LION, "model": WIDE}
    done = submit.submit(study("optimizer.settings.lr=0.01,0.001"), folder, sources)
    assert not done.troubles and len(done.queued) == 3
    stored = store.load("own", folder)
    assert store.sources(stored) == sources and stored.study == study("optimizer.settings.lr=0.01,0.001")
    runs = [Run(folder / id_) for id_ in done.made]
    assert sorted(len(plugins.of_run(run)) for run in runs) == [1, 2, 2]
    assert sorted(run.name.split()[:3] for run in runs)[0] == ["own", "lion.py", "lr=0.001"]
    assert submit.resume("own", folder).made == []


def test_settings_that_the_file_refuses_make_no_study(folder):
    for each in (LION, WIDE):
        confirmed.confirm(each.digest)
    with pytest.raises(ConfigError, match=r"optimizer\.settings\.lr: -1 given; input should be greater than 0"):
        submit.submit(study("optimizer.settings.lr=0.1,-1"), folder, {"optimizer": LION, "model": WIDE})
    assert not folder.exists()


def test_what_is_not_confirmed_or_missing_makes_no_study(folder):
    with pytest.raises(PluginError, match="you have not confirmed"):
        submit.submit(study(), folder, {"optimizer": LION, "model": WIDE})
    with pytest.raises(PluginError, match="is not there"):
        submit.submit(study(), folder)
    assert not (folder / "studies" / "own").exists()


def test_a_study_without_files_is_written_as_before():
    made = protocol.parse({"name": "plain", "methods": ["momentum"]})
    assert check(made)[0].config == config.preset("mnist-mlp", "momentum")
