"""What the paper lacks: questions with a study each, and what is said of them once it has runs."""

import numpy as np
import pytest

from fop_core.formatting import NONE
from fop_core.reproduction import lacking, lacking_pictures, planned, shipped
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.measured import percent
from fop_core.reproduction.pictures import PICTURES, drawable
from fop_core.reproduction.plans import PLANS
from fop_core.runs import store
from fop_core.runs.files import RunError
from fop_core.studies import cells
from tests.studies import filled
from tests.studies.conftest import folder  # noqa: F401, a fixture

OF = {name: question.plans[0] for name, question in zip(lacking.QUESTIONS, lacking.questions())}


def accuracy(cell) -> float:
    return 0.6 + 0.001 * cell.seed + (0.05 if cell.method in ("fop", "fop-adam") else 0.0)


def run(name: str) -> Evidence:
    """Return runs of the quick study of a question, those of reporting at each method's first point."""
    quick = PLANS[OF[name]].quick
    won = {method: points[0] for method, points in cells.points(quick).items()}
    sources = PLANS[OF[name]].sources
    for cell in cells.cells(quick, won if quick.axes else None):
        filled.run_of(cell, accuracy(cell), sources)
    return Evidence(runs=store.runs_folder(), quick=True)


@pytest.mark.parametrize("name", OF)
def test_a_question_has_a_plan_and_until_there_are_runs_it_is_not_run(name, tmp_path):
    question = lacking.QUESTIONS[name](Evidence(runs=tmp_path))
    assert question.plans == (OF[name],) and not question.shipped and not question.rows
    assert question.outcome == "not run" and not any(part.measured for part in question.parts)
    assert question.command == f"python -m fop_core paper --study {OF[name]}"
    assert drawable(question, Evidence(runs=tmp_path)) == []
    with pytest.raises(RunError, match=f"no runs of {OF[name]}"):
        PICTURES[OF[name]][1](Evidence(runs=tmp_path))


@pytest.mark.parametrize("name", OF)
def test_once_it_has_runs_it_has_a_table_with_costs_and_pictures_against_time(name, folder):  # noqa: F811
    evidence = run(name)
    question = lacking.QUESTIONS[name](evidence)
    assert question.shipped == question.plans and question.outcome == "measured"
    assert all("no test" in part.measured and part.holds is not None for part in question.parts)
    assert len(question.rows) == len({row[0] for row in question.rows}) > 1
    for row in question.rows:
        assert len(row) == len(lacking.HEAD) and row[-1] == "4 s, 300 MB"
    assert drawable(question, evidence) == [OF[name]]
    picture = PICTURES[OF[name]][1](evidence)
    left, right = picture.panels
    assert (right.figure.layout.xaxis.title.text == "seconds of training" and "by time" in picture.caption) or left
    assert max(max(trace.x) for trace in right.figure.data if trace.name) == 4.0


def test_comparisons_are_corrected_as_one_family(folder):  # noqa: F811
    study = PLANS["paper-trace"].study
    for cell in cells.cells(study):
        filled.run_of(cell, accuracy(cell))
    evidence = Evidence(runs=folder)
    [better, above_sgd, one_step] = lacking.trace(evidence).parts
    assert better.holds and above_sgd.holds and not one_step.holds
    assert "n = 3; Welch's t, p < 1e-4 by Holm's method over 3 comparisons" in better.measured
    packed = evidence.study("paper-trace")
    assert percent(planned.at_best(packed, "fop", "report")) == percent(packed.of("fop"))
    by_time = lacking_pictures.over_seconds(packed.of("fop"))
    assert len(by_time) == 3 and all(np.array_equal(seconds, by_time[0][0]) for seconds, _ in by_time)


def test_what_ships_of_a_question_is_said(folder, tmp_path, monkeypatch):  # noqa: F811
    study = PLANS["paper-trace"].study
    for cell in cells.cells(study):
        filled.run_of(cell, accuracy(cell))
    shipped.write(shipped.collect(study, folder), tmp_path / "paper" / study.name)
    question = lacking.trace(Evidence(packed=tmp_path / "paper"))
    assert question.shipped == ("paper-trace",) and len(question.rows) == 3
    assert question.rows[1][:2] == ("FOP", NONE) and question.rows[1][3] == "3"
