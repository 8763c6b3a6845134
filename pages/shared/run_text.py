"""How a run's states are written: symbols, what it uses, and what to try where it failed."""

from typing import Any, NamedTuple

from fop_core.figures.training_curves import named
from fop_core.formatting import duration as duration  # for those who write of runs
from fop_core.formatting import percent
from fop_core.formatting import size as size
from fop_core.runs.listing import Entry
from pages.shared.text import escaped, literal


class Badge(NamedTuple):
    """How a state looks beside its word."""

    symbol: str
    color: str


BLUE, GREEN, RED, GREY, AMBER = "#3885E0", "#2A8C4D", "#D0515A", "#707E85", "#A87900"
STATES = {
    "queued": Badge("○", GREY),
    "starting": Badge("◔", BLUE),
    "running": Badge("▶", BLUE),
    "stopping": Badge("◼", AMBER),
    "stopped": Badge("■", AMBER),
    "finished": Badge("✓", GREEN),
    "failed": Badge("✕", RED),
    "lost": Badge("?", RED),
    "damaged": Badge("!", RED),
}

ADVICE = {
    "checkpoint": "Retry once one of these files is back. Start over sets the damaged ones aside; what was measured so "
    "far then no longer counts.",
    "data": "The data are missing or damaged: do what the reason says, then retry; `python -m fop_core data` lists "
    "what there is.",
    "device": "The device is not there for it now: clone it with another one, or retry.",
    "disk": "Make room, by emptying the trash here for instance, then resume: it goes on from its last checkpoint.",
    "diverged": "The steps became too large. Clone it with a tenth of the learning rate, or of FOP's ρ; with momentum "
    "use FOP's velocity trace. Its curves show when it began.",
    "killed": "Something outside ended it. Resume goes on from its last checkpoint.",
    "memory": "The memory was full. Give it less to hold: a smaller batch size, bf16, a smaller width, or for FOP a "
    "lower rank. Or run fewer jobs at once. Resume goes on from its last checkpoint.",
    "vanished": "Nothing is lost up to its last checkpoint: resume goes on from there.",
}
"""What to try, by ``state.CAUSES``."""


OF_SCRIPTS = {
    "diverged": "The steps became too large: start its script again with a smaller learning rate.",
    "disk": "Make room, by emptying the trash here for instance, then start its script again.",
    "memory": "The memory was full. Give it less to hold, as a smaller batch, and start its script again.",
    "vanished": "Its script was killed, or its machine went down. Started again, it makes a new run.",
}
"""Likewise with a run that a script recorded."""


def advice(state: str, cause: str, recorded: bool = False) -> str:
    """Return what to try with a run that did not finish; empty where there is nothing to say."""
    if state not in ("failed", "lost"):
        return ""
    if recorded:
        return OF_SCRIPTS.get(cause, "The end of its log says more. Its script, started again, makes a new run.")
    return ADVICE.get(
        cause,
        "The end of its log says more. Retry goes on from its last checkpoint; clone begins anew with other settings.",
    )


def message(text: str) -> str:
    """Return what the program says of a trouble as Markdown: a command in backticks as code, all else as it is."""
    parts = " ".join(text.split()).split("`")
    if len(parts) % 2 == 0 or not all(parts[1::2]):  # one of them is no quote
        return literal(text)
    return "".join(f"`{part}`" if index % 2 else escaped(part) for index, part in enumerate(parts))


def method(entry: Entry) -> str:
    """Return a run's method, with the file of somebody's own that FOP is around; a dash for none."""
    if not entry.method:
        return "–"
    file = entry.settings.get("optimizer.plugin.file")
    around = f" around {file}" if file and entry.settings.get("fop.preconditioner") else ""
    return f"{named(entry.method)}{around}"


def best(entry: Entry) -> str:
    """Return a run's best accuracy; "…" where it has not been looked for yet."""
    return percent(entry.best) if entry.complete else "…"


def accuracy(progress: dict[str, Any]) -> float | None:
    """Return the last accuracy that a run has measured."""
    value = progress.get("test_accuracy", progress.get("held_out_accuracy"))
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def uses(usage: dict[str, Any]) -> str:
    """Return what a job uses of its machine, in one line; empty where that is not known."""
    words = []
    for key, form in (("cpu_percent", "CPU {}"), ("gpu_percent", "GPU {}")):
        if (value := usage.get(key)) is not None:
            words.append(form.format(percent(value / 100, digits=0)))
    for key, form in (("memory", "{} memory"), ("gpu_memory", "{} on the GPU")):
        if (value := usage.get(key)) is not None:
            words.append(form.format(size(value)))
    return ", ".join(words)
