"""A run as a TensorBoard log, and the scalars of such a log as rows.

It needs the package tensorboard, and neither TensorFlow nor torch.
"""

import datetime
import fnmatch
import io
import itertools
import json
import math
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from fop_core import inspection
from fop_core.runs import learned, lineage
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.learned import Layer
from fop_core.runs.run import Run
from fop_core.trackers.imported import Rows

Array = np.ndarray

SIDE = 256  # pixels that a small matrix has at least, a whole number of them for each entry
BINS = 64
MISSING = 'it needs tensorboard: pip install tensorboard, or in the folder of FOP Lab pip install ".[tensorboard]"'
EVENTS = "*tfevents*"


def export(run: Run, folder: Path | str) -> Path:
    """Write a run as a TensorBoard log: scalars, and of each layer at each snapshot histograms and P as an image.

    TensorBoard keeps scalars in float32. "P − I/<layer>" is blue where P shortens and orange where it lengthens, in one
    range over all layers and steps, which the text "about" names; "P/<layer>/..." are histograms.

    Args:
        run: read anew.
        folder: to be made, or empty.

    Returns:
        The event file.

    Raises:
        ModuleNotFoundError: without tensorboard.
        FileExistsError: where the folder holds something.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.trackers import tensorboard
        >>> with runs.record({"lr": 0.1}, name="mine") as recording:
        ...     recording.log(1, train_loss=0.5)
        >>> tensorboard.export(recording.run, "log").name
        'events.out.tfevents...'
    """
    try:
        from tensorboard.compat.proto.event_pb2 import Event
        from tensorboard.compat.proto.summary_pb2 import Summary
        from tensorboard.summary.writer.event_file_writer import EventFileWriter
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING) from error
    folder = Path(folder)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FileExistsError(f"{folder} is there already: give a new folder, or an empty one")
    run.metrics.update()
    shown = _learned(run)
    largest = _range(shown.values())
    begun, seconds = _begun(run), _seconds(run)
    folder.mkdir(parents=True, exist_ok=True)
    writer = EventFileWriter(str(folder))

    def write(step: int, values: list[Any]) -> None:
        wall_time = begun + float(np.interp(step, *seconds) if len(seconds[0]) else 0)
        writer.add_event(Event(step=step, wall_time=wall_time, summary=Summary(value=values)))

    try:
        write(0, [_about(run, largest)])
        scalars = _by_step(run)
        for step in sorted({*scalars, *(step for layer in shown.values() for step in _steps(layer))}):
            values = [Summary.Value(tag=name, simple_value=value) for name, value in scalars.get(step, {}).items()]
            for layer in shown.values():
                values += _of_layer(layer, step, largest)
            write(step, values)
    finally:
        writer.close()
    return next(iter(sorted(folder.glob(EVENTS))))


def _learned(run: Run) -> Mapping[str, Layer]:
    try:
        return learned.of_run(run).layers
    except RunError:  # it learns nothing
        return {}


def _begun(run: Run) -> float:
    attempts = run.attempts
    started = attempts[0].get("started") if attempts else None
    moment = started or run.about["created"]
    return datetime.datetime.fromisoformat(moment).timestamp()


def _seconds(run: Run) -> tuple[Array, Array]:
    """Return steps, and the seconds of training up to each; nothing of a run that did not say."""
    if "seconds" not in run.metrics:
        return np.empty(0), np.empty(0)
    series = run.metrics["seconds"]
    finite = np.isfinite(series.values)
    return series.steps[finite], series.values[finite]


def _by_step(run: Run) -> dict[int, dict[str, float]]:
    rows: dict[int, dict[str, float]] = {}
    for name in run.metrics.columns:
        steps, values = run.metrics[name]
        with np.errstate(over="ignore"):
            for step, value in zip(steps.tolist(), values.astype(np.float32).tolist()):
                rows.setdefault(step, {})[name] = value
    return rows


def _steps(layer: Layer) -> set[int]:
    thumbnails = layer.thumbnails.get("P", ((), None))[0]
    return {int(step) for steps in (layer.steps, layer.spectrum_steps, thumbnails) for step in steps}


def _range(layers: Any) -> float:
    """Return the largest entry of P - I over all layers and steps; 1 where there is none."""
    changes = (change for layer in layers for step in _steps(layer) for change in _changes(layer, step))
    most = [inspection.largest(change) for change in changes]
    return max((each for each in most if math.isfinite(each) and each > 0), default=1.0)


def _changes(layer: Layer, step: int) -> list[Array]:
    """Return P - I of a step: whole, or a thumbnail; nothing where the step has none."""
    if layer.is_matrix and step in layer.steps:
        return [inspection.view(layer.P(int(np.searchsorted(layer.steps, step))), "change")]
    if "P" in layer.thumbnails and step in (steps := layer.thumbnails["P"][0]):
        small = layer.thumbnails["P"][1][int(np.searchsorted(steps, step))].astype(np.float64)
        return [small - inspection.pooled_identity(layer.n or len(small), len(small))]
    return []


