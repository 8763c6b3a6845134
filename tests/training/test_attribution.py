"""Controls, whole: real runs on small data, whose P is replaced, beside loops that are written out."""

import json
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from fop_core.runs import compare, files, lineage, store
from fop_core.runs.files import DamagedFile
from fop_core.runs.lineage import ControlOf
from fop_core.runs.listing import Listing
from fop_core.runs.names import START
from fop_core.runs.run import Run
from fop_core.training import attribution, batches, build, config, datasets, fork
from fop_core.training.fork import ForkError
from fop_core.training.replay import replay
from tests.training import tiny
from tests.training.test_fork import AT, opened, trained
from tests.training.test_loop import ROOT, assert_identical, flip, in_process, recorded, train

GATHERED = ("fop.hyper_lr=0.05", "snapshots=6")
"""So that P moves far in ten steps; it is recorded at steps 0, 1, 2, 5, 8 and 10."""


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.cifar10(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def parent(data, tmp_path_factory):
    return trained(data, tmp_path_factory.mktemp("parent"), *GATHERED)


def control(folder, run, kind, **wanted):
    return attribution.create(attribution.plan(run, kind), folder=folder, **wanted)


def finished(run):
    ending, messages = train(run)
    assert ending == "finished", messages
    return run


def weights(run):
    arrays, _ = run.checkpoint(run.checkpoint_steps()[-1])
    return {name: array for name, array in arrays.items() if name.startswith("model/")}


def copied(run, path):
    shutil.copytree(run.path, path)
    return Run(path)


def test_where_P_starts_as_I_the_control_of_the_start_is_the_base_bit_for_bit(parent, data, tmp_path):
    plan = attribution.plan(parent, "start")
    assert plan.settings == ("fop.hyper_lr=0.0",) and "the base alone" in plan.description
    run = finished(attribution.create(plan, folder=tmp_path))
    base = trained(data, tmp_path, "snapshots=6", method="momentum")
    assert_identical(weights(run), weights(base))
    for column in ("train_loss", "test_accuracy", "grad_norm"):
        np.testing.assert_array_equal(run.metrics[column].values, base.metrics[column].values)
    assert not np.array_equal(weights(run)["model/0.weight"], weights(parent)["model/0.weight"])
    assert not (run.path / START).exists()


def test_a_drawn_start_is_drawn_as_its_parents(data, tmp_path):
    low = trained(data, tmp_path, *GATHERED, "fop.preconditioner=low_rank", "fop.rank=2", "fop.init_std=0.3", "seed=3")
    plan = attribution.plan(low, "start")
    assert "the base alone" not in plan.description
    run = finished(attribution.create(plan, folder=tmp_path))
    for step in (0, 10):
        np.testing.assert_array_equal(run.snapshot(step)["0.weight/M"], low.snapshot(0)["0.weight/M"])
    assert run.metrics["train_loss"].values[0] == low.metrics["train_loss"].values[0]


FORMS = [
    (),
    ("fop.normalized=true",),
    ("fop.preconditioner=low_rank", "fop.rank=3"),
    ("fop.preconditioner=direct",),
    ("fop.preconditioner=exponential",),
    ("fop.preconditioner=scalar",),
    ("fop.preconditioner=diagonal",),
]


@pytest.mark.parametrize("settings", FORMS, ids=" ".join)
def test_the_final_P_is_its_parents_own_from_the_first_step_to_the_last(settings, data, tmp_path, monkeypatch):
    run = trained(data, tmp_path, *GATHERED, *settings)
    beside = build.build(config.parse(run.config), 10, torch.device("cpu")).fop
    beside.load_factors(fork.whole_matrices(run.snapshot(10)))
    right = beside.preconditioners()
    made = control(tmp_path, run, "final")
    assert made.config["fop"] == run.config["fop"] | {"hyper_lr": 0.0}
    fop, step = opened(made, monkeypatch)
    assert step == 0
    for name, P in fop.preconditioners().items():
        assert torch.equal(P, right[name]) and not torch.equal(P, torch.eye(len(P)) if P.ndim == 2 else 1 + 0 * P)
    again = finished(control(tmp_path, run, "final"))
    for name, M in fork.whole_matrices(again.snapshot(10)).items():
        np.testing.assert_array_equal(M, run.snapshot(10)[f"{name}/M"])
        np.testing.assert_array_equal(M, again.start()[0][f"{name}/M"])


def by_hand(run, gains, *, rates):
    """Train the base of a run with plain torch, each layer's gradient, or its rate, times its gain at that step."""
    settings = config.change(config.parse(run.config), ["fop=null"])
    dataset = datasets.load(settings.data)
    feed = batches.feed(dataset, settings, torch.device("cpu"), lambda name: None)
    with build.threads(1):
        model = build.build(settings, 10, torch.device("cpu")).model
        base = settings.optimizer
        groups = [{"params": [p], "name": name} for name, p in model.named_parameters()]
        optimizer = torch.optim.SGD(groups, lr=base.lr, momentum=base.momentum, weight_decay=base.weight_decay)
        step = 0
        for epoch in range(settings.epochs):
            for images, labels in feed.epoch(epoch):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(images), labels).backward()
                rate = base.lr * settings.schedule.at(step / feed.steps_in_epoch, settings.epochs)
                for group in optimizer.param_groups:
                    steps, gain = gains.get(group["name"], ([0], [1.0]))
                    at = float(np.interp(step, steps, gain))
                    group["lr"] = rate * at if rates else rate
                    if not rates:
                        group["params"][0].grad.mul_(at)
                optimizer.step()
                step += 1
    return {f"model/{name}": p.detach().numpy() for name, p in model.named_parameters()}


