"""A video is H.264 with every frame in it, looks as the frames do, and says what it shows."""

import subprocess

import imageio_ffmpeg
import numpy as np
import pytest

from fop_core.figures import movie, style
from fop_core.figures.animation import Movie
from tests.figures.raced import raced
from toy_functions.scenes import SCENES

SETTINGS = SCENES["turning"].race
FRAMES, WIDTH = 24, 320


@pytest.fixture(scope="module")
def turning():
    ground, results = raced(SETTINGS)
    return (ground, [each.run for each in results], SETTINGS.start, SETTINGS.surface.minima), results


@pytest.fixture(scope="module", params=["light", "dark"])
def theme(request):
    return style.THEMES[request.param]


@pytest.fixture(scope="module")
def settings(turning, theme):
    return {"width": WIDTH, "frames": FRAMES, "last": 40, "theme": theme, "played": turning[1], "arrows": True}


@pytest.fixture(scope="module")
def video(turning, settings, tmp_path_factory):
    path = tmp_path_factory.mktemp("video") / "race.mp4"
    path.write_bytes(movie.mp4(*turning[0], title="A race: “Booth”", description="f < 1e-6, 'as seen'", **settings))
    return path


def decoded(path):
    frames = imageio_ffmpeg.read_frames(path)
    about = next(frames)
    width, height = about["size"]
    return about, [np.frombuffer(frame, np.uint8).reshape(height, width, 3) for frame in frames]


def test_every_frame_is_there_and_the_last_is_held(video):
    about, frames = decoded(video)
    assert len(frames) == FRAMES + movie.RATE * movie.HOLD
    assert about["codec"] == "h264" and about["pix_fmt"].startswith("yuv420p") and about["fps"] == movie.RATE
    assert about["size"][0] == WIDTH and about["size"][1] % 2 == 0


def test_frames_look_as_they_were_drawn(video, turning, settings):
    drawn = [np.asarray(frame).astype(int) for frame in Movie(*turning[0], **settings).frames()]
    _, frames = decoded(video)
    for at in (0, FRAMES // 2, FRAMES - 1):
        assert np.abs(frames[at] - drawn[at]).mean() < 3
        assert np.abs(frames[at][2:8, 2:8] - drawn[at][2:8, 2:8]).max() <= 3, "the paper, and so all colours"
    assert np.abs(frames[FRAMES - 1] - drawn[0]).mean() > 2, "something has moved"
    assert np.abs(frames[-1] - drawn[-1]).mean() < 3


def test_it_says_what_it_shows_and_can_be_played_as_it_is_loaded(video):
    program = imageio_ffmpeg.get_ffmpeg_exe()
    about = subprocess.run([program, "-i", video, "-f", "ffmetadata", "-"], capture_output=True, check=True)
    text = about.stdout.decode().replace("\\", "")
    assert "title=A race: “Booth”" in text and "comment=f < 1e-6, 'as seen'" in text
    content = video.read_bytes()
    assert content[4:8] == b"ftyp" and content.index(b"moov") < content.index(b"mdat")


def test_what_progress_raises_ends_the_work(turning, settings):
    shares = []

    def stop(share):
        shares.append(share)
        if share > 0.2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        movie.mp4(*turning[0], **settings, progress=stop)
    assert 1 < len(shares) < FRAMES


def test_a_width_that_H264_has_no_colours_for_is_refused(turning):
    with pytest.raises(ValueError, match="give an even number"):
        movie.mp4(*turning[0], width=321)
