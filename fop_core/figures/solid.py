"""A relief as the player shows it in three dimensions: where its points are in the picture, and what it hides.

As in the player's ``orbit.js``, ``relief.js`` and ``scene.js``: there is no perspective. Sizes are px, y downwards;
u, v and heights go from -0.5 to 0.5 along x, along y, and upwards.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from fop_core.figures.heads import PlayerWindow
from fop_core.figures.landscape import Box
from fop_core.figures.relief import Relief

FLATTEST, STEEPEST = 0.25, 1.5  # of the pitch
NEAREST = 12.0  # of the zoom
_TALL = 0.62  # the box's height in its widths
_MARGIN = 46.0  # px for the axes' texts
_PIECE = 0.5  # cells of the grid: a path follows the surface in pieces no longer
_PIECES = 400  # of one step at most
_CHUNK = 200_000  # of points and of what may hide them, at a time

Array = np.ndarray


@dataclass(frozen=True)
class Orbit:
    """Where the viewer is.

    Attributes:
        yaw: radians that the surface is turned by.
        pitch: from 0, level with it, to π/2, above it.
        zoom: 1 for all of it.
        right: of the box's middle is the picture's, in widths of the box.
        up: likewise.

    Example:
        >>> from fop_core.figures.solid import Orbit
        >>> Orbit(yaw=0.5, pitch=9.0, zoom=0.1).within()
        Orbit(yaw=0.5, pitch=1.5, zoom=1.0, right=0.0, up=0.0)
    """

    yaw: float = -0.6
    pitch: float = 0.95
    zoom: float = 1.0
    right: float = 0.0
    up: float = 0.0

    def within(self) -> "Orbit":
        """Return the nearest that the player can show."""
        zoom = min(NEAREST, max(1.0, self.zoom))
        most = math.sqrt(0.5) * (1 - 1 / zoom)
        right, up = (min(most, max(-most, along)) for along in (self.right, self.up))
        return Orbit(self.yaw % math.tau, min(STEEPEST, max(FLATTEST, self.pitch)), zoom, right, up)


@dataclass(frozen=True)
class _Tangent(PlayerWindow):
    """The picture around a point, where it is as good as flat.

    Attributes:
        jacobian: px of the picture for x and y of the plane, [2, 2].
    """

    jacobian: Array

    def vectors(self, vectors: Array) -> Array:
        """Return vectors of the plane [n, 2] in px, [n, 2]."""
        return np.asarray(vectors, dtype=np.float64) @ self.jacobian.T

    def shrunk(self, size: float) -> "_Tangent":
        """Return the same picture in px of which each is so many of this one."""
        return replace(self, side=self.side / size, jacobian=self.jacobian / size)


@dataclass(frozen=True)
class SolidWindow:
    """A picture of a relief.

    Attributes:
        relief: what it shows.
        box: the part of the plane that this is of.
        orbit: from where.
        width: px of the player's picture.
        height: likewise.
        size: px of this picture for one of those.
    """

    relief: Relief
    box: Box
    orbit: Orbit
    width: float
    height: float
    size: float = 1.0

    @property
    def side(self) -> float:
        """The shorter side, px."""
        return self.size * min(self.width, self.height)

    @property
    def extent(self) -> Array:
        """Width and height of the picture, px, [2]."""
        return self.size * np.array([self.width, self.height])

    @property
    def last(self) -> int:
        """The last column and row of the relief's grid."""
        return len(self.relief.heights) - 1

    @cached_property
    def _angles(self) -> tuple[float, float, float, float]:
        """Sine and cosine of the yaw, and how much of the plane's depth and of a height is seen."""
        yaw, pitch = self.orbit.yaw, self.orbit.pitch
        return math.sin(yaw), math.cos(yaw), math.sin(pitch), math.cos(pitch) * _TALL

    @property
    def turn(self) -> tuple[float, float]:
        """Sine and cosine of the angle that the box is turned by."""
        return self._angles[:2]

    @cached_property
    def scale(self) -> float:
        """Px of the box's width."""
        return self.orbit.zoom * max(1.0, min(self.width, self.height) - 2 * _MARGIN) / math.sqrt(2) * self.size

    @property
    def upright(self) -> float:
        """Px of a unit of height."""
        return self.scale * self._angles[3]

    def of_box(self, u: Array, v: Array, z: Array) -> Array:
        """Return where points of the box are in the picture, [..., 2]."""
        sine, cosine, over, upright = self._angles
        left = self.size * self.width / 2 - self.scale * self.orbit.right
        top = self.size * self.height / 2 + self.scale * self.orbit.up
        x = left + self.scale * (cosine * u - sine * v)
        y = top - self.scale * (over * (sine * u + cosine * v) + upright * z)
        return np.stack(np.broadcast_arrays(x, y), axis=-1)

    def cells(self, points: Array | Sequence[Sequence[float]]) -> Array:
        """Return columns and rows of points of the plane [n, 2], [n, 2]."""
        low, high = np.array(self.box[::2]), np.array(self.box[1::2])
        return (np.asarray(points, dtype=np.float64).reshape(-1, 2) - low) / (high - low) * self.last

    def heights(self, cells: Array) -> Array:
        """Return heights at columns and rows [..., 2], bilinear; beyond the grid those of its edge."""
        grid, inside = self.relief.heights, np.clip(cells, 0, self.last)
        column, row = np.moveaxis(np.minimum(np.floor(inside), self.last - 1).astype(np.int64), -1, 0)
        right, up = inside[..., 0] - column, inside[..., 1] - row
        low = grid[row, column] * (1 - right) + grid[row, column + 1] * right
        high = grid[row + 1, column] * (1 - right) + grid[row + 1, column + 1] * right
        heights: Array = low * (1 - up) + high * up
        return heights

    def of_cells(self, cells: Array) -> Array:
        """Return where points of the surface, by columns and rows [n, 2], are in the picture, [n, 2]."""
        u, v = np.moveaxis(cells / self.last - 0.5, -1, 0)
        return self.of_box(u, v, self.heights(cells))

    def pixels(self, points: Array | Sequence[Sequence[float]]) -> Array:
        """Return where points of the plane [n, 2], on the surface, are in the picture, [n, 2]."""
        return self.of_cells(self.cells(points))

    def hidden(self, cells: Array) -> Array:
        """Return whether the surface hides points of it, by columns and rows [n, 2]; a pixel of it hides nothing.

        It does where it is above the way to the viewer, as that crosses a line of the grid.
        """
        sine, cosine, over, upright = self._angles
        rise = over / upright / self.last  # upwards, for a cell's width towards the viewer
        levels = self.heights(cells) + self.size / self.upright
        answer = np.zeros(len(cells), dtype=bool)
        rows = max(1, _CHUNK // (self.last + 1))
        for begin in range(0, len(cells), rows):
            part = slice(begin, begin + rows)
            column, row = cells[part].T
            answer[part] = self._crossed(row, column, -cosine, -sine, levels[part], rise, self.relief.heights)
            answer[part] |= self._crossed(column, row, -sine, -cosine, levels[part], rise, self.relief.heights.T)
        return answer

    def _crossed(self, p: Array, q: Array, dp: float, dq: float, levels: Array, rise: float, grid: Array) -> Array:
        """Return whether the surface is above ways where they cross the lines of one direction of the grid, [n].

        Args:
            p: where they begin, across those lines, [n].
            q: along them, [n].
            dp: of a unit of the way.
            dq: likewise.
            levels: heights that they begin at, [n].
            rise: upwards for a unit of the way.
            grid: heights, a row for each line.
        """
        if dp == 0:
            return np.zeros(len(p), dtype=bool)
        lines = np.arange(self.last + 1)
        ways = (lines - p[:, None]) / dp
        across, level = q[:, None] + ways * dq, levels[:, None] + ways * rise
        crossed = (ways > 0) & (level <= 0.5) & (across >= 0) & (across <= self.last)
        before = np.clip(np.floor(across), 0, self.last - 1).astype(np.int64)
        share = np.where(crossed, across - before, 0.0)
        with np.errstate(invalid="ignore"):  # NaN where there is no surface
            above = grid[lines, before] * (1 - share) + grid[lines, before + 1] * share > level
        return (crossed & above).any(axis=1)

    def along(self, path: Array) -> tuple[Array, Array]:
        """Return columns and rows on the way along points of the plane, and how far each is.

        Args:
            path: [n, 2].

        Returns:
            [m, 2], with as many between as follow the surface; and [m], in points of the path.
        """
        cells = self.cells(path)
        if len(cells) < 2:
            return cells, np.arange(len(cells), dtype=np.float64)
        lengths = np.hypot(*np.diff(cells, axis=0).T)
        counts = np.clip(np.ceil(np.nan_to_num(lengths / _PIECE, posinf=_PIECES)), 1, _PIECES).astype(np.int64)
        shares = np.concatenate([[0.0], *(at + np.arange(1, n + 1) / n for at, n in enumerate(counts.tolist()))])
        numbers = np.arange(len(cells), dtype=np.float64)
        return np.stack([np.interp(shares, numbers, along) for along in cells.T], axis=1), shares

    def at(self, point: Array) -> PlayerWindow:
        """Return the picture around a point of the plane, for what is drawn at a head there."""
        far = 1e-3 * (self.box[1] - self.box[0])
        beside = np.asarray(point, dtype=np.float64) + far * np.array([[1, 0], [-1, 0], [0, 1], [0, -1]])
        right, left, up, down = self.pixels(beside)
        return _Tangent(self.box, self.side, np.stack([right - left, up - down], axis=1) / (2 * far))

    def sized(self, width: float) -> "SolidWindow":
        """Return the same picture, so many px wide."""
        return replace(self, size=width / self.width)
