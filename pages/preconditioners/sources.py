"""What the Preconditioners page looks into: a run's snapshots, or matrices from a file of the reader's own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from fop_core import similarity
from fop_core.figures.learned_curves import depth_colors
from fop_core.figures.training_curves import LONGEST
from fop_core.runs import GALLERY, compare, learned, store
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.learned import Layer, Learned
from fop_core.runs.listing import Entry
from fop_core.runs.loaded import Loaded
from fop_core.runs.milestones import Fall, falls
from pages.components.download import slug
from pages.shared import curves
from pages.shared.listing import listing

LABEL = LONGEST  # characters of a layer's label, unless labels of more are needed to tell layers apart
PATTERNS = 12  # leading eigenvectors of a layer whose inputs are an image
IMAGE = {"mnist": (28, 28)}  # what the first layer's inputs are


@dataclass(frozen=True)
class Source:
    """Something to look into.

    Attributes:
        id: of the run, or of the files.
        name: what people call it.
        learned: its layers.
        entry: of the run; None of files.
    """

    id: str
    name: str
    learned: Learned
    entry: Entry | None = None

    @property
    def run(self) -> str:
        """What it is called in files that are saved of it, and in their names: a run's id, else the file's name."""
        return self.entry.id if self.entry is not None else slug(self.name.removesuffix(".safetensors"))

    @property
    def metrics(self) -> Loaded | None:
        """Of the run, up to date; None of files."""
        return curves.loaded([self.entry])[0] if self.entry is not None else None

    @property
    def falls(self) -> list[Fall]:
        """The steps at which the run's learning rate fell; none of files."""
        metrics = self.metrics
        return falls(self.entry.settings, metrics, "step") if self.entry is not None and metrics is not None else []

    @property
    def key(self) -> str:
        """Identifies its present state."""
        steps = self.learned.steps
        return f"{self.id} {len(steps)} {steps[-1] if len(steps) else 0}"

    @cached_property
    def colors(self) -> Mapping[str, str]:
        """A colour for each layer, by its depth."""
        layers = self.learned.layers
        return dict(zip(layers, depth_colors(len(layers))))

    @cached_property
    def labels(self) -> Mapping[str, str]:
        """A short label for each layer."""
        return labels(list(self.learned.layers))

    @property
    def matrices(self) -> list[Layer]:
        """The layers that have a P [n, n]."""
        return [layer for layer in self.learned.layers.values() if layer.is_matrix]

    @cached_property
    def may_be_P(self) -> bool:
        """Whether what was taken for M may be P, see ``learned.may_be_P``."""
        return learned.may_be_P(self.matrices)

    def image(self, layer: Layer) -> tuple[int, int] | None:
        """Return the rows and columns of the image whose pixels are a layer's inputs, or None."""
        if self.entry is None:
            return None
        shape = IMAGE.get(str(self.entry.settings.get("data.name")))
        first = next(iter(self.learned.layers), None)
        return shape if shape and layer.name == first and layer.n == shape[0] * shape[1] else None

    def grid(self, layer: Layer) -> tuple[int, int] | None:
        """Return rows and columns of what P's rows are positions in: a layer's kernel, or the image of its inputs."""
        return layer.kernel or self.image(layer)

    @cached_property
    def patterns(self) -> Mapping[str, tuple[np.ndarray, np.ndarray]]:
        """Of layers whose inputs are an image: leading eigenvectors of the last P, [n, k], and their eigenvalues."""
        patterns = {}
        for layer in self.matrices:
            if self.image(layer) and layer.has_M and np.isfinite(P := layer.P(-1)).all():
                patterns[layer.name] = similarity.leading_modes(P, PATTERNS)
        return patterns


def labels(names: Sequence[str]) -> dict[str, str]:
    """Return a label for each layer: its name less ".weight", cut in the middle as far as labels still differ."""
    whole = [name.removesuffix(".weight") for name in names]
    length = LABEL
    while len(set(cut := [_cut(name, length) for name in whole])) < len(set(whole)):
        length += 1
    return dict(zip(names, cut))


def _cut(name: str, length: int) -> str:
    if len(name) <= length:
        return name
    head = length // 2
    return f"{name[:head]}…{name[len(name) - (length - 1 - head) :]}"


def snapshot_index(steps: np.ndarray, at: int) -> int:
    """Return the index in ascending steps of the last one at or before ``at``; of the last of all for -1."""
    return learned.before(steps, at) if at >= 0 else len(steps) - 1


def known() -> dict[str, Entry]:
    """Return every run that learned a preconditioner, or still learns one, by its id: the gallery's first."""
    listings = listing(GALLERY), listing(store.runs_folder())
    return {
        id_: entry for each in listings for id_, entry in each.entries().items() if not entry.damaged and entry.learns
    }


def damaged() -> list[Entry]:
    """Return the runs that cannot be listed, so that nobody knows whether they learned a preconditioner."""
    return [entry for entry in listing(store.runs_folder()).entries().values() if entry.damaged]


def of_entry(entry: Entry) -> Source | str:
    """Return a run to look into, or why that is not possible."""
    try:
        steps = entry.run.snapshot_steps()
        return _of_run(str(entry.run.path), len(steps), steps[-1] if steps else -1, entry.name, entry)
    except (RunError, DamagedFile, OSError) as error:
        return str(error)


@st.cache_resource(show_spinner=False, max_entries=12)
def _of_run(path: str, count: int, last: int, name: str, _entry: Entry) -> Source:
    """Read a run; ``count`` and ``last`` of its snapshots say whether what is remembered is still true."""
    return Source(_entry.id, name, learned.of_run(_entry.run), _entry)


def of_upload(files: Sequence[UploadedFile], form: str, spatial: bool) -> Source | str:
    """Return files to look into, or what is wrong with them."""
    try:
        return _of_files(tuple(file.file_id for file in files), form, spatial, files)
    except (RunError, DamagedFile) as error:
        return str(error)


@st.cache_resource(show_spinner="Reading the matrices …", max_entries=4)
def _of_files(ids: Sequence[str], form: str, spatial: bool, _files: Sequence[UploadedFile]) -> Source:
    """Read files; ``ids`` are new with each upload."""
    matrices = learned.of_files([(file.name, file.getvalue()) for file in _files], form, spatial)
    name = _files[0].name if len(_files) == 1 else f"{len(_files)} files"
    return Source(f"{'-'.join(ids)} {form} {spatial}", name, matrices)


def seeds(of: Entry) -> list[Entry]:
    """Return the runs that differ from one by the seed alone, itself among them."""
    entries = list(known().values())
    groups = compare.groups([entry.settings for entry in entries], [entry.preset for entry in entries])
    for group in groups:
        members = [entries[index] for index in group.members]
        if any(entry.id == of.id for entry in members):
            return members
    return [of]
