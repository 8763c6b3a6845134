"""Where a fork comes from: what its run.json says of its parent, and of what became of M."""

from dataclasses import dataclass

from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run

MATRICES = {
    "unchanged": "M goes on being learned: the control, which over its parent's epochs repeats it",
    "frozen": "M stays as it is from here on",
    "reset": "M is as at step 0, and so is what learns it",
    "normalized": "M goes on being learned, and P has the identity's Frobenius norm (Eq. 9) from here on",
    "transplanted": "M is another run's, what learns it as at step 0",
}
"""What a fork can do with M."""


@dataclass(frozen=True)
class Origin:
    """What a fork comes from, as its lineage says.

    Attributes:
        parent: the id of the run that it was forked from.
        step: of the parent's checkpoint.
        matrices: what became of M, a key of ``MATRICES``.
        donor: the id of the run whose M it was given, where that is so.
        donor_step: of the donor's snapshot.
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
        raise DamagedFile(f"{run.path / 'run.json'}: a lineage of no fork, {lineage!r}")
    return Origin(parent, step, matrices, donor, donor_step)
