"""What the demonstrations of the theorems say, in sentences."""

import math

from fop_core.figures.style import number, plain
from fop_core.reproduction.demonstrations import STEPS, Claim, First, Second
from fop_core.reproduction.theorems import Quadratic

HOLDS = ":material/check_circle: **holds here**"
EXCEEDED = ":material/cancel: **is exceeded here**"
SILENT = "**says nothing here**"
NAMES = {"stated": "As stated", "proven": "As proven", "repaired": "Repaired"}
STEP = {
    "stated": r"$(2\lambda_{\min} - \lambda_{\max}^2)/L$",
    "proven": "$1/L$",
    "repaired": r"$1/(L\,\lambda_{\max})$",
}
FACTOR = {
    "stated": r"$1 - \mu\rho$",
    "proven": r"$1 - \mu\,(2\lambda_{\min} - \lambda_{\max}^2)/L$",
    "repaired": r"$1 - \mu\,\lambda_{\min}/(L\,\lambda_{\max})$",
}


def apart(one: float, other: float) -> tuple[str, str]:
    """Return two numbers with three significant digits, or with as many more as it takes to tell them apart."""
    for digits in range(3, 16):
        texts = f"{one:.{digits}g}", f"{other:.{digits}g}"
        if texts[0] != texts[1]:
            break
    else:
        return number(one), number(other)
    if digits == 3:
        return number(one), number(other)
    return texts[0].replace("-", "−"), texts[1].replace("-", "−")


def second(shown: Second) -> str:
    """Return what comes of Theorem 2 as it is stated, in a sentence."""
    claim = next(claim for claim in shown.claims if claim.name == "stated")
    return f"Theorem 2 as stated {comparison(claim)}"


def comparison(claim: Claim) -> str:
    """Return "holds here: stated 0.9, reached 0.81.", or what else comes of a claim."""
    made = claim.contraction
    if made is None:
        return rf"{SILENT}: $2\lambda_{{\min}} - \lambda_{{\max}}^2$ is not above 0."
    stated, reached = apart(made.stated, made.worst)
    return f"{HOLDS if made.holds else EXCEEDED}: stated {stated}, reached {reached}."


def first(shown: First, quadratic: Quadratic, limit: float) -> tuple[str, str]:
    """Return what comes of the proof's bound and of what Theorem 1 promises, in a sentence each."""
    descent, at = shown.descent, shown.exceeded
    if at is None:
        end = shown.ends
        bound, reached = number(float(descent.bounds[end])), number(float(descent.norms[end]))
        when = f"after {STEPS} steps" if end == STEPS else f"up to step {end}, where numbers end:"
        of_bound = f"The proof's bound {HOLDS}{':' if end == STEPS else ''} {when} ‖P‖ is {reached}, the bound {bound}."
    else:
        bound, reached = apart(float(descent.bounds[at]), float(descent.norms[at]))
        of_bound = f"The proof's bound {EXCEEDED}: at step {at} it is {bound}, and ‖P‖ {reached}."
    rate = plain(1 / quadratic.L)
    if shown.promised:
        promise = f"p∞ = {plain(limit)} is below 1/L = {rate}, so convergence is promised. "
    elif quadratic.smallest == 0:
        promise = "P is singular, so nothing is promised. "
    else:
        promise = f"p∞ = {plain(limit)} is not below 1/L = {rate}, so nothing is promised. "
    return of_bound, promise + left_of_f(shown.left)


def left_of_f(left: float) -> str:
    """Return what a descent leaves of f, in a sentence."""
    if not math.isfinite(left) or left > 1e12:
        return "Here f grows without end."
    if left > 1:
        return f"Here f is {number(left)} times as large after {STEPS} steps."
    return f"Here {STEPS} steps leave {number(left)} of f."
