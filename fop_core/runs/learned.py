"""What a run learned, layer by layer: its snapshots as arrays over steps. Or matrices from a file of somebody else's.

of_run(run).layers["3.weight"].P(-1)        # P [n, n] at the last snapshot, as the next step would have applied it
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from fop_core import inspection
from fop_core.optim.forms import FORMS, FormOfP
from fop_core.runs import files, lineage
from fop_core.runs.compare import flat
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import RUN_JSON
from fop_core.runs.run import Run

Array = np.ndarray

UPLOAD = 64 << 20  # bytes of one file of somebody else's
LARGEST = 1024  # rows of a matrix of theirs
LARGEST_WHOLE = 4096  # rows of a matrix of a run: P [n, n] takes 134 MB then
HIGHEST = 1e15  # in size, of its numbers: float32 holds the eigenvalues of M M^T of so many
LARGEST_EXPONENT = 88  # of which exp is finite in float32, as the browser has it
KERNELS = {side * side: (side, side) for side in (3, 5, 7)}
"""Of rows of a matrix of theirs, the kernel that may be meant."""
FILE_FORMS: Mapping[str, FormOfP] = {form.name: form for form in FORMS.values() if form.P is not None and form.learns}
"""What an uploaded file may hold the M of; by "direct" it holds P."""
SQUARE = tuple(form.name for form in FORMS.values() if form.symmetric)
"""The forms whose M is [n, n]."""
OTHERS: Mapping[str, str] = MappingProxyType({"soap": "SOAP", "shampoo": "Shampoo", "psgd_kron": "PSGD-Kron"})
"""The optimizers that learn preconditioners beside FOP, by their names in settings, and what they are called."""
OF_M = " or ".join(form.formula for form in FILE_FORMS.values() if not form.symmetric)


@dataclass(frozen=True)
class Histograms:
    """How the values of a large matrix were distributed at some steps.

    Attributes:
        steps: [h].
        counts: [h, bins].
        edges: [h, bins + 1]; each step has its own.
        not_finite: [h], how many values fell in no bin.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("mnist-fop-rank16-seed0")).layers["1.weight"]
        >>> diagonal = layer.histograms["P_diagonal"]
        >>> diagonal.counts[-1].sum(), diagonal.edges[-1][[0, -1]].round(3)  # 784 values of P, from least to most
        (np.int64(784), array([1.   , 1.004]))
    """

    steps: Array
    counts: Array
    edges: Array
    not_finite: Array


@dataclass(frozen=True)
class Layer:
    """What one layer learned.

    Attributes:
        name: of the parameter.
        form: as ``FOP``'s ``preconditioner``.
        n: rows of P; 0 where P is no matrix.
        kernel: (KH, KW) of a spatial P; None of another.
        steps: [s], ascending, of the snapshots that hold M; a large layer's M is in the last one only.
        M: float32 [s, n, k]; [s] for "scalar"; empty for "diagonal"; k = 0 where nothing is learned.
        scale: [s], what P as applied is of ``inspection.preconditioner(M, form)``; 1 but where P is normalized.
        spectrum_steps: [e].
        spectra: float32 [e, n]: eigenvalues of P as applied, ascending.
        thumbnails: of a large layer, "P" and "M": steps [t] and float16 [t, 64, 64], means over areas.
        histograms: of a large or diagonal layer, "P_diagonal", "P_off_diagonal", "M_diagonal", "M_off_diagonal".
        only_P: whether ``M`` is a P that was uploaded as such, so that what it was made of is unknown; or another
            optimizer's factor or basis.
        about: what it is where that is not FOP's, as "Shampoo, input factor".

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import learned
        >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
        >>> layer.form, layer.n, layer.kernel, layer.M.shape, layer.spectra.shape
        ('factored', 9, (3, 3), (113, 9, 9), (113, 9))
        >>> layer.spectra[-1].round(2)  # eigenvalues of P at the end
        array([0.  , 0.21, 0.62, 0.73, 0.9 , 0.99, 1.02, 1.04, 1.05],
              dtype=float32)
    """

    name: str
    form: str
    n: int
    kernel: tuple[int, int] | None
    steps: Array
    M: Array
    scale: Array
    spectrum_steps: Array
    spectra: Array
    thumbnails: Mapping[str, tuple[Array, Array]] = field(default_factory=dict)
    histograms: Mapping[str, Histograms] = field(default_factory=dict)
    only_P: bool = False
    about: str = ""

    @property
    def one_per(self) -> str:
        """Of what P has one number each, where it is no matrix: "tensor" or "parameter".

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> names = "cifar10-fop-velocity", "cifar10-s-hd", "cifar10-pp-hd"
            >>> [learned.of_run(runs.load(name)).layers["0.weight"].one_per for name in names]
            ['', 'tensor', 'parameter']
        """
        return FORMS[self.form].one_per

    @property
    def has_M(self) -> bool:
        """Whether there is an M [n, k] of which P is made.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> names = "cifar10-fop-velocity", "cifar10-s-hd"
            >>> [learned.of_run(runs.load(name)).layers["0.weight"].has_M for name in names]
            [True, False]
        """
        return self.is_matrix and FORMS[self.form].learns and not self.only_P

    @property
    def is_matrix(self) -> bool:
        """Whether there is a P [n, n] to look at.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> names = "cifar10-fop-velocity", "cifar10-s-hd"
            >>> [learned.of_run(runs.load(name)).layers["0.weight"].is_matrix for name in names]
            [True, False]
        """
        return self.n > 0 and len(self.steps) > 0

    def P(self, at: int) -> Array:
        """Return P [n, n] of the snapshot ``steps[at]``, as applied.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
            >>> layer.P(0).round(2)[:2, :2], layer.P(-1).round(2)[:2, :2]  # the identity, and what became of it
            (array([[1., 0.],
                   [0., 1.]]), array([[ 0.73, -0.28],
                   [-0.28,  0.7 ]]))
        """
        return inspection.preconditioner(self.M[at], self.form) * self.scale[at]

    def all_P(self) -> Array:
        """Return P of every snapshot, [s, n, n].

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"].all_P().shape
            (113, 9, 9)
        """
        return inspection.preconditioner(self.M, self.form) * self.scale[:, None, None]

    def view(self, what: str, at: int) -> Array:
        """Return a matrix of the snapshot ``steps[at]``, float64: "M" [n, k], or P [n, n] as ``inspection.view``.

        Where there is no M, "M" is the change P - I.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
            >>> layer.view("change", -1).round(2)[0, :3]  # the first row of P - I
            array([-0.27, -0.28, -0.19])
        """
        if what == "M":
            return self.M[at].astype(np.float64) if self.has_M else inspection.view(self.P(at), "change")
        return inspection.view(self.P(at), what)

    def ranges(self, indices: Sequence[int]) -> dict[str, float]:
        """Return ``inspection.largest`` of M and of each view of P over snapshots; 0 where no matrix is finite.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
            >>> {what: round(size, 2) for what, size in layer.ranges([0, -1]).items()}
            {'change': 0.32, 'P': 1.0, 'shape': 0.33, 'rest': 0.19, 'M': 1.0}
        """
        most = dict.fromkeys((*inspection.VIEWS, "M"), 0.0)
        for at in indices:
            P = self.P(at)
            matrices = {what: inspection.view(P, what) for what in inspection.VIEWS}
            if self.has_M:
                matrices["M"] = self.M[at]
            for what, matrix in matrices.items():
                size = inspection.largest(matrix)
                if math.isfinite(size):
                    most[what] = max(most[what], size)
        return most

    def nearest(self, step: float) -> int:
        """Return the index in ``steps`` of the last snapshot at or before a step, or of the first one.

        Example:
            >>> from fop_core import runs
            >>> from fop_core.runs import learned
            >>> layer = learned.of_run(runs.load("cifar10-fop-velocity")).layers["18.weight"]
            >>> layer.steps[layer.nearest(1000)]
            np.int64(953)
        """
        return before(self.steps, step)


@dataclass(frozen=True)
class Learned:
    """What a run learned.

    Attributes:
        layers: by name, in the order of the network.
        steps: of all snapshots, ascending.
        missing: what could not be read, in words; empty for nothing.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import learned
        >>> result = learned.of_run(runs.load("cifar10-fop-velocity"))
        >>> list(result.layers), len(result.steps), result.missing
        (['0.weight', '3.weight', '6.weight', '9.weight', '12.weight', '15.weight', '18.weight'], 113, '')
    """

    layers: Mapping[str, Layer]
    steps: Array
    missing: str = ""


def before(steps: Array, step: float) -> int:
    """Return the index in ascending steps of the last one at or before a step, or of the first one.

    Example:
        >>> import numpy as np
        >>> from fop_core.runs.learned import before
        >>> before(np.array([0, 100, 200]), 150), before(np.array([50, 100]), 7)
        (1, 0)
    """
    return max(0, int(np.searchsorted(steps, step, "right")) - 1)


def learns(settings: Mapping[str, Any]) -> bool:
    """Return whether a run of settings, as ``compare.flat`` gives them, learns a preconditioner.

    Example:
        >>> from fop_core.runs.learned import learns
        >>> learns({"optimizer.name": "sgd"}), learns({"optimizer.name": "soap"})
        (False, True)
        >>> learns({"optimizer.name": "sgd", "fop.preconditioner": "factored"})
        True
    """
    return bool(settings.get("fop.preconditioner")) or str(settings.get("optimizer.name")) in OTHERS


def of_run(run: Run) -> Learned:
    """Return what a run has learned so far.

    A snapshot that is not whole is left out and listed in ``missing``.

    Raises:
        RunError: where it learns nothing: a run without FOP, by another optimizer than ``OTHERS``; a script's without
            snapshots.
        FileNotFoundError, DamagedFile: where its run.json or metrics are not what they should be.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import learned
        >>> layers = learned.of_run(runs.load("mnist-fop-rank16-seed0")).layers
        >>> {name: layer.M.shape for name, layer in layers.items()}
        {'1.weight': (1, 784, 16), '3.weight': (30, 100, 16), '5.weight': (30, 100, 16), '7.weight': (30, 100, 16)}
        >>> learned.of_run(runs.load("mnist-sgd-seed0"))
        Traceback (most recent call last):
            ...
        fop_core.runs.files.RunError: mnist-sgd-seed0 trains without FOP: it learned no preconditioner
    """
    if recorded := lineage.recorded(run):
        return _of_script(run, recorded)
    fop = run.config.get("fop")
    owner = "" if isinstance(fop, dict) else OTHERS.get(str(flat(run.config).get("optimizer.name")), "")
    if not isinstance(fop, dict) and not owner:
        raise RunError(f"{run.name} trains without FOP: it learned no preconditioner")
    form = fop.get("preconditioner") if isinstance(fop, dict) else "direct"
    if not isinstance(form, str) or form not in FORMS:
        raise DamagedFile(f"{run.path / RUN_JSON}: no preconditioner {form!r}")
    run.metrics.update()
    spatial = {name.partition("/")[2] for name in run.metrics.columns if name.startswith("constant_share/")}
    snapshots, wrong = _snapshots(run, FORMS[form].symmetric)
    names = sorted({_layer_of(name) for arrays in snapshots.values() for name in arrays}, key=natural)
    if isinstance(fop, dict):
        scaled = bool(fop.get("normalized")) or fop.get("rescale") is not None
        layers = {name: _layer(name, form, name in spatial, scaled, snapshots) for name in names}
    else:
        layers = {name: _layer_of_another(name, owner, snapshots) for name in names}
    return Learned(layers, np.array(sorted(snapshots), dtype=np.int64), wrong)


def _snapshots(run: Run, square: bool | None = None) -> tuple[dict[int, dict[str, Array]], str]:
    """Return the snapshots that can be read, by their steps, and why others, or arrays in them, cannot, in words.

    Args:
        run: whose.
        square: whether its M are; None where each snapshot says what its layers are.
    """
    snapshots: dict[int, dict[str, Array]] = {}
    wrong = []
    left_out: dict[str, str] = {}
    for step in run.snapshot_steps():
        try:
            arrays = run.snapshot(step)
            kinds = run.snapshot_about(step).get("kinds") if square is None else None
            kinds = kinds if isinstance(kinds, dict) else {}
            of_squares = {f"{layer}/M" for layer, kind in kinds.items() if kind in SQUARE}
            for name, array in list(arrays.items()):
                if not (wanted := _wanted(name, array, square or name in of_squares)):
                    continue
                shape = ", ".join(f"{extent:,}" for extent in arrays.pop(name).shape)
                left_out[name] = f"{run.id}: {name} is [{shape}] at step {step:,}, where {wanted}"
            snapshots[step] = arrays
        except FileNotFoundError:  # downsampled or discarded meanwhile
            continue
        except DamagedFile as error:
            wrong.append(str(error))
    return snapshots, "; ".join([*wrong, *left_out.values()])


def _wanted(name: str, array: Array, square: bool) -> str:
    """Return what is expected in the place of an array that cannot be shown, or ""."""
    if name.endswith("/spectrum") and (array.ndim != 1 or not array.size):
        return "eigenvalues [n] are expected"
    if name.endswith(("/M", "/P", "/basis")) and array.ndim == 2:
        if not array.size or max(array.shape) > LARGEST_WHOLE:
            return f"matrices of 1 to {LARGEST_WHOLE:,} rows can be shown"
        if array.shape[0] != array.shape[1] and (square or not name.endswith("/M")):
            return "a square one is expected"
    return ""


def _of_script(run: Run, recorded: str) -> Learned:
    """Return what a script recorded: each snapshot says of its layers what they are, the last one counts."""
    run.metrics.update()
    spatial = {name.partition("/")[2] for name in run.metrics.columns if name.startswith("constant_share/")}
    snapshots, wrong = _snapshots(run)
    if not snapshots and not wrong:
        raise RunError(f"{run.name} was recorded {recorded} without a snapshot: run.snapshot(optimizer) takes one")
    kinds: dict[str, str] = {}
    owner, scaled = "", False
    for step in sorted(snapshots):
        about = run.snapshot_about(step)
        here = about.get("kinds")
        if not isinstance(here, dict) or not all(kind in (*FORMS, "P", "basis") for kind in here.values()):
            raise DamagedFile(f"{run.path}: its snapshot of step {step} says of its layers {here!r:.200}")
        kinds |= here
        owner, scaled = str(about.get("optimizer", "")), bool(about.get("scaled"))
    layers = {}
    for name in sorted(kinds, key=natural):
        kind = kinds[name]
        if kind in ("P", "basis"):
            about_it = f"{owner}, {kind if kind == 'basis' else 'P'} of {name}"
            made = _layer(name, "direct", False, False, snapshots, kind)
            layers[name] = replace(made, only_P=True, about=about_it)
        else:
            made = _layer(name, kind, name in spatial, scaled, snapshots)
            layers[name] = made if owner == "FOP" else replace(made, about=f"{owner}, {kind} P")
    return Learned(layers, np.array(sorted(snapshots), dtype=np.int64), wrong)


def _layer_of(name: str) -> str:
    layer, slash, what = name.rpartition("/")
    return layer.partition("/histogram/")[0] if slash else what


def natural(name: str) -> list[tuple[int, Any]]:
    """Return what to sort names by so that 3.weight comes before 12.weight.

    Example:
        >>> from fop_core.runs.learned import natural
        >>> sorted(["12.weight", "3.weight"], key=natural)
        ['3.weight', '12.weight']
    """
    return [(0, int(part)) if part.isdecimal() else (1, part) for part in re.split("([0-9]+)", name)]


def _layer(
    name: str,
    form: str,
    spatial: bool,
    scaled: bool,
    snapshots: Mapping[int, Mapping[str, Array]],
    matrix: str = "M",
) -> Layer:
    steps, M = _over(snapshots, f"{name}/{matrix}")
    spectrum_steps, spectra = _over(snapshots, f"{name}/spectrum")
    n = 0
    if FORMS[form].P is not None:
        n = M.shape[1] if M.ndim == 3 else spectra.shape[1] if spectra.ndim == 2 else 0
    if not FORMS[form].learns:
        steps, M = spectrum_steps, np.empty((len(spectrum_steps), n, 0), np.float32)
    thumbnails = {what: _over(snapshots, f"{name}/{what}_thumbnail") for what in ("P", "M")}
    histograms = {}
    for what in ("P_diagonal", "P_off_diagonal", "M_diagonal", "M_off_diagonal"):
        parts = [_over(snapshots, f"{name}/histogram/{what}/{part}") for part in ("counts", "edges", "not_finite")]
        if len(parts[0][0]) and all(len(part[0]) == len(parts[0][0]) for part in parts):
            histograms[what] = Histograms(parts[0][0], *(values for _, values in parts))
    scale = np.ones(len(steps))
    if scaled and n and len(steps):
        scale = _scale(M, form, steps, spectrum_steps, spectra)
    side = math.isqrt(n)
    kernel = (side, side) if spatial and side * side == n else None
    there = {what: series for what, series in thumbnails.items() if len(series[0])}
    return Layer(name, form, n, kernel, steps, M, scale, spectrum_steps, spectra, there, histograms)


def _layer_of_another(name: str, owner: str, snapshots: Mapping[int, Mapping[str, Array]]) -> Layer:
    """Return a factor, basis or scales of another optimizer, as ``diagnostics.inspect_factors`` keeps them."""
    _, _, which = name.partition(" ")
    if which == "scales":
        about = f"{owner}, what a gradient is multiplied by in its bases"
        return replace(_layer(name, "diagonal", False, False, snapshots), about=about)
    if which.endswith("basis"):
        about = f"{owner}, {which}: its columns are the directions that are scaled"
        return replace(_layer(name, "direct", False, False, snapshots, "basis"), only_P=True, about=about)
    about = f"{owner}, {which} factor" if which else f"{owner}, P"
    return replace(_layer(name, "direct", False, False, snapshots, "P"), only_P=True, about=about)


def _over(snapshots: Mapping[int, Mapping[str, Array]], name: str) -> tuple[Array, Array]:
    """Return the steps that hold an array and its values, stacked; those of the first one's shape."""
    pairs = [(step, arrays[name]) for step, arrays in sorted(snapshots.items()) if name in arrays]
    kept = [(step, array) for step, array in pairs if array.shape == pairs[0][1].shape]
    steps = np.array([step for step, _ in kept], dtype=np.int64)
    return steps, np.stack([array for _, array in kept]) if kept else np.empty(0, np.float32)


