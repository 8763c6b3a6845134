"""The Studies page as a reader meets it, without a browser: nothing is trained, what runs measured is written down."""

import argparse
import json
import math
import shlex
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from fop_core.commands import study as study_command
from fop_core.jobs import queue
from fop_core.runs import confirmed, plugins
from fop_core.runs import store as runs
from fop_core.studies import cells, store, trash, watcher
from fop_core.studies.protocol import parse_axis
from pages.studies.draft import command, draft, written
from pages.studies.settings import FIELDS, PRESETS, values
from tests.pages.app import app_at
from tests.pages.test_trajectories import address, component, figure, ran, words
from tests.studies.filled import filled, run_of, study, usual
from tests.studies.test_own import of_a_file
from tests.training.test_plugins import DATA, SETTINGS

WON = {"momentum": {"optimizer.lr": 0.1}, "fop": {"optimizer.lr": 0.1}}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    """An empty runs folder, and a queue that starts nothing."""
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    monkeypatch.setattr(watcher, "ensure", lambda folder, again=False: None)
    monkeypatch.setattr("fop_core.runs.listing.FRESH", 0.0)
    return tmp_path / "runs"


def page(**query: str) -> AppTest:
    at = app_at("studies")
    for name, value in query.items():
        at.query_params[name] = value
    return ran(at.run())


def button(at: AppTest, key: str):
    [one] = [each for each in at.button if each.key == key]
    return one


def text(at: AppTest) -> str:
    """What the page says, as it is seen: without the backslashes of Markdown."""
    return words(at).replace("\\", "")


def progress_text(at: AppTest) -> str:
    return " ".join(each.proto.text for each in at.get("progress")).replace("\\", "")


def trials(at: AppTest) -> list[dict]:
    data = component(at, "studies trials")
    names = [column["name"] for column in data["columns"]]
    return [
        dict(zip(names, (cell if isinstance(cell, str) else cell[0] for cell in row["cells"])), id=row["id"])
        for row in data["rows"]
    ]


def test_an_empty_folder_says_how_to_begin_and_the_first_study_can_be_launched_at_once():
    at = page()
    assert "**No studies yet.**" in text(at) and "To begin: choose methods and axes in the sidebar" in text(at)
    launch = button(at, "studies launch")
    assert launch.label == "Launch 24 runs" and not launch.disabled
    assert "18 runs to choose the settings of 2 methods, then 6 runs to report their winners with 3 seeds." in text(at)
    assert "**Time** not known" in text(at) and "**Detectable difference** not known" in text(at)
    assert not address(at)


@pytest.mark.parametrize("preset", PRESETS.options)
def test_every_preset_is_a_study_that_can_be_launched(preset):
    drafted = draft(preset, values(preset))
    assert drafted.study is not None and drafted.runs == 24 and not drafted.wrong


def test_the_study_of_the_command_line_is_composed_launched_and_opened():
    at = page(axes="optimizer.lr=0.01,0.05,0.1\nfop.rank=1,16", seeds="0-2", fresh="7", name="s")
    assert "27 runs to choose" in text(at), "an axis of a part that a method has not is not multiplied for it"
    assert list(at.table[0].value["Settings tried"]) == ["3", "6"]
    assert "more chances to be lucky. “As many of each” gives every method the same number" in text(at)
    ran(button(at, "studies launch").click().run())
    [stored] = store.list_studies()[0]
    assert stored.id == "s" and len(stored.runs) == 27 and stored.study.fresh_seeds == (7,)
    assert all((run.path / "requests" / "start").exists() for run, _ in runs.scan())
    assert address(at)["study"] == "s"
    assert "0 of 27 runs ended" in at.get("progress")[0].proto.text.replace("\\", "")
    assert "Settings of Momentum, FOP are being chosen" in text(at)


