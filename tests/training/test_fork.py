"""Forks, whole: real runs on small data, forked in each way, killed, stopped, orphaned."""

import copy
import os
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import torch

from fop_core.runs import files, lineage, store
from fop_core.runs.control import start_over
from fop_core.runs.names import START
from fop_core.runs.run import Run
from fop_core.training import build, config, fork, loop
from fop_core.training.fork import ForkError
from fop_core.training.replay import TIMES
from tests.sampled import sampled
from tests.training import tiny
from tests.training.test_loop import ROOT, assert_identical, in_process, recorded, train

AT = 6  # of 10 steps, 5 an epoch: in the middle of one, and between two rows


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return tiny.cifar10(tmp_path_factory.mktemp("data"))


def trained(data, folder, *settings, method="fop"):
    """Return a finished run with checkpoints at steps 6 and 10."""
    run = tiny.run(data, folder, f"checkpoint_steps={AT}", *settings, method=method)
    assert train(run)[0] == "finished"
    assert run.checkpoint_steps() == [AT, 10]
    return run


@pytest.fixture(scope="module")
def parent(data, tmp_path_factory):
    return trained(data, tmp_path_factory.mktemp("parent"), "fop.hyper_lr=0.01")


@pytest.fixture(scope="module")
def other(data, tmp_path_factory):
    return trained(data, tmp_path_factory.mktemp("other"), "fop.hyper_lr=0.01", "seed=1")


def forked(folder, run, matrices, **wanted):
    return fork.create(fork.plan(run, matrices=matrices, **wanted), folder=folder)


def opened(run, monkeypatch):
    """Return the optimizer of a run as its next attempt begins, and the step."""
    trainers = []
    monkeypatch.setattr(loop.Trainer, "train", lambda self: trainers.append(self))
    assert train(run)[0] == "finished"
    monkeypatch.undo()
    (trainer,) = trainers
    return trainer.built.fop, trainer.step


def learned(run, step):
    """Return what a checkpoint holds of FOP, by layer: {"0": {"M": ..., "mean": ..., "trace": ...}}."""
    layers = {}
    for path, array in run.checkpoint(step)[0].items():
        if path.startswith("optimizer/fop/layers/"):
            layer, what = path.split("/")[3:]
            layers.setdefault(int(layer), {})[what] = array
    return dict(sorted(layers.items()))


def assert_as_at_a_start(layer):
    assert layer.trace is None
    assert layer.epsilon == 0.0
    assert not any(tensor.any() for tensor in layer.state.values())


def after(run, step):
    """Return the rows and snapshots of a run after a step, and its last checkpoint."""
    arrays = {name: array for name, array in recorded(run).items() if name.startswith("checkpoint/")}
    run.metrics.update()
    for name in run.metrics.columns:
        steps, values = run.metrics[name]
        if name not in TIMES and (steps > step).any():
            arrays |= {f"{name} at": steps[steps > step], name: values[steps > step]}
    for snapshot in run.snapshot_steps():
        if snapshot > step:
            arrays |= {f"{snapshot}/{name}": array for name, array in run.snapshot(snapshot).items()}
    return arrays


KINDS = {
    "velocity, crops and flips": ((), "fop"),
    "adam in fop, low rank": (
        ('optimizer={"name": "adam", "lr": 0.001}', "fop.preconditioner=low_rank", "fop.rank=3"),
        "fop",
    ),
    "per-parameter rates": ((), "pp-hd"),
    "a rate a tensor, by sgd": (("fop.hyper_optimizer=sgd",), "s-hd"),
    "Theorem 1": (("fop.rescale=1.5", "fop.update_every=2"), "fop"),
}


@pytest.mark.parametrize("kind", KINDS)
def test_an_unchanged_fork_is_its_parent_from_that_step_on_bit_for_bit(kind, data, tmp_path):
    settings, method = KINDS[kind]
    run = trained(data, tmp_path, *settings, method=method)
    control = forked(tmp_path, run, "unchanged", at=AT)
    assert train(control)[0] == "finished"
    assert control.config == run.config
    assert control.attempts[0]["from_step"] == AT
    control.metrics.update()
    assert control.metrics.steps.tolist() == [7, 8, 9, 10]
    assert_identical(after(control, AT), after(run, AT))
    assert control.metrics["seconds"].values[0] > run.metrics["seconds"].values[AT - 1]  # the parent's count too


