"""A table on a terminal."""

from fop_core.printable import printable


def print_table(table: list[list[str]]) -> None:
    """Print rows, each in one line and as wide as its columns need."""
    table = [[printable(cell) for cell in row] for row in table]  # a row is a line
    widths = [max(map(len, column)) for column in zip(*table)]
    for row in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip())