def _of_layer(layer: Layer, step: int, largest: float) -> Iterator[Any]:
    """Yield the summaries of a layer at a step."""
    from tensorboard.compat.proto.summary_pb2 import Summary

    if layer.is_matrix and step in layer.steps:
        P = layer.P(int(np.searchsorted(layer.steps, step)))
        yield Summary.Value(tag=f"P/{layer.name}/entries", histo=_histogram(P))
    if layer.spectra.ndim == 2 and step in layer.spectrum_steps:
        values = layer.spectra[int(np.searchsorted(layer.spectrum_steps, step))]
        yield Summary.Value(tag=f"P/{layer.name}/eigenvalues", histo=_histogram(values))
    for change in _changes(layer, step):
        image = _image(change, largest)
        yield Summary.Value(tag=f"P − I/{layer.name}", image=image)


def _histogram(values: Array) -> Any:
    from tensorboard.compat.proto.histogram_pb2 import HistogramProto

    finite = np.asarray(values, dtype=np.float64)
    finite = finite[np.isfinite(finite)]
    if not finite.size:
        return HistogramProto()
    counts, edges = inspection.histograms(finite[None], BINS)
    return HistogramProto(
        min=finite.min(),
        max=finite.max(),
        num=finite.size,
        sum=finite.sum(),
        sum_squares=np.square(finite).sum(),
        bucket_limit=edges[1:].tolist(),
        bucket=counts[0].tolist(),
    )


def _image(matrix: Array, largest: float) -> Any:
    """Return a matrix as a picture, each entry a square of whole pixels; what is not finite is grey."""
    from PIL import Image
    from tensorboard.compat.proto.summary_pb2 import Summary

    from fop_core.figures.paper_learned import DIVERGING

    scaled = np.ma.masked_invalid((matrix / largest + 1) / 2)
    colors = DIVERGING(scaled, bytes=True)[..., :3]
    times = max(1, SIDE // max(matrix.shape))
    pixels = colors.repeat(times, 0).repeat(times, 1)
    content = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(content, "png")
    height, width = pixels.shape[:2]
    return Summary.Image(height=height, width=width, colorspace=3, encoded_image_string=content.getvalue())


def _about(run: Run, largest: float) -> Any:
    """Return a text: what run it is, its settings, and the range of the images."""
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.text import metadata
    from tensorboard.util import tensor_util

    settings = json.dumps({**run.config, **lineage.settings(run)}, indent=1, ensure_ascii=False)
    words = f"{run.id}: {run.state.state}. Images are of P − I, from −{largest:.3g} (blue) to {largest:.3g} (orange)."
    text = f"{words}\n\n" + "\n".join(f"    {line}" for line in settings.splitlines())
    summary = metadata.create_summary_metadata(display_name="about", description="")
    return Summary.Value(tag="about", metadata=summary, tensor=tensor_util.make_tensor_proto([text.encode()]))


def _below(path: Path) -> list[str]:
    """Return the folders below one that hold event files, of the first thousand: it may be "/"."""
    walked = itertools.islice(os.walk(path), 1000)
    return sorted(folder for folder, _, names in walked if fnmatch.filter(names, EVENTS))


def read(path: Path | str) -> Rows:
    """Return the scalars of a TensorBoard log, by any writer: an event file, or all of a folder in their order.

    Of two values at one step the later one counts.

    Raises:
        ModuleNotFoundError: without tensorboard.
        FileNotFoundError: where there are no event files.
        DamagedFile: where one is none, or holds no scalar.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.trackers import tensorboard
        >>> with runs.record({"lr": 0.1}, name="mine") as recording:
        ...     recording.log(1, train_loss=0.5)
        >>> _ = tensorboard.export(recording.run, "log")
        >>> tensorboard.read("log").rows[1]["train_loss"]
        0.5
    """
    try:
        from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
        from tensorboard.util import tensor_util
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(MISSING) from error
    path = Path(path)
    events = sorted(path.glob(EVENTS)) if path.is_dir() else [path]
    if not events or not all(file.is_file() for file in events):
        below = _below(path)
        hint = f"; there are in {', '.join(below[:5])}" if below else ""
        raise FileNotFoundError(f"{path} holds no event files{hint}")
    rows: dict[int, dict[str, float]] = {}
    plugins: dict[str, str] = {}  # a tag's, which its first value names
    for file in events:
        try:
            for event in EventFileLoader(str(file)).Load():
                for value in event.summary.value:
                    name = value.metadata.plugin_data.plugin_name or plugins.get(value.tag, "")
                    plugins[value.tag] = name
                    if name == "scalars":
                        if (entries := math.prod(each.size for each in value.tensor.tensor_shape.dim)) != 1:
                            raise ValueError(f"the scalar {value.tag!r:.80} has {entries:,} entries")
                        number = float(tensor_util.make_ndarray(value.tensor).reshape(-1)[0])
                        rows.setdefault(event.step, {})[value.tag] = number
        except Exception as error:  # of protobuf, of the reader, of numpy: whichever part of a file is none
            raise DamagedFile(f"{file}: no event file of TensorBoard ({type(error).__name__}: {error})") from error
    if not rows:
        raise DamagedFile(f"{path}: it holds no scalar")
    if wrong := [step for step in rows if step < 0]:
        raise DamagedFile(f"{path}: it has a scalar of step {wrong[0]}, and steps count from 0")
    return Rows(rows, ())
