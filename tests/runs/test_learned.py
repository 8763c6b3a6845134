"""What a run learned is what it logged; what somebody uploads is matrices, or is refused in words."""

import json
import math
import os
import pickle
import shutil
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from fop_core import inspection
from fop_core.runs import files, learned
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.learned import Layer
from fop_core.runs.run import Run

GALLERY = Path(__file__).parents[2] / "trained_models" / "gallery"
MATRICES = [
    "cifar10-fop-velocity",
    "cifar10-fop-norm",
    "cifar10-fop-one-step",
    "cifar10-frozen",
    "mnist-fop-full-seed0",
    "mnist-fop-rank16-seed1",
]


def of(name):
    return learned.of_run(Run(GALLERY / name))


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


# runs -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MATRICES)
def test_P_has_the_eigenvalues_that_were_logged(name):
    loaded = of(name)
    assert loaded.missing == "" and loaded.steps.tolist() == Run(GALLERY / name).snapshot_steps()
    for layer in loaded.layers.values():
        assert layer.is_matrix and layer.steps[-1] == loaded.steps[-1]
        every = layer.all_P()
        assert every.shape == (len(layer.steps), layer.n, layer.n)
        for at in {0, len(layer.steps) // 2, len(layer.steps) - 1}:
            P = layer.P(at)
            np.testing.assert_array_equal(P, every[at])
            spectrum = layer.spectra[layer.spectrum_steps == layer.steps[at]][0]
            np.testing.assert_allclose(inspection.eigenvalues(P), spectrum, atol=1e-6 * spectrum.max())


@pytest.mark.parametrize("name", MATRICES[:4])
def test_P_has_the_whitening_that_was_logged(name):
    run = Run(GALLERY / name)
    for layer in of(name).layers.values():
        assert layer.kernel == (3, 3)
        run.metrics.update()
        for quantity, values in inspection.whitening(layer.all_P(), layer.kernel).items():
            steps, logged = run.metrics[f"{quantity}/{layer.name}"]
            assert np.isin(layer.steps, steps).all()
            np.testing.assert_allclose(values, logged[np.searchsorted(steps, layer.steps)], atol=1e-5)


def test_layers_come_in_the_networks_order():
    assert list(of("cifar10-fop-velocity").layers) == [f"{n}.weight" for n in (0, 3, 6, 9, 12, 15, 18)]


def test_only_a_normalized_P_is_scaled():
    for layer in of("cifar10-fop-norm").layers.values():
        assert layer.scale[0] == pytest.approx(1) and layer.scale[-1] != pytest.approx(1, abs=1e-3)
        np.testing.assert_allclose(np.linalg.norm(layer.all_P(), axis=(1, 2)), 3, rtol=1e-5)  # Eq. 9: sqrt(n)
    for layer in of("cifar10-fop-velocity").layers.values():
        assert (layer.scale == 1).all()


def test_a_fixed_P_is_scaled_as_any(tmp_path):
    shutil.copytree(GALLERY / "cifar10-frozen", tmp_path / "frozen")
    content = json.loads((tmp_path / "frozen/run.json").read_text())
    content["config"]["fop"]["normalized"] = True
    (tmp_path / "frozen/run.json").write_text(json.dumps(content))
    for path in (tmp_path / "frozen/snapshots").iterdir():  # as if P had been applied twice as large
        arrays = load(path.read_bytes())
        doubled = {name: 2 * array if name.endswith("/spectrum") else array for name, array in arrays.items()}
        path.write_bytes(save(doubled))
    layer = learned.of_run(Run(tmp_path / "frozen")).layers["0.weight"]
    spectra = layer.spectra.astype(float)
    np.testing.assert_allclose(np.trace(layer.all_P(), axis1=1, axis2=2), spectra.sum(1))
    assert layer.scale == pytest.approx(np.full(len(layer.steps), 2.0)) and not layer.has_M


def test_a_large_layer_has_its_last_M_and_pictures_of_the_others():
    loaded = of("mnist-fop-full-seed0")
    first = loaded.layers["1.weight"]
    assert first.kernel is None and first.M.shape == (1, 784, 784) and first.spectra.shape == (11, 784)
    steps, pictures = first.thumbnails["P"]
    assert steps.tolist() == loaded.steps.tolist() and pictures.shape == (11, 64, 64)
    assert list(first.thumbnails) == ["P"]
    P = first.P(-1)
    for name, values in (("P_diagonal", np.diag(P)), ("P_off_diagonal", P[~np.eye(784, dtype=bool)])):
        counts = first.histograms[name].counts[-1]
        assert counts.sum() == values.size and not first.histograms[name].not_finite.any()
        expected = np.histogram(values, first.histograms[name].edges[-1])[0]
        assert np.abs(counts - expected).sum() <= 4, "but for rounding at the edges"
    assert loaded.layers["3.weight"].M.shape == (11, 100, 100) and not loaded.layers["3.weight"].thumbnails


def test_a_number_a_tensor_and_one_a_parameter_are_no_matrices():
    scalar = of("cifar10-s-hd").layers["0.weight"]
    assert (scalar.form, scalar.n, scalar.is_matrix) == ("scalar", 0, False)
    assert scalar.M.shape == (len(scalar.steps),) and scalar.M[0] == 1 and not len(scalar.spectra)
    diagonal = of("cifar10-pp-hd").layers["3.weight"]
    assert (diagonal.form, diagonal.n, diagonal.is_matrix) == ("diagonal", 0, False)
    histogram = diagonal.histograms["M_diagonal"]
    assert len(histogram.steps) == 29 and (histogram.counts.sum(axis=1) == 24 * 24 * 9).all()


def test_a_layer_is_viewed_as_M_and_as_P_and_has_the_range_of_each_over_its_snapshots():
    layer = Layer("a", "factored", 2, None, *made_of(np.eye(2), np.array([[2.0, 0.0], [0.0, 1.0]])))
    np.testing.assert_array_equal(layer.view("M", 1), [[2, 0], [0, 1]])
    np.testing.assert_array_equal(layer.view("change", 1), [[3, 0], [0, 0]])
    assert layer.ranges([0, 1]) == pytest.approx({"change": 3, "P": 4, "shape": 4 / 17**0.5, "rest": 1.5, "M": 2})
    assert layer.ranges([0]) == pytest.approx({"change": 0, "P": 1, "shape": 0.5**0.5, "rest": 0, "M": 1})


def test_a_P_without_M_is_viewed_by_its_change_where_M_is_meant():
    layer = Layer("a", "direct", 2, None, *made_of(np.diag([2.0, -1.0])), only_P=True)
    np.testing.assert_array_equal(layer.view("M", 0), np.diag([1.0, -2.0]))
    assert layer.ranges([0])["M"] == 0


def test_what_is_not_finite_has_no_range():
    layer = Layer("a", "factored", 2, None, *made_of(np.full((2, 2), np.nan), np.eye(2)))
    assert layer.ranges([0, 1])["P"] == 1 and set(layer.ranges([0]).values()) == {0}


def made_of(*matrices):
    """Steps, M, scale, and steps and values of no spectra."""
    count = len(matrices)
    M = np.stack(matrices).astype(np.float32)
    return np.arange(count), M, np.ones(count), np.empty(0, np.int64), np.empty((0, 2), np.float32)


def test_nearest_is_the_last_snapshot_before():
    layer = of("mnist-fop-full-seed1").layers["3.weight"]  # at 0, 1, 1563, 3127, 4690
    assert [layer.nearest(step) for step in (-5, 0, 0.5, 1, 1562.9, 1563, 4690, 1e9)] == [0, 0, 0, 1, 1, 2, 4, 4]


def test_a_run_without_fop_says_so():
    with pytest.raises(RunError, match="mnist-sgd-seed0 trains without FOP"):
        of("mnist-sgd-seed0")


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(GALLERY / "cifar10-fop-norm", tmp_path / "copy")
    return Run(tmp_path / "copy")


def test_a_damaged_snapshot_is_left_out_and_listed_and_a_missing_one_is_not_there(copy):
    steps = copy.snapshot_steps()
    damaged, gone = (copy.path / "snapshots" / f"{step:08d}.safetensors" for step in (steps[5], steps[7]))
    damaged.write_bytes(damaged.read_bytes()[:-3])
    gone.unlink()
    loaded = learned.of_run(copy)
    assert loaded.missing.count(damaged.name) == 1 and gone.name not in loaded.missing
    kept = [step for step in steps if step not in (steps[5], steps[7])]
    assert loaded.steps.tolist() == kept
    assert all(layer.steps.tolist() == kept and len(layer.all_P()) == len(kept) for layer in loaded.layers.values())


@pytest.mark.parametrize(
    ("what", "shape", "words"),
    [
        ("M", (4, 0), "[4, 0]"),
        ("M", (0, 0), "[0, 0]"),
        ("M", (1 << 20, 1), "[1,048,576, 1]"),
        ("spectrum", (9, 9), "[9, 9]"),
        ("spectrum", (), "[]"),
    ],
    ids=str,
)
def test_a_matrix_that_has_no_room_as_P_and_eigenvalues_that_are_none_are_left_out_and_named(copy, what, shape, words):
    *_, last = steps = copy.snapshot_steps()
    for step in steps:
        arrays = copy.snapshot(step) | ({f"18.weight/{what}": np.zeros(shape, np.float32)} if step == last else {})
        files.write_arrays(copy.path / "snapshots" / f"{step:08}.safetensors", arrays)
    loaded = learned.of_run(copy)
    assert f"{copy.id}: 18.weight/{what} is {words} at step {last:,}" in loaded.missing
    layer = loaded.layers["18.weight"]
    assert loaded.steps.tolist() == steps
    assert (layer.steps if what == "M" else layer.spectrum_steps).tolist() == steps[:-1]
    assert all(np.isfinite(list(layer.ranges([-1]).values())).all() for layer in loaded.layers.values())


@pytest.mark.parametrize("form", ["direct", "exponential"])
def test_a_matrix_that_is_not_of_its_form_is_left_out_and_named(copy, form):
    content = copy.about | {"config": copy.config | {"fop": copy.config["fop"] | {"preconditioner": form}}}
    (copy.path / "run.json").write_text(json.dumps(content))
    *_, last = copy.snapshot_steps()
    arrays = copy.snapshot(last) | {"18.weight/M": np.zeros((9, 4), np.float32)}
    files.write_arrays(copy.path / "snapshots" / f"{last:08}.safetensors", arrays)
    loaded = learned.of_run(Run(copy.path))
    assert f"18.weight/M is [9, 4] at step {last:,}, where a square one is expected" in loaded.missing
    assert all(np.isfinite(layer.all_P()).all() for layer in loaded.layers.values())


def test_a_snapshot_without_spectra_leaves_the_scale_unknown_rather_than_wrong(copy):
    step = copy.snapshot_steps()[5]
    path = copy.path / "snapshots" / f"{step:08d}.safetensors"
    arrays = {name: array for name, array in copy.snapshot(step).items() if not name.endswith("spectrum")}
    files.write_arrays(path, arrays)
    layer = learned.of_run(copy).layers["3.weight"]
    assert np.isnan(layer.scale[5]) and np.isnan(layer.P(5)).all() and np.isfinite(np.delete(layer.scale, 5)).all()
    assert step not in layer.spectrum_steps


def test_a_run_without_snapshots_has_learned_nothing_yet(copy):
    shutil.rmtree(copy.path / "snapshots")
    loaded = learned.of_run(copy)
    assert (dict(loaded.layers), loaded.steps.tolist(), loaded.missing) == ({}, [], "")


@pytest.mark.parametrize("fop", [{}, {"preconditioner": 3}, {"preconditioner": "kfac"}])
def test_a_config_without_a_form_is_damaged(copy, fop):
    about = files.read_json(copy.path / "run.json")
    about["config"]["fop"] = fop
    files.write_json(copy.path / "run.json", about)
    with pytest.raises(DamagedFile, match=r"run\.json"):
        learned.of_run(Run(copy.path))


# files of somebody else's ---------------------------------------------------------------------------------------------


def test_files_are_steps_in_the_order_of_the_numbers_in_their_names():
    Ms = {step: normal(9, 4, seed=step) for step in (5, 20, 100)}
    uploads = [(f"run2_step{step}.safetensors", save({"conv/M": M, "w": M[:4]})) for step, M in Ms.items()]
    loaded = learned.of_files(uploads[::-1], "factored", spatial=True)
    assert loaded.steps.tolist() == [5, 20, 100] and list(loaded.layers) == ["conv", "w"]
    conv = loaded.layers["conv"]
    assert (conv.form, conv.n, conv.kernel, conv.is_matrix) == ("factored", 9, (3, 3), True)
    for at, M in enumerate(Ms.values()):
        np.testing.assert_array_equal(conv.M[at], M)
        np.testing.assert_allclose(conv.spectra[at], np.linalg.eigvalsh(M @ M.T), atol=1e-5)
    assert loaded.layers["w"].kernel is None  # 4 rows are no kernel's
    assert learned.of_files(uploads, "factored").layers["conv"].kernel is None


@pytest.mark.parametrize(("n", "side"), [(4, 0), (9, 3), (16, 0), (25, 5), (36, 0), (49, 7), (121, 0), (10, 0)])
def test_only_9_25_or_49_rows_are_a_kernels_and_only_where_the_reader_says_so(n, side):
    uploads = [("a.safetensors", save({"w": np.eye(n, dtype=np.float32)}))]
    assert learned.of_files(uploads, "direct", spatial=True).layers["w"].kernel == ((side, side) if side else None)
    assert learned.of_files(uploads, "direct").layers["w"].kernel is None


@pytest.mark.parametrize("form", learned.FILE_FORMS)
def test_a_P_by_its_name_is_shown_as_P_whatever_the_others_are(form):
    M = normal(3, 3)
    P = M @ M.T
    only = learned.of_files([("a.safetensors", save({"w/P": P}))], form).layers["w"]
    both = learned.of_files([("a.safetensors", save({"w/M": M, "w/P": P}))], form).layers["w"]
    odd = learned.of_files([("a.safetensors", save({"w/M": M, "w/P": P[0]}))], "factored").layers["w"]
    assert odd.form == "factored"  # its P is no matrix
    for layer in (only, both):
        assert layer.form == "direct"
        np.testing.assert_allclose(layer.P(0), P, rtol=1e-6)


def test_an_M_by_its_name_is_never_shown_as_P():
    symmetric = np.eye(3, dtype=np.float32) * 2
    uploads = [("a.safetensors", save({"w/M": symmetric}))]
    with pytest.raises(RunError, match="w/M is an M by its name: say whether P is M Mᵀ or I \\+ M Mᵀ"):
        learned.of_files(uploads, "direct")
    np.testing.assert_allclose(learned.of_files(uploads, "factored").layers["w"].P(0), 4 * np.eye(3))


def test_a_layer_that_is_P_in_one_file_and_M_in_another_is_refused():
    uploads = [("1.safetensors", save({"w/P": np.eye(3)})), ("2.safetensors", save({"w/M": np.eye(3)}))]
    with pytest.raises(RunError, match=r"w is P in 1\.safetensors and M in 2\.safetensors"):
        learned.of_files(uploads, "factored")


def test_files_without_numbers_in_every_name_are_numbered():
    uploads = [("late 7.safetensors", save({"a": normal(2, 2)})), ("early.safetensors", save({"a": 2 * normal(2, 2)}))]
    loaded = learned.of_files(uploads, "factored")
    assert loaded.steps.tolist() == [0, 1]
    np.testing.assert_array_equal(loaded.layers["a"].M, [normal(2, 2), 2 * normal(2, 2)])


def test_a_layer_may_be_in_some_files_only():
    uploads = [("1.safetensors", save({"a": normal(2, 2)})), ("2.safetensors", save({"b": normal(3, 3)}))]
    loaded = learned.of_files(uploads, "factored")
    assert [(name, layer.steps.tolist()) for name, layer in loaded.layers.items()] == [("a", [1]), ("b", [2])]


@pytest.mark.parametrize("form", learned.FILE_FORMS)
@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.uint8])
def test_what_the_matrices_are_is_what_one_says(form, dtype):
    M = np.array([[3, 1], [1, 2]], dtype)
    layer = learned.of_files([("a.safetensors", save({"a": M}))], form).layers["a"]
    M = M.astype(float)
    series = sum(np.linalg.matrix_power(M, k) / math.factorial(k) for k in range(60))
    expected = {"direct": M, "factored": M @ M.T, "low_rank": np.eye(2) + M @ M.T, "exponential": series}[form]
    np.testing.assert_allclose(layer.P(0), expected)
    np.testing.assert_allclose(layer.spectra[0], np.linalg.eigvalsh(expected), rtol=1e-6)


