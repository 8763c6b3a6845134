"""The Runs page as a reader meets it, without a browser, and what its table is made of."""

import csv
import io
import json
import os
import subprocess
import zipfile
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from fop_core.figures import training_curves
from fop_core.figures.style import PINS
from fop_core.jobs import launcher_settings, placements, queue
from fop_core.jobs.placements import Placement, Report
from fop_core.runs import GALLERY, claims, files, lineage, plugins, store
from fop_core.runs.control import Control
from fop_core.runs.listing import Listing
from fop_core.runs.names import TRASH
from fop_core.runs.state import CAUSES
from fop_core.training import config, divergence, environment
from pages.runs import downloads
from pages.shared import run_text
from tests.damage import nested_json
from tests.pages.app import app_at
from tests.pages.test_trajectories import component, figure, ran, words
from tests.runs.tiny import made, rows
from tests.waiting import until


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    monkeypatch.setattr("fop_core.runs.listing.FRESH", 0.0)
    return tmp_path / "runs"


def page(*ids: str, **query: str) -> AppTest:
    at = app_at("runs")
    for name, value in query.items():
        at.query_params[name] = value
    if ids:
        at.query_params["run"] = list(ids)
    return ran(at.run())


def shown(at: AppTest) -> dict[str, dict]:
    """What the table says, by name and column."""
    data = component(at, "table")
    names = [column["name"] for column in data["columns"]]
    texts = [[cell if isinstance(cell, str) else cell[0] for cell in row["cells"]] for row in data["rows"]]
    return {row[names.index("name")]: dict(zip(names, row)) for row in texts}


def test_an_empty_folder_offers_a_first_run_and_the_gallery():
    at = page()
    assert "**No runs yet.**" in words(at)
    [gallery] = [button for button in at.button if button.label == "Look at the gallery"]
    ran(gallery.click().run())
    assert set(shown(at)) == {path.name for path in GALLERY.iterdir()}


def test_the_table_says_where_each_run_stands_and_what_differs():
    made("one", [*rows(), {"step": 50, "test_accuracy": 0.5}, {"step": 60, "test_accuracy": 0.25}])
    made("other", rows(), "failed", "diverged at step 30: loss not finite", "fop", "fop.rank=8")
    table = shown(page())
    assert table["one"]["state"] == "finished" and table["other"]["state"] == "failed"
    assert (table["one"]["set.fop.rank"], table["other"]["set.fop.rank"]) == ("16", "8")
    assert table["one"]["best"] == "50.00 %" and table["other"]["best"] == "–"
    assert table["one"]["device"] == "A CPU"


def test_words_states_and_the_archive_choose_what_the_table_shows():
    made("apple", rows()).label(tags=["fruit"])
    made("stone", rows(), "stopped").label(archived=True)
    made("brick", rows(), "stopped")
    assert set(shown(page())) == {"apple", "brick"}
    assert set(shown(page(find="FRUIT finished"))) == {"apple"}
    assert set(shown(page(find="fop.rank=16"))) == {"apple", "brick"}
    assert set(shown(page(state="stopped"))) == {"brick"}
    assert set(shown(page(tag="fruit"))) == {"apple"}
    assert set(shown(page(show="archive"))) == {"stone"}
    assert "No run has all of that." in words(page(find="nothing like it"))


def test_the_tags_to_choose_among_are_those_of_the_runs_that_are_shown():
    made("apple", rows()).label(tags=["fruit"])

    def offered(**query: str) -> list[str]:
        return [each.options for each in page(**query).get("button_group") if each.label == "Tags"]

    assert offered() == [["fruit"]] and offered(show="gallery") == [] and offered(show="trash") == []


def test_a_failed_run_says_why_and_what_to_try():
    reason = "diverged at step 3: loss not finite"
    run = made("bad", rows(5, train_loss=float("nan")), "failed", reason, cause="diverged")
    at = page(run.id)
    assert "diverged at step 3" in at.error[0].value.replace("\\", "")
    assert "a tenth of the learning rate" in at.error[0].value


def test_a_run_that_is_not_here_is_named():
    made("one", rows())
    at = page("gone-1234")
    assert "gone" in at.warning[0].value and "Not here" in at.warning[0].value


def test_a_damaged_run_is_in_the_table_and_says_so_when_it_is_opened():
    run = made("broken", rows())
    (run.path / "state.json").write_text("{")
    at = page(run.id)
    assert [row["state"] for row in shown(at).values()] == ["damaged"]
    assert "no JSON" in at.error[0].value


