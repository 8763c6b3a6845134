"""A study as one file: HTML that needs no network, PDF for print, CSV with a row for each run."""

import base64
import html as markup
import io
import json
import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fop_core.formatting import p_value
from fop_core.printable import printable
from fop_core.runs.compare import flat
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.studies import progress
from fop_core.studies.analysis import Comparison, Comparisons, comparisons, winners
from fop_core.studies.conclusions import amount, by_name, conclusions, gap, point_words
from fop_core.studies.progress import StudyTable
from fop_core.studies.rows import csv_text, rows
from fop_core.studies.trials import outcome

if TYPE_CHECKING:
    from matplotlib.backends.backend_pdf import PdfPages

MOST_ROWS = 500  # of the table of runs in a file for people; CSV has them all
PAGE = (8.27, 11.69)  # inches of a page of text: A4
LINES, WIDTH = 74, 98  # of such a page, and characters of a line
INDENT = 4

_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.9rem }
th, td { text-align: left; padding: 0.2rem 0.8rem 0.2rem 0; border-bottom: 1px solid #8884 }
.wide { overflow-x: auto } figure { margin: 1.5rem 0 } img { max-width: 100%; background: #fff }
figcaption, footer { color: #777; font-size: 0.9rem } .explored { border-left: 4px solid #c60; padding-left: 0.8rem }
"""


@dataclass(frozen=True)
class Section:
    """A part of a report: sentences, or a table.

    Attributes:
        title: over it.
        sentences: in order.
        head: of the table; empty where there is none.
        lines: of the table.
    """

    title: str
    sentences: tuple[str, ...] = ()
    head: tuple[str, ...] = ()
    lines: tuple[tuple[str, ...], ...] = ()


def csv(id_: str, folder: Path | None = None) -> bytes:
    """Return a row for each run of a study, with all columns."""
    return csv_text(*rows(progress.table(id_, folder))).encode()


def html(id_: str, folder: Path | None = None) -> bytes:
    """Return a study as one HTML file: its pictures are in it, it runs no code and asks no network for anything.

    Raises:
        RunError, DamagedFile: as ``store.load``.
    """
    from fop_core.figures import print_style
    from fop_core.studies import drawings

    table = progress.table(id_, folder)
    made = comparisons(table)
    parts = [f"<h1>{_text(table.study.name)}</h1>"]
    first, *later = sections(table, made)
    parts += _html(first, made.explored)
    for drawn in drawings.every(table, made):
        picture = base64.b64encode(print_style.save(drawn.drawing.paper(), "svg")).decode()
        caption = f"<figcaption>{_text(' '.join(drawn.sentences))}</figcaption>"
        image = f'<img alt="{_text(drawn.drawing.alt)}" src="data:image/svg+xml;base64,{picture}">'
        parts.append(f"<figure><h2>{_text(drawn.title)}</h2>{image}{caption}</figure>")
    for section in later:
        parts += _html(section)
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta http-equiv=Content-Security-Policy content=\"default-src 'none'; style-src 'unsafe-inline'; "
        'img-src data:"><meta name=viewport content="width=device-width">'
        f"<title>{_text(table.study.name)}</title><style>{_STYLE}</style></head><body>"
        + "\n".join(parts)
        + "</body></html>\n"
    ).encode()


def _text(words: str) -> str:
    return markup.escape(printable(words))


def _html(section: Section, explored: Sequence[str] = ()) -> Iterator[str]:
    yield f"<h2>{_text(section.title)}</h2>"
    if section.sentences:
        kind = ' class="explored"' if explored else ""
        yield f"<ul{kind}>" + "".join(f"<li>{_text(sentence)}</li>" for sentence in section.sentences) + "</ul>"
    if section.head:
        head = "".join(f"<th>{_text(cell)}</th>" for cell in section.head)
        lines = "".join(
            "<tr>" + "".join(f"<td>{_text(cell)}</td>" for cell in line) + "</tr>" for line in section.lines
        )
        yield f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{lines}</tbody></table></div>'


def pdf(id_: str, folder: Path | None = None) -> bytes:
    """Return a study as PDF: its text and tables, then a page for each figure. Raises as ``html``."""
    from matplotlib.backends.backend_pdf import PdfPages

    from fop_core.figures import print_style
    from fop_core.studies import drawings

    table = progress.table(id_, folder)
    made = comparisons(table)
    drawn = drawings.every(table, made)
    file = io.BytesIO()
    with PdfPages(file, metadata={"Title": table.study.name, "CreationDate": None}) as pages:
        first, *later = sections(table, made)
        _pages(pages, [table.study.name, "", *_plain(first)])
        for each in drawn:
            figure = each.drawing.paper()
            caption = textwrap.fill(print_style.literal(printable(" ".join(each.sentences))), 110)
            with print_style.applied():
                figure.text(0.02, 1.04, print_style.literal(printable(each.title)), va="bottom", fontsize=11)
                figure.text(0.02, -0.02, caption, va="top", fontsize=8)
                pages.savefig(figure, bbox_inches="tight", pad_inches=0.5)
        _pages(pages, [line for section in later for line in _plain(section)])
    return file.getvalue()


def _plain(section: Section) -> Iterator[str]:
    """Yield the lines of a section, as wide as a page."""
    yield section.title.upper()
    yield ""
    for sentence in section.sentences:
        yield from textwrap.wrap(sentence, WIDTH, initial_indent="- ", subsequent_indent="  ")
    if section.head:
        yield from _columns([section.head, *section.lines])
    yield ""


def _columns(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield the lines of a table, as wide as a page: columns that do not fit beside the others stand below them."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    groups: list[list[int]] = [[]]
    for column, width in enumerate(widths):
        if groups[-1] and sum(widths[each] + 2 for each in groups[-1]) + width > WIDTH - INDENT:
            groups.append([])
        groups[-1].append(column)
    for line in lines:
        for number, group in enumerate(groups):
            text = "  ".join(line[column].ljust(widths[column]) for column in group).rstrip()
            first = " " * INDENT if number else ""
            yield from textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * INDENT)


def _pages(pages: "PdfPages", lines: Sequence[str]) -> None:
    from fop_core.figures import print_style

    for begin in range(0, len(lines), LINES):
        page = print_style.blank(*PAGE)
        text = "\n".join(print_style.literal(printable(line)) for line in lines[begin : begin + LINES])
        with print_style.applied():
            page.text(0.09, 0.95, text, va="top", family="DejaVu Sans Mono", fontsize=7.5, linespacing=1.35)
            pages.savefig(page)


def sections(table: StudyTable, made: Comparisons) -> list[Section]:
    """Return the parts of a report, what is concluded first."""
    parts = [Section("What can be concluded", tuple(conclusions(table)))]
    named = by_name(made, table.study)
    parts += [_methods(named), _differences(named), _winners(table), _protocol(table), _made_with(table), _runs(table)]
    return [part for part in parts if part.sentences or part.lines]


def _methods(made: Comparisons) -> Section:
    column = made.analysis.column
    lines = []
    for group in made.groups.values():
        lines.append(
            (
                group.method,
                f"{group.n} of {group.of}",
                amount(group.mean, column),
                amount(group.std, column),
                str(group.diverged),
                _number(group.training_seconds, "{:.1f}"),
                _number(group.evaluation_seconds, "{:.1f}"),
                _number(group.peak_memory / 1e6, "{:,.0f}"),
            )
        )
    head = ("method", "n", column.replace("_", " "), "± std", "diverged", "training s", "evaluation s", "peak MB")
    return Section("Methods", (), head, tuple(lines))


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else form.format(value)


def _differences(made: Comparisons) -> Section:
    lines = []
    for row in made.rows:
        difference = row.difference
        interval = "–"
        if not math.isnan(difference.low):
            interval = f"{gap(difference.low, row.measure)} to {gap(difference.high, row.measure)}"
        n = str(difference.n) if difference.n == difference.other_n else f"{difference.n}, {difference.other_n}"
        lines.append(
            (
                f"{row.method} less {row.other}",
                row.measure.replace("_", " "),
                n,
                gap(difference.mean, row.measure),
                interval,
                difference.test,
                p_value(row.adjusted),
                _verdict(row),
            )
        )
    correction = "Holm's correction" if made.analysis.correction == "holm" else "no correction"
    level = f"Level {made.analysis.alpha:g}, {correction} over {len(made.rows)} comparisons."
    head = ("difference", "of", "n", "mean", f"{100 * (1 - made.analysis.alpha):g} % interval", "test", "p", "")
    return Section("Differences", (level,) if lines else (), head, tuple(lines))


def _verdict(row: Comparison) -> str:
    if row.better:
        return f"{row.better} is better"
    return "not compared" if row.difference.test == "none" else "no difference seen"


def _winners(table: StudyTable) -> Section:
    column = table.study.choose.column
    lines = []
    for winner in winners(table).values():
        those = [index for index in table.rows("tune", winner.method) if table.point[index] == winner.point]
        came_to = outcome(table, those, column)
        lines.append(
            (
                table.study.called(winner.method),
                point_words(winner.point),
                amount(winner.score, column),
                amount(winner.std, column),
                str(winner.n),
                str(winner.trials),
                amount(winner.expected, column),
                "–" if came_to.seconds is None else f"{came_to.seconds:.1f}",
                "–" if came_to.peak_memory is None else f"{came_to.peak_memory / 1e6:,.0f}",
                "" if winner.final else "so far",
            )
        )
    fewest = min((winner.fewest for winner in winners(table).values()), default=0)
    head = (
        "method",
        "setting",
        column.replace("_", " "),
        "± std",
        "n",
        "trials",
        f"best of {fewest}",
        "training s",
        "peak MB",
        "",
    )
    return Section("Winners of the tuning", (), head, tuple(lines))


def _protocol(table: StudyTable) -> Section:
    study = table.study
    head, lines = ("setting", "value"), []
    for name, value in flat(study.to_json()).items():
        if name == "axes":
            axes = [f"{each['field']} = {each['values']} {' '.join(each['methods'])}".strip() for each in value]
            lines += [("axis", words) for words in axes]
        else:
            lines.append((name, value if isinstance(value, str) else json.dumps(value)))
    sentences = [
        f"Submitted {_minute(table.stored.created)} by {table.stored.user} on {table.stored.host}, with its analysis."
    ]
    sentences += [
        f"Grown {change.get('at', '')[:16].replace('T', ' ')} UTC: {change.get('what', '')}."
        for change in table.stored.changes
    ]
    if adopted := sum(table.adopted):
        sentences.append(f"{adopted} runs with the same settings were there before and were taken in.")
    if table.stored.ended:
        sentences.append(f"{len(table.stored.ended)} runs were ended early by the median rule.")
    return Section("Protocol", tuple(sentences), head, tuple(lines))


def _minute(moment: str) -> str:
    return f"{moment[:16].replace('T', ' ')} UTC"


def _made_with(table: StudyTable) -> Section:
    """Return on what the reported runs were made, or those of tuning where none is reported."""
    counts: dict[tuple[str, ...], int] = {}
    for index in table.rows("report") or table.rows("tune"):
        if not table.run_id[index] or table.state[index] in ("deleted", "damaged"):
            continue
        try:
            attempts = Run(table.stored.folder / table.run_id[index]).attempts
        except (DamagedFile, OSError):
            continue
        for attempt in attempts[-1:]:
            versions = attempt.get("versions", {})
            on = (
                attempt.get("device_name", "–"),
                str(attempt.get("threads", "–")),
                versions.get("torch", "–"),
                str(attempt.get("data", {}).get("title", "–")),
                str(attempt.get("commit") or "–")[:12],
            )
            counts[on] = counts.get(on, 0) + 1
    lines = tuple((*on, str(n)) for on, n in counts.items())
    several = ("The runs were not all made alike: compare their seconds with care.",) if len(lines) > 1 else ()
    return Section("Made with", several, ("device", "threads", "torch", "data", "commit", "runs"), lines)


def _runs(table: StudyTable) -> Section:
    columns = {"tune": table.study.choose.column, "report": table.study.analysis.column}
    lines = []
    for index in range(min(len(table), MOST_ROWS)):
        shown = columns[table.role[index]]
        lines.append(
            (
                table.study.called(table.method[index]),
                point_words(table.point[index]),
                str(table.seed[index]),
                table.role[index],
                "diverged" if table.diverged[index] else table.state[index],
                amount(float(table.last[shown][index]), shown),
                _number(float(table.seconds[index]), "{:.1f}"),
                _number(float(table.evaluation_seconds[index]), "{:.1f}"),
                _number(float(table.peak_memory[index]) / 1e6, "{:,.0f}"),
                table.run_id[index],
            )
        )
    left = len(table) - len(lines)
    more = (f"{left:,} more runs are in the CSV.",) if left else ()
    head = ("method", "setting", "seed", "role", "state", "measured", "training s", "evaluation s", "peak MB", "run")
    return Section("Runs", more, head, tuple(lines))
