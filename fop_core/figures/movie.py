"""A race in motion as MP4: H.264, as every browser, slide and messenger plays it, by the encoder of imageio-ffmpeg.

The encoder is a program of its own, which gets the frames through a pipe.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import imageio_ffmpeg

from fop_core.figures.animation import Movie
from fop_core.figures.interactive import Point
from fop_core.figures.landscape import Landscape
from fop_core.figures.trajectories import DrawnTrajectory

RATE = 30  # frames a second
SECONDS, HOLD = 7, 2
"""How long the race takes, as the player's in logarithmic time, and how long its end is held."""

_WIDTH = 720  # px
_COLORS = "bt709"  # those of a screen: without a name players guess another table, and colours shift
_OPTIONS = (
    *("-crf", "18", "-preset", "medium", "-tune", "animation", "-movflags", "+faststart"),
    *("-vf", f"scale=out_color_matrix={_COLORS}:out_range=tv"),
    *("-colorspace", _COLORS, "-color_primaries", _COLORS, "-color_trc", _COLORS, "-color_range", "tv"),
)


def mp4(
    landscape: Landscape,
    runs: Sequence[DrawnTrajectory],
    start: Point,
    minima: Sequence[Point],
    *,
    title: str = "",
    description: str = "",
    width: int = _WIDTH,
    frames: int = RATE * SECONDS,
    progress: Callable[[float], None] | None = None,
    **settings: Any,
) -> bytes:
    """Return a race as a video, whose last frame is held for ``HOLD`` seconds.

    Args:
        landscape: as of ``animation.Movie``, and so are the next, and ``settings``.
        runs: see there.
        start: see there.
        minima: see there.
        title: in the file's metadata: what it shows.
        description: likewise, as its comment.
        width: in px, even.
        frames: before the last is held.
        progress: called after each frame with the share that is done; what it raises ends the work.
        settings: of ``animation.Movie``.

    Raises:
        ValueError: for fewer than 2 frames, or ones that are smaller than 64 px or of odd width.
        OSError: the encoder fails.

    Example:
        >>> from fop_core.figures import landscape, trajectories
        >>> from fop_core.figures.movie import mp4
        >>> from toy_functions import presets, race
        >>> booth, path = presets.PAPER_BOOTH.surface, race(presets.PAPER_BOOTH)["SGD"]
        >>> run = trajectories.downsampled("sgd", path.points, path.losses, path.status)
        >>> ground = landscape.survey(booth.value, booth.floor, booth.view)
        >>> mp4(ground, [run], (0.0, -4.0), booth.minima, width=128, frames=4)[4:8]
        b'ftyp'
    """
    if width % 2:
        raise ValueError(f"frames of {width} px: give an even number, as H.264 has colours for every second px")
    movie = Movie(landscape, runs, start, minima, width=width, frames=frames, **settings)
    with TemporaryDirectory() as folder:
        path = Path(folder, "race.mp4")
        about = ("-metadata", f"title={title}", "-metadata", f"comment={description}")
        writer = imageio_ffmpeg.write_frames(
            path,
            movie.empty.size,
            fps=RATE,
            codec="libx264",
            quality=None,
            macro_block_size=1,
            ffmpeg_log_level="error",
            output_params=[*_OPTIONS, *about],
        )
        writer.send(None)  # starts it
        try:
            for frame in movie.frames(progress):
                writer.send(frame.tobytes())
            for _ in range(RATE * HOLD):
                writer.send(frame.tobytes())
        finally:
            writer.close()  # waits for the encoder
        if not path.exists():
            raise OSError("the encoder of imageio-ffmpeg has written no file")
        return path.read_bytes()