@pytest.mark.parametrize("kind", [list, dict])
@pytest.mark.parametrize("depth", [100, 450, 960])
def test_settings_nested_deeply_are_that_runs_damage_and_the_table_shows_all(folder, kind, depth):
    ids = [made(f"run {number}", rows()).id for number in range(3)]
    about = folder / ids[1] / "run.json"
    content = json.loads(about.read_text())
    content["config"]["deep"] = "here"
    about.write_text(json.dumps(content).replace('"here"', nested_json(depth, kind)))
    cells = {row["id"]: str(row["cells"]) for row in component(page(*ids), "table")["rows"]}
    assert cells.keys() == set(ids)
    assert "damaged: " in cells[ids[1]] and "nested more than" in cells[ids[1]]
    assert "damaged" not in cells[ids[0]] + cells[ids[2]]


def test_one_parameter_for_each_run_and_one_with_commas_are_the_same():
    ids = [made(f"run {n}", rows(), "finished", "", "fop", f"seed={n}").id for n in range(3)]
    at = page(*ids[:2])
    assert component(at, "table")["chosen"] == ids[:2]
    assert "2 runs" in [heading.value for heading in at.subheader]
    assert component(page(run=",".join(ids[:2])), "table")["chosen"] == ids[:2]


def test_seeds_are_one_line_with_a_band_and_apart_they_are_two():
    ids = [made(f"run {n}", rows(), "finished", "", "fop", f"seed={n}").id for n in range(2)]
    drawn = figure(page(*ids), "curve train_loss")
    assert len(drawn["layout"]["annotations"]) == 1
    assert [trace.get("fill") for trace in drawn["data"]].count("toself") == 1
    assert len(figure(page(*ids, seeds="0"), "curve train_loss")["layout"]["annotations"]) == 2


def test_a_difference_to_a_baseline_marks_zero_and_the_baseline_is_it():
    base, other = made("base", rows(), "finished", "", "momentum"), made("other", rows())
    drawn = figure(page(base.id, other.id, base=base.id, y="train_loss"), "curve train_loss")
    assert drawn["layout"]["yaxis"]["title"]["text"] == "train loss less baseline"
    assert len(drawn["layout"]["shapes"]) == 1


def test_downloads_hold_what_a_run_is(folder):
    run = made("one", rows())
    entry = Listing(folder).entries(True)[run.id]
    name, content = downloads.archive([entry])
    assert name == f"{run.id}-to-step-30.zip"
    with zipfile.ZipFile(io.BytesIO(content)) as held:
        names = {name.removeprefix(f"{run.id}/") for name in held.namelist()}
        assert {"run.json", "state.json", "metrics.1.jsonl", "attempts/1.json"} <= names
        assert not {name for name in names if "lock" in name or name.startswith("requests")}
        about = json.loads(held.read(f"{run.id}/run.json"))
    assert about["config"] == run.config
    name, content = downloads.table([entry], ".csv", downloads.export.to_csv)
    assert name == f"{run.id}-to-step-30.csv"
    lines = list(csv.DictReader(io.StringIO(content.decode())))
    assert [line["step"] for line in lines] == [str(n) for n in range(1, 31)]
    assert {line["run"] for line in lines} == {run.id}
    made("other", rows())
    entries = list(Listing(folder).entries(True).values())
    name, content = downloads.table(entries, ".csv", downloads.export.to_csv)
    assert name == f"{entries[0].id}-and-1-more.zip"
    assert zipfile.ZipFile(io.BytesIO(content)).namelist() == [f"{each.id}-to-step-30.csv" for each in entries]


def test_every_cause_has_its_advice():
    assert set(run_text.ADVICE) == set(CAUSES)
    for cause in CAUSES:
        assert run_text.advice("failed", cause) == run_text.advice("lost", cause) == run_text.ADVICE[cause]
    assert "log" in run_text.advice("failed", "") and run_text.advice("finished", "") == ""


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Not there: `python -m x_y` gets it.", "Not there\\: `python -m x_y` gets it\\."),
        ("Not there: /a`b.", "Not there\\: \\/a\\`b\\."),
        ("![x](y) $z$", "\\!\\[x\\]\\(y\\) \\$z\\$"),
    ],
)
def test_a_command_in_a_message_is_code_and_all_else_as_it_is(text, expected):
    assert run_text.message(text) == expected


def test_a_number_its_deviation_and_its_unit_stay_in_one_line():
    ids = [
        made(f"{n}", [{"step": 1, "test_accuracy": 0.9 + n / 100}], "finished", "", "fop", f"seed={n}").id
        for n in (0, 1)
    ]
    [row] = page(*ids).table[0].value.to_dict("records")
    assert row["Best accuracy"] == "90\\.50\N{NO-BREAK SPACE}±\N{NO-BREAK SPACE}0\\.71\N{NO-BREAK SPACE}\\%"


