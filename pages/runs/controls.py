"""The controls of an FOP run: one click launches one, and one shows those that there are beside their parent."""

from collections.abc import Callable, Sequence

import streamlit as st

from fop_core.jobs import queue
from fop_core.runs import lineage, store
from fop_core.runs.files import RunError
from fop_core.runs.listing import Entry
from fop_core.runs.run import Run
from fop_core.training import attribution
from fop_core.training.fork import ForkError
from pages.runs import actions
from pages.shared.listing import listing
from pages.shared.text import literal

ABOUT = (
    "The same settings, seed and batches, from step 0, and P without what it learned. What is left of the difference "
    "is due to what was taken away."
)


def controls(entry: Entry, compare: Callable[[Sequence[str]], None]) -> None:
    """Offer the controls of a run; nothing of one that is trained without FOP, is a control itself, or in the trash.

    Args:
        entry: the run.
        compare: shows the runs of some ids beside each other; for a widget's callback.
    """
    of_ours = entry.settings.get("fop.preconditioner") and not entry.recorded
    if not of_ours or entry.control_of or actions.trashed(entry):
        return
    there = _there(entry.id)
    missing = {kind: why for kind, why in attribution.unavailable(entry.run).items() if kind not in there}
    st.markdown("**Controls**: what made the difference?", help=ABOUT)
    with st.container(horizontal=True, vertical_alignment="center"):
        for kind, why in missing.items():
            st.button(
                _label(entry, kind),
                on_click=_launch,
                args=(entry.run, kind),
                disabled=bool(why),
                help=literal(f"{lineage.CONTROLS[kind]}."),
                key=f"runs control {kind}",
            )
        if there:
            ids = [entry.id, *(each.id for each in there.values())]
            words = "Compare with its control" if len(there) == 1 else f"Compare with its {len(there)} controls"
            st.button(words, on_click=compare, args=(ids,), type="primary", key="runs controls compare")
    for kind, each in there.items():
        st.caption(literal(f"{_label(entry, kind)}: {each.state}{f', {each.reason}' if each.reason else ''}"))
    for why in dict.fromkeys(filter(None, missing.values())):
        st.caption(literal(f"{why}."))


def _there(parent: str, now: bool = False) -> dict[str, Entry]:
    """Return the newest control of each kind that a run has in the reader's folder."""
    there: dict[str, Entry] = {}
    for each in listing(store.runs_folder()).entries(now=now).values():  # the newest first
        if each.control_of == parent and not each.damaged:
            there.setdefault(str(each.settings["control"]), each)
    return there


def _label(entry: Entry, kind: str) -> str:
    words = attribution.label(kind, str(entry.settings.get("optimizer.name", "sgd")))
    return words[0].upper() + words[1:]


def _launch(parent: Run, kind: str) -> None:
    """Make a control and queue it, or say why not; nothing is made then.

    Nor is a second one: another tab may still offer it, and a click comes twice where a tick is due in the same moment.
    """
    if kind in _there(parent.id, now=True):
        return

    def launch() -> Run:
        try:
            run = attribution.create(attribution.plan(Run(parent.path), kind))  # the page's own may be in use
        except ForkError as error:
            raise RunError(str(error)) from None
        queue.submit(run)
        return run

    actions.tried(launch, lambda run: f"{run.name} is in the queue.")
