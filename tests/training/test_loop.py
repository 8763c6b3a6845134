"""The loop, whole: real runs on small data, killed, stopped, diverged, on a full disk."""

import importlib.metadata
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from fop_core.quantities import QUANTITIES
from fop_core.runs import files
from fop_core.runs.control import Control, start_over
from fop_core.runs.files import RunError
from fop_core.runs.run import Run
from fop_core.training import batches, build, config, datasets, loop, peak
from fop_core.training.replay import TIMES
from tests.sampled import sampled
from tests.training import tiny

ROOT = Path(__file__).resolve().parents[2]

KILLED = """
import os, signal, sys
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.training import loop

path, at, number = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
learn = loop.Trainer._learn

def learn_then_die(self, *arguments):
    columns = learn(self, *arguments)
    if self.step + 1 == at:
        os.kill(os.getpid(), number)
    return columns

loop.Trainer._learn = learn_then_die
run = Run(path)
with Control(run) as control:
    print(loop.train(run, control, lambda text: print(text, file=sys.stderr)))
"""


def train(run):
    messages = []
    with Control(run) as control:
        ending = loop.train(run, control, messages.append)
    run.metrics.update()
    return ending, messages


def in_process(run, at=0, number=0):
    """Train in a process of its own, which gets a signal after computing step ``at``."""
    command = [sys.executable, "-c", KILLED, str(run.path), str(at), str(number)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300)


def recorded(run):
    """All that is not time: metrics, snapshots, the last checkpoint."""
    run = Run(run.path)
    run.metrics.update()
    columns = {n: run.metrics[n] for n in run.metrics.columns if n not in TIMES}
    values = {f"{n} at": s.steps for n, s in columns.items()} | {n: s.values for n, s in columns.items()}
    for step in run.snapshot_steps():
        values |= {f"{step}/{name}": array for name, array in run.snapshot(step).items()}
    arrays, _ = run.checkpoint(run.checkpoint_steps()[-1])
    return values | {f"checkpoint/{name}": array for name, array in arrays.items()}


def assert_identical(one, other):
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], err_msg=name)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.cifar10(tmp_path_factory.mktemp("data"))


KINDS = {
    "velocity, crops and flips": ((), "fop"),
    "adam in fop, low rank": (
        (
            'optimizer={"name": "adam", "lr": 0.001}',
            "fop.preconditioner=low_rank",
            "fop.rank=3",
            "fop.hyper_optimizer=sgd",
        ),
        "fop",
    ),
    "per-parameter rates": ((), "pp-hd"),
    "exp(M) after the base, by AdaGrad at learned rates": (
        ("fop.preconditioner=exponential", "fop.apply=after", "fop.hyper_optimizer=adagrad", "fop.hyper_lr_step=0.1"),
        "fop",
    ),
    "no fop": ((), "momentum"),
}


@pytest.mark.parametrize("kind", sampled(KINDS, 2))
def test_killed_at_random_steps_and_resumed_a_run_is_the_uninterrupted_one_bit_for_bit(kind, data, tmp_path):
    settings, method = KINDS[kind]
    settings = (*settings, "checkpoint_steps=3")
    whole, broken = (tiny.run(data, tmp_path / name, *settings, method=method) for name in ("whole", "broken"))
    assert train(whole)[0] == "finished"

    rng = np.random.default_rng(len(kind))
    kills = np.sort(rng.choice(np.arange(1, 10), 2, replace=False))  # of 10 steps, 5 an epoch
    for step in kills:
        died = in_process(broken, at=int(step), number=signal.SIGKILL)
        assert died.returncode == -signal.SIGKILL
        assert broken.state.state == "lost"
    torch.manual_seed(99)  # whatever else the process that resumes it has drawn
    assert train(broken)[0] == "finished"
    assert broken.state.state == "finished"
    assert len(broken.attempts) == 3
    assert any(attempt["from_step"] % 5 for attempt in broken.attempts[1:]) or kills[1] <= 3
    assert_identical(recorded(whole), recorded(broken))