def test_the_trash_gives_a_run_back_or_lets_it_go_for_good(folder):
    run, other = made("one", rows()), made("two", rows())
    run.delete(), other.delete()
    at = page(run.id, show="trash")
    assert set(shown(at)) == {"one", "two"}
    ran(at.button(key="runs restore").click().run())
    assert run.path.exists() and [left.id for left in store.trashed(folder)] == [other.id]
    at = page(other.id, show="trash")
    ran(at.button(key="runs purges").click().run())
    assert store.trashed(folder) == [] and not other.path.exists()


def test_a_trash_that_is_a_link_is_refused_and_nothing_behind_it_is_listed(folder, tmp_path):
    run = made("one", rows())
    theirs = store.create({}, name="theirs", folder=tmp_path / "others").delete()
    (folder / TRASH).symlink_to(theirs.path.parent)
    at = page(theirs.id, show="trash")
    assert any("is no folder of this runs folder" in each.value.replace("\\", "") for each in at.error)
    assert not {"runs purges", "runs restore"} & {button.key for button in at.button}
    assert set(shown(page(run.id))) == {"one"} and theirs.path.exists()


def test_of_what_is_chosen_only_runs_outside_the_trash_go_on_or_there(folder):
    live, gone = made("live", rows(), "stopped"), made("gone", rows(), "stopped")
    trashed = gone.delete()
    at = page(live.id, gone.id)
    assert at.button(key="runs deletes").label == "Delete this run"
    ran(at.button(key="runs deletes").click().run())
    assert not live.path.exists() and len(store.trashed(folder)) == 2 and trashed.path.exists()


def test_a_run_starts_over_where_that_is_asked_and_its_checkpoints_are_kept_aside(folder):
    reason = "no checkpoint of one can be read: x: its checksum is wrong"
    run = made("one", rows(), "failed", reason, cause="checkpoint")
    assert "runs anews" not in {button.key for button in page(run.id).button}, "there is none to set aside"
    files.write_arrays(run.checkpoint_path(30), {"a": np.zeros(1)})
    at = page(run.id)
    assert "Start over" in at.error[0].value
    ran(at.button(key="runs anews").click().run())
    assert run.checkpoint_steps() == [] and (run.path / "checkpoints.1" / "00000030.safetensors").exists()
    assert (run.path / "requests" / "start").exists()


def test_a_run_that_went_on_from_an_older_checkpoint_says_so():
    warning = "went on from step 6, a newer checkpoint is damaged: /x/00000007.safetensors: its checksum is wrong"
    run = made("one", rows(), "finished", warning)
    [shown] = page(run.id).warning
    assert "went on from step 6" in shown.value and "00000007" in shown.value


def test_runs_of_the_gallery_cannot_be_changed():
    at = page("mnist-sgd-seed0", show="gallery")
    assert not {"Archive", "Delete this run", "Save"} & {button.label for button in at.button}
    assert "Clone…" in [each.proto.label for each in at.get("page_link")]


def test_several_that_can_go_on_are_resumed_together(monkeypatch):
    submitted = []
    monkeypatch.setattr("fop_core.jobs.queue.submit", lambda run, by="": submitted.append(run.id))
    runs = [made(f"run {n}", rows(), "stopped", "", "fop", f"seed={n}") for n in range(2)]
    at = page(*(run.id for run in runs))
    [button] = [button for button in at.button if button.label == "Resume 2"]
    ran(button.click().run())
    assert submitted == [run.id for run in runs]


def test_the_table_of_groups_tells_of_the_last_point_alone_and_how_many_got_there():
    def run(seed: int, last: int, state: str) -> str:
        measured = [{"step": n, "test_accuracy": 0.5 + n / 1000, "test_loss": 1 / n} for n in range(1, last + 1)]
        return made(f"seed {seed}", measured, state, "", "fop", f"seed={seed}").id

    ids = [run(0, 100, "finished"), run(1, 40, "stopped"), run(2, 100, "finished")]
    other = made("other", rows(), "finished", "", "fop", "fop.rank=8", "seed=2").id
    first, second = page(*ids, other).table[0].value.to_dict("records")
    assert (first["Seeds"], first["n"]) == ("0\\-2", "2 of 3")
    assert first["Last test loss"].startswith("0\\.0100\N{NO-BREAK SPACE}±"), "not the 1/40 of the one that was stopped"
    assert first["Best accuracy"].startswith("60\\.00")
    assert "seed" not in first["Runs"] + second["Runs"]


def test_a_progress_of_texts_is_shown_as_it_is_and_breaks_nothing():
    run = made("odd", rows())
    progress = {
        "step": "![s](x)",
        "steps": "**n**",
        "share": 0.5,
        "epoch": "*e*",
        "epochs": ":red[x]",
        "eta_seconds": "?",
    }
    (run.path / "progress.json").write_text(json.dumps(progress))
    with Control(run) as control:
        control.set("running")
        at = page(run.id)
    [bar] = [each for each in at.get("progress")]
    assert bar.proto.text.startswith("running, since ")


