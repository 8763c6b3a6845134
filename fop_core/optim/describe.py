"""What FOP does with each parameter, as text."""

from collections.abc import Mapping, Sequence
from typing import Any

from fop_core.optim.stack import Layer


def table(layers: Sequence[Layer], left: Mapping[str, str], base: str, learns: bool) -> list[str]:
    """Return a line for each layer, under a heading, and one for each reason why parameters are left to the base.

    Args:
        layers: the layers.
        left: why other parameters have none, by their names.
        base: what the base is called.
        learns: whether M is learned.
    """
    rows: list[tuple[str, ...]] = [("parameter", "layout", "n", "m", "rank", "learned")]
    for layer in layers:
        n, k = layer.M.shape
        m = layer.parameter.numel() // n
        numbers = layer.M.numel() if learns else 0
        rows.append((layer.name, layer.layout.name, *(f"{x:,}" for x in (n, m, min(n, k), numbers))))
    widths = [max(map(len, column)) for column in zip(*rows)]
    lines = []
    for row in rows:
        cells = [row[0].ljust(widths[0]), row[1].ljust(widths[1])]
        lines.append("  ".join(cells + [cell.rjust(width) for cell, width in zip(row[2:], widths[2:])]))
    for reason in dict.fromkeys(left.values()):
        names = [name for name, why in left.items() if why == reason]
        lines.append(f"left to {base} ({reason}): {', '.join(names)}")
    return lines


def own_options(groups: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a line for each parameter group that has options of FOP of its own.

    Args:
        groups: those options of each group, by their names.
    """
    return [
        f"parameter group {number}: {', '.join(f'{name}={value!r}' for name, value in own.items())}"
        for number, own in enumerate(groups)
        if own
    ]


def cut_ranks(layers: Sequence[Layer], ranks: Sequence[int]) -> list[str]:
    """Return a sentence for each n that is less than the rank which was asked for: that rank is not had there.

    Args:
        layers: of "low_rank".
        ranks: as asked for, of each parameter group.
    """
    names: dict[tuple[int, int], list[str]] = {}
    for layer in layers:
        if (n := len(layer.M)) < (rank := ranks[layer.group]):
            names.setdefault((rank, n), []).append(layer.name)
    return [f"rank {rank} cut to n = {n}: {', '.join(layers)}" for (rank, n), layers in names.items()]