def test_a_second_click_on_launch_makes_no_second_study():
    at = page(seeds="0", fresh="1", axes="optimizer.lr=0.1")
    launch = button(at, "studies launch")
    assert launch.label == "Launch 4 runs"
    ran(launch.click().run())
    assert len(store.ids()) == 1 and len(list(runs.scan())) == 2


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"axes": "optimizer.lr"}, "write field=values"),
        ({"axes": "optimizer.lr=0.1\nfop.rnk=1"}, "no such setting"),
        ({"axes": "optimizer.lr=-1"}, "optimizer.lr"),
        ({"axes": "fop.rank=1,2", "methods": "momentum"}, "none of the settings of momentum"),
        ({"axes": "optimizer.lr=log:1e-4:1:900", "seeds": "0-9"}, "cells"),
        ({"methods": ""}, "there are none"),
        ({"variants": "k4"}, "write name=method"),
        ({"variants": "k4=fop:fop.rnak=4"}, "k4: fop.rnak: no such setting"),
        ({"variants": "around=fop:optimizer=3"}, "it is a part: name one of its settings, as optimizer."),
        ({"variants": "k4=fop\nk4=sgd"}, "k4 is there twice"),
        ({"seeds": "two"}, "write 0, 1, 2 or 0-2"),
        ({"fresh": "0"}, "tune already"),
        ({"base": "batch_size"}, "write setting=value"),
        ({"base": "batch_size=0"}, "batch_size"),
        ({"epochs": "none"}, "epochs"),
        ({"baseline": "adam"}, "not among"),
        ({"sampling": "quasi-random", "axes": ""}, "needs at least one"),
    ],
)
def test_what_is_wrong_is_said_beneath_it_and_nothing_can_be_launched(query, expected):
    at = page(**query)
    assert button(at, "studies launch").disabled
    assert "Wrong: " in text(at) and expected in text(at)
    assert not store.ids()


def test_where_the_data_are_missing_nothing_can_be_launched_and_it_says_how_to_get_them(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path / "sets"))
    at = page(preset="cifar10-allcnn")
    assert button(at, "studies launch").disabled
    assert "The data are missing" in text(at) and "python -m fop_core data" in text(at)


def test_a_path_that_came_with_the_address_is_not_looked_at(tmp_path):
    """Whether a folder is there must not be seen from an address that somebody else has written."""
    there = tmp_path / "there"
    for part in ("train", "val"):
        for name in ("a", "b"):
            (there / part / name).mkdir(parents=True)
    paths = [str(there), str(tmp_path / "gone0")]
    pages = [page(preset="imagefolder", base=f"data.path={path}") for path in paths]
    texts = [[text(at), *(each.value for each in at.code)] for at in pages]
    assert any(paths[0] in each for each in texts[0])
    assert [each.replace(paths[0], "PATH") for each in texts[0]] == [
        each.replace(paths[1], "PATH") for each in texts[1]
    ]
    assert [button(at, "studies launch").disabled for at in pages] == [False, False]


def test_a_name_that_is_there_already_is_refused_with_what_to_do():
    filled(study("s"))
    at = page(name="s", seeds="0", fresh="1", axes="optimizer.lr=0.1")
    ran(button(at, "studies launch").click().run())
    assert "there is a study 's'" in text(at)
    assert len(store.ids()) == 1


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"axes": "adam:optimizer.lr=log:0.001:0.1:3\nfop.rank=1,16", "methods": ["adam", "fop"], "baseline": "adam"},
        {"sampling": "quasi-random", "trials": 5, "seeds": "3,5", "fresh": "9", "ending": True, "limit": 500},
        {"base": "batch_size=256\ndata.limit=1000", "epochs": "2", "target": "test_accuracy", "value": 0.95},
        {
            "variants": "k4=fop:fop.rank=4,fop.layout=auto\nm=momentum:schedule.kind=step,schedule.milestones=[2, 4]",
            "axes": "",
        },
        {"axes": "", "choose": "held_out_loss", "at": "best", "column": "test_loss", "name": "it's one"},
    ],
)
def test_the_command_submits_the_same_study(settings):
    drafted = draft("mnist-mlp", {**values("mnist-mlp"), **settings})
    assert drafted.study is not None, drafted.wrong
    parser = argparse.ArgumentParser()
    study_command.add(parser.add_subparsers())
    chosen = parser.parse_args(shlex.split(command(drafted.study))[3:])
    assert study_command._composed(chosen) == (drafted.study, {})


@pytest.mark.parametrize(
    "line", ["optimizer.lr=0.01,0.1", "adam+sgd:optimizer.lr=lin:1:9:3", 'fop.preconditioner="a,b"']
)
def test_an_axis_is_written_as_it_is_read(line):
    assert parse_axis(written(parse_axis(line))) == parse_axis(line)


def test_a_setting_is_added_as_an_axis_with_the_presets_own_value():
    at = page()
    ran(at.selectbox(key="studies axis").select("fop.rank").run())
    assert at.text_area(key="studies.axes").value == "optimizer.lr=0.01,0.05,0.1\nfop.rank=16"
    assert at.selectbox(key="studies axis").value is None
    assert address(at) == {"axes": "optimizer.lr=0.01,0.05,0.1\nfop.rank=16"}


