"""The animation shows every run where it was at each step, and stays small."""

import io
import math

import numpy as np
import pytest
from PIL import Image

from fop_core.figures import animation, heads, landscape, style
from fop_core.figures.heads import PlayerWindow
from fop_core.figures.trajectories import downsampled
from fop_core.optim.rules import FOP, RULES
from tests.figures.raced import raced
from tests.figures.test_paper import LOST, ground_of, runs_of
from toy_functions import Race, presets, race, surfaces
from toy_functions.scenes import SCENES

HIMMELBLAU = presets.PAPER_HIMMELBLAU
WIDTH = 320
BOX = surfaces.HIMMELBLAU.view


def gif_of(the_race: Race, runs=None, **options):
    runs = runs_of(the_race) if runs is None else runs
    options = {"width": WIDTH, "frames": 12} | options
    return animation.gif(ground_of(the_race, runs), runs, the_race.start, the_race.surface.minima, **options)


def frames_of(file: bytes):
    """The frames as RGB, and how long each is shown."""
    image, frames, durations = Image.open(io.BytesIO(file)), [], []
    for index in range(image.n_frames):
        image.seek(index)
        frames.append(image.convert("RGB"))
        durations.append(image.info["duration"])
    return frames, durations


def pixel(frame, at, box=BOX):
    """The colour at a point of the plane; the picture is a square at the bottom."""
    x = (at[0] - box[0]) / (box[1] - box[0]) * frame.width
    y = (box[3] - at[1]) / (box[3] - box[2]) * frame.width
    return "#{:02X}{:02X}{:02X}".format(*frame.getpixel((int(x), int(frame.height - frame.width + y))))


def color(name: str) -> str:
    return style.METHODS[name].color


@pytest.fixture(scope="module")
def himmelblau():
    return runs_of(HIMMELBLAU)


@pytest.fixture(scope="module")
def results():
    return race(HIMMELBLAU)


def test_it_has_its_frames_holds_the_last_for_two_seconds_and_loops(himmelblau):
    file = gif_of(HIMMELBLAU, himmelblau, frames=7)
    image = Image.open(io.BytesIO(file))
    assert (image.format, image.n_frames, image.info["loop"], image.width) == ("GIF", 7, 0, WIDTH)
    assert frames_of(file)[1] == [50] * 6 + [2000]


def test_the_last_frame_has_heads_where_the_runs_ended(himmelblau, results):
    last = frames_of(gif_of(HIMMELBLAU, himmelblau))[0][-1]
    assert pixel(last, results["Adam"].points[-1]) == pixel(last, (3.0, 2.0)) == color("adam")
    assert pixel(last, results["FOP"].points[-1]) == color("fop"), "on top of SGD, which ended there too"
    assert pixel(last, HIMMELBLAU.start) == style.LIGHT.paper, "inside the ring"
    assert {color(name) for name in ("sgd", "adam", "fop")} <= set(
        "#{:02X}{:02X}{:02X}".format(*each) for _, each in last.getcolors(1 << 24)
    )


def test_heads_and_key_have_the_symbols_of_their_runs():
    """A square is as wide at its top as it is high; a plus and a circle are not, and a plus leaves more paper."""
    filled = {}
    for rule in ("sgd", "adam", "fop"):
        run = downsampled(rule, np.full((2, 2), 3.0), np.ones(2), "step limit")
        movie = animation.Movie(ground_of(LOST, [run]), [run], (0.0, -4.0), [], width=640, frames=2)
        inked = (np.asarray(list(movie.frames())[-1]) == tuple(bytes.fromhex(color(rule)[1:]))).all(axis=2)
        for part in (inked[:-640], inked[-640:]):  # the sample's line with its symbol; the head
            rows, _ = np.nonzero(part)
            high = np.ptp(rows) + 1
            assert high > 6, "more than a line"
            top = np.count_nonzero(part[rows.min()]) / high
            assert top == (1 if rule == "sgd" else pytest.approx(0.35, abs=0.1)), rule
        filled[rule] = len(rows) / high**2
    assert filled["sgd"] == 1 > filled["fop"] > 0.7 > 0.6 > filled["adam"]


@pytest.mark.parametrize("log_steps", [True, False])
def test_heads_are_where_their_runs_were_at_the_step_of_the_frame(himmelblau, results, log_steps):
    frames, _ = frames_of(gif_of(HIMMELBLAU, himmelblau, log_steps=log_steps, frames=9))
    assert himmelblau[1].rule == "adam" and len(himmelblau[1].path) < 2000, "downsampled"
    for share, frame in zip(np.linspace(0, 1, 9), frames):
        now = 5399**share - 1 if log_steps else 5398 * share
        at = [np.interp(now, np.arange(5399), along) for along in results["Adam"].points.T]
        if now > 50:  # the others have left the start
            assert pixel(frame, at) == color("adam")
        if math.dist(at, (3.0, 2.0)) > 0.2:
            assert pixel(frame, (3.0, 2.0)) != color("adam")


