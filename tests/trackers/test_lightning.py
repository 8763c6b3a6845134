"""A training by Lightning's own Trainer, recorded and read back."""

import math

import numpy as np
import pytest
import torch

lightning = pytest.importorskip("lightning", reason="it is an extra: pip install lightning")

from fop_core import FOP, runs  # noqa: E402
from fop_core.jobs import queue  # noqa: E402
from fop_core.runs import learned  # noqa: E402
from fop_core.runs.listing import Listing  # noqa: E402
from fop_core.trackers.lightning import RunCallback  # noqa: E402

BATCHES, EPOCHS = 5, 2
pytestmark = pytest.mark.filterwarnings("ignore:.*(srun|many workers|log_every_n_steps|LeafSpec).*")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


class Module(lightning.LightningModule):
    """A network of one layer, which does something at its third step."""

    def __init__(self, lr=0.1, wrap=True, do=None):
        super().__init__()
        self.save_hyperparameters(ignore=["do"])
        self.hparams["odd"] = {1, 2}
        self.do = do
        self.layer = torch.nn.Linear(3, 2)
        self.losses, self.validated = {}, {}

    def training_step(self, batch, index):
        if self.global_step == 2 and self.do is not None:
            self.do()
        loss = self.layer(batch).square().mean()
        self.losses[self.global_step + 1] = loss.item()
        self.log("mean_loss", loss, on_step=False, on_epoch=True)
        self.log("margin", loss * 2)
        return loss

    def validation_step(self, batch, index):
        loss = self.layer(batch).square().mean()
        self.validated.setdefault(self.global_step, []).append(loss.item())
        self.log("val_loss", loss)

    def configure_optimizers(self):
        base = torch.optim.SGD(self.named_parameters(), lr=self.hparams.lr)
        return FOP(base, hyper_lr=1e-2) if self.hparams.wrap else base


def trained(tmp_path, module, callback, **options):
    torch.manual_seed(0)
    data = torch.utils.data.DataLoader(torch.randn(2 * BATCHES, 3), batch_size=2)
    held_out = torch.utils.data.DataLoader(torch.randn(4, 3), batch_size=4)
    quiet = {"logger": False, "enable_progress_bar": False, "enable_model_summary": False}
    trainer = lightning.Trainer(
        max_epochs=EPOCHS,
        callbacks=[callback],
        accelerator="cpu",
        enable_checkpointing=False,
        log_every_n_steps=2,
        default_root_dir=tmp_path,
        **quiet,
        **options,
    )
    trainer.fit(module, data, held_out)
    return trainer


def test_what_a_module_logs_and_what_its_optimizer_learned_are_read_back(folder, tmp_path):
    module, callback = Module(), RunCallback(name="tiny", snapshots=5, names={"margin": "gap"})
    trained(tmp_path, module, callback)
    back, total = runs.load("tiny"), BATCHES * EPOCHS
    assert back.state.state == "finished" and back.progress["steps"] == total
    expected = {step: loss for step, loss in module.losses.items() if step == 1 or step % 2 == 0}
    assert dict(zip(*(each.tolist() for each in back.metrics["train_loss"]))) == expected
    np.testing.assert_allclose(back.metrics["gap"].values, [2 * loss for loss in expected.values()])
    assert back.metrics["held_out_loss"].steps.tolist() == [BATCHES, total]
    assert back.metrics["held_out_loss"].values.tolist() == [module.validated[BATCHES][0], module.validated[total][0]]
    assert back.metrics["mean_loss"].steps.tolist() == [BATCHES, total]
    first = np.mean([module.losses[step] for step in range(1, BATCHES + 1)])
    np.testing.assert_allclose(back.metrics["mean_loss"].values[0], first, rtol=1e-6)
    assert back.metrics["lr"].values.tolist() == [0.1] * len(expected)
    assert back.metrics["epoch"].values[-1] == EPOCHS
    assert back.config == {"lr": 0.1, "wrap": True, "odd": "{1, 2}", "model": "Module", "optimizer": "FOP"}
    shown = learned.of_run(back)
    assert shown.steps.tolist() == [2, 4, 6, 8, 10]
    P = module.trainer.optimizers[0].preconditioners()["layer.weight"]
    np.testing.assert_allclose(shown.layers["layer.weight"].P(-1), P, rtol=1e-5, atol=1e-6)


