"""What the training loop logs of gradients and of what is learned, each quantity a function.

Gradients are measured every few steps of a fast network: those functions return 0-d tensors on the device and never
wait for it. Preconditioners are measured at snapshots, on the CPU, in float64. ``gradient_columns`` and ``inspect``
gather them into columns "<quantity>/<parameter>" of the metrics and arrays "<parameter>/<what>" of a snapshot.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from fop_core import inspection
from fop_core.optim import batched
from fop_core.optim.fop import FOP
from fop_core.optim.forms import FORMS
from fop_core.optim.preconditioners import PRECONDITIONERS

Array = np.ndarray

LARGE = 256  # a layer with n above it is shown by thumbnails and histograms; its spectrum takes tens of milliseconds
THUMBNAIL = 64  # rows and columns
BINS = 64

# gradients ------------------------------------------------------------------------------------------------------------


def angle_deg(g: Tensor, pg: Tensor) -> Tensor:
    """Return the angle between two tensors of one shape in degrees, 0-d (Figure A.1: between g and P g).

    Kahan's ``2 atan2(|u - v|, |u + v|)`` on the unit vectors: near 0 the arc cosine of float32 is off by 0.02 degrees,
    this by 1e-5. NaN where a length is 0, or beyond what its dtype can square (1e19 in float32).
    """
    return _angle_deg(_unit(g, torch.linalg.vector_norm(g)), _unit(pg, torch.linalg.vector_norm(pg)))


def length_ratio(g: Tensor, pg: Tensor) -> Tensor:
    """Return ``|pg| / |g|``, 0-d: by how much preconditioning lengthens the step. NaN where both are zero."""
    return torch.linalg.vector_norm(pg) / torch.linalg.vector_norm(g)


def alignment(g: Tensor, previous: Tensor) -> Tensor:
    """Return the cosine of successive gradients of one shape, 0-d in [-1, 1]; NaN where one is zero.

    It is what moves P: with one step's trace, P = s I has the hypergradient ``-eps <g, previous>``.
    """
    return _cosine(descent(g, previous), torch.linalg.vector_norm(g), torch.linalg.vector_norm(previous))


def descent(g: Tensor, move: Tensor) -> Tensor:
    """Return ``<g, theta_after - theta_before>``, 0-d: the first-order change of the loss, negative for a descent."""
    return torch.dot(g.flatten(), move.flatten())


@torch.no_grad()
def gradient_columns(
    gradients: Mapping[str, Tensor],
    preconditioned: Mapping[str, Tensor],
    previous: Mapping[str, Tensor],
    moves: Mapping[str, Tensor],
) -> dict[str, Tensor]:
    """Return a step's columns as 0-d tensors, without waiting for the device. All tensors are on one.

    Each length is taken once; else the columns are those of the functions above. A parameter without a gradient at this
    step has none.

    Args:
        gradients: parameter name -> g, at least one.
        preconditioned: P g, where there is a P: gives "angle_deg/<name>" and "length_ratio/<name>".
        previous: the gradient of the step before: gives "alignment/<name>".
        moves: theta_after - theta_before of this step: gives "descent/<name>".

    Returns:
        These columns and "grad_norm", the 2-norm of all gradients together.
    """
    lengths = _lengths(gradients)
    columns = {"grad_norm": torch.linalg.vector_norm(torch.stack(list(lengths.values())))}
    for name, length in _lengths(preconditioned).items():
        if name in gradients:
            u, v = _unit(gradients[name], lengths[name]), _unit(preconditioned[name], length)
            columns[f"angle_deg/{name}"] = _angle_deg(u, v)
            columns[f"length_ratio/{name}"] = length / lengths[name]
    for name, length in _lengths(previous).items():
        if name in gradients:
            product = descent(gradients[name], previous[name])
            columns[f"alignment/{name}"] = _cosine(product, lengths[name], length)
    for name, move in moves.items():
        if name in gradients:
            columns[f"descent/{name}"] = descent(gradients[name], move)
    return columns


def _lengths(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return each tensor's 2-norm; on a GPU in a few kernels for all."""
    return dict(zip(tensors, batched.norms(list(tensors.values())))) if tensors else {}