def test_what_made_it_can_be_pasted_into_a_shell(tmp_path):
    run = made("one", rows())
    arguments = [
        "python",
        "-c",
        "a b",
        "$(touch hacked)",
        "`touch hacked`",
        "it's; touch hacked",
        "*",
        "~",
        "",
        'a"b\n#',
        "-n",
    ]
    attempt = json.loads((run.path / "attempts/1.json").read_text())
    (run.path / "attempts/1.json").write_text(json.dumps(attempt | {"command": arguments}))
    [command] = [each.value for each in page(run.id).code if each.value.startswith("python")]
    shell = subprocess.run(["bash", "-c", f"printf '%s\\0' {command}"], cwd=tmp_path, capture_output=True, text=True)
    assert shell.stdout.split("\0")[:-1] == arguments and not (tmp_path / "hacked").exists()


def test_versions_are_those_that_each_attempt_has(folder):
    old = made("old", rows())  # from before pytorch-optimizer's was recorded
    new = made("new", rows())
    attempt = json.loads((new.path / "attempts/1.json").read_text())
    (new.path / "attempts/1.json").write_text(json.dumps(attempt | {"versions": environment.versions()}))
    for run, known in ((old, False), (new, True)):
        [table] = [each.value for each in page(run.id).table if "Which" in each.value.columns]
        versions = dict(zip(table["What"], table["Which"]))["Versions"].replace("\\", "")
        assert "torch " in versions and ("pytorch-optimizer 4." in versions) == known


def test_the_last_numbers_of_a_run_by_prodigy_have_its_estimate():
    for columns in ({}, {"d": 0.25}):
        at = page(made("one", rows(lr=1.0, **columns)).id)
        [table] = [each.value for each in at.table if "Last numbers" in each.value.columns]
        pairs = zip(table["Last numbers"], table[" "])
        numbers = {name.replace("\\", ""): value.replace("\\", "") for name, value in pairs}
        assert numbers["Learning rate"] == "1.00"
        assert numbers.get("Prodigy's d") == ("0.250" if columns else None)


def test_n_is_how_many_were_measured_and_all_seeds_of_a_group_are_named():
    measured = [{"step": 1, "test_accuracy": 0.9, "train_loss": 0.5, "seconds": 1.0}]
    ids = [made("a", measured, "finished", "", "fop", "seed=2").id]
    ids += [made(f"a{n}", (), "queued", "", "fop", f"seed={n}").id for n in (3, 4)]
    ids += [made(f"b{n}", measured, "finished", "", "fop", f"seed={n}", "fop.rank=8").id for n in (0, 1)]
    ids += [made("b5", [{"step": 1, "train_loss": 0.5}], "running", "", "fop", "seed=5", "fop.rank=8").id]
    first, second = (
        {name: text.replace("\\", "") for name, text in row.items()}
        for row in page(*ids).table[0].value.to_dict("records")
    )
    assert (first["Runs"], first["Seeds"], first["n"]) == ("FOP, rank 16", "2-4", "1 of 3")
    assert (second["Runs"], second["Seeds"], second["n"]) == ("FOP, rank 8", "0, 1, 5", "3")
    assert second["Best accuracy"].endswith("% (n = 2)") and "n =" not in second["Last train loss"]


def test_runs_that_stand_apart_are_known_by_their_seeds():
    ids = [made("a", rows(), "finished", "", "fop", "seed=2").id, made("b", rows(), "finished", "", "fop", "seed=3").id]
    labels = [row["Runs"].replace("\\", "") for row in page(*ids, seeds="0").table[0].value.to_dict("records")]
    assert labels == ["FOP, seed 2", "FOP, seed 3"]


def test_a_method_that_is_not_known_is_shown_by_its_own_name():
    run = made("odd", rows(), "finished", "", "momentum")
    about = json.loads((run.path / "run.json").read_text())
    about["config"]["optimizer"]["name"] = "sparrow"
    (run.path / "run.json").write_text(json.dumps(about))
    other = made("usual", rows())
    at = page(run.id, other.id)
    assert shown(at)["odd"]["method"] == "sparrow" and len(figure(at, "curve train_loss")["layout"]["annotations"]) == 2


def test_a_run_whose_settings_are_none_of_todays_says_so_where_it_would_be_cloned():
    run = made("old", rows())
    about = json.loads((run.path / "run.json").read_text())
    about["config"]["epochs"] = 0
    (run.path / "run.json").write_text(json.dumps(about))
    [link] = [each.proto for each in page(run.id).get("page_link") if each.proto.label == "Clone…"]
    assert link.disabled and "epochs" in link.help


# controls, and why a run diverged -------------------------------------------------------------------------------------