def test_a_row_over_steps_on_both_sides_is_the_parents_own(data, tmp_path):
    settings = ("log_every=12", "epochs=6", "snapshots=0", "checkpoint_steps=23")  # step 24 compares with step 23
    run = tiny.run(data, tmp_path, *settings)
    assert train(run)[0] == "finished"
    control = forked(tmp_path, run, "unchanged", at=23)
    assert train(control)[0] == "finished"
    assert control.metrics.steps.tolist() == [24, 25, 30]
    assert_identical(after(control, 23), after(run, 23))


def test_a_frozen_fork_keeps_M_and_what_learned_it_while_the_weights_move(parent, tmp_path):
    run = forked(tmp_path, parent, "frozen", at=AT)
    assert train(run)[0] == "finished"
    before, at_end = learned(parent, AT), learned(run, 10)
    assert before.keys() == at_end.keys()
    for layer, kept in before.items():
        for what in ("M", "mean", "square", "count"):
            np.testing.assert_array_equal(kept[what], at_end[layer][what])
        assert not np.array_equal(kept["trace"], at_end[layer]["trace"])  # u follows the gradients all the same
        assert not np.array_equal(kept["M"], learned(parent, 10)[layer]["M"])
    weights = run.checkpoint(10)[0]["model/0.weight"]
    assert not np.array_equal(weights, parent.checkpoint(AT)[0]["model/0.weight"])
    assert run.config["fop"] == parent.config["fop"] | {"hyper_lr": 0.0}
    # and it stays so when it is forked itself
    with pytest.raises(ForkError, match="frozen already"):
        fork.plan(run, matrices="frozen", epochs=3)
    again = forked(tmp_path, run, "unchanged", epochs=3)
    assert train(again)[0] == "finished"
    np.testing.assert_array_equal(learned(again, 15)[0]["M"], before[0]["M"])


@pytest.mark.parametrize("form", ["factored", "low_rank", "direct", "scalar", "diagonal"])
def test_a_reset_fork_has_M_and_what_learns_it_as_at_a_start(form, data, tmp_path, monkeypatch):
    run = trained(data, tmp_path, f"fop.preconditioner={form}", "fop.hyper_lr=0.01", "seed=5")
    whole = forked(tmp_path, run, "reset", at=AT)
    fop, step = opened(whole, monkeypatch)
    fresh = build.build(config.parse(run.config), 10, torch.device("cpu")).fop.factors()
    assert step == AT
    assert fop.state_dict()["fop"]["steps"] == AT  # as the run counts them
    assert fresh.keys() == fop.factors().keys()
    for name, M in fop.factors().items():
        assert torch.equal(M, fresh[name])
    for layer in fop.layers():
        assert_as_at_a_start(layer)
    held, _ = whole.start()
    weights = run.checkpoint(AT)[0]
    for name in weights:  # all else is the parent's
        if not name.startswith("optimizer/fop/"):
            np.testing.assert_array_equal(held[name], weights[name])
    assert not any(name.startswith("optimizer/fop/") for name in held)


def test_a_reset_fork_learns_anew(parent, tmp_path):
    run = forked(tmp_path, parent, "reset", at=AT)
    assert train(run)[0] == "finished"
    counts = {float(layer["count"]) for layer in learned(run, 10).values()}
    assert counts == {3.0}  # four steps, and no hypergradient at the first
    assert not np.array_equal(learned(run, 10)[0]["M"], np.eye(9, dtype=np.float32))


def test_a_normalized_fork_keeps_M_and_applies_P_at_the_norm_of_the_identity(parent, tmp_path, monkeypatch):
    run = forked(tmp_path, parent, "normalized", at=AT)
    fop, step = opened(run, monkeypatch)
    before = learned(parent, AT)
    assert step == AT
    for (number, kept), (_, M) in zip(before.items(), fop.factors().items()):
        np.testing.assert_array_equal(M.numpy(), kept["M"])
        state = fop.state_dict()["fop"]["layers"][number]
        for what in ("mean", "square", "count", "trace"):
            np.testing.assert_array_equal(state[what].numpy(), kept[what])
    for P in fop.preconditioners().values():
        assert torch.linalg.matrix_norm(P).item() == pytest.approx(len(P) ** 0.5, rel=1e-6)
    assert run.config["fop"] == parent.config["fop"] | {"normalized": True}
    whole = forked(tmp_path, parent, "normalized", at=AT)
    assert train(whole)[0] == "finished"
    with pytest.raises(ForkError, match="normalized already"):
        fork.plan(whole, matrices="normalized", epochs=3)


