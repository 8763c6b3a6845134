"""Where a run comes from that is no new one of ours: a fork or a control, of which parent; or somebody's own script."""

from dataclasses import dataclass
from typing import NamedTuple

from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.names import RUN_JSON
from fop_core.runs.run import Run

MATRICES = {
    "unchanged": "M goes on being learned: the control, which over its parent's epochs repeats it",
    "frozen": "M stays as it is from here on",
    "reset": "M is as at step 0, and so is what learns it",
    "normalized": "M goes on being learned, and P has the identity's Frobenius norm (Eq. 9) from here on",
    "transplanted": "M is another run's, what learns it as at step 0",
}
"""What a fork can do with M."""
CONTROLS = {
    "rate": "P is c I, where c is tr(P)/n of its parent's P at each step: as long a step, in the base's own direction",
    "final": "P is its parent's last one from step 0 on, and nothing is learned",
    "start": "P stays as it is at step 0, and nothing is learned",
}
"""What P can be in a control: a run with its parent's settings, seed and batches, from step 0."""


@dataclass(frozen=True)
class Origin:
    """What a fork comes from, as its lineage says.

    Attributes:
        parent: the id of the run that it was forked from.
        step: of the parent's checkpoint.
        matrices: what became of M, a key of ``MATRICES``.
        donor: the id of the run whose M it was given, where that is so.
        donor_step: of the donor's snapshot.

    Example:
        >>> from fop_core.runs import lineage, store
        >>> made = {"parent": "20261124-104551-baseline-47a8", "step": 2000, "matrices": "frozen"}
        >>> lineage.origin(store.create({"epochs": 2}, lineage=made))
        Origin(parent='20261124-104551-baseline-47a8', step=2000, matrices='frozen', donor=None, donor_step=None)
    """

    parent: str
    step: int
    matrices: str
    donor: str | None = None
    donor_step: int | None = None


def origin(run: Run) -> Origin | None:
    """Return what a fork comes from, or None of a run that is none.

    Raises:
        DamagedFile: where its lineage begins to say so and does not go on.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import lineage
        >>> print(lineage.origin(runs.load("mnist-sgd-seed0")))  # it is no fork
        None
    """
    lineage = run.about["lineage"]
    if "matrices" not in lineage:
        return None
    parent, step, matrices, donor, donor_step = (
        lineage.get(key) for key in ("parent", "step", "matrices", "donor", "donor_step")
    )
    whole = isinstance(parent, str) and type(step) is int and step > 0 and matrices in MATRICES
    has_donor = isinstance(donor, str) and type(donor_step) is int
    if not whole or (matrices == "transplanted") != has_donor or (donor is None) != (donor_step is None):
        raise DamagedFile(f"{run.path / RUN_JSON}: a lineage of no fork, {lineage!r}")
    return Origin(parent, step, matrices, donor, donor_step)


class ControlOf(NamedTuple):
    """What a control is one of, as its lineage says.

    Attributes:
        parent: the id of the run that it is a control of.
        kind: what P is, a key of ``CONTROLS``.

    Example:
        >>> from fop_core.runs import lineage, store
        >>> lineage.control(store.create({"epochs": 2}, lineage={"parent": "my-run", "control": "rate"}))
        ControlOf(parent='my-run', kind='rate')
    """

    parent: str
    kind: str


def control(run: Run) -> ControlOf | None:
    """Return what a control is one of, or None of a run that is none.

    Raises:
        DamagedFile: where its lineage begins to say so and does not go on.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import lineage
        >>> print(lineage.control(runs.load("mnist-sgd-seed0")))
        None
    """
    lineage = run.about["lineage"]
    if "control" not in lineage:
        return None
    parent, kind = lineage.get("parent"), lineage["control"]
    if not isinstance(parent, str) or kind not in CONTROLS or "matrices" in lineage:
        raise DamagedFile(f"{run.path / RUN_JSON}: a lineage of no control, {lineage!r}")
    return ControlOf(parent, kind)


def recorded(run: Run) -> str:
    """Return what made a run that is not ours to train, as "by train.py" or "from losses.csv"; "" of one that is.

    Raises:
        DamagedFile: where its run.json is not one.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import lineage
        >>> lineage.recorded(runs.load("mnist-sgd-seed0"))  # trained by us
        ''
    """
    made_by: str = run.about["lineage"].get("recorded", "")
    return made_by


def refuse_recorded(run: Run) -> None:
    """Raise RunError of a run that is not ours to train. Raises as ``recorded``.

    Example:
        >>> from fop_core.runs import files, lineage, store
        >>> run = store.create({"lr": 0.1}, lineage={"recorded": "by train.py"})
        >>> try:
        ...     lineage.refuse_recorded(run)
        ... except files.RunError as error:
        ...     print(str(error).partition(": ")[2])
        start its script again
    """
    if made_by := recorded(run):
        how = "start its script again" if made_by.startswith("by ") else "it is only there to be looked at"
        raise RunError(f"{run.id} was recorded {made_by}, and cannot be trained from here: {how}")


def settings(run: Run) -> dict[str, str]:
    """Return what stands beside a run's settings: "fork", what became of M and when; "control", which; "recorded".

    Raises:
        DamagedFile: as ``origin`` and ``control``.

    Example:
        >>> from fop_core.runs import lineage, store
        >>> made = {"parent": "my-run", "step": 2000, "matrices": "frozen"}
        >>> lineage.settings(store.create({"epochs": 2}, lineage=made))
        {'fork': 'frozen at step 2,000'}
    """
    made = {}
    if (of := control(run)) is not None:
        made["control"] = of.kind
    if (begun := origin(run)) is not None:
        made["fork"] = f"{begun.matrices} at step {begun.step:,}"
    if made_by := recorded(run):
        made["recorded"] = made_by
    return made


def has_start(run: Run) -> bool:
    """Return whether a run begins with what its start holds: a fork, or a control whose P comes from its parent.

    Raises:
        DamagedFile: as ``origin`` and ``control``.

    Example:
        >>> from fop_core import runs
        >>> from fop_core.runs import lineage
        >>> lineage.has_start(runs.load("mnist-sgd-seed0"))
        False
    """
    of = control(run)
    return origin(run) is not None or (of is not None and of.kind != "start")
