"""What FOP does with each parameter, as text."""

from collections.abc import Mapping, Sequence

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


def cut_ranks(layers: Sequence[Layer], rank: int) -> list[str]:
    """Return a sentence for each n that is less than the rank which was asked for: that rank is not had there.

    Args:
        layers: of "low_rank".
        rank: as asked for.
    """
    names: dict[int, list[str]] = {}
    for layer in layers:
        if (n := len(layer.M)) < rank:
            names.setdefault(n, []).append(layer.name)
    return [f"rank {rank} cut to n = {n}: {', '.join(layers)}" for n, layers in names.items()]
