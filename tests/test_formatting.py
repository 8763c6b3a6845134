"""Each kind of quantity is written in one way, by one function."""

import ast
import math
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from fop_core.formatting import duration, mean_std, p_value, percent, percents, points, run_count, size

ROOT = Path(__file__).parents[1]
FILES = sorted(path for folder in ("fop_core", "pages", "toy_functions") for path in (ROOT / folder).rglob("*.py"))
UNITS = re.compile(r" ?(%|[kKMGT]i?B|ms|min|h|d|hours|minutes|days)(?![\w°:])")
MAYBE = re.compile(rf":[^{{}}\n]+\}}{UNITS.pattern}|%\}}")  # most files need no look at their syntax tree
AS_IT_WAS_SET = {
    "fop_core/formatting.py": ["d"],
    "fop_core/jobs/queue.py": ["GB"],
    "fop_core/studies/conclusions.py": ["%"],
    "fop_core/studies/drawings/reported.py": ["%", "%"],
    "fop_core/studies/report.py": ["%"],
}
"""A limit, a level of confidence or a goal is said as it was set, to its last digit."""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, "–"),
        (math.inf, "–"),
        (-1, "0 s"),
        (0, "0 s"),
        (0.01234, "0.012 s"),
        (4.2, "4.2 s"),
        (9.49, "9.5 s"),
        (9.5, "10 s"),
        (89, "89 s"),
        (91, "2 min"),
        (5400, "1.5 h"),
        (40 * 3600, "40 h"),
        (1e6, "12 d"),
    ],
)
def test_times_are_written_in_the_unit_that_fits(seconds, text):
    assert duration(seconds) == text


def test_sizes_have_three_digits_and_decimal_units():
    of = {
        0: "0 bytes",
        999: "999 bytes",
        1000: "1 kB",
        398_840: "399 kB",
        999_499: "999 kB",
        999_500: "1 MB",
        2**30: "1.07 GB",
        3e12: "3 TB",
    }
    assert {count: size(count) for count in of} == of
    assert size(4.2e15) == "4,200 TB"


def test_percent_has_a_space_before_its_sign_and_no_sign_where_it_is_0():
    assert [percent(share) for share in (0.97868, 1, -0.004, -0.00001, None, math.nan, math.inf)] == [
        "97.87 %",
        "100.00 %",
        "−0.40 %",
        "0.00 %",
        "–",
        "not a number",
        "∞",
    ]
    assert percent(0.404, digits=0) == "40 %" and percents(-math.inf) == "−∞"


def test_differences_are_in_points():
    assert [points(0.0086), points(0.0086, signed=True), points(-0.0086, signed=True), points(0, signed=True)] == [
        "0.86 points",
        "+0.86 points",
        "−0.86 points",
        "0.00 points",
    ]


def test_a_deviation_stands_between_its_mean_and_their_unit():
    assert mean_std(0.97868, 0.0021, of_percent=True) == "97.87 ± 0.21 %"
    assert mean_std(0.97868, None, of_percent=True) == "97.87 %"
    assert [mean_std(0.0873, 0.0021), mean_std(0.0873, math.nan)] == ["0.0873 ± 0.00210", "0.0873"]
    assert [mean_std(None, None), mean_std(math.nan, None), mean_std(math.inf, math.nan, of_percent=True)] == [
        "–",
        "not a number",
        "∞",
    ]


def test_p_values_have_two_digits():
    assert [p_value(p) for p in (1, 0.856, 0.0123, 0.0009, 1e-4, 9.9e-5, math.nan)] == [
        "p = 1.00",
        "p = 0.86",
        "p = 0.012",
        "p = 0.0009",
        "p = 0.0001",
        "p < 1e-4",
        "no test",
    ]


def test_runs_are_counted():
    assert [run_count(number) for number in (0, 1, 2, 1234)] == ["0 runs", "1 run", "2 runs", "1,234 runs"]


def by_hand(code: str) -> Iterator[str]:
    """The units that f-strings put behind numbers which they format themselves."""
    for node in ast.walk(ast.parse(code)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, [*node.values[1:], ast.Constant("")]):
            spec = ast.unparse(value.format_spec) if isinstance(value, ast.FormattedValue) and value.format_spec else ""
            if spec.endswith(("%'", '%"')):
                yield "%"
            elif spec and isinstance(after, ast.Constant) and (unit := UNITS.match(after.value)):
                yield unit[1]


def test_no_code_formats_such_a_quantity_itself():
    codes = {str(path.relative_to(ROOT)): path.read_text() for path in FILES}
    written_in = {name: list(by_hand(code)) for name, code in codes.items() if MAYBE.search(code)}
    ours = {name: units for name, units in written_in.items() if units and "reproduction" not in name}
    assert ours == AS_IT_WAS_SET


def test_formats_by_hand_are_seen():
    assert list(by_hand('f"{share:.2%} and {free / 1e9:.1f} GB, {t:.0f} min"')) == ["%", "GB", "min"]
    assert not list(by_hand('f"{percent(share)} and {count:,} runs, {x:.2f} dB"'))
