import json
import os
import re

import pytest

from fop_core import cli
from fop_core.jobs import queue
from fop_core.runs import store as runs
from fop_core.studies import store
from tests.studies import made
from tests.studies.conftest import folder  # noqa: F401, a fixture

RATES = "--preset mnist-mlp --methods momentum,fop --axis optimizer.lr=0.01,0.05,0.1 --axis fop.rank=1,16 --seeds 0,1,2"


def study(text: str) -> int:
    return cli.main(["study", *text.split()])


def test_a_study_of_two_axes_of_which_one_is_fops_alone_is_27_runs(folder, capsys):  # noqa: F811
    assert study(f"submit {RATES} --name s") == 0
    said = capsys.readouterr().out
    assert "33 runs: 27 to tune, 6 to report; 0 are there already" in said and "27 runs made" in said
    assert len(list(runs.directories(folder))) == len(queue.waiting(folder)) == 27
    assert study("status s") == 0 and study("table s") == 0 and study("list") == 0
    said = capsys.readouterr().out
    assert "27 queued" in said and "reporting: 0 of 6" in said and "0 of 27 runs have ended" in said


def test_a_study_is_tuned_reported_and_concluded_by_commands_alone(folder, tmp_path, capsys):  # noqa: F811
    study(f"submit {RATES} --name s --target test_accuracy=0.5 --baseline momentum")

    def value(cell):
        shift = 0.02 + 0.0005 * (cell.seed - 4) if cell.method == "fop" else 0
        return 0.9 - cell.config.optimizer.lr + shift + 0.001 * (cell.seed * 7 % 5)

    made.write(store.load("s", folder), value)
    capsys.readouterr()
    study("status s")
    said = capsys.readouterr().out
    assert re.search("^fop: won with lr 0.01, rank 1, [0-9.]+ % on held-out images .n = 3.$", said, re.MULTILINE)
    assert len(queue.waiting(folder)) == 6, "the winners with fresh seeds"
    made.write(store.load("s", folder), value)
    assert study("status s --json") == 0
    content = json.loads(capsys.readouterr().out)
    assert content["runs"] == content["ended"] == {"tune": 27, "report": 6}
    assert any("fop has the better test accuracy, by 2.00 points" in each for each in content["conclusions"])
    assert study("table s --csv") == 0 and len(capsys.readouterr().out.splitlines()) == 34
    assert study("table s --json") == 0 and len(json.loads(capsys.readouterr().out)) == 33
    for kind in ("html", "pdf", "csv"):
        assert study(f"report s {tmp_path}/r.{kind}") == 0 and (tmp_path / f"r.{kind}").stat().st_size > 1000
    assert study(f"report s {tmp_path}/r.csv") == 2 and "exists already" in capsys.readouterr().err
    assert study(f"report s {tmp_path}/r.doc") == 2


def test_a_study_is_stopped_resumed_and_grown_by_commands(folder, capsys):  # noqa: F811
    study(f"submit {RATES} --name s")
    assert study("stop s") == 0 and queue.waiting(folder) == []
    assert study("resume s") == 0 and len(queue.waiting(folder)) == 27
    assert study("grow s --axis optimizer.lr=0.2 --fresh-seeds 8") == 0 and len(queue.waiting(folder)) == 36
    assert store.load("s", folder).study.fresh_seeds == (3, 4, 5, 8)
    assert study("grow s") == 2 and study("grow s --seeds x") == 2


def test_a_study_is_deleted_and_brought_back_by_commands_and_its_runs_stay(folder, capsys):  # noqa: F811
    study(f"submit {RATES} --name s")
    assert study("delete s") == 2 and "stop it first" in capsys.readouterr().err and store.ids(folder) == ["s"]
    for name in ("s", "s-2"):  # one of that name was deleted before
        assert study("stop s") == study("delete s") == 0 and store.ids(folder) == []
        assert f"`study restore {name}` brings it back" in capsys.readouterr().out
        assert len(list(runs.directories(folder))) == 27
        study(f"submit {RATES} --name s")
    assert study("restore s") == 2 and "delete or move that one first" in capsys.readouterr().err
    assert study("restore t") == 2 and "there is s, s-2" in capsys.readouterr().err
    assert study("restore s-2") == 0 and store.ids(folder) == ["s", "s-2"]


