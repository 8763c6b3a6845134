"""What a snapshot of somebody's own script holds: the preconditioners of any optimizer that shows them.

    arrays, columns, about = of_optimizer(optimizer)

They are read as ``training.diagnostics`` keeps those of our own runs, by numpy alone: an optimizer need not be torch's.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from fop_core import inspection
from fop_core.optim.forms import FORMS

Array = np.ndarray

LARGE = 256
"""Rows of a matrix above which it is kept as a thumbnail, as ``training.diagnostics`` does."""
THUMBNAIL = 64
DEEPEST = 32  # optimizers around each other: one may be around itself, or make another each time
BINS = 64


class Snapshot(NamedTuple):
    """What is kept of an optimizer at a step.

    Attributes:
        arrays: "<layer>/<what>", see docs/runs.md.
        columns: "<quantity>/<layer>", what was measured of P.
        about: "optimizer", whose they are; "kinds", of each layer what it is: a form of ``FORMS`` where it is made of a
            learned M, or "P", "basis", "scalar", "diagonal"; "scaled", whether P is M's own times a number.
    """

    arrays: dict[str, Array]
    columns: dict[str, float]
    about: dict[str, Any]


def shows(optimizer: Any) -> bool:
    """Return whether an optimizer, or what it is wrapped around, shows preconditioners."""
    return callable(getattr(unwrapped(optimizer), "preconditioners", None))


def unwrapped(optimizer: Any) -> Any:
    """Return the optimizer that shows preconditioners within those that wrap it, as Accelerate and Lightning do."""
    for _ in range(DEEPEST):
        if hasattr(optimizer, "preconditioners") or not hasattr(optimizer, "optimizer"):
            break
        optimizer = optimizer.optimizer
    return optimizer


def of_optimizer(optimizer: Any, whole: bool = False) -> Snapshot:
    """Return what a snapshot keeps of an optimizer's preconditioners. Waits for the device.

    Args:
        optimizer: with ``preconditioners()``: parameter -> P [n, n], or its factors by name, as {"input": P, "output":
            P}. A P of no dimension multiplies the tensor; one of another shape has one number for each entry. Of a
            ``FOP`` M is kept too.
        whole: keep large matrices too, their spectra and histograms, as in a run's last snapshot.

    Raises:
        TypeError: for an optimizer without them, or with something else in their place.
        ValueError: for a P that is no matrix of numbers, or two of one name.
    """
    optimizer = unwrapped(optimizer)
    if not shows(optimizer):
        raise TypeError(
            f"{type(optimizer).__name__} has no preconditioners(): give an optimizer whose preconditioners() returns "
            '{name: P} or {name: {"input": P, "output": P}}'
        )
    if _is_fop(optimizer):
        return _of_fop(optimizer, whole)
    arrays: dict[str, Array] = {}
    columns: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for layer, kind, value in _shown(optimizer):
        if layer in kinds:
            raise ValueError(
                f"two matrices are called {layer!r}: a factor's name is its parameter's, a blank and its own"
            )
        with np.errstate(over="ignore"):  # what float32 cannot hold is kept as infinite
            kept, measured = _inspected(value, kind, whole)
        arrays |= {f"{layer}/{what}": array for what, array in kept.items()}
        columns |= {f"{quantity}/{layer}": number for quantity, number in measured.items()}
        kinds[layer] = kind
    return Snapshot(arrays, columns, {"optimizer": type(optimizer).__name__, "kinds": kinds, "scaled": False})


def _is_fop(optimizer: Any) -> bool:
    """Return whether an optimizer has what ours has: known by that, as torch is not loaded here."""
    form = getattr(optimizer, "preconditioner", None)
    return isinstance(form, str) and form in FORMS and hasattr(optimizer, "factors") and hasattr(optimizer, "layers")


def _shown(optimizer: Any) -> Iterator[tuple[str, str, Array]]:
    """Yield each matrix that an optimizer shows: its layer, what it is, and its values in float64."""
    preconditioners = optimizer.preconditioners()
    if not isinstance(preconditioners, Mapping):
        raise TypeError(f"preconditioners() gave a {type(preconditioners).__name__}: a mapping from names is expected")
    for layer, value in _by_layer(preconditioners):
        if not (P := _exact(value, layer)).size:
            raise ValueError(f"the P of {layer} is empty: {list(P.shape)}")
        kind = "scalar" if not P.ndim else "P" if P.ndim == 2 and P.shape[0] == P.shape[1] else "diagonal"
        yield layer, kind, P
    bases: Mapping[str, Any] = getattr(optimizer, "bases", dict)()
    for layer, value in _by_layer(bases):
        yield f"{layer} basis", "basis", _exact(value, layer)
    for layer, value in getattr(optimizer, "scales", dict)().items():
        yield f"{layer} scales", "diagonal", _exact(value, layer)


def _by_layer(matrices: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in matrices.items():
        if isinstance(value, Mapping):
            yield from ((f"{name} {factor}", matrix) for factor, matrix in value.items())
        else:
            yield str(name), value


def _exact(value: Any, layer: str) -> Array:
    """Return numbers of torch, numpy or another library in float64, on the CPU."""
    if "complex" in str(getattr(value, "dtype", "")):
        raise ValueError(f"the P of {layer} is of complex numbers: real ones are expected")
    for step in ("detach", "cpu", "double"):  # of a torch tensor, whose dtype numpy may not know
        value = getattr(value, step)() if hasattr(value, step) else value
    try:
        array = np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the P of {layer} is no array of numbers, but a {type(value).__name__}: {error}") from None
    return array


def _inspected(value: Array, kind: str, whole: bool) -> tuple[dict[str, Array], dict[str, float]]:
    """Return arrays and quantities of what an optimizer shows."""
    if kind == "scalar":
        number = float(value)
        return {"M": value.astype(np.float32)}, {"eigenvalue_min": number, "eigenvalue_max": number}
    if kind == "diagonal":
        return histogram_arrays("M_diagonal", value), _summary(value.flatten()) | {"eigenvalue_mean": _mean(value)}
    if kind == "basis":
        return ({"basis": value.astype(np.float32)} if whole or len(value) <= LARGE else {}), {}
    n = len(value)
    arrays = {"P": value.astype(np.float32)} if whole or n <= LARGE else {}
    measured = {"identity_distance": _norm(value - np.eye(n)), "eigenvalue_mean": _mean(np.diagonal(value))}
    finite = bool(np.isfinite(value).all())
    if (whole or n <= LARGE) and (not finite or inspection.symmetric(value)):  # of another, eigenvalues are complex
        spectrum = inspection.eigenvalues(value)
        measured |= _summary(spectrum)
        arrays |= {"spectrum": spectrum.astype(np.float32)} if finite else {}
    arrays |= large_arrays("P", value, whole)
    return arrays, measured if finite else dict.fromkeys(measured, math.nan)


def _of_fop(optimizer: Any, whole: bool) -> Snapshot:
    """Return what is kept of a ``FOP``: as ``training.diagnostics.inspect`` has it, the form of P included."""
    arrays: dict[str, Array] = {}
    columns: dict[str, float] = {}
    kinds: dict[str, str] = {}
    factors, preconditioners = optimizer.factors(), optimizer.preconditioners()
    form = FORMS[optimizer.preconditioner]
    scaled = bool(optimizer.normalized) or optimizer.rescale is not None
    for layer in optimizer.layers():
        P, M = _exact(preconditioners[layer.name], layer.name), _exact(layer.M, layer.name)
        finite = bool(np.isfinite(P).all())
        kept: dict[str, Array] = {}
        measured: dict[str, float] = {}
        n = 1 if form.one_per else len(P)
        if layer.name in factors and (whole or (n <= LARGE and form.one_per != "parameter")):
            kept["M"] = _exact(factors[layer.name], layer.name).astype(np.float32)
        if form.one_per == "tensor":
            measured = {"eigenvalue_min": float(P), "eigenvalue_max": float(P)}
        elif form.one_per == "parameter":
            kept |= histogram_arrays("M_diagonal", M)
            measured = _summary(P.flatten())
        elif whole or M.shape[1] <= LARGE:
            spectrum = _spectrum(M, P, form.name, scaled) if finite else np.full(n, math.nan)
            measured = _summary(spectrum) | {"identity_distance": _norm(spectrum - 1)}
            kept |= {"spectrum": spectrum.astype(np.float32)} if finite else {}
        else:
            measured = {"identity_distance": _norm(P - np.eye(n))}
        if not form.one_per:
            kernel = tuple(layer.parameter.shape[2:])
            if layer.layout.name == "spatial" and len(kernel) == 2:
                measured |= {name: float(value) for name, value in inspection.whitening(P, kernel).items()}
            kept |= large_arrays("P", P, whole)
            if form.learns and not form.has_rank:  # of a low rank only M M^T means something
                kept |= large_arrays("M", M, whole)
        measured["eigenvalue_mean"] = _mean(P if form.one_per else np.diagonal(P))
        if not finite:
            measured = dict.fromkeys(measured, math.nan)
        if (rate := layer.state.get("rate")) is not None:
            measured["rho"] = float(optimizer.hyper_lr) * float(rate)
        arrays |= {f"{layer.name}/{what}": array for what, array in kept.items()}
        columns |= {f"{quantity}/{layer.name}": number for quantity, number in measured.items()}
        kinds[layer.name] = form.name
    return Snapshot(arrays, columns, {"optimizer": "FOP", "kinds": kinds, "scaled": scaled})


def _spectrum(M: Array, P: Array, form: str, scaled: bool) -> Array:
    """Return the eigenvalues [n] of P, ascending, by M where it tells them better, see ``inspection.spectrum``."""
    if FORMS[form].spectrum is None:
        return inspection.eigenvalues(P)
    values = inspection.spectrum(M, form)
    return np.sort(values * (np.trace(P) / values.sum())) if scaled else values


def _summary(values: Array) -> dict[str, float]:
    return {name: float(value) for name, value in inspection.spectrum_summary(values).items()}


def _norm(values: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float(np.linalg.norm(values))


def _mean(values: Array) -> float:
    with np.errstate(invalid="ignore", over="ignore"):
        return float(values.mean())


def large_arrays(name: str, matrix: Array, whole: bool) -> dict[str, Array]:
    """Return what stands for a matrix [n, n] of more than ``LARGE`` rows: its thumbnail; of a whole one histograms."""
    n = len(matrix)
    if n <= LARGE:
        return {}
    arrays = {f"{name}_thumbnail": thumbnail(matrix)}
    if whole:
        arrays |= histogram_arrays(f"{name}_diagonal", np.diagonal(matrix))
        arrays |= histogram_arrays(f"{name}_off_diagonal", matrix[~np.eye(n, dtype=bool)])
    return arrays


def thumbnail(matrix: Array, size: int = THUMBNAIL) -> Array:
    """Return a matrix [n, m] as float16 [min(n, size), min(m, size)]: means over areas.

    Area (i, j) has the rows from floor(i n / size) to ceil((i + 1) n / size), and likewise columns.
    """
    for axis in (0, 1):
        n = matrix.shape[axis]
        k = min(n, size)
        begin = np.arange(k) * n // k
        end = -(-np.arange(1, k + 1) * n // k)
        matrix = np.stack([matrix.take(range(b, e), axis).mean(axis) for b, e in zip(begin, end)], axis)
    with np.errstate(over="ignore"):
        return matrix.astype(np.float16)


def histogram_arrays(name: str, values: Array) -> dict[str, Array]:
    """Return the arrays of a histogram of values of any shape, as a snapshot has them, see docs/runs.md."""
    flat = values.reshape(1, -1)
    missing = int((~np.isfinite(flat)).sum())
    counts, edges = inspection.histograms(flat, BINS)
    if missing == flat.size:
        edges = np.full(BINS + 1, np.nan)
    parts = {"counts": counts[0], "edges": edges, "not_finite": np.array(missing, np.int64)}
    return {f"histogram/{name}/{what}": array for what, array in parts.items()}