def test_a_transplanted_fork_has_the_donors_M_of_its_last_or_a_given_snapshot(parent, other, tmp_path, monkeypatch):
    for wanted in (None, other.snapshot_steps()[2]):
        run = forked(tmp_path, parent, "transplanted", at=AT, donor=other, donor_step=wanted)
        step = 10 if wanted is None else wanted
        assert lineage.origin(run) == lineage.Origin(parent.id, AT, "transplanted", other.id, step)
        fop, at = opened(run, monkeypatch)
        assert at == AT
        snapshot = other.snapshot(step)
        for name, M in fop.factors().items():
            np.testing.assert_array_equal(M.numpy(), snapshot[f"{name}/M"])
        for layer in fop.layers():
            assert_as_at_a_start(layer)
        np.testing.assert_array_equal(run.start()[0]["model/0.weight"], parent.checkpoint(AT)[0]["model/0.weight"])
    whole = forked(tmp_path, parent, "transplanted", at=AT, donor=other)
    assert train(whole)[0] == "finished"
    itself = fork.plan(parent, matrices="transplanted", at=AT, donor=parent, donor_step=1)  # M as it was
    assert itself.donor_step == 1


@pytest.mark.parametrize("method", ["pp-hd", "s-hd"])
def test_what_is_no_matrix_is_transplanted_too(method, data, tmp_path, monkeypatch):
    run, donor = (trained(data, tmp_path, f"seed={seed}", "fop.hyper_lr=0.01", method=method) for seed in (0, 1))
    fop, _ = opened(forked(tmp_path, run, "transplanted", at=AT, donor=donor), monkeypatch)
    snapshot = donor.snapshot(10)
    for name, M in fop.factors().items():
        np.testing.assert_array_equal(M.numpy(), snapshot[f"{name}/M"])


@pytest.mark.parametrize(
    ("settings", "method", "says"),
    [
        ((), "momentum", "trained without FOP: it has no M"),
        (("fop.preconditioner=low_rank",), "fop", "of another form: .* learns a 'factored' P, .* a 'low_rank' one"),
        (("fop.layout=input",), "fop", r"M of 0.weight is \[9, 9\] in .* and \[3, 3\] in the donor"),
        (("fop.layout=input", "fop.max_dim=3"), "fop", r"M of 0.weight is \[9, 9\]"),
        (("fop.max_dim=8", "fop.layout=input"), "fop", "M of 0.weight"),
    ],
)
def test_a_donor_of_another_form_or_shape_is_refused_by_the_first_difference(
    settings, method, says, parent, data, tmp_path
):
    donor = trained(data, tmp_path, *settings, method=method)
    with pytest.raises(ForkError, match=says):
        fork.plan(parent, matrices="transplanted", at=AT, donor=donor)


def snapshot_of(run, tmp_path, change):
    """Return a copy of a run whose last snapshot was changed."""
    shutil.copytree(run.path, tmp_path / "changed")
    changed = Run(tmp_path / "changed")
    arrays = changed.snapshot(10)
    change(arrays)
    files.write_arrays(changed.path / "snapshots" / "00000010.safetensors", arrays)
    return changed


def _one_less(arrays):
    for name in list(arrays):
        if name.startswith("3.weight/"):
            del arrays[name]


def _one_more(arrays):
    arrays["99.weight/M"] = np.eye(9, dtype=np.float32)


def _not_finite(arrays):
    arrays["6.weight/M"] = np.full((9, 9), np.nan, np.float32)


def _cut(arrays):
    del arrays["6.weight/M"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_one_less, "3.weight has an M in .* and none in the donor"),
        (_one_more, "99.weight has an M in the donor .* and none in "),
        (_not_finite, "M of 6.weight holds numbers that are not finite at step 10"),
    ],
)
def test_a_donor_with_other_layers_or_no_numbers_is_refused(change, says, parent, other, tmp_path):
    donor = snapshot_of(other, tmp_path, change)
    with pytest.raises(ForkError, match=says):
        fork.plan(parent, matrices="transplanted", at=AT, donor=donor)


def test_the_last_snapshot_with_every_M_whole_is_taken(parent, other, tmp_path):
    donor = snapshot_of(other, tmp_path, _cut)
    assert fork.plan(parent, matrices="transplanted", at=AT, donor=donor).donor_step == other.snapshot_steps()[-2]
    with pytest.raises(ForkError, match=r"snapshot of step 10 has no whole M of 6\.weight"):
        fork.plan(parent, matrices="transplanted", at=AT, donor=donor, donor_step=10)
    with pytest.raises(ForkError, match=r"no snapshot of step 11: it has them at .*10"):
        fork.plan(parent, matrices="transplanted", at=AT, donor=donor, donor_step=11)


