"""Training and runs on the command line, as a person calls it."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fop_core.cli import main
from fop_core.runs import store
from fop_core.runs.control import Control
from fop_core.runs.run import Run
from fop_core.training import config, divergence
from tests.damage import watchdog  # noqa: F401, a fixture
from tests.jobs.test_queue import elected, wait
from tests.training import tiny

ROOT = Path(__file__).resolve().parents[2]
SHORT = ("--preset", "mnist-mlp", "--set", "max_steps=30", "--set", "threads=1", "--set", "snapshots=4", "--quiet")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.delenv("FOP_DATA_DIR", raising=False)
    return tmp_path / "runs"


def call(capsys, *arguments):
    status = main(list(map(str, arguments)))
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_a_run_is_trained_listed_shown_exported_replayed_and_deleted(capsys, tmp_path, folder):
    assert "a first one takes" in call(capsys, "runs", "list")[1]
    status, out, _ = call(capsys, "train", *SHORT, "--set", "fop.rank=4", "--name", "first", "--tag", "mine")
    assert status == 0
    assert "test accuracy" in out
    (run,) = [run for run, _ in store.scan(folder)]
    assert (run.state.state, run.labels["tags"], run.config["fop"]["rank"]) == ("finished", ["mine"], 4)
    lineage = {"preset": "mnist-mlp", "method": "fop", "set": [*SHORT[3:8:2], "fop.rank=4"]}
    assert run.about["lineage"] == lineage
    assert "finished" in run.log()

    status, out, _ = call(capsys, "runs", "list")
    assert status == 0 and "first" in out and "30 of 30" in out
    listed = json.loads(call(capsys, "runs", "list", "--json")[1])["runs"]
    assert [row["id"] for row in listed] == [run.id]

    status, out, _ = call(capsys, "runs", "show", "first")
    assert status == 0
    for part in ("fop.rank = 4", "attempt 1 from step 0", "MNIST", "eigenvalue_max/1.weight", "1 threads"):
        assert part in out

    for ending in ("csv", "parquet"):
        assert call(capsys, "runs", "export", "first", tmp_path / f"metrics.{ending}")[0] == 0
    with open(tmp_path / "metrics.csv") as lines:
        rows = list(csv.DictReader(lines))
    assert [int(row["step"]) for row in rows][-1] == 30
    run.metrics.update()
    assert float(rows[-1]["train_loss"]) == run.metrics["train_loss"].values[-1]
    status, _, err = call(capsys, "runs", "export", "first", tmp_path / "metrics.csv")
    assert status == 2 and "exists already" in err
    assert call(capsys, "runs", "export", "first", tmp_path / "metrics.xls")[0] == 2

    status, out, _ = call(capsys, "runs", "replay", "first", "--steps", "30")
    assert status == 0 and "identical" in out

    assert call(capsys, "train", "--resume", "first")[0] == 0  # nothing is left to do
    assert call(capsys, "runs", "delete", "first")[0] == 0
    assert not run.path.exists() and [each.id for each in store.trashed(folder)] == [run.id]


def test_a_run_is_forked_through_the_queue_and_the_fork_tells_what_it_is(capsys, folder):
    assert call(capsys, "train", *SHORT, "--set", "fop.rank=4", "--name", "first")[0] == 0
    (run,) = [run for run, _ in store.scan(folder)]
    status, _, err = call(capsys, "queue", "fork", "first", "--matrices", "frozen")
    assert status == 2 and "max_steps = 30, no step is left: give steps, or epochs, 10" in err
    status, _, err = call(capsys, "queue", "fork", "first", "--matrices", "transplanted", "--steps", "9")
    assert status == 2 and "--from" in err
    assert len(list(store.scan(folder))) == 1

    options = (
        "--from",
        "first",
        "--from-step",
        "0",
        "--at",
        "30",
        "--steps",
        "9",
        "--name",
        "what if",
        "--tag",
        "mine",
    )
    status, out, err = call(capsys, "queue", "fork", "first", "--matrices", "transplanted", *options)
    assert status == 2 and "no whole M of 1.weight" in err  # n = 784: the last snapshot alone has it
    options = (*options[:2], *options[4:])
    status, out, err = call(capsys, "queue", "fork", "first", "--matrices", "transplanted", *options)
    assert status == 0, err
    assert "From step 30 " in out and " to step 39 " in out and "from step 30 of first." in out
    fork = wait(store.find("what if", folder), "finished")
    assert fork.labels["tags"] == ["mine"]
    fork.metrics.update()
    assert fork.metrics.steps.tolist()[-1] == 39 and fork.metrics.steps.min() > 30

    status, out, _ = call(capsys, "runs", "show", "what if")
    assert status == 0
    assert f"a fork of {run.id} at step 30, M transplanted from step 30 of {run.id}" in out
    status, out, _ = call(capsys, "runs", "replay", "what if", "--steps", "9")
    assert status == 0 and "identical" in out
    end = time.monotonic() + 60
    while not elected(folder) and time.monotonic() < end:
        time.sleep(0.2)
    assert elected(folder)  # nobody is left


def test_controls_are_made_through_the_queue_and_say_what_they_are(capsys, folder):
    assert call(capsys, "train", *SHORT, "--set", "fop.rank=4", "--set", "fop.init_std=0.3", "--name", "first")[0] == 0
    (run,) = [run for run, _ in store.scan(folder)]
    status, _, err = call(capsys, "queue", "fork", "first", "--control", "odd")
    assert status == 2 and "give one of rate, final, start" in err
    status, _, err = call(capsys, "queue", "fork", "first", "--control", "rate", "--steps", "9")
    assert status == 2 and "a control begins at step 0" in err
    assert len(list(store.scan(folder))) == 1

    for kind, says in (("rate", "interpolated"), ("final", "That is the P of step 30."), ("start", "from step 0")):
        status, out, err = call(capsys, "queue", "fork", "first", "--control", kind, "--name", kind, "--tag", "mine")
        assert status == 0 and says in out, err
    for kind in ("rate", "final", "start"):
        made = wait(store.find(kind, folder), "finished")
        made.metrics.update()
        assert made.labels["tags"] == ["mine"] and made.metrics.steps.tolist()[0] == 0
        status, out, _ = call(capsys, "runs", "show", kind)
        assert status == 0 and f"a control of {run.id}: P " in out
    run.metrics.update()
    rate = Run(store.find("rate", folder).path)
    rate.metrics.update()
    for name in ("eigenvalue_mean/1.weight", "eigenvalue_mean/3.weight"):
        mine, theirs = rate.metrics[name], run.metrics[name]
        assert mine.steps.tolist() == theirs.steps.tolist() == [0, 1, 10, 20, 30]
        assert mine.values == pytest.approx(theirs.values, rel=1e-6) and abs(mine.values - 1).min() > 0.05
    end = time.monotonic() + 60
    while not elected(folder) and time.monotonic() < end:
        time.sleep(0.2)
    assert elected(folder)


def test_why_a_run_diverged_is_measured_once(capsys, folder, monkeypatch):
    wild = ("--set", "optimizer.lr=30", "--set", "checkpoint_steps=1", "--set", "fop.rank=4", "--name", "wild")
    assert call(capsys, "train", *SHORT, *wild)[0] == 1
    (run,) = [run for run, _ in store.scan(folder)]
    assert run.state.cause == "diverged"
    status, out, err = call(capsys, "runs", "why", "wild")
    assert status == 0, err
    assert out.startswith("ε·λmax(PH) was ") and "; above 2(1 + α) = 3.8 a step overshoots." in out
    assert "products with H: " in err and (run.path / "curvature.json").exists()
    with monkeypatch.context() as patched:
        patched.setattr(divergence, "measure", None)
        assert call(capsys, "runs", "why", "wild") == (0, out, "")
    status, out, _ = call(capsys, "runs", "why", "wild", "--at", 0, "--batches", "1")
    assert status == 0 and " at step 0; above" in out and "of the loss on the 128 images" in out


def test_a_replay_finds_what_was_changed(capsys, folder):
    call(capsys, "train", *SHORT, "--name", "first")
    (run,) = [run for run, _ in store.scan(folder)]
    metrics = run.path / "metrics.1.jsonl"
    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    rows[3]["train_loss"] *= 1.01
    metrics.write_text("".join(json.dumps(row) + "\n" for row in rows))
    status, out, _ = call(capsys, "runs", "replay", "first", "--steps", "10")
    assert status == 1
    assert "DIFFERENT" in out and "train_loss" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--preset", "mnist"), "no preset 'mnist'"),
        (("--preset", "mnist-mlp", "--method", "lion"), "no method 'lion'"),
        (("--preset", "mnist-mlp", "--set", "fop.rnk=2", "--set", "epochs=0"), "fop.rnk: no such setting"),
        (("--preset", "mnist-mlp", "--set", "fop.rnk=2", "--set", "epochs=0"), "epochs: 0 given"),
        (("--preset", "mnist-mlp", "--set", "device=cuda:97"), "cuda:97 is not there"),
        (("--preset", "mnist-mlp", "--set", "device=cuda:99999999999"), "cuda:99999999999 is not there"),
        (("--preset", "imagefolder", "--set", "data.path=/nowhere"), "Three ways"),
        (("--resume", "nothing"), "no run 'nothing'"),
        (("--resume", "nothing", "--set", "epochs=3"), "keeps the settings"),
        (("--config", "/nowhere.json"), "nowhere.json"),
    ],
)
def test_what_is_wrong_is_said_before_a_run_is_made(capsys, folder, arguments, says):
    status, out, err = call(capsys, "train", *arguments)
    assert (status, out) == (2, "")
    assert says in err
    assert not list(store.scan(folder))


def test_a_dry_run_tells_settings_parameters_layouts_memory_and_data_and_makes_nothing(capsys, folder):
    status, out, _ = call(capsys, "train", "--preset", "mnist-mlp", "--set", "fop.rank=4", "--dry-run")
    assert status == 0
    for part in ('"rank": 4', "60,000 training images of 10 classes", "4,690 steps", "78,400", "input", "sgd's state"):
        assert part in out
    assert not list(store.scan(folder))


def test_the_help_names_every_preset_and_method(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--help"])
    output = "".join(capsys.readouterr().out.split())  # it wraps lines at hyphens too
    assert not [name for name in (*config.PRESETS, *config.METHODS) if name not in output]


def test_a_runs_own_file_makes_the_same_run_again(capsys, folder):
    call(capsys, "train", *SHORT, "--name", "first")
    (first,) = [run for run, _ in store.scan(folder)]
    assert call(capsys, "train", "--config", first.path / "run.json", "--name", "second", "--quiet")[0] == 0
    second = store.find("second", folder)
    assert second.config == first.config
    for run in (first, second):
        run.metrics.update()
    assert first.metrics["train_loss"].values.tolist() == second.metrics["train_loss"].values.tolist()


def test_sigterm_stops_it_with_a_checkpoint_and_resume_finishes(tmp_path, folder, capsys):
    data = tiny.cifar10(tmp_path / "sets")
    command = [sys.executable, "-m", "fop_core", "train", "--preset", "cifar10-allcnn-small", "--name", "long"]
    for setting in (
        *tiny.SETTINGS,
        f"data.path={data}",
        "epochs=100000",
        "schedule.milestones=[1]",
        "max_steps=100000",
    ):
        command += ["--set", setting]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env=os.environ) as process:
        deadline = time.monotonic() + 120
        while not (runs := [run for run, _ in store.scan(folder) if run.progress.get("step", 0) > 20]):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 3
    (run,) = runs
    assert run.state.state == "stopped"
    assert "by SIGTERM" in run.state.reason
    step = run.checkpoint_steps()[-1]
    assert step > 20
    path = run.path / "run.json"  # shortened, so that the rest of it takes a moment
    about = json.loads(path.read_text())
    about["config"]["max_steps"] = step + 5
    path.write_text(json.dumps(about))
    assert call(capsys, "train", "--resume", "long", "--quiet")[0] == 0
    assert Run(run.path).attempts[-1]["from_step"] == step


def test_a_failed_run_exits_with_1(capsys, folder):
    status, _, err = call(capsys, "train", *SHORT, "--method", "sgd", "--set", "optimizer.lr=1000")
    assert status == 1
    assert "diverged at step" in err


def test_damaged_runs_are_reported_beside_the_others(capsys, folder):
    call(capsys, "train", *SHORT, "--name", "good")
    (folder / "broken").mkdir()
    (folder / "broken" / "run.json").write_text("{")
    status, out, err = call(capsys, "runs", "list")
    assert (status, err) == (0, "")
    assert [line.split()[0].split("-")[-1] == "broken" for line in out.splitlines()[1:]] == [False, True]
    assert "damaged: run.json: no JSON" in out.splitlines()[2]


def test_the_doctor_names_damaged_data_and_goes_on(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path))
    (tmp_path / "MNIST/raw").mkdir(parents=True)
    for part in ("train", "t10k"):
        for name in ("images-idx3-ubyte", "labels-idx1-ubyte"):
            (tmp_path / "MNIST/raw" / f"{part}-{name}").touch()
    status, out, _ = call(capsys, "doctor")
    assert status == 0 and "mnist: damaged" in out and "cifar10: missing" in out and "\nruns in " in out
    assert "train-labels-idx1-ubyte is damaged" in out


def test_the_doctor_tells_what_is_there_and_what_to_do(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path))
    status, out, _ = call(capsys, "doctor")
    assert status == 0
    for part in ("torch", "pytorch-optimizer", "cpu:", "mnist: MNIST", "cifar10: missing", "Three ways", "B free"):
        assert part in out


def test_damaged_checkpoints_are_named_and_starting_over_must_be_asked_for(capsys, folder):
    assert call(capsys, "train", *SHORT, "--set", "checkpoint_steps=10", "--name", "first")[0] == 0
    (run,) = [run for run, _ in store.scan(folder)]
    assert run.checkpoint_steps() == [20, 30]
    with Control(run) as control:
        control.set("lost")
    for step in (20, 30):
        path = run.path / "checkpoints" / f"{step:08}.safetensors"
        path.write_bytes(path.read_bytes()[:-1] + b"\x55")
    assert call(capsys, "train", "--resume", "first", "--quiet")[0] == 1
    status, out, _ = call(capsys, "runs", "show", "first")
    assert status == 0 and "00000020.safetensors" in out and "00000030.safetensors" in out and "--from-start" in out
    status, _, err = call(capsys, "train", *SHORT, "--from-start")
    assert status == 2 and "--from-start" in err
    assert call(capsys, "train", "--resume", "first", "--from-start", "--quiet")[0] == 0
    assert [attempt["from_step"] for attempt in run.attempts] == [0, 0]
    path = run.path / "checkpoints" / "00000030.safetensors"
    path.write_bytes(path.read_bytes()[:-1] + b"\x55")
    with Control(run) as control:
        control.set("lost")
    assert call(capsys, "train", "--resume", "first", "--quiet")[0] == 0
    status, out, _ = call(capsys, "runs", "show", "first")
    state, attempt = out.split("\n\n")[0], out[out.index("attempt 3 from step 20") :].split("\n\n")[0]
    assert str(path) in state and str(path) in attempt


@pytest.mark.usefixtures("watchdog")
@pytest.mark.parametrize("kind", ["a link", "a pipe"])
def test_a_log_that_leads_elsewhere_is_named_and_not_written_to(capsys, folder, tmp_path, kind):
    run = store.create(config.change(config.preset("mnist-mlp", "fop"), ["max_steps=2", "threads=1"]).to_json())
    victim = tmp_path / "victim"
    victim.write_text("mine")
    if kind == "a link":
        (run.path / "log.txt").symlink_to(victim)
    else:
        os.mkfifo(run.path / "log.txt")
    status, _, err = call(capsys, "train", "--run", run.path, "--quiet")
    assert status == 2 and f"{run.path / 'log.txt'}: no regular file" in err
    assert victim.read_text() == "mine" and run.state.state == "queued"
