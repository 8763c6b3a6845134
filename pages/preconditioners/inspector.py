"""The step cursor and the matrices at it, in the browser: what they are sent, once for each run."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from fop_core import inspection
from fop_core.figures import style
from fop_core.figures.style import METHODS, number
from fop_core.formatting import percent
from fop_core.optim.forms import FORMS
from fop_core.quantities import QUANTITIES
from fop_core.runs import compare
from fop_core.runs.learned import Layer
from pages.components.component import component, packed
from pages.preconditioners import observed
from pages.preconditioners.settings import MATRICES
from pages.preconditioners.sources import Source

BUDGET = 4_300_000  # bytes of all matrices of one source
CURVE = 300  # buckets of a curve under the cursor
IN_BROWSER = ("factored", "low_rank", "direct")
"""The forms of which the browser makes P of M; of others it gets P."""

_cursor = component("cursor")
_inspector = component("inspector")


def cursor(source: Source, at: int, on_cursor_change: Callable[[], None], key: str) -> None:
    """Show the step cursor over the run's loss and accuracy.

    Args:
        source: what is looked into.
        at: its step, where the reader has not moved it; -1 for the last.
        on_cursor_change: called when the cursor has stopped; the session has its step as ``.at`` under the key.
        key: of the widget.
    """
    steps = source.learned.steps.tolist()
    data = {
        "key": source.key,
        "steps": steps,
        "captions": _captions(source),
        "curves": _curves(source),
        "falls": [fall.x for fall in source.falls],
        "at": at if at >= 0 else steps[-1],
        "themes": style.themes(),
    }
    with st.container(key="cursor"):
        _cursor(key=key, data=data, default={"at": None}, on_at_change=on_cursor_change)


def _curves(source: Source) -> list[dict[str, Any]]:
    if (metrics := source.metrics) is None:
        return []
    curves = []
    for name, color in (("train_loss", ""), ("test_accuracy", METHODS["fop"].color)):
        if (curve := metrics.curve("step", name)) is None or not np.isfinite(curve.y).any():
            continue
        x, y = compare.drawn(curve.x, curve.y, np.empty(0, np.int64), CURVE)
        finite = y[np.isfinite(y)]
        curves.append(
            {
                "name": QUANTITIES[name].title,
                "x": [float(value) if math.isfinite(value) else None for value in x],
                "y": [float(f"{value:.4g}") if math.isfinite(value) else None for value in y],
                "color": color,
                "low": float(finite.min()),
                "high": float(finite.max()),
            }
        )
    return curves


def _captions(source: Source) -> list[str]:
    """Return a caption for each snapshot: its step, and what was measured last before it."""
    captions = [[f"step {int(step):,}"] for step in source.learned.steps]
    metrics = source.metrics
    for name in ("epoch", "train_loss", "test_accuracy"):
        of = QUANTITIES[name]
        curve = metrics.curve("step", name) if metrics is not None else None
        if curve is None or not len(curve.steps):
            continue
        indices = np.searchsorted(curve.steps, source.learned.steps, "right") - 1
        for index, caption in zip(indices.tolist(), captions):
            if index >= 0:
                value = float(curve.y[index])
                caption.append(f"{of.title} {percent(value) if of.percent else number(value)}")
    return [" · ".join(each) for each in captions]


def inspector(
    source: Source,
    beside: tuple[Source, Layer] | None,
    chosen: Mapping[str, str],
    on_choice: Callable[[], None],
    key: str,
) -> None:
    """Show the matrices at the cursor.

    Args:
        source: what is looked into.
        beside: another layer, of it or of another source, to compare the chosen one with.
        chosen: "layer", "see" ("M" or one of ``inspection.VIEWS``), "view" ("one" or "all"), and "range": whether
            matrices side by side have "one" range of colours or each its "own".
        on_choice: called when the reader chooses; the session has all four as ``.chosen`` under the key.
        key: of the widget.
    """
    heads, arrays = _sent(source.key, source)
    sources = [{"name": source.name, "layers": heads}]
    content_key = source.key
    if beside is not None:
        other, layer = beside
        others, more = _sent(other.key, other)
        head = next(each for each in others if each["name"] == layer.name)
        renamed = {name.replace("0/", "1/", 1): content for name, content in more.items()}
        arrays = arrays | {name: array for name, array in renamed.items() if name.startswith(f"1/{head['index']}/")}
        sources.append({"name": other.name, "layers": [head | {"id": f"1/{head['index']}"}]})
        content_key += f" | {other.key} {layer.name}"
    matrices = {see: {"name": each.formula, "means": f"{each.formula}: {each.about}"} for see, each in MATRICES.items()}
    data = {"key": content_key, "sources": sources, "chosen": dict(chosen), "matrices": matrices}
    _inspector(key=key, data=packed(data, arrays), default={"chosen": None}, on_chosen_change=on_choice)


@st.cache_resource(show_spinner=False, max_entries=12)
def _sent(key: str, _source: Source) -> tuple[list[dict[str, Any]], dict[str, bytes]]:
    """Return what the browser gets of a source: for each layer a head, and its arrays by name."""
    layers = list(_source.learned.layers.values())
    size = sum(layer.M.nbytes for layer in layers if layer.is_matrix)
    size += sum(4 * len(layer.steps) * layer.n**2 for layer in layers if layer.form not in IN_BROWSER)
    stride = max(1, math.ceil(size / BUDGET))
    heads: list[dict[str, Any]] = []
    arrays: dict[str, bytes] = {}
    for index, layer in enumerate(layers):
        head, content = _layer(layer, _source, stride)
        heads.append(head | {"id": f"0/{index}", "index": index})
        arrays |= {f"0/{index}/{name}": array.astype("<f4").tobytes() for name, array in content.items()}
    return heads, arrays


def _layer(layer: Layer, source: Source, stride: int) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    head: dict[str, Any] = {
        "name": layer.name,
        "title": source.labels[layer.name],
        "form": layer.form,
        "n": layer.n,
        "k": layer.M.shape[2] if layer.M.ndim == 3 else 0,
        "kernel": layer.kernel,
        "color": source.colors[layer.name],
        "words": _words(layer),
        "hasM": layer.has_M,
        "steps": [],
        "marks": [],
        "ranges": {},
        "kinds": inspection.DEFINITENESS,
        "formula": _formula(layer, source),
    }
    arrays: dict[str, np.ndarray] = {}
    if layer.one_per == "tensor":
        head["steps"] = layer.steps.tolist()
        arrays["M"] = layer.M
    if not layer.is_matrix:
        return head, arrays
    kept = np.unique(np.r_[0 : len(layer.steps) : stride, len(layer.steps) - 1])
    if not FORMS[layer.form].learns:
        kept = kept[-1:]
    head["steps"] = layer.steps[kept].tolist()
    if layer.M.size:
        arrays |= {"M": layer.M[kept], "scale": layer.scale[kept]}
    if layer.form not in IN_BROWSER:
        arrays["P"] = np.stack([layer.P(at) for at in kept.tolist()])
    head["marks"] = observed.marks(source, layer, head["steps"])
    head["ranges"] = layer.ranges(kept.tolist())
    if len(layer.spectra):
        arrays["spectrum"] = _numbers(layer)
        head["spectrumSteps"] = layer.spectrum_steps.tolist()
    if "P" in layer.thumbnails:
        steps, pictures = layer.thumbnails["P"]
        side = pictures.shape[1]
        change = pictures.astype(np.float64) - inspection.pooled_identity(layer.n, side)
        arrays["thumbs"] = change
        head |= {"thumbSteps": steps.tolist(), "side": side, "thumbRange": inspection.largest(change) or 1.0}
    if layer.name in source.patterns:
        vectors, values = source.patterns[layer.name]
        arrays["pictures"] = vectors.T
        head |= {"image": source.image(layer), "pictured": values.tolist()}
    return head, arrays


def _words(layer: Layer) -> str:
    """Say what is learned where it is no matrix."""
    form = FORMS[layer.form]
    if not form.one_per:
        return ""
    elsewhere = " Spectrum has their range over training, Histograms how they are distributed."
    about = layer.about or f"{form.known_as}: {form.about}"
    return f"{about}." + (elsewhere if form.one_per == "parameter" else "")


def _formula(layer: Layer, source: Source) -> str:
    """Say what P is of M, with the number of the paper's equation, or whose it is; nothing where that is unknown."""
    if not layer.is_matrix or layer.only_P:
        return layer.about if layer.is_matrix else ""
    settings = source.entry.settings if source.entry is not None else {}
    scaled = ""
    if settings.get("fop.normalized"):
        scaled = ", scaled to the Frobenius norm of I (Eq. 9)"
    elif settings.get("fop.rescale") is not None:
        scaled = ", rescaled (Theorem 1)"
    return FORMS[layer.form].label + scaled


def _numbers(layer: Layer) -> np.ndarray:
    """Return of each spectrum least, largest, condition, effective rank, log-determinant, definiteness as an index."""
    summary = inspection.spectrum_summary(layer.spectra)
    least, most = summary["eigenvalue_min"], summary["eigenvalue_max"]
    definite = [inspection.definiteness(float(low), float(high)) for low, high in zip(least, most)]
    kinds = list(map(inspection.DEFINITENESS.index, definite))
    names = ("condition", "effective_rank", "log_determinant")
    return np.stack([least, most, *(summary[name] for name in names), np.array(kinds, dtype=np.float64)], axis=1)