def recorded_gains(run):
    """tr(P)/n of each layer, from the matrices in the snapshots."""
    names = [name.removesuffix("/M") for name in run.snapshot(0) if name.endswith("/M")]
    steps = run.snapshot_steps()
    matrices = {name: [run.snapshot(step)[f"{name}/M"].astype(float) for step in steps] for name in names}
    return {name: (steps, [np.trace(M @ M.T) / len(M) for M in those]) for name, those in matrices.items()}


@pytest.mark.parametrize("settings", [(), ("optimizer.momentum=0", "optimizer.weight_decay=0")], ids=["decay", "plain"])
def test_the_rate_follows_the_parents_mean_gain_in_a_straight_line_between_two_records(settings, data, tmp_path):
    run = trained(data, tmp_path, *GATHERED, *settings)
    gains = recorded_gains(run)
    assert max(abs(gain[-1] - 1) for _, gain in gains.values()) > 0.02, "else nothing is tested"
    assert run.snapshot_steps() != list(range(11))
    made = finished(control(tmp_path, run, "rate"))
    arrays, about = made.start()
    assert about == {"control": "rate", "parent": run.id, "step": 10}
    for name, (steps, gain) in gains.items():
        assert arrays[f"{name}/steps"].tolist() == steps
        np.testing.assert_allclose(arrays[f"{name}/gain"], gain, rtol=1e-5)
    right = by_hand(made, gains, rates=bool(settings))
    for name, weight in right.items():
        np.testing.assert_allclose(weights(made)[name], weight, rtol=2e-4, atol=2e-6, err_msg=name)
    far = by_hand(made, {}, rates=bool(settings))
    assert np.abs(far["model/0.weight"] - right["model/0.weight"]).max() > 1e-4
    # What it followed is in its own metrics, under the same name.
    for name, (steps, gain) in gains.items():
        mean = made.metrics[f"eigenvalue_mean/{name}"]
        np.testing.assert_allclose(mean.values, np.interp(mean.steps, steps, gain), rtol=1e-5)
        assert set(
            made.metrics["eigenvalue_mean/0.bias" if "0.bias" in gains else f"eigenvalue_mean/{name}"].steps
        ) >= {0, 10}


def test_a_layer_without_P_keeps_its_rate(parent, tmp_path):
    made = finished(control(tmp_path, parent, "rate"))
    alone = [name for name in made.metrics.columns if name.startswith("eigenvalue_mean/")]
    left = [name for name in alone if name not in parent.metrics.columns]
    assert left and all((made.metrics[name].values == 1).all() for name in left)