def _unit(tensor: Tensor, length: Tensor) -> Tensor:
    one = length / length  # or NaN, where a unit vector cannot be had: 0 / 0 and inf / inf
    return tensor / (length * one)


def _angle_deg(u: Tensor, v: Tensor) -> Tensor:
    return torch.atan2(torch.linalg.vector_norm(u - v), torch.linalg.vector_norm(u + v)) * (2 * 180 / math.pi)


def _cosine(product: Tensor, length: Tensor, other: Tensor) -> Tensor:
    return (product / (length * other)).clamp(-1, 1)


# preconditioners ------------------------------------------------------------------------------------------------------


def spectrum_summary(eigenvalues: Tensor) -> dict[str, float]:
    """Summarize the eigenvalues [n] of a symmetric P.

    Returns:
        eigenvalue_min, eigenvalue_max;
        condition: max / min, inf where min <= 0;
        effective_rank: the exponential of the Shannon entropy of ``|lambda| / sum |lambda|`` (Roy & Vetterli 2007),
        from 1 to n; NaN where all are 0;
        log_determinant: the sum of ``log lambda``, -inf where one is 0, NaN where one is negative.
        All NaN where an eigenvalue is.
    """
    values = _exact(eigenvalues)
    least, most = float(values.min()), float(values.max())
    shares = values.abs() / values.abs().sum()
    return {
        "eigenvalue_min": least,
        "eigenvalue_max": most,
        "condition": math.inf if least <= 0 else most / least,
        "effective_rank": float(torch.special.entr(shares).sum().exp()),
        "log_determinant": float(values.log().sum()),
    }


def identity_distance(P: Tensor) -> float:
    """Return ``||P - I||_F`` of P [n, n]: how far it has come from plain gradient descent."""
    return float(torch.linalg.matrix_norm(_change(P)))


def _change(P: Tensor) -> Tensor:
    """Return P - I [n, n]."""
    change = _exact(P).clone()
    change.diagonal().sub_(1)
    return change


def whitening(P: Tensor, kernel: tuple[int, int]) -> dict[str, float]:
    r"""Measure the whitening structure of section 5 in a spatial P.

    The paper: each position of a kernel "sends a strong positive weight to itself, and negative weights to its
    immediate neighbors". Yet most of P - I is the constant direction, P = I - c 11^T/n: the mean over positions is
    taken out of the gradient, and *every* off-diagonal entry is negative, near or far. So neighbours are looked at in
    what is left after ``a I + c 11^T`` is fitted by least squares. The fit meets the mean of the off-diagonal entries:
    left there is the entry minus that mean, and whitening shows as negative neighbours beside positive others.

    Args:
        P: [n, n], n = KH * KW, row ``kh * KW + kw``.
        kernel: (KH, KW).

    Returns:
        constant_sign: ``<P - I, 11^T/n>_F``, the quotient ``1^T P 1 / n`` minus 1: negative where P shrinks the
        constant direction, -c for I - c 11^T/n.
        constant_share: its square over ``||P - I||_F^2``, the share of P - I along ``11^T/n``: 1 for I - c 11^T/n and
        nothing else; NaN for P = I. The identity has a part along 11^T/n too: a mere a I has the share 1/n, and
        a I - c 11^T/n has ``(a - 1 - c)^2 / ((a - 1)^2 (n - 1) + (a - 1 - c)^2)``.
        row_neighbours, row_others: mean of what is left over pairs of positions in one kernel row, whose columns differ
        by 1, by more; column_neighbours, column_others: the same in one kernel column; elsewhere: over pairs that
        share neither. NaN where there is no such pair.

    Raises:
        ValueError: for a P that does not fit the kernel.
    """
    n = math.prod(kernel)
    if P.shape != (n, n):
        raise ValueError(f"P is {list(P.shape)}, a kernel {kernel} needs [{n}, {n}]")
    change = _change(P)
    constant, square = float(change.sum()) / n, float(change.square().sum())
    left = change - change[~torch.eye(n, dtype=torch.bool)].mean()
    pairs = {name: torch.from_numpy(those) for name, those in inspection.pairs(kernel).items()}
    shares = {"constant_share": constant * constant / square if square else math.nan, "constant_sign": constant}
    return shares | {name: float(left[those].mean()) for name, those in pairs.items()}