def test_a_kill_between_the_gradient_that_is_kept_and_the_logged_step_changes_nothing(data, tmp_path):
    settings = ("log_every=12", "epochs=6", "snapshots=0", "checkpoint_steps=23")  # step 24 compares with step 23
    whole, broken = (tiny.run(data, tmp_path / name, *settings) for name in ("whole", "broken"))
    assert train(whole)[0] == "finished"
    assert in_process(broken, at=24, number=signal.SIGKILL).returncode == -signal.SIGKILL
    assert train(broken)[0] == "finished"
    assert broken.attempts[1]["from_step"] == 23
    values = recorded(broken)
    assert 24 in values["alignment/0.weight at"]
    assert_identical(recorded(whole), values)


def test_a_stop_makes_a_checkpoint_says_by_whom_and_resume_ends_as_if_it_had_not_been(data, tmp_path):
    whole, broken = (tiny.run(data, tmp_path / name) for name in ("whole", "broken"))
    assert train(whole)[0] == "finished"
    done = in_process(broken, at=4, number=signal.SIGTERM)
    assert done.stdout == "stopped\n", done.stderr
    assert broken.state.state == "stopped"
    assert "by SIGTERM at step 4" in broken.state.reason
    assert broken.checkpoint_steps() == [4]
    assert train(broken)[0] == "finished"
    assert_identical(recorded(whole), recorded(broken))


def test_a_request_stops_it_and_names_who_asked(data, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "POLL_EVERY", 0.0)
    run = tiny.run(data, tmp_path)
    run.request("stop", by="a page")
    ending, messages = train(run)
    assert ending == run.state.state == "stopped"
    assert "by a page at step 1" in run.state.reason and run.state.by == "a page"
    assert any("a page" in line for line in messages)
    assert train(run)[0] == "finished"


def test_a_request_for_a_checkpoint_is_met_and_training_goes_on(data, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "POLL_EVERY", 0.0)
    run = tiny.run(data, tmp_path)
    run.request("checkpoint")
    assert train(run)[0] == "finished"
    assert run.checkpoint_steps() == [1, 10]


@pytest.mark.parametrize("method", ["sgd", "fop", "pp-hd"])
def test_divergence_ends_as_failed_with_its_step_and_the_data_stay(data, tmp_path, method):
    run = tiny.run(data, tmp_path, "optimizer.lr=1000", "model.batch_norm=false", "epochs=40", method=method)
    ending, _ = train(run)
    assert ending == run.state.state == "failed"
    assert run.state.reason.startswith("diverged at step ") and run.state.cause == "diverged"
    assert "loss not finite" in run.state.reason
    step = int(run.state.reason.split()[3].rstrip(":"))
    losses = run.metrics["train_loss"]
    assert not np.isfinite(losses.values[-1])
    assert np.isfinite(losses.values[losses.steps < step]).all()
    assert losses.steps[-1] >= step
    if method != "sgd":
        assert run.snapshot_steps()


def flip(path):
    """Change one bit of a file's last byte."""
    content = path.read_bytes()
    path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def damaged(run, *steps):
    """The checkpoints of some steps, each with one wrong bit."""
    paths = [run.path / "checkpoints" / f"{step:08}.safetensors" for step in steps]
    for path in paths:
        flip(path)
    return paths