def test_a_thin_M_is_semidefinite_and_never_less():
    M = normal(300, 2)
    values = learned.of_files([("a.safetensors", save({"a": M}))], "factored").layers["a"].spectra[0]
    assert len(values) == 300 and (values[:298] == 0).all() and (values[298:] > 100).all()


def test_optimizers_own_factors_can_be_given():
    arrays = {
        "w": normal(9, 9),
        "bias": np.ones(9, np.float32),
        "s": np.ones((), np.float32),
        "t": np.ones((2, 2), bool),
    }
    loaded = learned.of_files([("a.safetensors", save(arrays, {"format": "pt"}))], "factored")
    assert list(loaded.layers) == ["w"]


class Danger:
    """What would leave a trace if anybody unpickled it."""

    def __reduce__(self):
        return os.mkdir, ("executed",)


def raw(header, data=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(shape=(2, 2), offsets=(0, 16), dtype="F32"):
    return {"dtype": dtype, "shape": shape, "data_offsets": offsets}


def with_value(value, dtype=np.float32):
    M = np.ones((3, 3), dtype)
    M[1, 2] = value
    return save({"a": M})


GOOD = save({"a": np.ones((3, 3), np.float32)})
HOSTILE = {
    "nothing": (b"", "0 bytes are no safetensors file"),
    "a pickle in disguise": (pickle.dumps(Danger()) + bytes(64), "does not fit"),
    "a pickle for a header": (raw(pickle.dumps(Danger())), "no safetensors header"),
    "a zip, as torch.save makes": (b"PK\x03\x04" + bytes(100), "does not fit"),
    "cut short": (GOOD[:-5], "bytes of arrays where its header says"),
    "prolonged": (GOOD + b"\0", "bytes of arrays where its header says"),
    "a header of 10 GB": (raw(b"{}", length=10 << 30), r"a header of 10,737,418,240 bytes does not fit"),
    "a shape of 10 GB": (raw({"a": entry((50_000, 50_000), (0, 10**10))}), "no safetensors header|says"),
    "a shape of 2^66 numbers": (raw({"a": entry((2**33, 2**33), (0, 16))}, bytes(16)), "no safetensors header"),
    "a shape that overflows to what fits": (raw({"a": entry((2**62, 16), (0, 16))}, bytes(16)), "no safetensors"),
    "no numbers in a huge shape": (raw({"a": entry((2**33, 2**33, 2**33, 0), (0, 0))}), "a.safetensors"),
    "overlapping": (raw({"a": entry(), "b": entry((2, 2), (8, 24))}, bytes(24)), "no safetensors header"),
    "not JSON": (raw(b"{"), "no safetensors header"),
    "nested deeply": (raw(b'{"a":' + b"[" * 100_000), "no safetensors header"),
    "too large": (bytes(learned.UPLOAD + 1), "of which 67,108,864 can be taken"),
    "no matrix": (save({"bias": np.ones(3, np.float32)}), r"no matrix \[n, k\] of numbers, but bias \[3\]"),
    "no array": (save({}), "no matrix .*, but nothing"),
    "an empty matrix": (save({"a": np.ones((0, 3), np.float32)}), "no matrix"),
    "truths": (save({"a": np.ones((3, 3), bool)}), "no matrix"),
    "truths that are none": (raw({"a": entry((2, 1), (0, 2), "BOOL")}, b"\x01\x02"), "no truth values"),
    "NaN": (with_value(np.nan), "a holds 1 values that are not finite, of 9"),
    "an infinity": (with_value(-np.inf), "not finite"),
    "a number beyond float32": (with_value(1e300, np.float64), r"a holds 1e\+300"),
    "a number whose square is": (with_value(-1e30), r"a holds 1e\+30"),
    "too many rows": (save({"a": np.ones((1025, 1), np.float32)}), r"a is \[1,025, 1\]; .* up to 1,024"),
    "too many columns": (save({"a": np.ones((1, 1025), np.float32)}), r"a is \[1, 1,025\]"),
    "one layer twice": (save({"a": np.eye(2), "a/M": np.eye(2)}), "a and a/M"),
}


@pytest.mark.parametrize("form", learned.FILE_FORMS)
@pytest.mark.parametrize(("content", "says"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.filterwarnings("error")
def test_what_cannot_be_shown_is_refused_by_name(tmp_path, monkeypatch, content, says, form):
    monkeypatch.chdir(tmp_path)
    tracemalloc.start()
    try:
        with pytest.raises((DamagedFile, RunError), match=says) as refused:
            learned.of_files([("a.safetensors", content)], form)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "a.safetensors" in str(refused.value)
    assert peak < 64 << 20
    assert os.listdir() == [], "nothing was executed"


def test_a_P_is_square_and_symmetric():
    with pytest.raises(RunError, match=r"a\.safetensors: w is \[3, 2\], and a P is square"):
        learned.of_files([("a.safetensors", save({"w": normal(3, 2)}))], "direct")
    skew = np.array([[1, 2], [-2, 1]], np.float32)
    with pytest.raises(RunError, match=r"a\.safetensors: w is not symmetric"):
        learned.of_files([("a.safetensors", save({"w": skew}))], "direct")
    least = np.iinfo(np.int8).min  # which has no absolute value of its kind
    with pytest.raises(RunError, match="w is not symmetric"):
        learned.of_files([("a.safetensors", save({"w": np.array([[0, least], [100, 0]], np.int8)}))], "direct")
    rounded = normal(20, 20) @ normal(20, 20).T
    assert learned.of_files([("a.safetensors", save({"w": rounded}))], "direct").layers["w"].n == 20


def test_the_M_of_an_exponential_is_square_symmetric_and_not_too_large():
    for matrix, says in (
        (normal(3, 2), r"w is \[3, 2\], and the M of exp\(M\) is square"),
        (np.array([[1, 2], [-2, 1]], np.float32), r"w is not symmetric, and the M of exp\(M\) is"),
        (1000 * np.eye(2, dtype=np.float32), r"w has an exp\(M\) that is not finite"),
    ):
        with pytest.raises(RunError, match=says):
            learned.of_files([("a.safetensors", save({"w": matrix}))], "exponential")
    layers = learned.of_files([("a.safetensors", save({"w": np.diag([1.0, -2.0])}))], "exponential").layers
    assert not learned.may_be_P(list(layers.values())), "its M is symmetric as it must be"


def test_files_that_do_not_fit_each_other_are_named():
    uploads = [("s1.safetensors", save({"w": normal(3, 2)})), ("s2.safetensors", save({"w": normal(4, 2)}))]
    with pytest.raises(RunError, match=r"w has another shape in each file: \[3, 2\] in s1\S+, \[4, 2\] in s2"):
        learned.of_files(uploads, "factored")
    twice = [("a7.safetensors", GOOD), ("b007.safetensors", GOOD)]
    with pytest.raises(RunError, match=r"a7\.safetensors and b007\.safetensors are both of step 7"):
        learned.of_files(twice, "factored")
    with pytest.raises(RunError, match=r"x1234567890123456789\.safetensors: its step"):
        learned.of_files([("x1234567890123456789.safetensors", GOOD)], "factored")


@pytest.mark.parametrize(
    "key", ["/M", "//M", "a/histogram/b/M", "a/histogram//M", "M", "é\n/M", "a/b/c/M", "M/M", "²/M"]
)
def test_any_name_of_a_layer_is_one(key):
    loaded = learned.of_files([("a.safetensors", save({key: normal(3, 3)}))], "factored")
    assert list(loaded.layers) == [key.removesuffix("/M")] and loaded.layers[key.removesuffix("/M")].n == 3


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_few_wrong_bytes_are_matrices_or_refused(data):
    content = bytearray(save({"a": normal(3, 3), "b/M": normal(2, 3)}))
    edits = st.tuples(st.integers(0, len(content) - 1), st.integers(0, 255))
    for offset, value in data.draw(st.lists(edits, max_size=4)):
        content[offset] = value
    try:
        loaded = learned.of_files([("a.safetensors", bytes(content))], "factored")
    except (DamagedFile, RunError):
        return
    assert all(np.isfinite(layer.spectra).all() for layer in loaded.layers.values())