def test_a_path_is_seen_once_it_has_been_gone(himmelblau, results):
    frames, _ = frames_of(gif_of(HIMMELBLAU, himmelblau, frames=30))
    middle = results["FOP"].points[35]
    times = 5399 ** np.linspace(0, 1, 30) - 1
    drawn = [pixel(frame, middle) == color("fop") for frame in frames]
    assert drawn == [now >= 34.5 for now in times] or drawn == [now >= 35.5 for now in times]


def test_what_is_stored_of_each_frame_adds_up_to_the_picture(himmelblau):
    at_once, slowly = (frames_of(gif_of(HIMMELBLAU, himmelblau, frames=count))[0][-1] for count in (2, 40))
    differ = (np.asarray(at_once) != np.asarray(slowly)).any(axis=2)
    assert differ.mean() < 1e-3


def test_dashes_tell_rules_of_one_colour_apart():
    fan = np.stack([np.linspace(-9.0, 9.0, 50), np.linspace(-9.0, 9.0, 50)], axis=1)
    share = {}
    for rule in ("momentum", "nesterov"):
        run = downsampled(rule, fan, np.linspace(9.0, 1.0, 50), "step limit")
        last = frames_of(gif_of(LOST, [run], frames=2, width=640))[0][-1]
        along = [pixel(last, (at, at), surfaces.BOOTH.view) for at in np.linspace(-8.0, 8.0, 400)]
        share[rule] = along.count(color(rule)) / 400
    assert share["momentum"] > 0.98
    assert share["nesterov"] == pytest.approx(9 / 15, abs=0.1), "7 and 2 px of 15"


