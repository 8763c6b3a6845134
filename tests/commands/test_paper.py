"""``python -m fop_core paper``: what became of the paper, and its reruns, by real runs."""

import json

import pytest

from fop_core import cli
from fop_core.jobs import queue
from fop_core.reproduction import plans, shipped
from fop_core.reproduction.cards import CARDS
from fop_core.runs import store as runs
from fop_core.studies import progress, store
from tests.studies.conftest import folder  # noqa: F401, a fixture
from tests.studies.test_whole import digits  # noqa: F401, a fixture
from tests.waiting import until


def paper(text: str) -> int:
    return cli.main(["paper", *text.split()])


def test_every_claim_and_every_study_is_listed(capsys):
    assert paper("") == 0
    said = capsys.readouterr().out
    assert all(f"\n{name:<11} " in f"\n{said}" for name in CARDS) and all(name in said for name in plans.PLANS)
    assert "not run: about 214 GPU hours" in said and "assumed, not measured" in said


def test_one_claim_is_shown_with_its_parts_and_as_json(capsys):
    assert paper("--figure 2") == 0
    said = capsys.readouterr().out
    assert "Figure 2: rank, on MNIST: in part" in said and "published: +0.6 points" in said and "control: " in said
    assert paper("--figure 2 --json") == 0
    content = json.loads(capsys.readouterr().out)
    [card] = content["cards"]
    assert card["verdict"] == "in part" and card["parts"][0]["holds"] is False
    assert [study["name"] for study in content["studies"]] == [
        f"paper-2-{name}" for name in ("tune", "best", "small", "control")
    ]
    assert paper("--study paper-text") == 0
    said = capsys.readouterr().out
    assert "A transformer on text: not run" in said and "hours of one core" in said
    assert paper("--study paper-text --json") == 0
    [question] = json.loads(capsys.readouterr().out)["questions"]
    assert question["outcome"] == "not run" and question["rows"] == [] and len(question["parts"]) == 2
    assert paper("--study paper-trace --json") == 0
    [question] = json.loads(capsys.readouterr().out)["questions"]
    assert question["outcome"] == "measured" and len(question["rows"]) == len(question["parts"]) == 3
    assert paper("--study paper-3-imagenet --json") == 0
    [study] = json.loads(capsys.readouterr().out)["studies"]
    assert study["of"] == "gpu" and study["study"]["preset"] == "imagenet-resnet18" and study["runs"] == 15


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--figure 9", "no figure '9': there are 1, 2"),
        ("--study 9", "no study '9': there are paper-2-tune"),
        ("--quick", "goes with --rerun"),
        ("--figure 2 --out x", "goes with --pack"),
        ("--rerun", "name what"),
        ("--figure theorem-1 --rerun", "has no study"),
        ("--figure 3-imagenet --unpack", "--rerun trains them"),
        ("--figure 2 --runs nowhere", "nowhere is no folder"),
        ("--figure 2 --pack nowhere", "nowhere is no folder"),
    ],
)
def test_what_does_not_do_is_said_in_one_line(capsys, words, why):
    assert paper(words) == 2
    captured = capsys.readouterr()
    assert why in captured.err and captured.err.count("\n") == 1 and not captured.out


def test_data_that_are_missing_are_named_before_anything_is_written(folder, tmp_path, monkeypatch, capsys):  # noqa: F811
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path / "none"))
    assert paper("--figure 3-imagenet --rerun") == 2 and "FOP_DATA_DIR" in capsys.readouterr().err
    assert not list(folder.iterdir())


def test_a_study_of_that_name_with_other_settings_is_left_alone(folder, capsys):  # noqa: F811
    store.create(plans.PLANS["paper-2-best"].study.model_copy(update={"fresh_seeds": (1,)}), folder)
    assert paper("--study paper-2-best --rerun") == 2 and "there is another study" in capsys.readouterr().err


def test_what_ships_is_unpacked_once_and_a_rerun_takes_it_in(folder, monkeypatch, capsys):  # noqa: F811
    few = shipped.load("paper-2-tune")
    monkeypatch.setattr(shipped, "load", lambda name: few)
    assert paper("--study paper-2-tune --unpack") == 0 and "21 of 21 runs written" in capsys.readouterr().out
    assert paper("--study paper-2-tune --unpack") == 0 and "0 of 21 runs" in capsys.readouterr().out
    assert paper("--study paper-2-tune --rerun") == 0 and "0 runs made, 21 taken in" in capsys.readouterr().out
    assert queue.waiting(folder) == []


def test_a_quick_rerun_is_trained_packed_and_gives_a_verdict(tmp_path, monkeypatch, digits, capsys):  # noqa: F811
    trained = tmp_path / "runs"
    monkeypatch.setenv("FOP_RUNS_DIR", str(trained))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert paper("--study paper-2-best --rerun --quick") == 0
    assert "6 runs made" in capsys.readouterr().out
    until(lambda: progress.table("paper-2-best-quick", trained).ended.all(), 300)
    assert set(progress.table("paper-2-best-quick", trained).state) == {"finished"}
    assert paper(f"--figure 2 --runs {trained} --quick --json") == 0
    [card] = json.loads(capsys.readouterr().out)["cards"]
    assert card["parts"][0]["holds"] is not None and "n = 2" in card["parts"][0]["measured"]
    assert card["parts"][4]["holds"] is None, "of the small rate there is no run"
    assert (
        paper("--study paper-2-best --rerun --quick") == 0
        and "0 runs made, 0 taken in, 0 put" in capsys.readouterr().out
    )
    assert len(list(runs.directories(trained))) == 6
    assert paper(f"--study paper-2-best --pack {trained} --out {tmp_path / 'out'}") == 1, "these are the quick ones"
