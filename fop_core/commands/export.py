"""``export``: the paper's figures from the runs that ship, and the tables of what was measured for them."""

import argparse
import os
import stat
import sys
from pathlib import Path
from typing import Any


def add(commands: Any) -> None:
    """Add the command and its own commands."""
    parser = commands.add_parser("export", help="the paper's figures and tables, from the runs that ship")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="verb")
    figures = verbs.add_parser("figures", help="the figures, as files")
    figures.add_argument("--out", type=Path, default=Path("paper-figures"), help="folder for them (paper-figures)")
    figures.add_argument("--format", choices=("png", "pdf", "svg"), default="png", help="png, 300 dots per inch")
    figures.add_argument("--only", metavar="NAME", action="append", help="one of them, as paper-5a; may be repeated")
    figures.set_defaults(do=_figures)
    tables = verbs.add_parser("tables", help="what was measured, in Markdown")
    tables.add_argument(
        "--into",
        type=Path,
        metavar="FILE",
        help="write each between its marks in docs/paper.md or docs/does-fop-help.md",
    )
    tables.set_defaults(do=_tables)
    for verb in (figures, tables):
        verb.add_argument("--gallery", type=Path, help="folder of the runs (trained_models/gallery)")


def _figures(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.figures import print_style
    from fop_core.reproduction import GALLERY, Gallery, RunError
    from fop_core.reproduction.figures import FIGURES, left_out

    names = chosen.only or list(FIGURES)
    if unknown := [name for name in names if name not in FIGURES]:
        raise ValueError(f"no figure {unknown[0]!r}: there are {', '.join(FIGURES)}")
    gallery = Gallery(chosen.gallery or GALLERY)
    chosen.out.mkdir(parents=True, exist_ok=True)
    missing = 0
    for name in names:
        try:
            content = print_style.save(FIGURES[name](gallery), chosen.format)
        except RunError as error:
            print(f"{name} is left out: {error}", file=sys.stderr)
            missing += 1
            continue
        path = chosen.out / f"{name}.{chosen.format}"
        path.write_bytes(content)
        print(f"{path}: {len(content):,} bytes")
    if not chosen.only:
        for name, why in left_out().items():
            print(f"{name} is not made: {why}")
    return int(missing > 0)


def _tables(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.reproduction import GALLERY
    from fop_core.reproduction.evidence import Evidence
    from fop_core.reproduction.tables import all_tables, in_document, replaced
    from fop_core.runs import files
    from fop_core.runs.files import DamagedFile

    evidence = Evidence(chosen.gallery or GALLERY)
    if chosen.into is None:
        for name, lines in all_tables(evidence).items():
            print("\n".join([f"{name}:", "", *lines, ""]))
        return 0
    with files.opened(chosen.into, links=False) as file:
        content, mode = file.read(), stat.S_IMODE(os.fstat(file.fileno()).st_mode)
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise DamagedFile(f"{chosen.into}: no text in UTF-8 ({error.reason} at byte {error.start:,})") from error
    ending = "\r\n" if "\r\n" in text else "\n"
    text = text.replace("\r\n", "\n")
    tables = in_document(text, evidence)
    files.write(chosen.into, replaced(text, tables).replace("\n", ending).encode(), mode=mode)
    print(f"{chosen.into}: {len(tables)} tables")
    return 0
