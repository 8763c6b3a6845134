"""A training by transformers' own Trainer, recorded and read back."""

import math

import numpy as np
import pytest
import torch

transformers = pytest.importorskip(
    "transformers", reason="without it nothing is recorded: pip install transformers accelerate"
)
pytest.importorskip("accelerate", reason="the Trainer needs it")

from fop_core import FOP, runs  # noqa: E402
from fop_core.jobs import queue  # noqa: E402
from fop_core.runs import learned  # noqa: E402
from fop_core.runs.listing import Listing  # noqa: E402
from fop_core.trackers.huggingface import RunCallback  # noqa: E402

STEPS = 8


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def trained(tmp_path, callback, *others, steps=STEPS, optimizer=True, **arguments):
    """Train a language model of one layer; return its optimizer and what the Trainer logged."""
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            vocab_size=11, n_positions=8, n_embd=4, n_layer=1, n_head=1, bos_token_id=0, eos_token_id=0
        )
    )
    data = [{"input_ids": ids, "labels": ids} for ids in torch.randint(0, 11, (16, 6))]
    arguments = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"),
        max_steps=steps,
        per_device_train_batch_size=2,
        logging_steps=2,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        disable_tqdm=True,
        logging_nan_inf_filter=False,
        eval_strategy="steps",
        eval_steps=4,
        **{"learning_rate": 0.1, "weight_decay": 0.01} | arguments,
    )
    named = [(name, p) for name, p in model.named_parameters() if "attn.c_attn" in name]
    fop = FOP(torch.optim.SGD(named, lr=0.1), hyper_lr=1e-3, layout="input")
    trainer = transformers.Trainer(
        model,
        arguments,
        train_dataset=data,
        eval_dataset=data[:4],
        callbacks=[callback, *others],
        **({"optimizers": (fop, None)} if optimizer else {}),
    )
    trainer.train()
    return fop, trainer.state.log_history


def test_what_the_trainer_logs_and_what_the_optimizer_learned_are_read_back(folder, tmp_path):
    callback = RunCallback(name="tiny", tags=("hf",), snapshots=2)
    fop, history = trained(tmp_path, callback)
    back = runs.load("tiny")
    assert back.state.state == "finished" and back.labels["tags"] == ["hf"] and back.progress["steps"] == STEPS
    for theirs, ours in (("loss", "train_loss"), ("eval_loss", "held_out_loss"), ("learning_rate", "lr")):
        logged = {row["step"]: row[theirs] for row in history if theirs in row}
        assert dict(zip(*(each.tolist() for each in back.metrics[ours]))) == logged and len(logged) >= 2
    assert not {"total_flos", "train_runtime", "eval_runtime"} & {*back.metrics.columns}
    assert back.config["trainer"]["learning_rate"] == 0.1 and back.config["trainer"]["max_steps"] == STEPS
    assert back.config["optimizer"] == "FOP" and back.config["model"] == "gpt2"
    shown = learned.of_run(back)
    assert shown.steps.tolist() == [4, 8] and list(shown.layers) == ["transformer.h.0.attn.c_attn.weight"]
    [P] = fop.preconditioners().values()
    np.testing.assert_allclose(next(iter(shown.layers.values())).P(-1), P, rtol=1e-5, atol=1e-6)


class Looks(transformers.TrainerCallback):
    """Does something while it trains."""

    def __init__(self, do):
        self.do = do

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 3:
            self.do()


def test_it_is_on_runs_while_it_trains_and_stops_where_somebody_asks(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("fop_core.runs.recording.POLL_EVERY", 0.0)
    states = []

    def inspect():
        [entry] = Listing(folder).entries(now=True).values()
        states.append((entry.state, entry.method))
        queue.stop(entry.run, by="somebody")

    callback = RunCallback()
    trained(tmp_path, callback, Looks(inspect), optimizer=False)
    assert states == [("running", "AdamW")]
    assert callback.recording.run.state.state == "stopped" and callback.recording.run.step() < STEPS
    assert not callback.recording.run.snapshot_steps()


def test_an_exception_ends_the_run_at_the_latest_with_the_next_training(folder, tmp_path):
    def fail():
        raise ZeroDivisionError

    callback = RunCallback(name="mine")
    with pytest.raises(ZeroDivisionError):
        trained(tmp_path, callback, Looks(fail))
    first = callback.recording.run
    assert first.state.state == "running"
    trained(tmp_path, callback)
    assert first.state.state == "failed" and callback.recording.run.state.state == "finished"


def test_a_divergence_is_shown_as_one(folder, tmp_path):
    callback = RunCallback({"lr": math.inf})
    trained(tmp_path, callback, optimizer=False, learning_rate=1e30, max_grad_norm=0.0)
    run = callback.recording.run
    assert (run.state.state, run.state.cause) == ("failed", "diverged") and run.config["lr"] == "Infinity"


class Odd(transformers.TrainerCallback):
    """Logs names which mean something to us."""

    def on_log(self, args, state, control, logs=None, **kwargs):
        logs |= {"step": 7, "self": 1.0}


def test_a_trainer_may_log_any_name(folder, tmp_path):
    callback = RunCallback({})
    odd = Odd()
    trained(tmp_path, odd, callback)
    run = callback.recording.run
    run.metrics.update()
    assert run.state.state == "finished" and run.metrics["self"].steps.tolist() == [2, 4, 6, 8]