class Histogram(NamedTuple):
    """How many values fall where.

    Attributes:
        counts: int64 [bins]; with ``not_finite`` they add up to the number of values.
        edges: float64 [bins + 1], ascending, from the least finite value to the largest; a bin holds its lower edge,
            the last one both. NaN where no value is finite.
        not_finite: how many are NaN or infinite.
    """

    counts: Array
    edges: Array
    not_finite: int


def histogram(values: Tensor, bins: int = BINS) -> Histogram:
    """Count values of any shape in bins of one width, over the range of the finite ones.

    Where all are equal, or too near each other for so many bins, the range is widened about them.
    """
    numbers = _exact(values).flatten().numpy()
    finite = numbers[np.isfinite(numbers)]
    missing = numbers.size - finite.size
    if not finite.size:
        return Histogram(np.zeros(bins, np.int64), np.full(bins + 1, np.nan), missing)
    low, high = finite.min(), finite.max()
    if high - low <= 1e-12 * max(abs(low), abs(high), 1e-290):
        half = max(0.5, 1e-3 * abs(low))
        low, high = low - half, high + half
    counts, edges = np.histogram(finite, bins, (low, high))
    return Histogram(counts.astype(np.int64), edges, missing)


def thumbnail(matrix: Tensor, size: int = THUMBNAIL) -> Array:
    """Return a matrix [n, m] as float16 of at most [size, size]: means over areas; a smaller one comes back whole.

    Adaptive average pooling: where size does not divide n, neighbouring areas share a row.
    """
    n, m = matrix.shape
    areas = (min(n, size), min(m, size))
    return torch.nn.functional.adaptive_avg_pool2d(matrix.detach()[None], areas)[0].half().cpu().numpy()


# a snapshot -----------------------------------------------------------------------------------------------------------


