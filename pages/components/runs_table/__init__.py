"""A table whose rows can be chosen and pinned: runs, studies, a study's trials.

Rows come as JSON, so that who has many makes those anew alone that have changed.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pages.components.component import component

_mount = component("runs_table")

_ROW, _MOST = 32, 384  # px of a row, and of the table, which scrolls from there on: as style.css has them


def runs_table(
    what: str,
    columns: Sequence[Mapping[str, Any]],
    rows: Sequence[bytes],
    *,
    key: str,
    on_chosen: Callable[[], None],
    chosen: Sequence[str] = (),
    most: int = 1,
    pins: Mapping[str, int] | None = None,
    colors: Sequence[str] = (),
    on_pinned: Callable[[], None] = lambda: None,
    plotly: str = "",
) -> None:
    """Show a table.

    Args:
        what: its rows are, "Runs", for who hears the page.
        columns: each with name and label; types.d.ts has the rest.
        rows: as JSON, see ``Row`` there.
        key: of the widget; the session has there, as ``chosen`` and as ``pinned``, what the reader chose.
        on_chosen: is called then.
        chosen: ids of the chosen ones, of which the first ``most`` count.
        most: how many can be chosen at once.
        pins: which of ``colors`` a pinned one has, by its id.
        colors: that a row can be pinned with; where there are none, none can be.
        on_pinned: likewise.
        plotly: address of plotly.js, where what is chosen will be drawn.
    """
    about = {
        "what": what,
        "columns": list(columns),
        "chosen": list(chosen)[:most],
        "wanted": len(chosen),
        "most": most,
        "pins": dict(pins or {}),
        "colors": list(colors),
        "plotly": plotly,
        "arrays": {},
    }
    # What ``component.packed`` would make of both.
    data = b'%b, "rows": [%b]}' % (json.dumps(about).encode()[:-1], b", ".join(rows))
    height = min(_MOST, _ROW * (len(rows) + 1))  # until it is drawn
    _mount(
        key=key,
        data=len(data).to_bytes(4, "little") + data,
        on_chosen_change=on_chosen,
        on_pinned_change=on_pinned,
        height=height,
    )