GAINS = [{"step": step, "eigenvalue_mean/1.weight": 1 + step / 100} for step in (0, 10, 20)]


def labels(at: AppTest) -> dict[str, bool]:
    """The controls that are offered, by whether a click on them does something."""
    buttons = [each for each in at.button if (each.key or "").startswith("runs control ")]
    return {each.key.removeprefix("runs control "): not each.disabled for each in buttons}


def snapshots(run) -> None:
    for step in (0, 10, 20):
        arrays = {"1.weight/M": np.full((4, 2), 0.1, np.float32), "1.weight/spectrum": np.ones(4, np.float32)}
        files.write_arrays(run.path / "snapshots" / f"{step:08}.safetensors", arrays)


@pytest.mark.parametrize("kind", lineage.CONTROLS)
def test_a_control_is_one_click_and_so_is_the_comparison(folder, kind):
    run = made("one", GAINS)
    snapshots(run)
    at = page(run.id)
    assert labels(at) == dict.fromkeys(lineage.CONTROLS, True)
    ran(at.button(key=f"runs control {kind}").click().run())
    assert not at.error
    [control] = [each for each in store.directories(folder) if each.id != run.id]
    assert lineage.control(control) == (run.id, kind) and control.has_request("start")
    assert control.config["seed"] == run.config["seed"] and control.config["data"] == run.config["data"]
    at = page(run.id)
    assert labels(at) == {each: True for each in lineage.CONTROLS if each != kind}, "the others are still offered"
    ran(at.button(key="runs controls compare").click().run())
    assert component(at, "table")["chosen"] == [run.id, control.id]
    assert "2 runs" in [heading.value for heading in at.subheader]
    at = page(control.id)
    assert labels(at) == {} and "Compare" not in words(at), "a control has none of its own"
    [link] = [each.proto for each in at.get("page_link") if each.proto.label == "Clone…"]
    assert link.disabled and "control" in link.help


def test_a_control_is_made_once_though_two_tabs_offer_it_or_a_click_comes_twice(folder):
    run = made("one", GAINS)
    snapshots(run)
    tabs = page(run.id), page(run.id)
    for at in tabs:
        ran(at.button(key="runs control start").click().run())
        assert not at.error
    assert len(list(store.directories(folder))) == 2


def test_what_a_run_lacks_for_a_control_is_said_and_a_click_makes_nothing(folder):
    run = made("bare", rows())
    at = page(run.id)
    assert labels(at) == {"rate": False, "final": False, "start": True}
    assert "has no snapshots of P, and 2 are needed" in words(at).replace("\\", "")
    snapshots(run)
    last = run.path / "snapshots" / "00000020.safetensors"
    last.write_bytes(last.read_bytes()[:-8])
    at = page(run.id)
    assert labels(at) == dict.fromkeys(lineage.CONTROLS, True), "what is in them is seen when they are read"
    for kind in ("final", "rate"):
        ran(at.button(key=f"runs control {kind}").click().run())
        assert "00000020.safetensors" in at.error[0].value.replace("\\", "")
    assert [each.id for each in store.directories(folder)] == [run.id]


def test_no_control_is_offered_where_nothing_was_learned_by_FOP():
    assert labels(page(made("plain", rows(), "finished", "", "momentum").id)) == {}
    run = made("going", GAINS, "stopped")
    snapshots(run)
    with Control(run) as control:
        control.set("running")
        assert labels(page(run.id)) == {"rate": False, "final": False, "start": True}


def test_why_it_diverged_is_measured_on_a_click_while_the_page_goes_on_and_stays_known():
    bad = [*rows(12), {"step": 13, "train_loss": float("nan")}]
    run = made("bad", bad, "failed", "diverged at step 13: loss not finite", "fop", "threads=1", cause="diverged")
    at = page(run.id)
    assert at.button(key="runs why").label == "Why?" and not at.info
    ran(at.button(key="runs why").click().run())
    [bar] = at.get("progress")
    assert bar.proto.text.startswith("Measuring: ")
    until(lambda: ran(at.run()).info)
    says = at.info[0].value.replace("\\", "")
    assert says.startswith("ε·λmax(PH) was ") and " at step 11; above 2(1 + α) = 3.8 a step overshoots." in says
    assert "It has no checkpoint that can be used." in says
    assert divergence.kept(run) is not None
    at = page(run.id)  # another session
    assert at.info[0].value.replace("\\", "") == says
    assert "runs why" not in {button.key for button in at.button}


