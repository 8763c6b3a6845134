"""Which points of a long series to draw: few enough to send to a browser, with nothing that the eye would miss.

All return indices, ascending, first and last among them, so that what belongs to a point goes with it.
"""

import numpy as np

Array = np.ndarray


def path(points: Array, limit: int) -> Array:
    """Choose points of a path in the plane by the distance that can be seen.

    A step counts by its length relative to the distance from the path's end, which is where one zooms in: so a zigzag
    keeps its corners, a slow crawl few points, and the last hundredth of the way as many as the first.

    Args:
        points: [n, 2], finite.
        limit: the most points, at least 2.

    Returns:
        Indices [k], k <= limit.

    Example:
        >>> import numpy as np
        >>> from fop_core import downsample
        >>> steps = np.arange(10_000)
        >>> path = np.stack([0.999**steps, 0.99**steps], axis=1)
        >>> kept = downsample.path(path, limit=100)
        >>> len(kept), kept[0], kept[-1]
        (100, np.int64(0), np.int64(9999))
    """
    count = len(points)
    if count <= limit:
        return np.arange(count)
    points = np.asarray(points, dtype=np.float64)
    lengths = np.hypot(*np.diff(points, axis=0).T)
    distances = np.hypot(*(points - points[-1]).T)
    scale = np.maximum(distances[:-1], distances[1:])
    smallest = max(float(distances.max()) * 1e-6, np.finfo(np.float64).tiny)
    way = np.concatenate([[0.0], np.cumsum(lengths / np.maximum(scale, smallest))])
    if way[-1] == 0.0:
        return np.array([0, count - 1])
    cell = np.minimum((way / way[-1] * (limit - 1)).astype(np.int64), limit - 2)
    chosen = np.flatnonzero(np.diff(cell, prepend=-1))  # the first point of each cell
    return np.append(chosen[chosen < count - 1], count - 1)


def series(values: Array, buckets: int) -> Array:
    """Choose points of a series over steps by the extremes of buckets, equal on a linear and on a logarithmic axis.

    Every spike is kept: the smallest and the largest value of each bucket, of both kinds of buckets.

    Args:
        values: [n], finite.
        buckets: of each kind.

    Returns:
        Indices [k], k <= 4 * buckets + 2; all where that many are enough.

    Example:
        >>> import numpy as np
        >>> from fop_core import downsample
        >>> loss = np.exp(-np.arange(10_000) / 1000)
        >>> loss[4321] = 5.0  # a spike is kept
        >>> kept = downsample.series(loss, buckets=50)
        >>> len(kept), loss[kept].max()
        (182, np.float64(5.0))
    """
    count = len(values)
    if count <= 4 * buckets + 2:
        return np.arange(count)
    linear = np.linspace(0, count, buckets + 1)
    logarithmic = np.geomspace(1, count, buckets + 1)
    chosen = [np.array([0, count - 1])]
    for edges in (linear, logarithmic):
        starts = np.unique(np.minimum(edges.astype(np.int64), count - 1))
        chosen += [_arg_extreme(values, starts, np.minimum), _arg_extreme(values, starts, np.maximum)]
    return np.unique(np.concatenate(chosen))


def evenly(count: int, limit: int) -> Array:
    """Choose points at even distances.

    Args:
        count: of all points.
        limit: the most that are chosen, at least 2.

    Returns:
        Indices [k], k <= limit; all where they are no more than that.

    Example:
        >>> from fop_core import downsample
        >>> downsample.evenly(1000, 5), downsample.evenly(3, 5)
        (array([  0, 249, 499, 749, 999]), array([0, 1, 2]))
    """
    return np.unique(np.linspace(0, count - 1, min(count, limit)).astype(np.int64))


def _arg_extreme(values: Array, starts: Array, extreme: np.ufunc) -> Array:
    """Return where in each bucket the extreme is first found; values before the first start belong to none."""
    extremes = extreme.reduceat(values, starts)
    bucket = np.searchsorted(starts, np.arange(starts[0], len(values)), side="right") - 1
    hits = starts[0] + np.flatnonzero(values[starts[0] :] == extremes[bucket])
    _, first = np.unique(bucket[hits - starts[0]], return_index=True)
    return hits[first]
