"""What a run will train and hold, shown before it starts: parameters, M, memory."""

import json
import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor

import streamlit as st

from fop_core.formatting import count, percent, size
from fop_core.training import preview
from fop_core.training.config import TrainConfig, parse
from fop_core.training.preview import Parameter, Preview
from pages.shared.text import literal

BEAT = 0.05  # seconds between two polls of the process that builds it
LONG, ROW = 14, 30  # rows of the table before it scrolls, and pixels of one
NARROW = "\N{NO-BREAK SPACE}"
MEANING = (
    "M is what FOP learns. It makes P, n × n, which multiplies the gradient as a matrix of n rows. The layout says "
    "which dimension of the parameter these rows are; all columns share P."
)


def known(made: TrainConfig) -> Preview | None:
    """Return the preview of a config if it is there already."""
    future = _future(*_key(made))
    return future.result() if future.done() and future.exception() is None else None


def wait(made: TrainConfig) -> Preview:
    """Return the preview of a config. Any change or click of the reader ends the waiting, not the work.

    Raises:
        preview.PreviewError: where it cannot be built.
    """
    key = _key(made)
    future = _future(*key)
    while not future.done():
        st.session_state.get("page")  # where Streamlit leaves a run that a click or a change has ended
        time.sleep(BEAT)
    if future.exception() is not None:
        _future.clear(*key)  # it may go better next time
    return future.result()


def _key(made: TrainConfig) -> tuple[str, str]:
    return json.dumps(preview.question(made).to_json(), sort_keys=True), preview.data_stamp(made)


@st.cache_resource(max_entries=64, show_spinner=False)
def _future(question: str, data_version: str) -> "Future[Preview]":
    return _pool().submit(preview.preview, parse(json.loads(question)))


@st.cache_resource(show_spinner=False)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1)


def table(summary: Preview, made: TrainConfig) -> None:
    """Show every parameter that FOP preconditions, or all without it, and what else is trained."""
    shown = [each for each in summary.parameters if not each.left]
    rows = [_row(each, made.fop is not None) for each in shown]
    if rows:
        st.table(rows, hide_index=True, border="horizontal", height=ROW * LONG if len(rows) > LONG else "content")
    for reason in dict.fromkeys(each.left for each in summary.parameters if each.left):
        left = [each for each in summary.parameters if each.left == reason]
        st.caption(
            f"Left to the base optimizer ({reason}): {count(len(left))} parameters, {count(_sum(left))} numbers.",
            help=", ".join(literal(each.name) for each in left),
        )
    numbers, learned = _sum(summary.parameters), sum(each.learned for each in summary.parameters)
    words = f"{count(numbers)} numbers are trained."
    if learned:
        words += f" M adds {count(learned)} to learn ({size(4 * learned)}), {percent(learned / numbers)} of theirs."
    st.caption(words, help=MEANING if made.fop is not None else None)


def memory(summary: Preview) -> None:
    """Show what a run will hold."""
    with st.container(gap="xxsmall"):
        st.markdown(f"**Memory** {size(sum(summary.memory.values()))}, and activations on top")
        st.caption(", ".join(f"{what} {size(number)}" for what, number in summary.memory.items()) + ".")


def _sum(parameters: Iterable[Parameter]) -> int:
    return sum(each.numbers for each in parameters)


def _row(each: Parameter, fop: bool) -> dict[str, str]:
    row = {"Parameter": literal(each.name), "Shape": _shape(each.shape)}
    if not fop:
        return row | {"Numbers": count(each.numbers)}
    return row | {"Layout": each.layout, "n": count(each.n), "M": _shape(each.M) if each.M else "fixed"}


def _shape(shape: Iterable[int]) -> str:
    return f"{NARROW}×{NARROW}".join(map(count, shape))