def test_one_wrong_bit_in_the_newest_checkpoint_is_named_and_the_older_one_taken(data, tmp_path):
    whole, run = (tiny.run(data, tmp_path / name, "checkpoint_steps=3", "max_steps=7") for name in ("whole", "run"))
    assert train(whole)[0] == train(run)[0] == "finished"
    assert run.checkpoint_steps() == [6, 7]
    (newest,) = damaged(run, 7)
    states = []
    with Control(run) as control:
        set_state = control.set
        control.set = lambda *state: states.append(state[:2]) or set_state(*state)
        messages = []
        assert loop.train(run, control, messages.append) == "finished"
    assert any("the checkpoint of step 7 is unusable" in line and "checksum" in line for line in messages)
    assert "going on from step 6" in messages
    assert run.attempts[-1]["from_step"] == 6
    for state, reason in (*states[1:], ("", run.state.reason)):
        assert state in ("running", "finished", "")
        assert "went on from step 6" in reason and str(newest) in reason
    assert str(newest) in run.attempts[-1]["warning"]
    assert "warning" not in run.attempts[0]
    assert_identical(recorded(whole), recorded(run))


def test_without_a_checkpoint_that_can_be_read_a_run_fails_names_them_and_starts_over_only_when_asked(data, tmp_path):
    whole, run = (tiny.run(data, tmp_path / name, "checkpoint_steps=3", "max_steps=7") for name in ("whole", "run"))
    assert train(whole)[0] == train(run)[0] == "finished"
    paths = damaged(run, 6, 7)
    with Control(run) as control:
        control.set("lost")
    before = recorded_rows(run)
    for _ in range(2):  # the second asking is no other
        assert train(run)[0] == "failed"
        assert all(str(path) in run.state.reason for path in paths)
        assert f"train --resume {run.id} --from-start" in run.state.reason
        assert recorded_rows(run) == before and len(run.attempts) == 1
    aside = start_over(run)
    assert sorted(path.name for path in aside.iterdir()) == [path.name for path in paths], "nothing is thrown away"
    assert train(run)[0] == "finished"
    assert run.attempts[-1]["from_step"] == 0
    assert_identical(recorded(whole), recorded(run))


def recorded_rows(run):
    return [path.read_bytes() for _, path, _ in run.metrics_files()]


def test_checkpoints_that_are_no_folder_fail_a_run_and_starting_over_sets_them_aside(data, tmp_path):
    run = tiny.run(data, tmp_path, "max_steps=2")
    (run.path / "checkpoints").rmdir()
    (run.path / "checkpoints").write_text("of another program")
    assert train(run)[0] == "failed"
    assert str(run.path / "checkpoints") in run.state.reason
    assert start_over(run).read_text() == "of another program"
    assert train(run)[0] == "finished"


def test_what_is_worked_on_or_finished_does_not_start_over(data, tmp_path):
    run = tiny.run(data, tmp_path, "max_steps=2")
    with Control(run), pytest.raises(RunError, match="already being worked on"):
        start_over(run)
    assert train(run)[0] == "finished"
    with pytest.raises(RunError, match="is finished"):
        start_over(run)
    assert run.checkpoint_steps() == [2]


def test_checkpoints_that_do_not_fit_fail_a_run_and_do_not_begin_it_with_their_weights(data, tmp_path):
    run = tiny.run(data, tmp_path, "checkpoint_steps=3", "max_steps=4")
    assert train(run)[0] == "finished"
    for step in run.checkpoint_steps():
        arrays, about = run.checkpoint(step)
        about["tree"]["dict"] = [pair for pair in about["tree"]["dict"] if pair[0] != "rng"]
        files.write_arrays(run.path / "checkpoints" / f"{step:08}.safetensors", arrays, about)
    ending, messages = train(run)
    assert ending == "failed" and "'rng'" in run.state.reason and "--from-start" in run.state.reason
    assert run.state.cause == "checkpoint"
    assert sum("is unusable" in line for line in messages) == 2


def test_missing_data_and_a_missing_device_end_as_failed_with_what_to_do(data, tmp_path):
    run = tiny.run(tmp_path / "nowhere", tmp_path)
    assert train(run)[0] == "failed"
    assert "Three ways" in run.state.reason and run.state.cause == "data"
    run = tiny.run(data, tmp_path, "device=cuda:97")
    assert train(run)[0] == "failed"
    assert "cuda:97 is not there" in run.state.reason and run.state.cause == "device"