def _scale(M: Array, form: str, steps: Array, spectrum_steps: Array, spectra: Array) -> Array:
    """Return the one number by which P as applied differs from M's own P: the spectrum's sum is P's trace."""
    index = np.minimum(np.searchsorted(spectrum_steps, steps), max(len(spectrum_steps) - 1, 0))
    scale = np.full(len(steps), np.nan)
    if not len(spectrum_steps):
        return scale
    there = spectrum_steps[index] == steps
    trace = np.trace(inspection.preconditioner(M, form), axis1=1, axis2=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        scale[there] = spectra.astype(np.float64).sum(1)[index[there]] / trace[there]
    return scale


def of_files(contents: Sequence[tuple[str, bytes]], form: str, spatial: bool = False) -> Learned:
    """Return matrices from safetensors files, one file a step.

    A file's step is the last whole number in its name; without one in every name they are numbered in their order.
    Arrays of two dimensions count, "<layer>" as ``save_file(optimizer.factors(), path)`` writes them, "<layer>/M" and
    "<layer>/P". Of the last two the name says which they are; of a layer that has both, P is taken.

    Args:
        contents: name and content of each file.
        form: one of ``FILE_FORMS``: of what a matrix is the M whose name does not say it.
        spatial: whether 9, 25 or 49 rows are a kernel's positions.

    Raises:
        DamagedFile: for a file that is no safetensors file, or is too large.
        RunError: for matrices that do not fit.

    Example:
        >>> import numpy as np
        >>> from safetensors.numpy import save
        >>> from fop_core.runs import learned
        >>> M = np.eye(9, dtype=np.float32)
        >>> contents = [("M-1.safetensors", save({"0.weight": M})), ("M-2.safetensors", save({"0.weight": 2 * M}))]
        >>> layer = learned.of_files(contents, "factored", spatial=True).layers["0.weight"]
        >>> layer.steps, layer.kernel, layer.P(-1)[0, 0]
        (array([1, 2]), (3, 3), np.float64(4.0))
    """
    files_of = dict(zip(_steps([name for name, _ in contents]), contents))
    matrices: dict[str, dict[int, Array]] = {}
    forms: dict[str, tuple[str, str]] = {}  # of each layer, and the first file that has it
    for step, (name, content) in files_of.items():
        for layer, (its, matrix) in _matrices(name, content, form).items():
            known, first = forms.setdefault(layer, (its, name))
            if known != its:
                kinds = ["P" if each == "direct" else "M" for each in (known, its)]
                raise RunError(f"{layer} is {kinds[0]} in {first} and {kinds[1]} in {name}: give one of the two")
            matrices.setdefault(layer, {})[step] = matrix
    layers = {}
    for layer, by_step in sorted(matrices.items(), key=lambda item: natural(item[0])):
        if len({matrix.shape for matrix in by_step.values()}) > 1:
            shapes = ", ".join(f"{list(matrix.shape)} in {files_of[step][0]}" for step, matrix in by_step.items())
            raise RunError(f"{layer} has another shape in each file: {shapes}")
        steps = np.array(sorted(by_step), dtype=np.int64)
        M = np.stack([by_step[step] for step in sorted(by_step)])
        n = M.shape[1]
        kernel = KERNELS.get(n) if spatial else None
        its, _ = forms[layer]
        spectra = inspection.spectrum(M, its).astype(np.float32)
        layers[layer] = Layer(
            layer, its, n, kernel, steps, M, np.ones(len(steps)), steps, spectra, only_P=its == "direct"
        )
    return Learned(layers, np.array(sorted(files_of), dtype=np.int64))


def may_be_P(layers: Sequence[Layer]) -> bool:
    """Return whether matrices that were taken for M are all symmetric, as a P is, and not I, from which both start.

    Example:
        >>> import numpy as np
        >>> from safetensors.numpy import save
        >>> from fop_core.runs import learned
        >>> P = np.array([[2.0, 1.0], [1.0, 3.0]], np.float32)
        >>> read = learned.of_files([("P.safetensors", save({"0.weight": P}))], "factored")
        >>> learned.may_be_P(list(read.layers.values()))  # taken for the M of M M^T, and yet symmetric
        True
    """
    every = [layer.M for layer in layers if not FORMS[layer.form].symmetric]
    if not every or any(M.shape[1] != M.shape[2] for M in every):
        return False
    return all(inspection.symmetric(M) for M in every) and not all(
        np.array_equal(M, np.broadcast_to(np.eye(M.shape[1]), M.shape)) for M in every
    )


def _steps(names: Sequence[str]) -> list[int]:
    """Return the step of each file: the last whole number in its name, or its index where not all have one."""
    numbers = [re.findall("[0-9]+", Path(name).stem) for name in names]
    if not all(numbers):
        return list(range(len(names)))
    name_of: dict[int, str] = {}
    for name, digits in zip(names, numbers):
        if len(digits[-1].lstrip("0")) > 15:
            raise RunError(f"{name}: its step would be {digits[-1]}: give a name with a smaller last number")
        step = int(digits[-1])
        if step in name_of:
            raise RunError(f"{name_of[step]} and {name} are both of step {step}, the last number in their names")
        name_of[step] = name
    return list(name_of)


def _matrices(file: str, content: bytes, form: str) -> dict[str, tuple[str, Array]]:
    """Return the matrices of a file by layer: what form each is of, and float32 [n, k].

    Args:
        file: its name.
        content: its bytes.
        form: of a matrix whose name does not say it.
    """
    arrays = files.parse_arrays(content, file, UPLOAD)
    matrices = {key: array for key, array in arrays.items() if _is_matrix(key, array)}
    layers: dict[str, tuple[str, Array]] = {}
    keys: dict[str, str] = {}
    for key, array in matrices.items():
        layer = key[:-2] if key.endswith(("/M", "/P")) else key
        if key.endswith("/M") and f"{layer}/P" in matrices:
            continue  # P is made of it
        if layer in keys:
            raise RunError(f"{file}: {keys[layer]} and {key} are two matrices of one layer")
        keys[layer] = key
        if key.endswith("/M") and form == "direct":
            raise RunError(f"{file}: {key} is an M by its name: say whether P is {OF_M}")
        is_P = key.endswith("/P")
        layers[layer] = "direct" if is_P else form, _checked(file, layer, array, "direct" if is_P else form)
    if not layers:
        there = ", ".join(f"{key} {list(array.shape)}" for key, array in list(arrays.items())[:3])
        raise RunError(f"{file} holds no matrix [n, k] of numbers, but {there or 'nothing'}")
    return layers


def _is_matrix(key: str, array: Array) -> bool:
    named = "/" not in key or key.endswith(("/M", "/P"))
    return named and array.ndim == 2 and array.dtype.kind in "fiu" and array.size > 0


def _checked(file: str, layer: str, array: Array, form: str) -> Array:
    """Return a matrix in float32."""
    n, k = array.shape
    if n > LARGEST or k > LARGEST:
        raise RunError(f"{file}: {layer} is [{n:,}, {k:,}]; matrices of up to {LARGEST:,} rows can be shown")
    row = FORMS[form]
    what = "a P" if form == "direct" else f"the M of {row.formula}"
    if row.symmetric and n != k:
        raise RunError(f"{file}: {layer} is [{n}, {k}], and {what} is square: say that it is the M of {OF_M}")
    if bad := int((~np.isfinite(array)).sum()):
        raise RunError(f"{file}: {layer} holds {bad:,} values that are not finite, of {array.size:,}")
    if (largest := max(abs(float(array.max())), abs(float(array.min())))) > HIGHEST:
        raise RunError(f"{file}: {layer} holds {largest:.4g}; numbers of up to {HIGHEST:g} can be shown")
    matrix = array.astype(np.float32)
    if row.symmetric and not inspection.symmetric(matrix):
        raise RunError(f"{file}: {layer} is not symmetric, and {what} is: say that it is the M of {OF_M}")
    if form == "exponential" and float(np.linalg.eigvalsh(matrix)[-1]) > LARGEST_EXPONENT:
        raise RunError(
            f"{file}: {layer} has an {row.formula} that is not finite in float32: give one of smaller numbers"
        )
    return matrix
