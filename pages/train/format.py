"""Amounts, sizes and times in words."""


def count(number: int) -> str:
    """Return a whole number: 79,510."""
    return f"{number:,}"


def runs(number: int) -> str:
    """Return so many runs: "1 run", "6 runs"."""
    return f"{number:,} run{'s' * (number != 1)}"


def size(number: float) -> str:
    """Return bytes to three digits: 389 KiB."""
    unit = "B"
    for unit in ("B", "KiB", "MiB", "GiB", "TiB"):
        if number < 999.5 or unit == "TiB":
            break
        number /= 1024
    return f"{_three(number)} {unit}"


def duration(seconds: float) -> str:
    """Return a time to about three digits: 0.52 s, 4 min 10 s, 3 h 20 min, 2 d 4 h."""
    if seconds < 99.5:
        return f"{_three(seconds)} s"
    for unit, part, small, name in ((3600, 60, 1, ("min", "s")), (86400, 3600, 60, ("h", "min"))):
        if seconds < unit:
            whole, remainder = divmod(round(seconds / small), part // small)
            return f"{whole} {name[0]} {remainder} {name[1]}"
    whole, remainder = divmod(round(seconds / 3600), 24)
    return f"{whole:,} d {remainder} h"


def _three(number: float) -> str:
    return f"{number:.0f}" if number >= 99.5 else f"{number:.3g}"