def test_a_layout_of_equal_shape_is_another_one(data, tmp_path):
    # 9 input channels of the second layer, and 9 positions in its kernel
    run, donor = (
        trained(data, tmp_path, "model.width=0.09375", f"fop.layout={layout}", "fop.max_dim=9")
        for layout in ("spatial", "input")
    )
    shapes = {name: array.shape for name, array in donor.snapshot(10).items() if name.endswith("/M")}
    assert shapes["3.weight/M"] == run.snapshot(10)["3.weight/M"].shape == (9, 9)
    layers = {"3.weight": fork._Layer((9, 9), (9, 9, 3, 3))}
    alone = snapshot_of(donor, tmp_path, lambda arrays: [arrays.pop(n) for n in list(arrays) if n[:2] != "3."])
    with pytest.raises(ForkError, match=r"3\.weight acts on the layout 'spatial' in .* and on 'input' in the donor"):
        fork._fitting_snapshot(run, config.parse(run.config), layers, alone, 10)


def test_a_run_without_fop_has_nothing_to_ask_what_if_of(data, tmp_path):
    run = trained(data, tmp_path, method="momentum")
    assert fork.available(run) == ((), f"{run.id} was trained without FOP: it has no M")
    for matrices in lineage.MATRICES:
        with pytest.raises(ForkError, match="trained without FOP"):
            fork.plan(run, matrices=matrices, at=AT)


def test_a_fixed_P_can_be_normalized_and_has_no_M(data, tmp_path):
    run = trained(data, tmp_path, method="mean-removing")
    for matrices in ("frozen", "reset", "transplanted"):
        with pytest.raises(ForkError, match="learns no M"):
            fork.plan(run, matrices=matrices, at=AT)
    assert train(forked(tmp_path, run, "normalized", at=AT))[0] == "finished"


def test_one_number_a_tensor_cannot_be_normalized(data, tmp_path):
    run = trained(data, tmp_path, method="s-hd")
    with pytest.raises(ForkError, match="leaves a scalar nothing to learn"):
        fork.plan(run, matrices="normalized", at=AT)


