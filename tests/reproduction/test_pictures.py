import numpy as np
import pytest

from fop_core.figures.training_curves import LineStyle
from fop_core.reproduction import CIFAR, FULL, Gallery, figures
from fop_core.reproduction.cards import cards
from fop_core.reproduction.pictures import EVERY, PICTURES, SHOWN, over_seeds


@pytest.fixture(scope="module")
def gallery() -> Gallery:
    return Gallery()


def test_every_picture_has_a_twin_for_print():
    assert set(PICTURES) <= set(figures.FIGURES)


def test_every_card_with_pictures_can_show_one():
    assert not [card.name for card in cards() if card.pictures and not set(card.pictures) & set(PICTURES)]


@pytest.mark.parametrize("name", PICTURES)
def test_each_is_drawn_and_said(gallery, name):
    _, draw = PICTURES[name]
    picture = draw(gallery)
    assert picture.caption and all(panel.alt and len(panel.figure.data) for panel in picture.panels)
    for panel in picture.panels:
        panel.figure.to_json()


def test_lines_are_means_of_seeds_within_their_range():
    style = LineStyle("#000000", "solid", 1.0)
    x = np.array([1.0, 2.0])
    line = over_seeds("of two", style, [(x, np.array([0.1, 0.4])), (x, np.array([0.3, 0.2]))])
    np.testing.assert_allclose(line.y, [0.2, 0.3])
    assert line.band is not None
    np.testing.assert_allclose(line.band[1:], [[0.1, 0.2], [0.3, 0.4]])
    assert over_seeds("of one", style, [(x, x)]).band is None, "one seed has no range"


def test_the_ends_of_figure_2_are_those_of_the_runs(gallery):
    _, draw = PICTURES["paper-2"]
    [panel] = draw(gallery).panels
    [full] = [trace for trace in panel.figure.data if trace.name == "FOP, full"]
    ends = [run.metrics.over("epoch", "test_accuracy")[1][-1] for run in gallery.seeds(FULL)]
    assert full.y[-1] == pytest.approx(np.mean(ends))


def test_figure_5a_has_p_and_its_residual_at_the_paper_s_moments(gallery):
    _, draw = PICTURES["paper-5a"]
    [panel] = draw(gallery).panels
    layer = list(gallery.learned(CIFAR).layers.values())[-1]
    assert len(panel.figure.data) == 2 * len(SHOWN)
    np.testing.assert_allclose(panel.figure.data[len(SHOWN) - 1].z, layer.P(layer.nearest(SHOWN[-1])))
    np.testing.assert_allclose(panel.figure.data[-1].z.sum(), 0, atol=1e-6)


def test_figure_5b_shows_no_cursor(gallery):
    _, draw = PICTURES["paper-5b"]
    for panel in draw(gallery).panels:
        assert "cursor" not in panel.figure.layout.yaxis.ticktext


def test_figure_a1_has_the_paper_s_distance_between_points(gallery):
    _, draw = PICTURES["paper-A1"]
    [panel] = draw(gallery).panels
    [first] = [trace for trace in panel.figure.data if trace.name == "1"]
    assert len(first.x) < 40 and np.all(np.diff(first.x) >= EVERY * 0.5)
