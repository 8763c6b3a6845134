"""Which runs the table shows, and the line that a reader finds them with: words, or a query as ``runs list`` takes."""

from collections.abc import Sequence
from typing import NamedTuple

import streamlit as st

from fop_core.runs import fields, query
from fop_core.runs.fields import Known
from fop_core.runs.listing import Entry, Listing
from fop_core.runs.query import Query, QueryError
from fop_core.training import config
from pages.shared.text import literal

HELP = (
    "Words that a run has somewhere, or comparisons: `lr>0.01`, `method=fop,adam`, `tag:x`, `name~booth`, "
    "`test_accuracy>=60%`. All must hold."
)


class Matching(NamedTuple):
    """What the table shows.

    Attributes:
        entries: the runs.
        error: what is wrong with the query, which then chooses nothing; None where nothing is.
        reading: whether some runs' metrics are still to be read before all is known.
    """

    entries: list[Entry]
    error: QueryError | None
    reading: bool


def matching(
    listing: Listing,
    archived: bool | None,
    where: str,
    states: Sequence[str],
    tags: Sequence[str],
) -> Matching:
    """Return the runs that the table is to show.

    Args:
        listing: of all of them.
        archived: whether those in the archive are wanted, or the others; None for both.
        where: a query.
        states: which are wanted; none for all.
        tags: of which a run must have one; none for all.
    """
    every = list(listing.entries().values())
    wanted, error, reading = _parsed(where, listing, every)
    entries = [
        entry
        for entry in every
        if archived in (None, entry.archived)
        and (not states or entry.state in states)
        and (not tags or not set(tags).isdisjoint(entry.tags))
        and wanted.matches(entry)
    ]
    return Matching(entries, error, reading)


def _parsed(where: str, listing: Listing, entries: Sequence[Entry]) -> tuple[Query, QueryError | None, bool]:
    """Return the query, what is wrong with it, and whether metrics are still being read for it."""
    try:
        wanted = query.parse(where, known(entries))
    except QueryError as error:  # it may name a column of a layer, which is known once it is read
        if not listing.measure():
            return Query(()), None, True
        try:
            return query.parse(where, known(entries)), None, False
        except QueryError:
            return Query(()), error, False
    return wanted, None, wanted.measured and not listing.measure()


def known(entries: Sequence[Entry]) -> Known:
    """Return the names of what can be said of some runs."""
    paths = hash(tuple(entry.path for entry in entries))
    return _known(paths, sum(len(entry.measured or ()) for entry in entries), entries)


@st.cache_resource(show_spinner=False, max_entries=32)
def _known(paths_hash: int, columns: int, _entries: Sequence[Entry]) -> Known:
    return fields.known(_entries, config.described())


def show_trouble(shown: Matching) -> None:
    """Say what is wrong with the query, where, and what is shown for it."""
    if shown.error is not None:
        st.error(literal(f"Find: {shown.error}. The table shows all runs until it is mended."))
        st.code(shown.error.pointed, language=None)
    elif shown.reading:
        st.caption("Some runs' metrics are still being read.")