def test_runs_that_are_there_predict_time_and_the_detectable_difference():
    filled(study("before"), lambda cell: usual(cell) + 0.004 * cell.seed * (cell.method == "fop"), WON)
    at = page(axes="optimizer.lr=0.01,0.1", seeds="0-1", name="next")
    assert "about" in text(at) and "8 of them there already" in text(at)
    assert "points of test accuracy" in text(at) and "2 seeds: smaller differences cannot be seen." in text(at)


def test_studies_are_listed_and_one_is_opened():
    filled(study("one"))
    filled(study("two"), winners=WON)
    at = page()
    data = component(at, "studies table")
    assert {row["cells"][1][0]: row["cells"][0][0] for row in data["rows"]} == {"one": "queued", "two": "finished"}
    assert "No studies yet" not in text(at)


def test_a_study_without_tuning_is_finished_when_its_runs_are_and_opens_on_what_it_reports():
    plain = study("s").model_copy(update={"axes": (), "fresh_seeds": (5, 6)})
    filled(plain)
    [row] = component(page(), "studies table")["rows"]
    assert (row["cells"][0][0], row["cells"][2][0]) == ("finished", "4 of 4 runs")
    at = page(study="s")
    assert len(trials(at)) == 2 and "All its runs have ended." in text(at)
    assert "won" not in text(at) and "winner" not in text(at)
    assert "Each method at the settings that the study gives it" in text(at)


def test_a_study_without_tuning_whose_runs_wait_says_so(folder):
    at = page(axes="", seeds="0", fresh="5", name="s", epochs="1")
    assert f"export FOP_RUNS_DIR={folder}" in at.code[0].value
    ran(button(at, "studies launch").click().run())
    assert "Its runs wait in the queue: nothing is to be chosen." in text(at) and len(trials(at)) == 2


def test_runs_that_are_made_once_the_winners_are_known_are_counted_before():
    filled(study("s"))
    [row] = component(page(), "studies table")["rows"]
    assert row["cells"][2][0] == "8 of 12 runs"
    assert "8 of 8 runs ended, then 4 more with fresh seeds" in progress_text(page(study="s"))


def test_a_sentence_and_the_figure_give_the_same_difference_with_its_interval():
    filled(study("s"), lambda cell: 0.9 + 0.01 * (cell.seed % 2) * (1 if cell.method == "fop" else -1), winners=WON)
    at = page(study="s")
    said = text(at).partition("interval of fop less momentum ")[2]
    low, high = (float(end.replace("−", "-")) for end in said.partition(" points")[0].split(" to "))
    [middle] = {trace["x"][0] for trace in figure(at, "study pairwise")["data"] if trace.get("mode") == "markers"}
    assert low < high and middle == pytest.approx((low + high) / 2, abs=0.02)


def test_the_difference_that_cannot_be_seen_is_that_of_each_comparison():
    wide = {"fop": 0.02, "adam": 0.001, "momentum": 0.0}
    plan = study("s", methods=["momentum", "fop", "adam"], fresh_seeds=[5, 6, 7], analysis={"baseline": "momentum"})
    filled(plan, lambda cell: 0.9 + wide[cell.method] * math.sin(cell.seed), winners={**WON, "adam": WON["fop"]})
    said = text(page(study="s"))
    for name, method in (("FOP", "fop"), ("Adam", "adam")):
        amount = said.partition(f" points ({name} less Momentum)")[0].rpartition("under ")[2]
        sentence = said.partition(f"{method} and momentum, test accuracy")[2].partition("cannot be seen with")[0]
        assert f"Differences under {amount} points" in sentence


def test_a_finished_study_says_what_can_be_concluded_under_every_figure():
    def accuracy(cell):
        return usual(cell) + 0.004 * cell.seed * (cell.method == "fop")

    winners = {**WON, "fop": {**WON["fop"], "fop.rank": 16}}
    filled(study("s", "optimizer.lr=0.01,0.1", "fop.rank=1,16"), accuracy, winners=winners)
    at = page(study="s")
    assert "**What can be concluded**" in text(at)
    assert [each.value for each in at.subheader] == [
        "s",
        "Settings",
        "Differences between methods",
        "Test accuracy of the winners",
        "Held out accuracy with and without",
        "Sensitivity to the learning rate ε",
        "All trials",
    ]
    for name in ("pairwise", "lines", "grid FOP, %", "grid Difference, points", "sensitivity", "parallel"):
        assert figure(at, f"study {name}")["data"]
    assert "2 seeds cannot tell differences under" in text(at)
    assert "All its runs have ended." in text(at)
    assert not [each for each in at.button if each.key == "studies resume"]


