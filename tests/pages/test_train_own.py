"""Files of the reader's own on the Train page, without a browser; the probe is the real one."""

import os
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fop_core.jobs import queue
from fop_core.runs import confirmed, plugins, store
from pages.shared.own.probe import _future
from tests.pages import test_trajectories
from tests.pages.app import app_at
from tests.pages.test_runs import shown
from tests.pages.test_trajectories import ran
from tests.training.test_plugins import DATA, SETTINGS

LION = Path(__file__).resolve().parents[2] / "examples" / "plugins" / "lion.py"
NEEDS = SETTINGS.replace("lr: float = 0.1", "name: str") + DATA


@pytest.fixture(autouse=True)
def lab(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    _future.clear()


def words(at: AppTest) -> str:
    """What it says, without Markdown's escapes."""
    return test_trajectories.words(at).replace("\\", "")


def button(at: AppTest, key: str):
    return next(each for each in at.button if each.key is not None and each.key.startswith(key))


def field(at: AppTest, key: str):
    return next(each for each in at.text_input if each.key is not None and each.key.startswith(key))


def page(path: Path | str = "", text: str = "", **query: str) -> AppTest:
    at = app_at("train")
    for name, value in query.items():
        at.query_params[name] = value
    at.run()
    at.text_input(key="train own path").set_value(str(path))
    at.text_area(key="train own text").set_value(text)
    return ran(button(at, "train own take").click().run())


def runs():
    return [run for run, damage in store.scan() if not damage]


def test_a_file_is_read_confirmed_once_tried_and_launched_with_all_its_settings():
    at = page(LION, method="momentum")
    assert plugins.RIGHTS in words(at) and button(at, "train launch").disabled
    assert LION.read_text().strip() in [each.value for each in at.code]
    assert not confirmed.is_confirmed(plugins.read(LION).digest)
    ran(button(at, "train own run").click().run())
    assert confirmed.is_confirmed(plugins.read(LION).digest) and plugins.RIGHTS not in words(at)
    assert "lion.py took one step: 99,710 numbers are trained" in words(at)
    ran(field(at, "train own optimizer.lr").set_value("0.003").run())
    assert f"--optimizer {LION} --set optimizer.settings.lr=0.003" in " ".join(each.value for each in at.code)
    assert not button(at, "train launch").disabled
    button(at, "train launch").click().run()
    [run] = runs()
    assert run.config["optimizer"]["settings"] == {"lr": 0.003, "beta1": 0.9, "beta2": 0.99, "weight_decay": 0.0}
    assert plugins.of_run(run)["optimizer"].content == LION.read_bytes() and run.has_request("start")
    assert "you have not confirmed" not in words(page(LION)) and plugins.RIGHTS not in words(at)


def test_settings_of_the_built_in_optimizer_give_way_to_the_files_own_and_names_say_which_file(tmp_path):
    confirmed.confirm(plugins.read(LION).digest)
    at = page(LION, method="momentum", **{"optimizer.lr": "0.3", "epochs": "1"})
    labels = {each.label for kind in (at.text_input, at.selectbox, at.checkbox) for each in kind}
    assert labels.isdisjoint({"Learning rate ε", "Momentum", "Weight decay", "Base optimizer"}) and "Epochs" in labels
    said = words(at)
    assert "lion.py has settings of its own" in said and "lion.py alone" in said
    assert "learning rate" not in said.partition("Changed from the preset:")[2].partition("\n")[0]
    assert "optimizer.lr=" not in " ".join(each.value for each in at.code)
    ran(button(at, "train launch").click().run())
    around = page(LION, method="fop", epochs="1")
    assert "FOP around lion.py" in words(around) and "FOP around SGD" not in words(around)
    ran(button(around, "train launch").click().run())
    [trained] = [each.value for each in around.table if "Parameter" in each.value.columns]
    assert trained["Layout"].tolist() == ["input"] * 4 and trained["n"].tolist() == ["784", "100", "100", "100"]
    assert "M adds" in words(around) and "**Memory**" in words(around) and "lion.py's state" in words(around)
    assert {run.name for run in runs()} == {"mnist-mlp lion", "mnist-mlp fop lion"}
    listed = ran(app_at("runs").run())
    assert {row["method"] for row in shown(listed).values()} == {"lion.py", "FOP around lion.py"}


def test_a_run_whose_data_and_network_are_own_is_not_called_the_presets(tmp_path):
    file = tmp_path / "waves.py"
    file.write_text(SETTINGS + DATA)
    confirmed.confirm(plugins.read(file).digest)
    at = page(file, method="momentum")
    assert "waves.py makes the data. waves.py makes the network." in words(at) and "on MNIST" not in words(at)
    ran(button(at, "train launch").click().run())
    [run] = runs()
    assert run.name == "momentum waves"
    listed = app_at("runs")
    listed.query_params["cols"] = "set.data.name,set.model.name"
    [row] = shown(ran(listed.run())).values()
    assert (row["set.data.name"], row["set.model.name"]) == ("waves.py", "waves.py")
    listed = app_at("runs")
    listed.query_params["run"] = run.id
    [clone] = [each for each in ran(listed.run()).get("page_link") if "Clone" in each.proto.label]
    assert "on the page Train" in clone.proto.help.replace("\\", "") and "this page" not in clone.proto.help


def test_a_changed_file_is_confirmed_anew(tmp_path):
    file = tmp_path / "lion.py"
    file.write_text(LION.read_text())
    confirmed.confirm(plugins.read(file).digest)
    file.write_text(LION.read_text() + "# changed\n")
    at = page(file, method="momentum")
    assert plugins.RIGHTS in words(at) and button(at, "train launch").disabled


def test_a_pasted_text_whose_settings_have_no_default_is_tried_again_with_them():
    confirmed.confirm(plugins.text("pasted.py", NEEDS.encode()).digest)
    at = page(text=NEEDS, method="momentum")
    assert "data.settings.name: " in words(at) and button(at, "train launch").disabled
    for part in ("data", "model"):
        field(at, f"train own {part}.name").set_value("any")
        at.run()
    ran(at)
    assert "30 samples, 10 steps" in words(at) and not button(at, "train launch").disabled


@pytest.mark.parametrize(
    ("text", "said"),
    [("x = = 2", "pasted.py, line 1: no Python"), ("x = 2", "has none of make_data"), ("", "either a path or a text")],
)
def test_what_is_no_plugin_is_refused_before_anything_is_run(text, said):
    at = page(text=text)
    assert said in words(at) and not [each for each in at.button if "own run" in str(each.key)]


def test_a_broken_file_leaves_the_page_as_it_is_and_is_named(tmp_path):
    file = tmp_path / "broken.py"
    file.write_text(SETTINGS + "def make_optimizer(named, settings, total_steps):\n    import os; os._exit(3)\n")
    confirmed.confirm(plugins.read(file).digest)
    at = page(file, method="momentum")
    assert "broken.py, line 7: make_optimizer ends the process with status 3" in words(at)
    assert button(at, "train launch").disabled and runs() == []
    ran(button(at, "train own remove").click().run())
    assert not button(at, "train launch").disabled


def test_a_server_that_forbids_them_shows_no_file(monkeypatch):
    monkeypatch.setenv(confirmed.SWITCH, "off")
    at = ran(app_at("train").run())
    assert "Plug-ins are switched off on this machine" in words(at)
    assert not [each for each in at.text_input if each.key == "train own path"]


def test_what_was_confirmed_runs_though_the_file_changes_meanwhile_and_the_page_says_so(tmp_path):
    file = tmp_path / "lion.py"
    file.write_text(LION.read_text())
    confirmed.confirm(plugins.read(LION).digest)
    at = page(file, method="momentum")
    file.write_text("import os\nos.abort()\n" + LION.read_text())
    ran(at.run())
    assert "lion.py has changed since you took it" in words(at)
    ran(button(at, "train launch").click().run())
    [run] = runs()
    assert plugins.of_run(run)["optimizer"].content == LION.read_bytes()
    at = page(file, method="momentum")
    assert plugins.RIGHTS in words(at), "another content is asked for"
    file.unlink()
    assert "has changed" not in words(ran(at.run()))


def test_a_changed_file_is_taken_anew_and_asked_for(tmp_path):
    file = tmp_path / "lion.py"
    file.write_text(LION.read_text())
    confirmed.confirm(plugins.read(LION).digest)
    at = page(file, method="momentum")
    file.write_text(LION.read_text() + "# changed")
    ran(at.run())
    ran(button(at, "train own anew").click().run())
    assert plugins.RIGHTS in words(at) and button(at, "train launch").disabled and "has changed" not in words(at)
    assert "# changed" in at.code[0].value


@pytest.mark.parametrize("text", ["print('a')  # \u202e)'b'(tnirp\u2066", "x = '\x1b[2J'"])
def test_what_is_to_be_read_before_it_runs_hides_nothing(text):
    shown = page(text=f"def make_model(settings, data): ...\n{text}", method="momentum").code[0].value
    assert "\\u202e" in shown or "\\x1b" in shown
    assert all(character.isprintable() or character == "\n" for character in shown)


def test_confirmations_that_cannot_be_kept_or_trusted_are_said_and_nothing_runs(tmp_path):
    at = page(LION, method="momentum")
    folder = confirmed.folder()
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    ran(at.run())
    assert "is not a folder that you alone can write to" in words(at) and button(at, "train launch").disabled
    folder.rmdir()
    folder.touch()
    assert "is not a folder" in words(ran(at.run()))


@pytest.mark.parametrize("kind", ["pipe", "folder", "large", "missing", "other"])
def test_what_is_no_file_of_python_holds_the_page_up_for_nothing(tmp_path, kind):
    file = tmp_path / ("own.txt" if kind == "other" else "own.py")
    if kind == "pipe":
        os.mkfifo(file)
    elif kind == "folder":
        file.mkdir()
    elif kind == "large":
        with file.open("wb") as large:
            large.truncate(3 << 30)
    said = {
        "pipe": "pipe",
        "folder": "no file",
        "large": "more than 1 MB",
        "missing": "not there",
        "other": "one Python",
    }
    assert said[kind] in words(page(file, method="momentum"))


def test_another_file_with_settings_of_the_same_names_begins_with_its_own(tmp_path):
    file = tmp_path / "lion.py"
    file.write_text(LION.read_text().replace("Field(1e-4, gt=0)", "Field(0.5, gt=0)"))
    for each in (LION, file):
        confirmed.confirm(plugins.read(each).digest)
    at = page(LION, method="momentum")
    ran(field(at, "train own optimizer.lr").set_value("0.003").run())
    at.text_input(key="train own path").set_value(str(file))
    ran(button(at, "train own take").click().run())
    assert field(at, "train own optimizer.lr").value == "0.5"
    assert "optimizer.settings.lr" not in " ".join(each.value for each in at.code)