def test_the_key_tells_who_has_arrived(himmelblau):
    frames, _ = frames_of(gif_of(HIMMELBLAU, himmelblau, log_steps=False, frames=3))
    height = frames[0].height - WIDTH
    keys = [np.asarray(frame)[:height] for frame in frames]
    assert 8 < height < 80
    changed = [(keys[0] != key).any(axis=2).sum(axis=0) for key in keys]
    left, right = slice(0, WIDTH // 2), slice(WIDTH - 60, None)
    assert changed[1][left].any() and changed[1][right].any(), "FOP and SGD have; and another step"
    assert (keys[2] != keys[1]).any(), "Adam has"
    assert (keys[0][:, -4:] == 255).all() and (keys[2][:, -4:] == 255).all(), "nothing is cut off"


def test_a_diverged_run_leaves_the_picture_and_the_others_go_on():
    runs = runs_of(LOST)
    frames, _ = frames_of(gif_of(LOST, runs, frames=30))
    adam = runs[1].path[-1]
    assert pixel(frames[-1], adam, surfaces.BOOTH.view) == color("adam")
    picture = np.asarray(frames[-1])[frames[-1].height - WIDTH :]
    edge = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    assert (edge == tuple(bytes.fromhex(color("fop")[1:]))).all(axis=1).any()


NEVER = downsampled("sgd", np.full((1, 2), np.nan), np.full(1, np.nan), "diverged")
ONE = runs_of(Race(surfaces.BOOTH, (1.0, 3.0), {"FOP": FOP(0.1)}))[0]
FAR = downsampled("adam", np.array([[0.0, -4.0], [1e9, 1e9], [-1e9, 3.0], [0.0, 0.0]]), np.ones(4), "step limit")


@pytest.mark.parametrize("runs", [[], [NEVER], [ONE], [NEVER, ONE], [FAR]], ids=["0", "never", "one", "both", "far"])
@pytest.mark.parametrize("log_steps", [True, False])
def test_short_empty_and_endless_runs_have_an_animation(runs, log_steps):
    frames, durations = frames_of(gif_of(LOST, runs, frames=3, log_steps=log_steps))
    assert sum(durations) == 2100, "frames that are the same may be one"
    if ONE in runs:
        assert pixel(frames[0], (1.0, 3.0), surfaces.BOOTH.view) == color("fop")


@pytest.mark.parametrize("value", [lambda x, y: x * math.nan, lambda x, y: 0 * x, lambda x, y: np.log(x)])
@pytest.mark.parametrize("theme", style.THEMES.values())
def test_where_there_is_no_landscape_there_is_paper(value, theme):
    ground = landscape.survey(value, 0.0, (-1.0, 1.0, -1.0, 1.0))
    frames, _ = frames_of(animation.gif(ground, [], (0.5, 0.0), [], width=64, frames=2, theme=theme))
    assert pixel(frames[0], (-0.7, 0.6), (-1.0, 1.0, -1.0, 1.0)) == theme.paper


def test_it_can_be_dark(himmelblau):
    frames, _ = frames_of(gif_of(HIMMELBLAU, himmelblau, theme=style.DARK, frames=2))
    assert "#{:02X}{:02X}{:02X}".format(*frames[1].getpixel((WIDTH - 1, 0))) == style.DARK.paper
    assert pixel(frames[1], (3.0, 2.0)) == color("adam")
    assert max(frames[1].getpixel((5, WIDTH - 5))) < 100


def test_progress_is_reported_after_each_frame_and_can_end_the_work(himmelblau):
    shares = []
    gif_of(HIMMELBLAU, himmelblau, frames=5, progress=shares.append)
    assert shares == [0.2, 0.4, 0.6, 0.8, 1.0]

    def stop(share):
        shares.append(share)
        if share >= 0.4:
            raise InterruptedError

    shares.clear()
    with pytest.raises(InterruptedError):
        gif_of(HIMMELBLAU, himmelblau, frames=5, progress=stop)
    assert shares == [0.2, 0.4]


def test_the_same_race_gives_the_same_bytes(himmelblau):
    assert gif_of(HIMMELBLAU, himmelblau) == gif_of(HIMMELBLAU, himmelblau)


@pytest.mark.parametrize("wrong", [{"frames": 1}, {"width": 63}])
def test_less_than_an_animation_is_refused(wrong):
    with pytest.raises(ValueError, match="give at least 2, of at least 64"):
        gif_of(LOST, [], **wrong)


def test_a_zoom_shows_its_part_of_the_plane_and_all_that_goes_through(himmelblau, results):
    box = (2.0, 4.0, -3.0, -1.0)
    last = frames_of(gif_of(HIMMELBLAU, himmelblau, box=box))[0][-1]
    assert pixel(last, results["FOP"].points[-1], box) == color("fop")
    assert color("adam") not in {
        "#{:02X}{:02X}{:02X}".format(*each) for _, each in last.crop((0, 40, WIDTH, last.height)).getcolors(1 << 24)
    }


def test_an_animation_can_end_at_an_earlier_step(himmelblau, results):
    last = frames_of(gif_of(HIMMELBLAU, himmelblau, last=20))[0][-1]
    assert pixel(last, results["FOP"].points[20]) == color("fop")
    assert pixel(last, results["FOP"].points[-1]) != color("fop")
    whole, beyond = (gif_of(HIMMELBLAU, himmelblau, frames=3, last=step) for step in (None, 10**6))
    assert whole == beyond


def test_the_ellipses_of_P_and_the_arrows_ride_on_their_head():
    settings = SCENES["turning"].race
    ground, played = raced(settings)
    runs = [each.run for each in played]
    options = {"width": WIDTH, "frames": 3, "last": 12}
    plain, with_P, pointed = (
        [
            np.asarray(frame).astype(int)
            for frame in animation.Movie(
                ground, runs, settings.start, settings.surface.minima, **options, **more
            ).frames()
        ]
        for more in ({}, {"played": played}, {"played": played, "arrows": True})
    )
    head = PlayerWindow(ground.box, WIDTH).pixels([played[-1].motion.points[12]])[0]
    height = len(plain[0]) - WIDTH
    for before, after in ((plain, with_P), (with_P, pointed)):
        rows, columns = np.nonzero((before[-1] != after[-1]).any(axis=2))
        assert len(rows) > 20
        if before is plain:  # of the others none has learned a P
            away = np.hypot(columns - head[0], rows - height - head[1])
            assert away.max() <= heads.RADIUS * WIDTH + 3
    assert not np.array_equal(with_P[0], with_P[-1])
    more = {"played": played, "rate": lambda step: 0.1}
    movie = animation.Movie(ground, runs, settings.start, settings.surface.minima, **options, **more)
    pulled = np.asarray(list(movie.frames())[-1]).astype(int)
    rows, columns = np.nonzero((with_P[-1] != pulled).any(axis=2))
    away = np.hypot(columns - head[0], rows - height - head[1])
    assert len(rows) > 40 and away.max() < 0.5 * WIDTH, "−ε g and −ε P g with what they are"


def test_six_long_and_noisy_runs_stay_small():
    rules = {name: RULES[name](0.01) for name in ("sgd", "momentum", "adam", "s-hd", "pp-hd", "fop")}
    noisy = Race(surfaces.BOOTH, (0.0, -4.0), rules, max_steps=6_000, noise=10.0)
    assert len(gif_of(noisy, width=640, frames=120)) < 500_000
