"""Families of very many like cases: the short tests run some of each, all tests run all."""

from collections.abc import Iterable
from typing import Any

import pytest


def sampled(cases: Iterable[Any], every: int) -> list[Any]:
    """Return the cases for ``parametrize``: each ``every``-th runs always, the others where all tests are run.

    Where cases are a product, choose a number that divides none of its lengths, so that all values of each are met.
    """
    tuples = (case if isinstance(case, tuple) else (case,) for case in cases)
    return [pytest.param(*case, marks=[pytest.mark.long] if at % every else []) for at, case in enumerate(tuples)]
