"""A study goes by what its runs will measure: of one's own data that may be no accuracy, and no test set."""

import math

import pytest

from fop_core import cli
from fop_core.jobs import queue
from fop_core.runs import store as runs
from fop_core.studies import progress, protocol, store, submit, watcher
from fop_core.studies.conclusions import conclusions
from fop_core.studies.measures import Measures
from fop_core.training.config import ConfigError
from tests.studies import made
from tests.training.test_plugins import DATA, SETTINGS

NOTHING = DATA.replace('{"mae": torch.nn.functional.l1_loss}', "{}")
UNTESTED = NOTHING.replace("test=(x[30:], y[30:])", "test=None")
SMALL = "--methods momentum,sgd --axis optimizer.lr=0.05,0.1 --seeds 0,1 --set max_steps=2 --name own"


@pytest.fixture
def submitted(tmp_path, monkeypatch, capsys):
    """Submit a study of data of one's own; return the exit status and what was printed."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.setattr(queue, "_start", lambda folder: None)
    monkeypatch.setattr(watcher, "ensure", lambda folder, again=False: None)

    def of(text, *words):
        file = tmp_path / "own.py"
        file.write_text(SETTINGS + text)
        folder = str(tmp_path / "runs")
        status = cli.main(["study", "--folder", folder, "submit", "--data", str(file), *SMALL.split(), *words])
        said = capsys.readouterr()
        return status, said.out + said.err

    return of


def test_a_study_of_data_without_accuracy_goes_by_their_losses(submitted, tmp_path, capsys):
    status, said = submitted(NOTHING)
    assert status == 0, said
    study = store.load("own", tmp_path / "runs").study
    assert (study.choose.column, study.analysis.column) == ("held_out_loss", "test_loss")
    assert cli.main(["study", "--folder", str(tmp_path / "runs"), "status", "own"]) == 0
    assert "own (own.py): " in capsys.readouterr().out


def test_what_no_run_will_measure_is_refused_with_what_to_take_instead_before_anything_is_written(submitted, tmp_path):
    status, said = submitted(UNTESTED)
    assert status == 2 and "no run will measure test_loss: the data have no test set. Give them one, compare" in said
    assert not (tmp_path / "runs").exists()


@pytest.mark.parametrize("compared", ["train_loss", "test_loss", "test_accuracy"])
@pytest.mark.parametrize("fresh", [(5,), ()])
def test_data_without_a_test_set_are_compared_in_training_or_on_what_is_held_out(compared, fresh):
    axis = protocol.parse_axis("optimizer.lr=0.1,0.2")
    plan = protocol.Study(name="s", axes=(axis,), fresh_seeds=fresh, analysis=protocol.Analysis(column=compared))
    problems = [path for path, _ in _problems(Measures(("accuracy",), tested=False), plan)]
    assert problems == (["analysis.column"] if fresh and compared.startswith("test_") else [])
    problems = dict(_problems(Measures(("mae",)), plan))
    assert problems["choose.column"].endswith("the data have the metrics mae, not accuracy. Take held_out_loss")
    assert ("analysis.column" in problems) == (compared == "test_accuracy")


def _problems(measures, plan):
    try:
        measures.check(plan)
    except ConfigError as error:
        return error.problems
    return ()


def test_a_metric_of_ones_own_is_said_to_be_none_that_can_be_compared():
    with pytest.raises(
        ConfigError, match=r"'test_mae' given; only losses and accuracies can be compared: test_accuracy"
    ):
        protocol.parse({"name": "s", "analysis": {"column": "test_mae"}})


def test_a_target_has_to_be_measured_too_and_what_is_not_tuned_chooses_by_nothing():
    target = protocol.Target(value=0.9)
    loss = protocol.Analysis(column="test_loss")
    with pytest.raises(ConfigError, match=r"^target.column: no run will measure test_accuracy"):
        Measures(()).check(protocol.Study(name="s", analysis=loss, target=target))
    Measures(()).check(protocol.Study(name="s", analysis=loss))
    with pytest.raises(ConfigError, match=r"^target.column: .*no test set.* leave the target out"):
        target = protocol.Target(column="test_loss", value=0.9)
        Measures((), False).check(
            protocol.Study(name="s", analysis=protocol.Analysis(column="train_loss"), target=target)
        )


def test_a_study_says_which_column_its_runs_have_not_measured(folder):
    plan = made.study("optimizer.lr=0.01,0.1", methods=["momentum"], seeds=[0], choose={"column": "train_accuracy"})
    stored = submit.submit(plan, folder).stored
    made.write(stored, lambda cell: math.nan if cell.point["optimizer.lr"] == 0.1 else 0.9)
    first, second, *_ = conclusions(progress.table("s", folder))
    assert first.startswith(
        "The column train_accuracy was measured by no run: nothing can be chosen by it. Measured are train_loss, "
        "held_out_loss, held_out_accuracy; a new study"
    )
    assert second == "All 2 runs have ended, but not every method is reported: nothing is declared."
    other = plan.model_copy(update={"name": "t", "choose": protocol.Choose(column="held_out_loss")})
    assert len(submit.submit(other, folder).adopted) == len(list(runs.directories(folder))) == 2


def test_a_report_says_which_column_was_not_measured():
    table = made.table({"momentum": [0.9, 0.8], "fop": [0.8, 0.7]})
    said = conclusions(table, protocol.Analysis(column="test_loss"))
    assert any(each.startswith("The column test_loss was measured by no run: nothing can be compared") for each in said)
    assert not any("measured by no run" in each or "ended" in each for each in conclusions(table))