def test_its_trials_have_n_spread_seconds_and_memory_and_the_winner_a_star():
    filled(study("s"), lambda cell: math.nan if cell.seed and cell.method == "momentum" else usual(cell), winners=WON)
    at = page(study="s")
    rows = trials(at)
    assert [(row["method"], row["name"]) for row in rows] == [
        ("Momentum", "lr 0.01"),
        ("Momentum", "★ lr 0.1"),
        ("FOP", "lr 0.01"),
        ("FOP", "★ lr 0.1"),
    ]
    assert rows[0]["state"] == "failed" and rows[0]["n"] == "1 of 2" and rows[0]["lost"] == "1 of 2"
    assert rows[3]["n"] == "2 of 2" and rows[3]["result"] == "93.09 ± 0.13 %"
    assert rows[3]["seconds"] == "4 s" and rows[3]["memory"] == "300 MB"
    reported = trials(page(study="s", role="report"))
    assert [row["n"] for row in reported] == ["0 of 2", "2 of 2"]


def test_a_trial_opens_its_runs_their_curves_and_what_they_learned():
    stored = filled(study("s"), winners=WON)
    chosen = next(row["id"] for row in trials(page(study="s")) if row["method"] == "FOP")
    at = page(study="s", cell=chosen)
    links = {link.proto.label: link.proto for link in at.get("page_link")}
    ids = [stored.runs[cell.key] for cell in cells.cells(stored.study) if cell.method == "fop"][:2]
    assert f"run={'%2C'.join(ids)}" in links["Open its 2 runs"].query_string
    assert f"run={ids[0]}" in links["What it learned"].query_string
    assert figure(at, "curve held_out_accuracy")["data"]
    assert address(at) == {"study": "s", "cell": chosen}


def test_an_address_reproduces_a_view():
    filled(study("s", "optimizer.lr=0.01,0.1", "batch_size=64,128"), winners=None)
    query = {"study": "s", "with": "momentum", "without": "fop", "columns": "batch_size", "rows": "optimizer.lr"}
    at = page(**query)
    made = figure(at, "study grid Difference, points")["layout"]
    assert (made["xaxis"]["title"]["text"], made["yaxis"]["title"]["text"]) == ("batch size", "learning rate ε")
    assert figure(at, "study grid Momentum, %")["data"]
    assert address(at) == query


def test_another_analysis_is_marked_explored():
    filled(study("s"), winners=WON)
    assert "Explored" not in text(page(study="s"))
    assert "Explored: another analysis was fixed when the study was submitted." in text(page(study="s", by="test_loss"))


def test_what_has_changed_since_it_was_drawn_is_drawn_once_more():
    filled(study("s"), lambda cell: usual(cell) if cell.method == "fop" else None)
    at = page(study="s")
    assert [row["state"] for row in trials(at)] == ["missing", "missing", "finished", "finished"]
    with store.changing("s") as stored:
        for cell in cells.cells(stored.study):
            stored.runs.setdefault(cell.key, run_of(cell, usual(cell)).id)
    ran(at.run())
    assert {row["state"] for row in trials(at)} == {"finished"}


def test_a_study_is_stopped_resumed_and_grown():
    at = page(axes="optimizer.lr=0.01", seeds="0", fresh="5", name="s")
    ran(button(at, "studies launch").click().run())
    ran(button(at, "studies stops").click().run())
    assert store.load("s").stopped and "It is stopped" in text(at)
    assert not any((run.path / "requests" / "start").exists() for run, _ in runs.scan())
    ran(button(at, "studies resume").click().run())
    assert not store.load("s").stopped
    assert all((run.path / "requests" / "start").exists() for run, _ in runs.scan())
    ran(at.text_input(key="studies grow axis").input("optimizer.lr=0.02").run())
    ran(button(at, "studies grows").click().run())
    assert store.load("s").study.axes[0].values == (0.01, 0.02)
    assert len(store.load("s").runs) == 4 and at.text_input(key="studies grow axis").value == ""