def test_an_unforeseen_error_ends_as_failed_with_its_traceback_in_the_log(data, tmp_path, monkeypatch):
    def fail(self, *arguments):
        raise RuntimeError("the sky fell")

    monkeypatch.setattr(loop.Trainer, "_learn", fail)
    run = tiny.run(data, tmp_path)
    ending, messages = train(run)
    assert (ending, run.state.reason) == ("failed", "RuntimeError: the sky fell")
    assert any("Traceback" in line for line in messages)


def test_what_is_logged_is_what_a_plain_loop_measures(data, tmp_path):
    """Ten steps by hand, with torch's own loop, against the recorded rows."""
    run = tiny.run(data, tmp_path)
    assert train(run)[0] == "finished"
    settings = config.parse(run.config)
    dataset = datasets.load(settings.data)
    feed = batches.feed(dataset, settings, torch.device("cpu"), lambda name: None)
    with build.threads(1):
        built = build.build(settings, 10, torch.device("cpu"))
        step = 0
        for epoch in range(2):
            for images, labels in feed.epoch(epoch):
                for group in built.optimizer.param_groups:
                    group["lr"] = 0.05 * (0.1 if epoch else 1.0)
                logits = built.model(images)
                loss = torch.nn.functional.cross_entropy(logits, labels)
                built.optimizer.zero_grad()
                loss.backward()
                weight = built.model[0].weight
                g, before = weight.grad.clone(), weight.detach().clone()
                P = built.fop.preconditioners()["0.weight"]
                Pg = (P @ g.reshape(-1, 9).T).T.reshape(g.shape)
                built.optimizer.step()
                step += 1
                measured = dict(zip(run.metrics["train_loss"].steps.tolist(), run.metrics["train_loss"].values))
                assert measured[step] == pytest.approx(loss.item(), rel=1e-6)
                row = {n: dict(zip(s.steps.tolist(), s.values)) for n in run.metrics.columns for s in [run.metrics[n]]}
                accuracy = (logits.argmax(1) == labels).float().mean().item()
                assert row["train_accuracy"][step] == pytest.approx(accuracy)
                assert row["lr"][step] == 0.05 * (0.1 if epoch else 1.0)
                cosine = (g * Pg).sum() / g.norm() / Pg.norm()
                assert np.cos(np.radians(row["angle_deg/0.weight"][step])) == pytest.approx(cosine.item(), abs=1e-5)
                assert row["length_ratio/0.weight"][step] == pytest.approx((Pg.norm() / g.norm()).item(), rel=1e-4)
                move = (g * (weight.detach() - before)).sum().item()
                assert row["descent/0.weight"][step] == pytest.approx(move, rel=1e-3)
                norm = torch.cat([p.grad.flatten() for p in built.model.parameters()]).norm().item()
                assert row["grad_norm"][step] == pytest.approx(norm, rel=1e-4)
    assert step == 10
    built.model.eval()
    images, labels = next(iter(feed.test()))
    accuracy = (built.model(images).argmax(1) == labels).float().mean().item()
    assert row["test_accuracy"][10] == pytest.approx(accuracy)
    np.testing.assert_array_equal(run.snapshot(10)["0.weight/M"], built.fop.factors()["0.weight"].numpy())
    assert {column.partition("/")[0] for column in ("step", *run.metrics.columns)} == {
        name for name in QUANTITIES if not name.startswith("held_out") and name not in ("rho", "d")
    }


def test_each_layers_own_rate_is_logged_with_the_snapshots_where_it_is_learned(data, tmp_path):
    run = tiny.run(data, tmp_path, "fop.hyper_lr_step=0.1", "fop.hyper_lr_bounds=[0.99, 1.01]", "fop.hyper_lr=0.001")
    assert train(run)[0] == "finished"
    rates = run.metrics["rho/0.weight"]
    assert rates.steps.tolist() == run.snapshot_steps() and rates.values[:2].tolist() == [0.001, 0.001]
    assert ((rates.values >= 0.00099 - 1e-9) & (rates.values <= 0.00101 + 1e-9)).all()
    assert set(np.round(rates.values[3:], 8)) & {0.00099, 0.00101}, "it is held at its bounds"