def test_gathered_gradients_make_one_step(folder, tmp_path):
    callback = RunCallback({})
    trained(tmp_path, Module(), callback, accumulate_grad_batches=2)
    run = callback.recording.run
    run.metrics.update()
    assert run.step() == 6 and run.metrics["train_loss"].steps.tolist() == [1, 2, 4, 6]


def test_it_is_on_runs_while_it_trains_and_stops_where_somebody_asks(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("fop_core.runs.recording.POLL_EVERY", 0.0)
    states = []

    def inspect():
        [entry] = Listing(folder).entries(now=True).values()
        states.append(entry.state)
        queue.stop(entry.run, by="somebody")

    callback = RunCallback()
    trained(tmp_path, Module(wrap=False, do=inspect), callback)
    assert states[0] == "running"
    assert callback.recording.run.state.state == "stopped" and callback.recording.run.step() < BATCHES * EPOCHS
    assert not callback.recording.run.snapshot_steps()


@pytest.mark.parametrize(("error", "state"), [(ZeroDivisionError, "failed"), (KeyboardInterrupt, "stopped")])
def test_an_exception_ends_the_run(folder, tmp_path, error, state):
    def fail():
        raise error

    callback = RunCallback()
    with pytest.raises((error, SystemExit)):
        trained(tmp_path, Module(do=fail), callback)
    assert callback.recording.run.state.state == state


def test_a_divergence_is_shown_as_one(folder, tmp_path):
    callback = RunCallback(snapshots=0)
    trained(tmp_path, Module(lr=1e30, wrap=False), callback)
    run = callback.recording.run
    assert (run.state.state, run.state.cause) == ("failed", "diverged")
    run.metrics.update()
    assert not math.isfinite(run.metrics["train_loss"].values[-1])


class Odd(Module):
    """A module that logs names which mean something to us."""

    def training_step(self, batch, index):
        loss = super().training_step(batch, index)
        self.log_dict({"step": 7.0, "self": 1.0, "seconds": 2.0, "train_loss": loss})
        return loss


def test_a_module_may_log_any_name(folder, tmp_path):
    callback = RunCallback({})
    trained(tmp_path, Odd(), callback)
    run = callback.recording.run
    run.metrics.update()
    assert run.state.state == "finished" and run.metrics["self"].steps.tolist() == [1, 2, 4, 6, 8, 10]


def test_the_last_step_is_recorded_however_seldom_the_trainer_logs(folder, tmp_path):
    module, callback = Module(), RunCallback({})
    trained(tmp_path, module, callback, max_steps=7)
    run = callback.recording.run
    run.metrics.update()
    assert run.step() == 7 and run.progress["share"] == 1
    assert dict(zip(*(each.tolist() for each in run.metrics["train_loss"])))[7] == module.losses[7]


class Alternating(Module):
    """A module that steps two optimizers for each batch."""

    automatic_optimization = False

    def training_step(self, batch, index):
        loss = self.layer(batch).square().mean()
        for optimizer in self.optimizers():
            optimizer.zero_grad()
            self.manual_backward(loss, retain_graph=True)
            optimizer.step()

    def configure_optimizers(self):
        return [torch.optim.SGD(self.parameters(), lr=0.01), torch.optim.SGD(self.parameters(), lr=0.01)]


def test_of_steps_that_a_module_takes_itself_no_number_is_promised(folder, tmp_path):
    callback = RunCallback({})
    trained(tmp_path, Alternating(), callback)
    run = callback.recording.run
    assert run.step() == 2 * BATCHES * EPOCHS and "share" not in run.progress