def test_where_it_can_be_forked_and_why_not(parent, tmp_path):
    assert fork.available(parent) == ((AT, 10), "")
    shutil.copytree(parent.path, tmp_path / "packed")
    packed = Run(tmp_path / "packed")
    newest = packed.path / "checkpoints" / "00000010.safetensors"
    newest.write_bytes(newest.read_bytes()[:-100])
    assert fork.available(packed).steps == (AT,)
    (packed.path / "checkpoints" / "00000006.safetensors").unlink()
    steps, reason = fork.available(packed)
    assert not steps and "00000010.safetensors" in reason
    newest.unlink()
    steps, reason = fork.available(packed)
    assert not steps and "packed no checkpoint" in reason.replace("has ", "")
    with pytest.raises(ForkError, match="no checkpoint to go on from"):
        fork.plan(packed, matrices="frozen")


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        ({"matrices": "thawed"}, "'thawed': give one of unchanged, frozen, reset, normalized, transplanted"),
        ({"at": 7}, "no checkpoint at step 7: it has them at 6, 10"),
        ({"at": 12_345}, "no checkpoint at step 12,345: it has them at 6, 10"),
        ({"at": 10}, r"at step 10 of the 10 of 2 epochs, no step is left: give epochs = 3 or more"),
        ({}, "give epochs = 3 or more"),
        ({"at": 10, "epochs": 1}, "give epochs = 3 or more"),
        ({"at": 10, "steps": 7}, "0 steps are left and not 7: give epochs = 4"),
        ({"at": AT, "steps": 5}, "4 steps are left and not 5: give epochs = 3"),
        ({"at": AT, "steps": 0}, "steps is 0"),
        ({"at": AT, "epochs": 0}, "epochs: 0 given"),
        ({"at": AT, "matrices": "transplanted"}, "say from which run"),
        ({"at": AT, "donor_step": 1}, "only 'transplanted'"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(wanted, says, parent):
    with pytest.raises(ForkError, match=says):
        fork.plan(parent, **{"matrices": "frozen", **wanted})


def test_more_epochs_carry_a_finished_run_on_and_the_plan_says_so(parent, tmp_path):
    plan = fork.plan(parent, matrices="frozen", epochs=3)
    assert (plan.step, plan.steps_in_epoch, plan.total) == (10, 5, 15)
    assert plan.total == build.total_steps(plan.config, 5)
    assert plan.settings == ("fop.hyper_lr=0.0", "epochs=3")
    assert plan.description == (
        "From step 10 (epoch 2) of tiny to step 15 (epoch 3), 5 steps. M stays as it is from here on. "
        "Settings changed: fop.hyper_lr=0.0, epochs=3. The learning rate goes on at 0.005."
    )
    run = fork.create(plan, tags=("what if",), folder=tmp_path)
    assert (run.name, run.labels["tags"], run.state.state) == ("tiny, M frozen at 10", ["what if"], "queued")
    assert run.about["lineage"] == {
        "set": ["fop.hyper_lr=0.0", "epochs=3"],
        "parent": parent.id,
        "step": 10,
        "matrices": "frozen",
    }
    assert train(run)[0] == "finished"
    assert run.metrics.steps.tolist()[-1] == 15
    assert run.metrics["epoch"].values[-1] == 3.0
    assert lineage.origin(run) == lineage.Origin(parent.id, 10, "frozen")
    assert lineage.origin(parent) is None


def test_a_number_of_steps_ends_it_sooner_and_epochs_lift_the_parents(data, tmp_path):
    run = trained(data, tmp_path, "epochs=4", "max_steps=10")
    with pytest.raises(ForkError, match="of its max_steps = 10, no step is left: give steps, or epochs, 4 for"):
        fork.plan(run, matrices="unchanged")
    assert fork.plan(run, matrices="unchanged", at=AT).total == 10
    assert fork.plan(run, matrices="unchanged", epochs=4).total == 20
    plan = fork.plan(run, matrices="unchanged", steps=3)
    assert (plan.total, plan.settings) == (13, ("max_steps=13",))
    whole = fork.create(plan, folder=tmp_path)
    assert train(whole)[0] == "finished"
    assert whole.metrics.steps.tolist()[-1] == 13


def test_a_cosine_over_other_epochs_is_reported(data, tmp_path):
    run = trained(data, tmp_path, 'schedule={"kind": "cosine"}')
    assert fork.plan(run, matrices="frozen", at=AT).description.endswith("goes on at 0.0173.")
    description = fork.plan(run, matrices="frozen", epochs=4).description
    assert "goes on at 0.025, not at its parent's 0: the schedule is over other epochs" in description


def test_an_earlier_runs_checkpoint_without_steps_in_epoch_will_do(parent, tmp_path):
    shutil.copytree(parent.path, tmp_path / "old")
    old = Run(tmp_path / "old")
    arrays, about = old.checkpoint(10)
    del about["steps_in_epoch"]
    files.write_arrays(old.path / "checkpoints" / "00000010.safetensors", arrays, about)
    assert fork.plan(old, matrices="frozen", epochs=3).total == 15
    (old.path / "progress.json").unlink()
    with pytest.raises(ForkError, match="does not say how many steps an epoch has"):
        fork.plan(old, matrices="frozen", epochs=3)


@pytest.mark.parametrize("matrices", ["frozen", "reset", "normalized"])
def test_an_earlier_runs_checkpoint_that_names_no_options_will_do(matrices, parent, tmp_path):
    shutil.copytree(parent.path, tmp_path / "old")
    old = Run(tmp_path / "old")
    arrays, about = old.checkpoint(AT)
    state = fork._entry(about["tree"], "optimizer", "fop")
    state["dict"] = [pair for pair in state["dict"] if pair[0] != "options"]
    assert len(state["dict"]) == 5
    files.write_arrays(old.path / "checkpoints" / f"{AT:08}.safetensors", arrays, about)
    assert train(forked(tmp_path, old, matrices, at=AT))[0] == "finished"


@pytest.mark.parametrize("matrices", ["unchanged", "reset", "transplanted"])
def test_without_its_parent_and_donor_it_is_the_same(matrices, parent, other, tmp_path):
    for id_, run in (("parent", parent), ("donor", other)):
        shutil.copytree(run.path, tmp_path / id_)
    donor = Run(tmp_path / "donor") if matrices == "transplanted" else None
    one, two = (forked(tmp_path, Run(tmp_path / "parent"), matrices, at=AT, donor=donor) for _ in range(2))
    assert train(one)[0] == "finished"
    for id_ in ("parent", "donor"):
        Run(tmp_path / id_).remove()
    assert train(two)[0] == "finished"
    assert_identical(recorded(one), recorded(two))


@pytest.mark.parametrize("matrices", sampled(["frozen", "transplanted"], 2))
def test_a_fork_that_is_killed_and_resumed_is_the_undisturbed_one_bit_for_bit(matrices, parent, other, tmp_path):
    donor = other if matrices == "transplanted" else None
    plan = fork.plan(parent, matrices=matrices, at=AT, donor=donor, epochs=5)  # checkpoints at 12, 18, 24, 25
    whole, broken = (fork.create(plan, folder=tmp_path) for _ in range(2))
    assert train(whole)[0] == "finished"
    for step, went_on_from in ((8, AT), (14, AT)):
        died = in_process(broken, at=step, number=signal.SIGKILL)
        assert died.returncode == -signal.SIGKILL
        assert broken.state.state == "lost"
        assert broken.attempts[-1]["from_step"] == went_on_from
    stopped = in_process(broken, at=17, number=signal.SIGTERM)
    assert stopped.stdout == "stopped\n", stopped.stderr
    assert broken.checkpoint_steps()[-1] == 17
    assert broken.attempts[-1]["from_step"] == 12
    assert train(broken)[0] == "finished"
    assert broken.attempts[-1]["from_step"] == 17
    assert_identical(recorded(whole), recorded(broken))


def test_a_fork_whose_start_is_damaged_fails_and_does_not_begin_at_step_0(parent, tmp_path):
    run = forked(tmp_path, parent, "frozen", at=AT)
    start = run.path / START
    start.write_bytes(start.read_bytes()[:-100])
    ending, messages = train(run)
    assert (ending, run.state.state) == ("failed", "failed")
    assert f"fork {parent.id} at step {AT} again" in run.state.reason
    assert any("its start is unusable" in line for line in messages)
    start.unlink()
    assert train(run)[0] == "failed"


def test_a_fork_without_a_checkpoint_of_its_own_that_can_be_read_fails_and_starts_over_from_its_start(parent, tmp_path):
    plan = fork.plan(parent, matrices="reset", at=AT, epochs=3)
    whole, broken = (fork.create(plan, folder=tmp_path) for _ in range(2))
    for run in (whole, broken):
        assert train(run)[0] == "finished"
    for step in broken.checkpoint_steps():  # readable, and cut off after the optimizer was loaded
        arrays, about = broken.checkpoint(step)
        about["tree"]["dict"] = [pair for pair in about["tree"]["dict"] if pair[0] != "window"]
        files.write_arrays(broken.path / "checkpoints" / f"{step:08d}.safetensors", arrays, about)
    assert train(broken)[0] == "failed"
    assert "no checkpoint" in broken.state.reason
    start_over(broken)
    assert train(broken)[0] == "finished"
    assert broken.attempts[-1]["from_step"] == AT
    assert_identical(recorded(whole), recorded(broken))


def test_a_checkpoint_that_was_dropped_meanwhile_is_named(parent, tmp_path):
    shutil.copytree(parent.path, tmp_path / "moving")
    moving = Run(tmp_path / "moving")
    plan = fork.plan(moving, matrices="frozen", at=AT)
    (moving.path / "checkpoints" / "00000006.safetensors").unlink()
    with pytest.raises(ForkError, match=r"00000006\.safetensors is gone meanwhile"):
        fork.create(plan, folder=tmp_path / "forks")
    assert not list(store.directories(tmp_path / "forks"))


def test_a_plan_changes_neither_the_parents_arrays_nor_its_settings(parent, tmp_path):
    arrays, about = parent.checkpoint(AT)
    before = copy.deepcopy((arrays, about))
    for matrices in ("frozen", "reset", "normalized"):
        fork._changed(arrays, about, matrices, {})
    assert about == before[1]
    assert arrays.keys() == before[0].keys()


def test_no_torch_is_loaded_to_plan_and_make_one(parent, other, tmp_path):
    program = """
import sys
from pathlib import Path
from fop_core.runs import lineage
from fop_core.runs.run import Run
from fop_core.training import fork
run, donor = Run(sys.argv[1]), Run(sys.argv[2])
print(fork.available(run).steps)
for matrices in lineage.MATRICES:
    given = donor if matrices == "transplanted" else None
    fork.create(fork.plan(run, matrices=matrices, at=6, donor=given), folder=Path(sys.argv[3]))
assert not {"torch", "torchvision", "streamlit"} & set(sys.modules)
"""
    command = [sys.executable, "-c", program, str(parent.path), str(other.path), str(tmp_path)]
    done = subprocess.run(
        command, cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert len(list(store.directories(tmp_path))) == 5
