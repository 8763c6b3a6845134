"""Which of FOP's options do not go together, each of which is right by itself. Nothing here needs torch."""

from collections.abc import Mapping
from typing import Any

from fop_core.optim.forms import FORMS


def conflicts(options: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return each option that does not go with the others: its name, and what is wrong with it, to follow the name.

    Args:
        options: those of ``FOP`` by their names, all of them.
    """
    form = FORMS[options["preconditioner"]]
    wrong = []
    if options["normalized"] and form.one_per == "tensor":
        wrong.append(("normalized", "leaves a scalar nothing to learn: |s| would always be 1"))
    if options["init_scale"] != 1 and form.start not in ("I", "1"):
        wrong.append(("init_scale", f"is {options['init_scale']!r}: {form.name!r} does not start from the identity"))
    if options["derivative"] != "exact" and form.name != "exponential":
        wrong.append(("derivative", f"is {options['derivative']!r}: {form.name!r} has its exact one alone"))
    if options["apply"] == "after":
        if options["trace"] != "velocity":
            wrong.append(("trace", f'is {options["trace"]!r}: apply="after" has none, it keeps the base\'s own step'))
        if options["feedback"] != "hypergradient":
            wrong.append(("feedback", f'is {options["feedback"]!r}, of gradients: apply="after" learns from steps'))
    return wrong