def test_a_study_grows_by_what_is_typed_as_the_button_is_pressed_if_that_is_as_many_runs():
    at = page(axes="optimizer.lr=0.01", seeds="0", fresh="5", name="s")
    ran(button(at, "studies launch").click().run())
    ran(at.text_input(key="studies grow axis").input("optimizer.lr=0.02").run())
    at.text_input(key="studies grow axis").input("optimizer.lr=0.03,0.04")
    ran(button(at, "studies grows").click().run())
    assert store.load("s").study.axes[0].values == (0.01,) and "by 4 runs" in button(at, "studies grows").label
    at.text_input(key="studies grow axis").input("optimizer.lr=0.03")
    ran(button(at, "studies grows").click().run())
    assert store.load("s").study.axes[0].values == (0.01,), "it said 4 runs"
    at.text_input(key="studies grow axis").input("optimizer.lr=0.05")
    ran(button(at, "studies grows").click().run())
    assert store.load("s").study.axes[0].values == (0.01, 0.05)


def test_a_study_is_deleted_with_its_runs_kept_and_brought_back():
    filled(study("s"))
    at = page(study="s")
    ran(button(at, "studies deletes").click().run())
    assert not store.ids() and len(list(runs.scan())) == 8 and "study" not in address(at)
    assert "s moved to the trash; its runs stay." in text(at)
    ran(button(at, "studies undo").click().run())
    assert store.ids() == ["s"] and "moved to the trash" not in text(at)


def test_studies_in_the_trash_are_listed_and_brought_back():
    for name in ("one_s", "two"):
        filled(study(name))
        trash.discard(store.slug(name))
    at = page()
    assert [each.label for each in at.expander if "Trash" in each.label] == ["Trash: 2 studies"]
    assert "one_s" in text(at) and "empty-trash" in text(at)
    ran(button(at, "studies restore two").click().run())
    assert store.ids() == ["two"] and at.toast[0].value.replace("\\", "") == "two is back."
    assert [each.label for each in at.expander if "Trash" in each.label] == ["Trash: 1 study"]


def test_fewer_trials_of_a_method_are_said_where_points_fall_together():
    at = page(axes="optimizer.lr=0.01,0.05,0.1\nfop.rank=1,16", sampling="quasi-random", trials=4)
    tried = list(at.table[0].value["Settings tried"])
    assert tried == ["3", "4"] and "one setting: more values even it out" in text(at)


def test_a_study_whose_runs_wait_is_not_deleted():
    at = page(axes="", seeds="0", fresh="5", name="s", epochs="1")
    ran(button(at, "studies launch").click().run())
    ran(button(at, "studies deletes").click().run())
    assert store.ids() == ["s"] and "stop it first" in text(at)


def test_what_cannot_be_grown_is_said_and_nothing_is_changed():
    filled(study("s"))
    at = page(study="s")
    ran(at.text_input(key="studies grow axis").input("optimizer.lrr=1").run())
    assert "no such setting" in text(at) and button(at, "studies grows").disabled
    assert len(store.load("s").study.axes) == 1 and at.text_input(key="studies grow axis").value == "optimizer.lrr=1"
    ran(at.text_input(key="studies grow axis").input("").run())
    for there, says in (("abc", "abc"), ("1", "has all of that already")):
        ran(at.text_input(key="studies grow seeds").input(there).run())
        assert says in text(at) and button(at, "studies grows").disabled
    ran(at.text_input(key="studies grow seeds").input("1,9").run())
    assert button(at, "studies grows").label == "Grow this study by 4 runs" and not button(at, "studies grows").disabled


def test_an_unknown_and_a_damaged_study_are_said_to_be_so():
    stored = filled(study("s"))
    (stored.path / "study.json").write_text("{")
    assert "cannot be read" in text(page())
    at = page(study="nothing")
    assert "no study 'nothing'" in text(at)
    ran(button(at, "studies all").click().run())
    assert "A new study" in [each.value for each in at.subheader]


def test_every_setting_has_a_value_that_its_field_writes_and_reads():
    for preset in PRESETS.options:
        for name, field in FIELDS.items():
            value = values(preset)[name]
            assert field.read(field.write(value)) == value, name
    assert json.dumps(dict(values("mnist-mlp")))


LION = Path(__file__).resolve().parents[2] / "examples" / "plugins" / "lion.py"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A page with a file of one's own taken, confirmed and tried."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    at = page(seeds="0", fresh="1", name="own", epochs="1")
    at.text_input(key="studies own path").set_value(str(LION))
    ran(next(each for each in at.button if str(each.key) == "studies own take").click().run())
    assert plugins.RIGHTS in text(at) and button(at, "studies launch").disabled
    assert not confirmed.is_confirmed(plugins.read(LION).digest)
    return ran(next(each for each in at.button if str(each.key).startswith("studies own run")).click().run())


