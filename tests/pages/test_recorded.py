"""A script's own run on Runs and on Preconditioners, while it trains and after, without a browser."""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from streamlit.testing.v1 import AppTest

from fop_core import FOP, isolated, runs
from fop_core.jobs import queue
from fop_core.runs.recording import Recording
from fop_core.runs.run import Run
from tests.pages.app import app_at
from tests.pages.test_runs import page, shown
from tests.pages.test_trajectories import component, ran, words


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    monkeypatch.setattr("fop_core.runs.listing.FRESH", 0.0)
    return tmp_path / "runs"


def labels(at: AppTest) -> set[str]:
    return {button.label for button in at.button}


def trained(run: Recording, optimizer: FOP, model: torch.nn.Module, steps: int = 4) -> None:
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        loss = model(torch.ones(2, 4)).square().mean()
        loss.backward()
        optimizer.step()
        run.log(step, train_loss=loss)
        run.snapshot(optimizer)


def test_while_it_trains_it_offers_a_stop_and_nothing_that_our_trainer_would_do():
    with runs.record({"lr": 0.1, "optimizer": "mine"}, name="mine", steps=10) as run:
        run.log(5, train_loss=0.5)
        at = page(run.id)
        row = shown(at)["mine"]
        assert (row["state"], row["method"]) == ("running", "mine")
        assert {"Stop this run"} <= labels(at) and not {"Checkpoint now", "Resume", "Retry", "Why?"} & labels(at)
        assert "A script of your own ends where it looks for that." in words(at)
        ran(next(button for button in at.button if button.label == "Stop this run").click().run())
        run._polled_at = -math.inf
        assert run.stop_requested
    assert shown(page(run.id))["mine"]["state"] == "stopped"


def test_one_that_diverged_says_what_to_try_with_a_script():
    with runs.record({}, name="mine") as run:
        run.log(5, train_loss=math.nan)
        assert "diverged at step 5" in words(page(run.id)).replace("\\", "")
    at = page(run.id)
    assert "diverged at step 5" in at.error[0].value.replace("\\", "")
    assert "start its script again with a smaller learning rate" in at.error[0].value
    assert not {"Retry", "Why?", "Start this run over"} & labels(at)


def test_one_that_was_killed_is_lost_and_nothing_offers_to_resume_it(folder):
    code = "import os; from fop_core import runs; runs.record(name='killed').log(1, loss=1.0); os.kill(os.getpid(), 9)"
    subprocess.run([sys.executable, "-c", code], env=isolated.environment() | {"FOP_RUNS_DIR": str(folder)})
    [path] = folder.iterdir()
    at = page(path.name)
    assert shown(at)["killed"]["state"] == "lost"
    assert "Started again, it makes a new run." in at.error[0].value and "resume" not in at.error[0].value.lower()
    assert not {"Resume", "Retry"} & labels(at)


def test_what_fop_learned_in_a_script_is_on_preconditioners():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 2))
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.05), hyper_lr=1e-2)
    with runs.record({}, name="mine") as run:
        trained(run, optimizer, model)
    assert "What it learned" in str([link.proto.label for link in page(run.id).get("page_link")])
    at = app_at("preconditioners")
    at.query_params["run"] = run.id
    ran(at.run())
    assert not at.error and "0.weight" in str(component(at, "inspector"))


def test_factors_that_another_optimizer_shows_are_on_preconditioners():
    class Mine:
        def preconditioners(self):
            return {"0.weight": {"input": np.diag([1.0, 2.0]), "output": np.array([[1.0, 2.0], [0.0, 1.0]])}, "1": 2.0}

    with runs.record({}, name="mine") as run:
        for step in (1, 2):
            run.log(step, train_loss=1.0)
            run.snapshot(Mine())
    at = app_at("preconditioners")
    at.query_params["run"] = run.id
    ran(at.run())
    assert not at.error
    assert "Mine, P of 0.weight input" in str(component(at, "inspector")) + words(at)


def test_the_gallery_has_no_run_of_a_script():
    from fop_core.runs import GALLERY

    assert not any("recorded" in Run(path).about["lineage"] for path in GALLERY.iterdir())