def test_killed_and_resumed_a_control_is_the_undisturbed_one_bit_for_bit(parent, tmp_path):
    whole, broken = (control(tmp_path, parent, "rate") for _ in range(2))
    finished(whole)
    assert in_process(broken, at=8, number=signal.SIGKILL).returncode == -signal.SIGKILL
    finished(broken)
    assert broken.attempts[-1]["from_step"] == AT
    assert_identical(recorded(whole), recorded(broken))


@pytest.mark.parametrize("kind", lineage.CONTROLS)
def test_without_its_parent_it_is_the_same_and_a_replay_finds_it_so(kind, parent, tmp_path):
    mine = copied(parent, tmp_path / "parent")
    one, two = (control(tmp_path / "runs", mine, kind) for _ in range(2))
    finished(one)
    mine.remove()
    finished(two)
    assert_identical(recorded(one), recorded(two))
    assert max(each.worst for each in replay(two, 10, lambda text: None)) == 0


def test_a_control_says_what_it_is(parent, tmp_path):
    for kind, words in (("rate", "SGD at ε·tr(P)/n"), ("final", "final P from step 0"), ("start", "P as at its start")):
        run = control(tmp_path, parent, kind, tags=("mine",))
        assert run.name == f"tiny, {words}" and run.labels["tags"] == ["mine"] and run.state.state == "queued"
        assert lineage.control(run) == ControlOf(parent.id, kind) and lineage.origin(run) is None
        assert lineage.has_start(run) == (kind != "start")
        entry = Listing(tmp_path).entries(True)[run.id]
        assert (entry.control_of, entry.settings["control"], entry.forked_from) == (parent.id, kind, "")
        same = {name: value for name, value in run.config.items() if name != "fop"}
        assert same == {name: value for name, value in parent.config.items() if name != "fop"}
    settings = compare.flat(parent.config)
    assert compare.method(settings) == "fop" and compare.method(settings | {"control": "rate"}) == "control-rate"
    assert attribution.label("rate", "adam") == "P = tr(P)/n · I"
    assert lineage.control(parent) is None and not lineage.has_start(parent)


@pytest.mark.parametrize(
    "wrong", [{"control": "odd", "parent": "x"}, {"control": "rate"}, {"control": 5, "parent": "x"}]
)
def test_a_lineage_of_no_control_is_damage(wrong, tmp_path):
    run = store.create({}, lineage=wrong, folder=tmp_path)
    with pytest.raises(DamagedFile, match="lineage"):
        lineage.control(run)


def refused(run, kind):
    """Why a control is refused: before its files are read, and, the same or more, when it is planned."""
    with pytest.raises((ForkError, DamagedFile)) as error:
        attribution.plan(run, kind)
    return attribution.unavailable(run)[kind], str(error.value)


def test_what_a_run_lacks_is_said_before_anything_is_made(parent, data, tmp_path):
    assert attribution.unavailable(parent) == dict.fromkeys(lineage.CONTROLS, "")
    with pytest.raises(ForkError, match="control is 'odd': give one of rate, final, start"):
        attribution.plan(parent, "odd")

    plain = trained(data, tmp_path, method="momentum")
    frozen = trained(data, tmp_path, "fop.hyper_lr=0")
    scalar = trained(data, tmp_path, method="s-hd")
    scaled = trained(data, tmp_path, "fop.rescale=1.5")
    bare = trained(data, tmp_path, "snapshots=0")
    waiting = tiny.run(data, tmp_path)
    forked = fork.create(fork.plan(parent, matrices="unchanged", at=AT), folder=tmp_path)
    of = control(tmp_path, parent, "start")
    for run, kind, says in (
        (plain, "rate", "was trained without FOP"),
        (frozen, "final", "learns nothing"),
        (frozen, "start", "learns nothing"),
        (scalar, "rate", "one rate a tensor"),
        (scaled, "final", "rescales P"),
        (bare, "rate", "has 1 snapshot of P, and 2 are needed"),
        (waiting, "final", "is queued"),
        (forked, "start", "is a fork and has no step 0"),
        (of, "start", f"is itself a control, of {parent.id}"),
    ):
        soon, then = refused(run, kind)
        assert says in soon and soon == then
    for run, kind in ((frozen, "rate"), (scalar, "final"), (scaled, "rate"), (bare, "final"), (waiting, "start")):
        assert attribution.unavailable(run)[kind] == "" and attribution.plan(run, kind)