def test_why_it_diverged_cannot_be_said_without_its_data_and_that_is_said(tmp_path):
    reason = "diverged at step 13: loss not finite"
    nowhere = f"data.path={tmp_path / 'nowhere'}"
    run = made("bad", rows(12), "failed", reason, "fop", nowhere, cause="diverged")
    at = page(run.id)
    ran(at.button(key="runs why").click().run())
    until(lambda: len(ran(at.run()).error) > 1)
    assert "MNIST is not in" in at.error[1].value.replace("\\", "")
    assert at.button(key="runs why").label == "Why?", "which can be tried again"


def test_only_a_run_that_diverged_has_a_why():
    for state, cause in (("failed", "data"), ("failed", ""), ("finished", "")):
        run = made("one", rows(), state, "x", cause=cause)
        assert "runs why" not in {button.key for button in page(run.id).button}
    run = made("odd", rows(), "failed", "diverged", cause="diverged")
    (run.path / "curvature.json").write_text("{")
    at = page(run.id)
    assert any("curvature.json" in each.value.replace("\\", "") for each in at.warning)
    assert "runs why" in {button.key for button in at.button}


# finding, columns, pins, and runs beside each other -------------------------------------------------------------------


def queried(at: AppTest) -> dict[str, str]:
    """The address that the page has written."""
    return {name: each if isinstance(each, str) else ",".join(each) for name, each in at.query_params.items()}


def test_a_query_finds_runs_by_settings_labels_and_what_they_measured():
    made("quick", [*rows(), {"step": 40, "test_accuracy": 0.9}], "finished", "", "fop", "optimizer.lr=0.1")
    made("slow", [*rows(), {"step": 40, "test_accuracy": 0.5}], "finished", "", "momentum").label(tags=["a tag"])
    for where, expected in (
        ("lr>0.05 method=fop", {"quick"}),
        ("test_accuracy>=50%", {"quick", "slow"}),
        ("best.test_accuracy<0.6 tag:'a tag'", {"slow"}),
        ("name~QUICK,slow", {"quick", "slow"}),
    ):
        at = page(where=where)
        assert set(shown(at)) == expected and not at.error, where
        assert queried(at) == {"where": where}


def test_a_rate_is_one_column_and_one_name_wherever_runs_have_it(folder):
    made("trained", rows())
    store.create({"lr": 0.5}, name="script", lineage={"preset": "", "method": "", "recorded": "by a.py"}, folder=folder)
    source = plugins.text("heavy.py", b"def make_optimizer(named, settings, steps): ...")
    own = config.preset("mnist-mlp", "momentum").to_json()
    plugin = {"file": source.file, "sha256": source.digest}
    own["optimizer"] = {"name": "plugin", "plugin": plugin, "settings": {"lr": 0.01}}
    about = {"preset": "mnist-mlp", "method": "momentum"}
    store.create(own, name="own", lineage=about, folder=folder, sources={"optimizer": source})
    at = page(where="lr>0.001", cols="set.*.lr,set.optimizer.lr")
    assert not at.error and not at.warning
    assert {name: row["set.*.lr"] for name, row in shown(at).items()} == {
        "trained": "0.05",
        "script": "0.5",
        "own": "0.01",
    }
    assert shown(at)["own"]["set.optimizer.lr"] == "–", "a path is that place alone"
    assert [column["label"] for column in component(at, "table")["columns"]][2:] == ["lr", "Learning rate ε"]
    [chooser] = [each for each in at.multiselect if each.label == "Columns"]
    assert {"lr", "optimizer.lr", "optimizer.settings.lr"} <= set(chooser.options)


def test_a_mistake_in_a_query_is_shown_at_its_place_and_hides_no_run():
    made("one", rows())
    at = page(where="method=fop optimizer.lrr>1")
    assert set(shown(at)) == {"one"}
    [error] = [each.value.replace("\\", "") for each in at.error]
    assert "no field 'optimizer.lrr'; did you mean optimizer.lr" in error and "at character 12" in error
    [pointed] = [each.value for each in at.code if "lrr" in each.value]
    assert pointed == "method=fop optimizer.lrr>1\n" + " " * 11 + "^" * 13


def test_a_column_of_a_layer_can_be_found_by_though_nothing_was_read_before():
    made("one", [*rows(), {"step": 40, "angle_deg/0.weight": 9.0}])
    made("other", rows(), "finished", "", "momentum")
    at = page(where="angle_deg/0.weight>8")
    assert set(shown(at)) == {"one"} and not at.error


def test_older_addresses_mean_what_they_meant():
    made("apple", rows()).label(tags=["x:y"])
    made("pear", rows(), "finished", "", "fop", "fop.rank=8")
    at = page(find="fop.rank=16 x:y", sizes="1")
    table = component(at, "table")
    assert set(shown(at)) == {"apple"}
    assert [column["name"] for column in table["columns"]][-2:] == ["size", "age"]
    address = queried(at)
    assert address["where"] == '"fop.rank=16" "x:y"' and "find" not in address and "sizes" not in address
    assert set(shown(page(find="RANK=8"))) == {"pear"}