def inspect(optimizer: FOP, deep: bool, *, whole: bool = False) -> tuple[dict[str, Array], dict[str, float]]:
    """Return what a snapshot holds of an optimizer's layers, and its columns of the metrics. Waits for the device.

    Arrays, for P [n, n] as the next step applies it and M as ``FOP.factors`` gives it:

    - "<layer>/M" float32 for n <= LARGE;
    - "<layer>/spectrum" float32 [n], the eigenvalues of P, ascending, where M has at most LARGE columns: a low rank is
      cheap for any n, a large square M is left to ``deep``;
    - for n > LARGE "<layer>/P_thumbnail" and, for a square M, "<layer>/M_thumbnail", float16 [64, 64]; and where
      ``deep``, of the same matrices "<layer>/histogram/<M|P>_<diagonal|off_diagonal>/<counts|edges|not_finite>", int64
      [64], float64 [65] and int64 0-d. A low rank's M has neither: only M M^T means something, M Q with Q orthogonal is
      the same P.

    Columns "<quantity>/<layer>": those of ``spectrum_summary`` where there is a spectrum, "eigenvalue_mean", tr(P)/n,
    "identity_distance", those of ``whitening`` for the two-dimensional kernels of the layout "spatial", and "rho" where
    a layer learns its own.

    "scalar" has M, 0-d, and the columns eigenvalue_min = eigenvalue_max = eigenvalue_mean = s alone. "diagonal" has the
    histogram "M_diagonal", "eigenvalue_mean" and the columns of ``spectrum_summary``; its M and spectrum are as large
    as the parameters.
    "mean_removing" has no M.

    A P with a number that is not finite has the same columns, all NaN, and no spectrum.

    Args:
        optimizer: whose layers.
        deep: take what takes long, the spectra of large square M and the histograms of large matrices: about 0.1 s for
            n = 784.
        whole: keep M whatever its size, as in a run's last snapshot.
    """
    arrays: dict[str, Array] = {}
    columns: dict[str, float] = {}
    factors, preconditioners = optimizer.factors(), optimizer.preconditioners()
    form = FORMS[optimizer.preconditioner]
    for layer in optimizer.layers():
        n, k = layer.M.shape
        M, P = factors.get(layer.name), _exact(preconditioners[layer.name])
        finite = all(map(math.isfinite, P.aminmax()))  # NaN is either of them
        layer_arrays: dict[str, Array] = {}
        measured: dict[str, float] = {}
        if M is not None and (whole or (n <= LARGE and form.one_per != "parameter")):
            layer_arrays["M"] = M.detach().float().cpu().numpy()

        if form.one_per == "tensor":
            measured = {"eigenvalue_min": float(P), "eigenvalue_max": float(P)}
        elif form.one_per == "parameter":
            layer_arrays |= _histogram_arrays("M_diagonal", layer.M)
            measured = spectrum_summary(P.flatten())
        else:
            if k <= LARGE or deep:
                spectrum = _spectrum(optimizer, _exact(layer.M), P) if finite else P.new_full((n,), math.nan)
                measured = spectrum_summary(spectrum)
                measured["identity_distance"] = float(torch.linalg.vector_norm(spectrum - 1))  # P is symmetric
                if finite:
                    layer_arrays["spectrum"] = spectrum.float().numpy()
            else:
                measured = {"identity_distance": identity_distance(P)}
            kernel = tuple(layer.parameter.shape[2:])
            if layer.layout.name == "spatial" and len(kernel) == 2:
                measured |= whitening(P, kernel)
            if n > LARGE:
                large = {"P": preconditioners[layer.name]}
                large |= {"M": layer.M} if form.learns and not form.has_rank else {}
                for name, matrix in large.items():
                    layer_arrays[f"{name}_thumbnail"] = thumbnail(matrix)
                    layer_arrays |= _histograms(name, matrix) if deep else {}

        measured["eigenvalue_mean"] = float(P.mean() if form.one_per else P.trace() / n)
        if not finite:
            measured = dict.fromkeys(measured, math.nan)
        arrays |= {f"{layer.name}/{what}": array for what, array in layer_arrays.items()}
        columns |= {f"{quantity}/{layer.name}": number for quantity, number in measured.items()}
        if (factor := layer.state.get("rate")) is not None:
            columns[f"rho/{layer.name}"] = optimizer.hyper_lr_of(layer) * float(factor)
    return arrays, columns


def inspect_factors(
    factors: Mapping[str, Tensor | Mapping[str, Tensor]],
    bases: Mapping[str, Mapping[str, Tensor]],
    scales: Mapping[str, Tensor],
    deep: bool,
    *,
    whole: bool = False,
) -> tuple[dict[str, Array], dict[str, float]]:
    """Return what a snapshot holds of another optimizer's preconditioners, and its columns. Waits for the device.

    A factor is a layer of its own, "<parameter> <factor>", as "0.weight input"; a P for the whole parameter has its
    name. Arrays:

    - of a factor P [n, n], symmetric: "<layer>/P" float32 for n <= LARGE, its "spectrum", and what ``inspect`` has of a
      large P;
    - "<parameter> <factor> basis/basis" float32 [n, n] for n <= LARGE, whose columns are the vectors of a basis;
    - "<parameter> scales/histogram/M_diagonal/...", of the numbers that a gradient is multiplied by.

    Columns are those of ``inspect``, of P and of the scales.

    Args:
        factors: parameter -> P, or its factors by their names.
        bases: parameter -> orthogonal matrices by their names.
        scales: parameter -> one number for each entry.
        deep: take what takes long.
        whole: keep every matrix whatever its size, as in a run's last snapshot.

    Raises:
        ValueError: for two of one name.
    """
    arrays: dict[str, Array] = {}
    columns: dict[str, float] = {}

    kept: set[str] = set()

    def keep(layer: str, layer_arrays: Mapping[str, Array], measured: Mapping[str, float]) -> None:
        if layer in kept:
            raise ValueError(
                f"two matrices are called {layer!r}: a factor's name is its parameter's, a blank and its own"
            )
        kept.add(layer)
        arrays.update({f"{layer}/{what}": array for what, array in layer_arrays.items()})
        columns.update({f"{quantity}/{layer}": number for quantity, number in measured.items()})

    for name, of_parameter in factors.items():
        named = {name: of_parameter} if isinstance(of_parameter, Tensor) else _by_layer(name, of_parameter)
        for layer, P in named.items():
            keep(layer, *_inspect_factor(P, deep, whole))
    for name, of_parameter in bases.items():
        for layer, basis in _by_layer(name, of_parameter).items():
            if whole or len(basis) <= LARGE:
                keep(f"{layer} basis", {"basis": basis.detach().float().cpu().numpy()}, {})
    for name, numbers in scales.items():
        measured = spectrum_summary(numbers.flatten())
        keep(f"{name} scales", _histogram_arrays("M_diagonal", numbers), measured)
    return arrays, columns