def test_the_trash_of_studies_is_shown_and_emptied_as_that_of_runs(folder, monkeypatch, capsys):  # noqa: F811
    for name in ("s", "t", "u"):
        store.create(made.study(name=name), folder)
    assert study("trash") == study("empty-trash --yes") == 0
    assert capsys.readouterr().out == "the trash is empty\nthe trash is empty already\n"
    assert study("delete s x") == 2 and store.ids(folder) == ["s", "t", "u"], "all or none"
    assert study("delete s t u") == 0 and store.ids(folder) == []
    assert "`study restore s` brings it back, `study empty-trash s` removes it" in capsys.readouterr().out
    assert study("trash --json") == 0
    listed = json.loads(capsys.readouterr().out)
    assert [(row["id"], row["name"]) for row in listed] == [(name, name) for name in "stu"]
    assert study("trash") == 0 and len(capsys.readouterr().out.splitlines()) == 4
    size = sum(row["bytes"] for row in listed)
    assert study("empty-trash") == 2
    assert f"3 studies, {size:,} bytes would be gone for good" in capsys.readouterr().err
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    assert study("empty-trash") == 0 and capsys.readouterr().out == "kept\n"
    monkeypatch.setattr("builtins.input", lambda question: "y")
    assert study("empty-trash s") == 0 and "removed 1 study" in capsys.readouterr().out
    assert study("empty-trash s") == 2 and "there is t, u" in capsys.readouterr().err
    assert study("restore t") == 0 and study("empty-trash --yes") == 0
    assert store.ids(folder) == ["t"] and os.listdir(folder / "studies/.trash") == []


def test_a_table_for_people_has_memory_with_its_unit_and_files_have_all_digits(folder, capsys):  # noqa: F811
    study("submit --preset mnist-mlp --methods momentum,fop --seeds 0,1 --name s")
    made.write(store.load("s", folder), lambda cell: 0.9)
    capsys.readouterr()
    study("table s")
    assert capsys.readouterr().out.count("  10 MB") == 4
    study("table s --csv")
    assert capsys.readouterr().out.count(",10000000.0,") == 4


def test_unequal_trials_are_said_before_a_study_is_submitted(folder, capsys):  # noqa: F811
    said = "have more chances to be lucky (momentum 3, fop 6); --trials evens it out on ranges"
    study(f"submit {RATES} --name s --dry-run")
    assert said in capsys.readouterr().out
    study("submit --axis optimizer.lr=log:0.01:0.1:3 --axis fop.rank=1,16 --seeds 0 --name s --dry-run --trials 4")
    assert "lucky" not in capsys.readouterr().out


def test_a_dry_run_writes_nothing(folder, capsys):  # noqa: F811
    assert study(f"submit {RATES} --name s --dry-run") == 0
    assert os.listdir(folder) == []


NESTED = "[" * 20_000
"""Deeper than Python's own reader of JSON goes."""


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ("--axis optimizer.lrr=1", "did you mean optimizer.lr"),
        ("--axis optimizer.lr", "write field=values"),
        ("--methods sgd --axis fop.rank=1", "nothing is multiplied"),
        ("--axis optimizer.lr=1,2 --limit 5", "more than 5"),
        ("--methods newton", "no method 'newton'"),
        ("--set epochs", "write field=value"),
        ("--seeds 2-1", "backwards"),
        ("--target test_accuracy=much", "target.value"),
        ("--trials 4", "needs at least one"),
        (f"--set optimizer.lr={NESTED}", "optimizer.lr"),
        (f"--target test_accuracy={NESTED}", "target.value"),
    ],
    ids=lambda each: each[:40],
)
def test_what_is_no_study_is_refused_before_anything_is_written(folder, capsys, words, why):  # noqa: F811
    assert study(f"submit --name s {words}") == 2
    assert why in capsys.readouterr().err and os.listdir(folder) == []


def test_what_is_there_already_or_not_there_is_said(folder, capsys):  # noqa: F811
    study(f"submit {RATES} --name s")
    assert study(f"submit {RATES} --name s") == 2 and "study resume s" in capsys.readouterr().err
    assert study("status t") == 2 and "there is s" in capsys.readouterr().err
    (folder / "studies/s/study.json").write_text("{}")
    assert study("status s") == 2 and "study.json" in capsys.readouterr().err
    assert study("list") == 0 and "damaged" in capsys.readouterr().out
