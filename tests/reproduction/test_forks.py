"""Figure 3's controls, made of the runs that are there, by real files."""

import dataclasses

import pytest

from fop_core.jobs import queue
from fop_core.reproduction import cifar, forks, plans, rerun, shipped
from fop_core.reproduction.evidence import Evidence
from fop_core.runs import lineage, store
from fop_core.runs.run import Run
from fop_core.studies import cells
from fop_core.training import attribution, datasets
from tests.reproduction.test_figure_5 import of_seed
from tests.reproduction.test_verdict_rules import made
from tests.studies.conftest import folder  # noqa: F401, a fixture
from tests.studies.made import ended

PLAN = plans.PLANS[cifar.CONTROL]
PARENTS = plans.PLANS[cifar.STUDY].study


@pytest.fixture
def parents(folder, monkeypatch):  # noqa: F811
    """The FOP runs of Figure 3, all seeds, with what they learned; nothing is trained."""
    monkeypatch.setattr(datasets, "find", lambda data: None)
    runs = made(PARENTS, lambda cell: 0.7, keep=lambda cell: cell.method == "fop")
    packed = dataclasses.replace(runs, snapshots={("fop", seed): of_seed(seed) for seed in PARENTS.fresh_seeds})
    shipped.unpack(packed, folder)
    return folder


def test_controls_are_made_of_each_seed_once_and_a_study_of_them_is_none_to_train(parents, capsys):
    assert not forks.check(PLAN, folder=parents)
    done = forks.submit(PLAN, folder=parents)
    assert len(done.made) == 6 == PLAN.runs and not done.there and not done.troubles
    by_seed = {cells.key(forks.config.of_run(Run(run.path))): run for run, _ in store.scan(parents)}
    for id_ in done.made:
        run = Run(parents / id_)
        of = lineage.control(run)
        parent = Run(parents / of.parent)
        assert run.config["seed"] == parent.config["seed"] and parent.config["fop"]["hyper_lr"] == 5e-4
        assert run.name == f"paper-3-control {of.kind} seed {run.config['seed']}" and run.start()[0]
    assert len(by_seed) == 9 and len(queue.waiting(parents)) == 6
    assert forks.check(PLAN, folder=parents) and not forks.submit(PLAN, folder=parents).made
    with pytest.raises(ValueError, match="is of controls"):
        rerun.rerun(PLAN, folder=parents)


def test_they_are_evidence_once_they_have_ended_and_are_packed_and_not_unpacked(parents, tmp_path):
    for id_ in forks.submit(PLAN, folder=parents).made:
        run = Run(parents / id_)
        run.withdraw("start")
        ended(run, [0.5, 0.8])
    packed = Evidence(runs=parents).study(cifar.CONTROL)
    assert [(run.cell.method, run.seed) for run in packed.runs] == [
        (kind, seed) for kind in cifar.KINDS for seed in PARENTS.fresh_seeds
    ]
    shipped.write(packed, tmp_path / "paper" / cifar.CONTROL)
    back = shipped.load(cifar.CONTROL, tmp_path / "paper")
    assert back.of("rate")[0].last("test_accuracy") == 0.8
    assert shipped.unpack(back, tmp_path / "elsewhere") == [], "their settings alone make another run"
    assert shipped.collect(PLAN.study, parents).runs == (), "a run of these settings is no control"


def test_a_control_of_another_run_does_not_count(parents):
    forks.submit(PLAN, folder=parents)
    assert len(forks.existing(PLAN.study, parents)) == 6
    parent = next(iter(forks.binding.existing(parents).values()))
    about = Run(parents / parent).path / "run.json"
    about.write_text(about.read_text().replace('"hyper_lr": 0.0005', '"hyper_lr": 0.001'))
    assert len(forks.existing(PLAN.study, parents)) == 4, "its parent has other settings"


def test_without_the_runs_that_they_are_of_they_wait(folder):  # noqa: F811
    with pytest.raises(forks.WaitsError, match=r"that of seed 0 has not ended in .*launch paper-3-cifar10 first"):
        rerun.check(PLAN, folder=folder)
    with pytest.raises(forks.WaitsError, match="launch paper-3-cifar10-quick first"):
        forks.submit(PLAN, True, folder)
    assert list(store.directories(folder)) == []


def test_a_cell_has_the_settings_of_the_control_that_it_stands_for():
    of = {(cell.method, cell.seed): cell for cell in cells.cells(PLAN.study)}
    parent = next(cell for cell in cells.cells(PARENTS) if (cell.method, cell.seed) == ("fop", 0))
    for kind, settings in (("final", "fop.hyper_lr=0.0"), ("rate", f"fop={attribution._identity(parent.config)}")):
        assert cells.key(forks.config.change(parent.config, [settings])) == of[kind, 0].key
