"""What spectra and curves say over a training: where a spectrum was worst, where a curve first went too far.

Pure functions on numpy arrays, over the snapshots or steps of one run.
"""

import numpy as np

from fop_core.inspection import definiteness, spectrum_summary

Array = np.ndarray


def finite_quantity(spectra: Array, name: str) -> Array:
    """Return a quantity of ``inspection.spectrum_summary`` of spectra [s, n], [s]; NaN, a gap, where it is infinite.

    Example:
        >>> import numpy as np
        >>> from fop_core.through_training import finite_quantity
        >>> finite_quantity(np.array([[1.0, 3.0], [0.0, 3.0]]), "condition")
        array([ 3., nan])
    """
    values = spectrum_summary(spectra)[name]
    return np.where(np.isinf(values), np.nan, values)


def smallest(spectra: Array) -> int | None:
    """Return the index of the spectrum [s, n], ascending, whose least eigenvalue is smallest; None where none is.

    Example:
        >>> import numpy as np
        >>> from fop_core.through_training import smallest
        >>> smallest(np.array([[1.0, 3.0], [np.nan, np.nan], [0.5, 3.0]]))
        2
    """
    least = spectra[:, 0]
    return int(np.nanargmin(least)) if np.isfinite(least).any() else None


def not_definite(spectra: Array) -> dict[str, tuple[int, int]]:
    """Return what spectra [s, n], ascending, are beside "positive definite": how many of them, and the first's index.

    Example:
        >>> import numpy as np
        >>> from fop_core.through_training import not_definite
        >>> not_definite(np.array([[1.0, 3.0], [-0.5, 3.0], [-1.0, 3.0]]))
        {'indefinite': (2, 1)}
    """
    kinds = [definiteness(float(each[0]), float(each[-1])) for each in spectra]
    return {
        kind: (kinds.count(kind), kinds.index(kind)) for kind in dict.fromkeys(kinds) if kind != "positive definite"
    }


def first_from(x: Array, y: Array, bound: float) -> int | None:
    """Return the first x at which y is ``bound`` or more, as a whole number; None for never.

    Example:
        >>> import numpy as np
        >>> from fop_core.through_training import first_from
        >>> steps = np.array([0.0, 10.0, 20.0])
        >>> first_from(steps, np.array([60.0, np.nan, 95.0]), 90), first_from(steps, np.zeros(3), 90)
        (20, None)
    """
    beyond = x[y >= bound]
    return int(beyond[0]) if len(beyond) else None


def highest(y: Array) -> float:
    """Return the largest finite value, 0 where none is above 0.

    Example:
        >>> import numpy as np
        >>> from fop_core.through_training import highest
        >>> highest(np.array([60.0, np.inf, 80.0])), highest(np.array([np.nan]))
        (80.0, 0.0)
    """
    return float(np.max(y, initial=0.0, where=np.isfinite(y)))


def mean_and_range(values: Array) -> tuple[float, float, float] | None:
    """Return mean, least and most of values [k] less those that are NaN; None where none is finite.

    Example:
        >>> import numpy as np
        >>> from fop_core.through_training import mean_and_range
        >>> mean_and_range(np.array([1.0, np.nan, 4.0])), mean_and_range(np.array([np.nan]))
        ((2.5, 1.0, 4.0), None)
    """
    if not np.isfinite(values).any():
        return None
    return float(np.nanmean(values)), float(np.nanmin(values)), float(np.nanmax(values))
