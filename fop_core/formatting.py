"""How each kind of quantity is written, the same on pages, in pictures, in reports and in a terminal.

A value that is none, or that nothing has measured, is a dash.
"""

import math
from decimal import ROUND_HALF_UP, Decimal, localcontext

NONE = "–"


def number(value: float) -> str:
    """Return a number with three significant digits: 0.00500, 1e-6, 3.58, 1,230, −1.2e9; a minus sign, not a hyphen.

    Halves are rounded up, as JavaScript does: ``pages/components/lib/numbers.js`` writes the same.

    Example:
        >>> from fop_core.formatting import number
        >>> number(0.005), number(3.14159), number(-1234567), number(float("nan"))
        ('0.00500', '3.14', '−1.23e6', 'not a number')
    """
    value = float(value)
    sign, size = "−" if value < 0 else "", abs(value)
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else f"{sign}∞"
    if value == 0:
        return "0"
    with localcontext(rounding=ROUND_HALF_UP):
        exact = Decimal(size)
        mantissa, exponent = f"{exact:.2e}".split("e")
        power = int(exponent)
        return sign + (f"{exact:,.{max(0, 2 - power)}f}" if -4 <= power < 6 else f"{float(mantissa):g}e{power}")


def plain(value: float) -> str:
    """Return ``number`` without zeros at its end: 3 for 3.00, 0.05 for 0.0500.

    Example:
        >>> from fop_core.formatting import plain
        >>> plain(3.0), plain(0.05), plain(1e-6)
        ('3', '0.05', '1e-6')
    """
    text = number(value)
    return text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text


def point(x: float, y: float) -> str:
    """Return a point, both coordinates to the same two decimals where that shows them: (3.58, −1.85).

    Example:
        >>> from fop_core.formatting import point
        >>> point(3.5844, -1.8481), point(1e-5, 0.0)
        ('(3.58, −1.85)', '(1e-5, 0)')
    """
    near = all(abs(value) < 100 for value in (x, y)) and any(abs(value) >= 0.005 for value in (x, y))
    if near or x == y == 0:
        return f"({_fixed(x)}, {_fixed(y)})"
    return f"({number(x)}, {number(y)})"


def count(value: int) -> str:
    """Return a whole number: 79,510.

    Example:
        >>> from fop_core.formatting import count
        >>> count(79510)
        '79,510'
    """
    return f"{value:,}"


def run_count(value: int) -> str:
    """Return so many runs.

    Example:
        >>> from fop_core.formatting import run_count
        >>> run_count(1), run_count(6000)
        ('1 run', '6,000 runs')
    """
    return f"{count(value)} run{'s' * (value != 1)}"


def duration(seconds: float | None) -> str:
    """Return a time in the largest unit that gives a number, to about two digits; a dash for none.

    Example:
        >>> from fop_core.formatting import duration
        >>> [duration(seconds) for seconds in (0.0523, 45, 200, 9000, 4 * 86400, None)]
        ['0.052 s', '45 s', '3 min', '2.5 h', '4 d', '–']
    """
    if seconds is None or not math.isfinite(seconds):
        return NONE
    seconds = max(0.0, seconds)
    if seconds < 9.5:
        return f"{plain(float(f'{seconds:.2g}'))} s"
    for unit, length, most in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < most * length:
            value = seconds / length
            return f"{value:.1f} {unit}" if unit == "h" and value < 10 else f"{value:.0f} {unit}"
    return f"{seconds / 86400:,.0f} d"


def size(bytes_: float) -> str:
    """Return an amount of memory, of a disk or of a file to three digits, in units of 1000.

    Example:
        >>> from fop_core.formatting import size
        >>> [size(bytes_) for bytes_ in (512, 398_840, 3.4e6, 76e9)]
        ['512 bytes', '399 kB', '3.4 MB', '76 GB']
    """
    for unit, length in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if bytes_ >= 0.9995 * length:
            return f"{bytes_ / length:,.0f} {unit}" if bytes_ >= 999.5 * length else f"{bytes_ / length:.3g} {unit}"
    return f"{bytes_:.0f} bytes"


def percents(share: float, digits: int = 2) -> str:
    """Return a fraction times 100, without the unit, which stands in a title or behind several of them.

    Example:
        >>> from fop_core.formatting import percents
        >>> percents(0.97312), percents(-0.004), percents(float("inf"))
        ('97.31', '−0.40', '∞')
    """
    return _fixed(100 * share, digits) if math.isfinite(share) else number(share)


def percent(share: float | None, digits: int = 2) -> str:
    """Return a fraction in percent, with a space as before every unit; a dash for none.

    Example:
        >>> from fop_core.formatting import percent
        >>> percent(0.97868), percent(0.4, digits=0), percent(float("nan")), percent(None)
        ('97.87 %', '40 %', 'not a number', '–')
    """
    if share is None:
        return NONE
    return f"{percents(share, digits)} %" if math.isfinite(share) else number(share)


def points(difference: float, signed: bool = False) -> str:
    """Return a difference of two fractions in points of a percent.

    Example:
        >>> from fop_core.formatting import points
        >>> points(-0.0086), points(0.0086, signed=True)
        ('−0.86 points', '+0.86 points')
    """
    return f"{'+' if signed and difference > 0 else ''}{percents(difference)} points"


def mean_std(mean: float | None, std: float | None, of_percent: bool = False) -> str:
    """Return a mean and its standard deviation; the mean alone where there is no deviation, a dash for none.

    Args:
        mean: of runs.
        std: their standard deviation; None or NaN where one run has none.
        of_percent: whether both are fractions, to be written in percent.

    Example:
        >>> from fop_core.formatting import mean_std
        >>> mean_std(0.97868, 0.0021, of_percent=True), mean_std(0.0873, None)
        ('97.87 ± 0.21 %', '0.0873')
    """
    if mean is None or math.isnan(mean):
        return NONE if mean is None else number(mean)
    text = percents if of_percent else number
    both = text(mean) if std is None or math.isnan(std) else f"{text(mean)} ± {text(std)}"
    return f"{both} %" if of_percent and math.isfinite(mean) else both


def p_value(p: float) -> str:
    """Return the p value of a test, to two digits; NaN is no test.

    Example:
        >>> from fop_core.formatting import p_value
        >>> [p_value(p) for p in (1.0, 0.856, 0.0123, 1e-5, float("nan"))]
        ['p = 1.00', 'p = 0.86', 'p = 0.012', 'p < 1e-4', 'no test']
    """
    if math.isnan(p):
        return "no test"
    if p < 1e-4:
        return "p < 1e-4"
    return f"p = {p:.2g}" if p < 0.1 else f"p = {p:.2f}"


def _fixed(value: float, digits: int = 2) -> str:
    """Return a number with so many decimals, and no sign where they are all 0."""
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")