def test_columns_are_chosen_by_the_address_and_have_last_and_best_of_what_was_measured():
    measured = [{"step": n, "test_loss": loss} for n, loss in ((10, 2.0), (20, 0.5), (30, 0.75))]
    broken = {"step": 31, "train_loss": float("nan")}
    made("one", [*rows(5), *measured, {"step": 30, "test_accuracy": 0.625}, broken])
    made("other", (), "queued", "", "momentum")
    at = page(cols="last.test_loss,best.test_loss,best.test_accuracy,last.train_loss,set.fop.rank,set.optimizer.lr")
    table = shown(at)
    assert list(table["one"])[2:] == [
        "last.test_loss",
        "best.test_loss",
        "best.test_accuracy",
        "last.train_loss",
        "set.fop.rank",
        "set.optimizer.lr",
    ]
    assert list(table["one"].values())[2:6] == ["0.750", "0.500", "62.50 %", "not a number"]
    assert list(table["other"].values())[2:7] == ["–"] * 5
    assert [column["label"] for column in component(at, "table")["columns"]][2:] == [
        "Last test loss",
        "Best test loss",
        "Best test accuracy",
        "Last train loss",
        "Rank of M",
        "Learning rate ε",
    ]
    [chooser] = [each for each in at.multiselect if each.label == "Columns"]
    ran(chooser.set_value(["best", "last.lr"]).run())
    assert list(shown(at)["one"])[2:] == ["best", "last.lr"] and queried(at)["cols"] == "best,last.lr"


def test_a_column_that_is_none_is_named_and_the_usual_ones_stand_in():
    made("one", rows())
    at = page(cols="best,colour")
    assert "colour" in at.warning[0].value and "best" in shown(at)["one"] and "age" in shown(at)["one"]


def styles(at: AppTest, key: str = "curve train_loss") -> dict[str, tuple[str, str, float]]:
    """Colour, dash and width of each line, by its label."""
    traces = [trace for trace in figure(at, key)["data"] if trace.get("name")]
    return {trace["name"]: (trace["line"]["color"], trace["line"]["dash"], trace["line"]["width"]) for trace in traces}


def test_a_pinned_run_keeps_its_colour_and_is_drawn_whatever_else_is_selected():
    one, two, three, plain = (
        made("one", rows(), "finished", "", "fop", "fop.rank=2").id,
        made("two", rows(), "finished", "", "fop", "fop.rank=4").id,
        made("three", rows(), "finished", "", "fop", "fop.rank=8").id,
        made("plain", rows(), "finished", "", "momentum").id,
    )
    pinned = (PINS[3], "solid", training_curves.PINNED)
    for others in ((), (two,), (two, three), (plain,), (one,), (one, two, three, plain)):
        at = page(*others, pin=f"{one}:3")
        drawn = styles(at)
        [label] = [each for each, style in drawn.items() if style == pinned]
        assert label == ("FOP, rank 2" if {two, three} & {*others} else "FOP"), "and it is that run"
        assert len(drawn) == len({*drawn.values()}) == len({one, *others})
        table = component(at, "table")
        assert table["pins"] == {one: 3} and table["chosen"] == list(others)
        assert queried(at)["pin"] == f"{one}:3"


def test_what_was_done_is_in_the_table_at_once(monkeypatch):
    """The tables are listed anew now and then; what the reader did must not stay in one until then."""
    monkeypatch.setattr("fop_core.runs.listing.FRESH", 1e9)
    run, _ = made("gone", rows()), made("stays", rows())
    at = page(run.id)
    assert set(shown(at)) == {"gone", "stays"}
    ran(at.button(key="runs deletes").click().run())
    assert set(shown(at)) == {"stays"}
    ran(at.button(key="runs undo button").click().run())
    assert set(shown(at)) == {"gone", "stays"}


def test_buttons_are_for_what_is_selected_and_not_for_what_is_pinned():
    one, two = made("one", rows(), "stopped"), made("two", rows(), "stopped", "", "fop", "seed=1")
    at = page(two.id, pin=f"{one.id}:0", seeds="0")
    assert at.button(key="runs deletes").label == "Delete this run"
    ran(at.button(key="runs deletes").click().run())
    assert one.path.exists() and not two.path.exists()
    assert not {"runs deletes", "runs resume"} & {button.key for button in page(pin=f"{one.id}:0").button}


def test_pins_that_are_none_are_named_and_all_can_be_taken_back():
    run = made("one", rows())
    at = page(run.id, pin=f"{run.id}:99")
    assert ":99" in at.warning[0].value.replace("\\", "") and component(at, "table")["pins"] == {}
    at = page(pin="gone:0")
    assert "Not here: gone" in at.warning[0].value.replace("\\", "")
    [button] = [each for each in at.button if each.label == "Unpin all"]
    ran(button.click().run())
    assert component(at, "table")["pins"] == {} and queried(at) == {}