def test_a_held_out_part_is_measured_and_the_test_set_is_not(data, tmp_path):
    run = tiny.run(data, tmp_path, "data.held_out=0.25")
    assert train(run)[0] == "finished"
    assert "held_out_accuracy" in run.metrics
    assert "test_accuracy" not in run.metrics


def test_evaluation_and_peak_memory_are_kept_apart_and_go_on_with_a_resumed_run(data, tmp_path, monkeypatch):
    run = tiny.run(data, tmp_path, "epochs=3", "checkpoint_steps=5")
    test = loop.Trainer._test

    def slow(self):
        time.sleep(0.2)
        if self.step == self.feed.steps_in_epoch * 2:
            self.requests.append("a test")
        return test(self)

    monkeypatch.setattr(loop.Trainer, "_test", slow)
    assert train(run)[0] == "stopped"
    first = run.progress
    assert 0.4 <= first["evaluation_seconds"] < first["evaluation_seconds"] + first["seconds"]
    assert 50e6 < first["peak_memory"] < 50e9
    monkeypatch.setattr(loop.Trainer, "_test", test)
    monkeypatch.setattr(peak, "memory", lambda device: 7)
    assert train(run)[0] == "finished"
    last = run.progress
    assert last["evaluation_seconds"] > first["evaluation_seconds"] and last["peak_memory"] >= first["peak_memory"]
    assert last["seconds"] == run.metrics["seconds"].values[-1], "of training alone"
    assert not {"evaluation_seconds", "peak_memory"} & set(run.metrics.columns), "rows are as they were"


def test_a_limited_run_passes_over_so_many_images_and_says_so(data, tmp_path):
    run = tiny.run(data, tmp_path, "data.limit=40")
    assert train(run)[0] == "finished"
    assert run.progress["steps"] == 2 * 3, "of 16 images, the last of an epoch of 8"
    assert run.attempts[0]["data"]["note"] == "at most 40 of its training images, as many of each class"


def test_a_run_says_what_made_it(data, tmp_path):
    run = tiny.run(data, tmp_path, "fop.preconditioner=low_rank", "fop.rank=5000")
    _, messages = train(run)
    (attempt,) = run.attempts
    assert attempt["threads"] == 1
    for name in ("torch", "pytorch-optimizer"):
        assert attempt["versions"][name] == importlib.metadata.version(name)
    assert attempt["data"]["title"] == "CIFAR-10"
    (cut,) = [message for message in messages if "rank" in message]
    assert cut.startswith("rank 5000 cut to n = 9: ")
    assert "FOP(low_rank" in attempt["optimizer"] and cut in attempt["optimizer"]
    assert run.progress["step"] == run.progress["steps"] == 10


@pytest.fixture
def small_disk(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs rights that are missing here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_ends_as_failed_with_its_reason_and_loses_no_earlier_data(data, tmp_path, small_disk):
    settings = ("epochs=8", "checkpoint_steps=5")
    whole, full = tiny.run(data, tmp_path / "whole", *settings), tiny.run(data, small_disk, *settings)
    assert train(whole)[0] == "finished"
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "others").write_bytes(os.urandom(free - 480_000))
    ending, _ = train(full)
    assert ending == full.state.state == "failed"
    assert full.state.reason.startswith("disk full") and full.state.cause == "disk"
    kept = full.metrics["train_loss"]
    assert len(kept.steps) > 0
    np.testing.assert_array_equal(kept.values, whole.metrics["train_loss"].values[: len(kept.values)])
    (small_disk / "others").unlink()
    assert train(full)[0] == "finished"
    assert_identical(recorded(whole), recorded(full))
