"""Seeds as a person writes them."""

import pytest

from fop_core.training.config import ConfigError
from fop_core.training.seeds import MOST, seeds


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("0", [0]),
        ("0-2", [0, 1, 2]),
        ("0, 1,2", [0, 1, 2]),
        ("0-2,5", [0, 1, 2, 5]),
        ("5 1 - 2 5", [5, 1, 2]),
        (" 7 ", [7]),
        ("2147483647", [2**31 - 1]),
        (f"0-{MOST - 1}", list(range(MOST))),
    ],
)
def test_numbers_and_ranges_each_once_in_their_order(text, numbers):
    assert seeds(text) == numbers


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "write 0, 1, 2 or 0-2"),
        ("a", "'a' given"),
        ("1.5", "'1.5' given"),
        ("-1", "'-1' given"),
        ("\u0663", "given"),
        ("4-2", "write 2-4"),
        ("2147483648", "less than 2147483648"),
        ("1,1,99999999999", "99999999999 given"),
        (f"0-{MOST}", f"at most {MOST}"),
        ("0-60 100-160", f"at most {MOST}"),
        ("9" * 500, "given"),
    ],
)
def test_what_is_no_seed_is_refused(text, says):
    with pytest.raises(ConfigError, match=says):
        seeds(text)