def test_seeds_of_which_one_is_pinned_are_one_line_in_its_colour():
    ids = [made(f"seed {n}", rows(), "finished", "", "fop", f"seed={n}").id for n in range(3)]
    at = page(*ids, pin=f"{ids[1]}:2")
    assert list(styles(at).values()) == [(PINS[2], "solid", training_curves.PINNED)]


def test_two_runs_have_what_differs_between_their_settings_beside_them():
    one = made("one", rows(), "finished", "", "fop", "fop.rank=8")
    other = made("other", rows(), "finished", "", "fop", "seed=3", "threads=2")
    at = page(one.id, other.id)
    [table] = [each.value for each in at.table if "Setting" in each.value.columns]
    pairs = {row["Setting"].replace("\\", ""): (row["one"], row["other"]) for row in table.to_dict("records")}
    assert pairs == {
        "fop.rank": ("8", "16"),
        "seed": ("0", "3"),
        "threads (changes no result)": ("0", "2"),
    }
    assert "Settings that differ: 3" in [each.label for each in at.expander]
    same = made("one", rows(), "finished", "", "fop", "fop.rank=8")
    assert "These two runs have the same settings." in [each.value for each in page(one.id, same.id).caption]
    third = page(one.id, other.id, same.id)
    assert not [each for each in third.table if "Setting" in each.value.columns]


@pytest.mark.parametrize(("x", "log"), [("step", ""), ("seconds", ""), ("step", "1")])
def test_charts_stand_in_a_grid_and_have_one_axis_across(x, log):
    run = made("one", [*rows(30), {"step": 90, "seconds": 18.0, "test_loss": 0.5}])
    query = {"x": x, "y": "train_loss,test_loss,lr", "grid": "3"} | ({"logx": log} if log else {})
    at = page(run.id, **query)
    charts = {name: component(at, f"curve {name}") for name in ("train_loss", "test_loss")}
    ends = [json.loads(each["figure"])["layout"]["xaxis"]["autorangeoptions"]["include"] for each in charts.values()]
    assert ends[0] == pytest.approx(ends[1])
    assert ends[0][1] >= (90 if x == "step" else 18) and len({each["across"] for each in charts.values()}) == 1
    assert "Not measured: learning rate." in [each.value.replace("\\", "") for each in at.caption]
    assert [each.proto.label for each in at.get("button_group") if each.proto.label == "Charts in a row"]


def test_a_run_that_slurm_has_shows_its_node_or_its_place_and_slurms_own_reason(folder, monkeypatch):
    waits, runs = store.create({}, name="waits", folder=folder), store.create({}, name="runs", folder=folder)
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    launcher_settings.choose(folder, "slurm")
    queue.submit(waits)
    with Control(runs, claim=claims.claim(runs, scheduler="Slurm", job="job 7_0", host="n1")) as control:
        control.set("running")
    placed = {
        waits.id: Placement("7_1", "waiting", "PENDING", "", "Resources", 4, 17),
        runs.id: Placement("7_0", "running", "RUNNING", "n1"),
    }
    placements.write(folder, Report(placed))
    at = page(waits.id)
    assert shown(at)["waits"]["where"] == "4 of 17, Resources" and shown(at)["runs"]["where"] == "n1"
    assert "job 7_1: place 4 of 17, Resources" in words(at).replace("\\", "")
    captions = " ".join(each.value for each in page(runs.id).caption).replace("\\", "")
    assert "On n1, in Slurm's job 7_0." in captions


def test_a_dispatcher_is_seen_to_while_slurm_has_a_run(folder):
    run = store.create({}, name="one", folder=folder)
    folders = []
    listing = Listing(folder, dispatch=folders.append)
    listing.entries(True)
    assert not folders
    with Control(run, claim=claims.claim(run, scheduler="Slurm", job="job 7_0")) as control:
        control.set("running")
    assert listing.entries(True)[run.id].scheduled and folders == [folder]


def test_a_folder_whose_name_is_no_text_is_named_and_hides_nothing(folder):
    store.create({}, name="whole", folder=folder)
    odd = os.fsencode(folder) + b"/odd-\xff"
    os.mkdir(odd)
    at = page()
    assert "whole" in shown(at)
    assert any("1 cannot be read" in each.value and r"odd\-\\udcff" in each.value for each in at.caption)
    os.rename(odd, os.fsencode(folder) + b"/.odd")
    os.makedirs(os.fsencode(folder) + b"/studies/odd-\xff")
    assert any(r"odd\-\\udcff cannot be read" in each.value for each in ran(app_at("studies").run()).error)