def test_damage_is_named_and_nothing_is_made(parent, tmp_path):
    run = copied(parent, tmp_path / "damaged")
    flip(run.path / "snapshots" / "00000010.safetensors")
    assert "its checksum is wrong" in refused(run, "final")[1]
    assert attribution.plan(run, "rate"), "which metrics hold"
    with (run.path / "metrics.1.jsonl").open("a") as rows:
        rows.write("nonsense\n")
    assert "damaged line" in refused(Run(run.path), "rate")[1]

    run = copied(parent, tmp_path / "cut")
    arrays, last = run.snapshot(10), run.path / "snapshots" / "00000010.safetensors"
    files.write_arrays(last, arrays | {"0.weight/M": arrays["0.weight/M"] * np.nan})
    assert "0.weight holds numbers that are not finite" in refused(run, "final")[1]
    del arrays["0.weight/M"]
    files.write_arrays(last, arrays)
    assert "no whole M of 0.weight" in refused(run, "final")[1]

    about = json.loads((run.path / "run.json").read_text())
    about["config"]["data"]["path"] = str(tmp_path / "nowhere")
    files.write_json(run.path / "run.json", about)
    assert "nothing to train on" in refused(Run(run.path), "start")[1]
    about["config"]["epochs"] = 0
    files.write_json(run.path / "run.json", about)
    assert "epochs" in refused(Run(run.path), "start")[0]


def test_where_a_run_has_diverged_what_was_recorded_before_is_followed(parent, tmp_path):
    run = copied(parent, tmp_path / "diverged")
    path = run.path / "metrics.1.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[-1] = {key: "NaN" if key.startswith("eigenvalue_mean/0") else value for key, value in lines[-1].items()}
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    plan = attribution.plan(run, "rate")
    assert plan.arrays["0.weight/steps"].tolist() == [*parent.snapshot_steps()[:-1]]
    assert plan.arrays["3.weight/steps"].tolist() == parent.snapshot_steps()


def test_of_an_older_run_the_spectra_are_taken(parent, tmp_path):
    run = copied(parent, tmp_path / "old")
    path = run.path / "metrics.1.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    kept = [{key: value for key, value in line.items() if not key.startswith("eigenvalue_mean/")} for line in lines]
    path.write_text("".join(json.dumps(line) + "\n" for line in kept))
    old, new = attribution.plan(run, "rate").arrays, attribution.plan(parent, "rate").arrays
    assert old.keys() == new.keys()
    for name in new:
        np.testing.assert_allclose(old[name], new[name], rtol=1e-5)
    flip(run.path / "snapshots" / "00000005.safetensors")
    assert "its checksum is wrong" in refused(run, "rate")[1]


@pytest.mark.parametrize("kind", ["rate", "final"])
def test_a_control_whose_start_is_damaged_fails_and_says_what_to_do(kind, parent, tmp_path):
    run = control(tmp_path, parent, kind)
    whole = (run.path / START).read_bytes()
    flip(run.path / START)
    assert train(run)[0] == "failed" and f"make it anew, as a control of {parent.id}" in run.state.reason
    (run.path / START).unlink()
    assert train(run)[0] == "failed" and "unusable" in run.state.reason
    (run.path / START).write_bytes(whole)
    finished(run)


def test_no_torch_is_loaded_to_plan_and_make_one(parent, tmp_path):
    program = """
import sys
from pathlib import Path
from fop_core.runs import lineage
from fop_core.runs.run import Run
from fop_core.training import attribution, divergence
run = Run(sys.argv[1])
assert not any(attribution.unavailable(run).values())
for kind in lineage.CONTROLS:
    attribution.create(attribution.plan(run, kind), folder=Path(sys.argv[2]))
assert divergence.kept(run) is None
assert not {"torch", "torchvision", "streamlit"} & set(sys.modules)
"""
    command = [sys.executable, "-c", program, str(parent.path), str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert len(list(store.directories(tmp_path))) == 3
