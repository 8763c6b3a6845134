"""From planned runs to the queue."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field

from fop_core.jobs import queue
from fop_core.runs import store
from fop_core.runs.run import Run
from fop_core.training import config, preview
from fop_core.training.config import TrainConfig
from pages.train.draft import Draft, Planned

PROBE = "probe"


@dataclass
class Launched:
    """What came of a launch.

    Attributes:
        runs: ids of those that are in the queue.
        tag: that they share, or "" of one alone.
        trouble: why the others are not, or "".
    """

    runs: list[str] = field(default_factory=list)
    tag: str = ""
    trouble: str = ""


def launch(draft: Draft, parent: str = "") -> Launched:
    """Make the runs and queue them. Those launched together share a tag, a baseline names the run that it is for.

    Args:
        draft: the runs.
        parent: the id of the run that they were cloned from, or "".
    """
    done = Launched(tag=f"{draft.runs[0].preset}-{secrets.token_hex(2)}" if len(draft.runs) > 1 else "")
    together = (done.tag,) if done.tag else ()
    try:
        for ours, theirs in draft.pairs:
            lineage = {"parent": parent} if parent else {}
            made = _launch(ours, together, lineage, done)
            if theirs is not None:
                _launch(theirs, together, lineage | {"compare": made.id}, done)
    except (OSError, ValueError) as error:
        done.trouble = f"{len(done.runs)} of {len(draft.runs)} are in the queue: {error}"
    return done


def _launch(planned: Planned, tags: Iterable[str], origin: dict[str, str], done: Launched) -> Run:
    content = planned.config.to_json()
    lineage = planned.lineage | origin
    run = store.create(content, name=planned.title, tags=tuple(tags), lineage=lineage, sources=planned.sources)
    queue.submit(run)
    done.runs.append(run.id)
    return run


def launch_probe(made: TrainConfig) -> Run:
    """Queue a run of a few steps that measures how long one takes.

    Raises:
        OSError, ValueError: where it cannot be made.
    """
    run = store.create(preview.probe(made).to_json(), name="probe", tags=(PROBE,), lineage={PROBE: True})
    run.label(archived=True)
    queue.submit(run)
    return run


def same_speed(made: TrainConfig) -> str:
    """Return what a run's speed depends on: configs for which it is the same are measured by one probe."""
    plain = TrainConfig()
    content = preview.probe(made).to_json()
    for name in ("seed", "epochs", "checkpoint_minutes"):
        content[name] = getattr(plain, name)
    content["schedule"] = {}
    content["optimizer"] |= {"lr": plain.optimizer.lr}
    if content["fop"] is not None:
        content["fop"] |= {"hyper_lr": 0.0 if content["fop"]["hyper_lr"] == 0 else 1e-4}
    return str(config.parse(content).to_json())


def measured(run: Run) -> float | None:
    """Return the seconds that a step of a probe took, or None where it has not got that far.

    Raises:
        DamagedFile, OSError: where that cannot be read.
    """
    run.metrics.update()
    if "seconds" not in run.metrics:
        return None
    steps, seconds = run.metrics["seconds"]
    return preview.step_seconds(dict(zip(steps.tolist(), seconds.tolist())))