def _by_layer(parameter: str, factors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{parameter} {factor}": matrix for factor, matrix in factors.items()}


def _inspect_factor(P: Tensor, deep: bool, whole: bool) -> tuple[dict[str, Array], dict[str, float]]:
    """Return arrays and quantities of a symmetric P [n, n]."""
    n, exact = len(P), _exact(P)
    arrays: dict[str, Array] = {}
    if whole or n <= LARGE:
        arrays["P"] = P.detach().float().cpu().numpy()
    finite = all(map(math.isfinite, exact.aminmax()))
    if n <= LARGE or deep:
        spectrum = torch.linalg.eigvalsh(exact) if finite else exact.new_full((n,), math.nan)
        measured = spectrum_summary(spectrum)
        measured["identity_distance"] = float(torch.linalg.vector_norm(spectrum - 1))
        arrays |= {"spectrum": spectrum.float().numpy()} if finite else {}
    else:
        measured = {"identity_distance": identity_distance(P)}
    if n > LARGE:
        arrays["P_thumbnail"] = thumbnail(P)
        arrays |= _histograms("P", P) if deep else {}
    return arrays, measured if finite else dict.fromkeys(measured, math.nan)


def _exact(tensor: Tensor) -> Tensor:
    """Return it on the CPU in float64."""
    return tensor.detach().cpu().double()


def _spectrum(optimizer: FOP, M: Tensor, P: Tensor) -> Tensor:
    """Return the eigenvalues [n] of a finite P, ascending, in float64: those that M tells, where it tells them better.

    Args:
        optimizer: what P is made by.
        M: what is learned, [n, k], k = 0 where nothing is.
        P: as applied: M's own P times one number, which the trace gives.
    """
    if (of_M := PRECONDITIONERS[optimizer.preconditioner].spectrum) is None:
        return torch.linalg.eigvalsh(P)
    values = of_M(M)
    if optimizer.normalized or optimizer.rescale is not None:
        values = values * (P.trace() / values.sum())
    return values.sort().values


def _histograms(name: str, matrix: Tensor) -> dict[str, Array]:
    """Return the arrays of the histograms of a large matrix [n, n]."""
    n = len(matrix)
    off_diagonal = matrix.flatten()[1:].view(n - 1, n + 1)[:, :-1]  # rows of n + 1 end on the diagonal
    diagonal = _histogram_arrays(f"{name}_diagonal", matrix.diagonal())
    return diagonal | _histogram_arrays(f"{name}_off_diagonal", off_diagonal)


def _histogram_arrays(name: str, values: Tensor) -> dict[str, Array]:
    counts, edges, not_finite = histogram(values)
    parts = {"counts": counts, "edges": edges, "not_finite": np.array(not_finite, np.int64)}
    return {f"histogram/{name}/{what}": array for what, array in parts.items()}