def test_a_study_is_composed_with_an_optimizer_of_ones_own_whose_settings_are_axes(own, folder):
    assert "lion.py took one step" in text(own)
    assert own.session_state["studies.methods"] == ["momentum", "fop", "plugin"]
    axis = own.selectbox(key="studies axis")
    assert "optimizer.settings.beta1" in axis.options
    ran(axis.select("optimizer.settings.lr").run())
    assert own.text_area(key="studies.axes").value.endswith("optimizer.settings.lr=0.0001")
    ran(own.text_area(key="studies.axes").set_value("optimizer.lr=0.05\noptimizer.settings.lr=1e-4,3e-4").run())
    assert list(own.table[0].value["Settings tried"]) == ["1", "1", "2"]
    assert [words.replace("\\", "") for words in own.table[0].value["Method"]] == ["Momentum", "FOP", "lion.py"]
    shell = shlex.split(next(each.value.splitlines()[-1] for each in own.code if "study submit" in each.value))
    ran(button(own, "studies launch").click().run())
    assert "Settings of Momentum, FOP, lion.py are being chosen" in text(own) and "plugin" not in text(own)
    [stored] = store.list_studies()[0]
    assert store.sources(stored)["optimizer"].content == LION.read_bytes()
    made = [run for run, _ in runs.scan() if "plugin" in run.config["optimizer"]]
    assert sorted(run.config["optimizer"]["settings"]["lr"] for run in made) == [1e-4, 3e-4]
    assert all(plugins.of_run(run)["optimizer"].content == LION.read_bytes() for run in made)
    parser = argparse.ArgumentParser()
    study_command.add(parser.add_subparsers())
    same, sources = study_command._composed(parser.parse_args(shell[3:]))
    assert same == stored.study and sources == store.sources(stored)


def test_settings_of_ones_own_file_that_it_refuses_make_no_study(own):
    ran(own.text_area(key="studies.axes").set_value("optimizer.lr=0.05\noptimizer.settings.lr=1e-4,-1").run())
    ran(button(own, "studies launch").click().run())
    assert "optimizer.settings.lr: -1 given" in text(own) and not store.ids()
    ran(next(each for each in own.button if str(each.key).startswith("studies own remove")).click().run())
    assert own.session_state["studies.methods"] == ["momentum", "fop"]
    assert "no such setting" in text(own)


def test_a_method_of_ones_own_needs_its_file():
    at = page(methods="momentum,plugin")
    assert button(at, "studies launch").disabled and "an optimizer of your own is meant: give its file" in text(at)
    assert "plugin" not in text(at)


def test_a_file_of_ones_own_is_called_by_its_name_in_an_open_study():
    of_a_file()
    at = page(study="own")
    assert {row["method"] for row in trials(at)} == {"Momentum", "lion.py"}
    assert "lion.py has the better test accuracy" in text(at) and "plugin" not in text(at)
    shown = [option for box in at.selectbox for option in box.options]
    assert "lion.py" in shown and "plugin" not in shown
    assert "Momentum, lion.py" in str(component(page(), "studies table")["rows"])


def with_own_data(**query: str) -> AppTest:
    """A page on which data of one's own without an accuracy are taken, confirmed and tried."""
    at = page(seeds="0", fresh="1", name="own", epochs="1", **query)
    at.text_area(key="studies own text").set_value(SETTINGS + DATA)
    ran(next(each for each in at.button if str(each.key) == "studies own take").click().run())
    return ran(next(each for each in at.button if str(each.key).startswith("studies own run")).click().run())


def test_data_of_ones_own_without_accuracy_leave_a_link_what_it_compares(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    at = with_own_data(column="train_loss")
    assert at.session_state["studies.choose"] == "held_out_loss" and at.session_state["studies.column"] == "train_loss"


def test_data_of_ones_own_without_accuracy_are_compared_by_their_losses(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    at = with_own_data()
    assert at.session_state["studies.choose"] == "held_out_loss" and at.session_state["studies.column"] == "test_loss"
    assert not button(at, "studies launch").disabled
    ran(at.selectbox(key="studies.column").set_value("test_accuracy").run())
    assert button(at, "studies launch").disabled and "the data have the metrics mae, not accuracy" in text(at)
    ran(next(each for each in at.button if str(each.key).startswith("studies own remove")).click().run())
    assert at.session_state["studies.choose"] == "held_out_accuracy"
    assert at.session_state["studies.column"] == "test_accuracy"
