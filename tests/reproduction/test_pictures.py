import numpy as np
import pytest

from fop_core.figures.training_curves import LineStyle
from fop_core.reproduction import CIFAR, mnist, shipped
from fop_core.reproduction.cards import CARDS, cards
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.pictures import EVERY, MORE, NEEDED, PICTURES, SHOWN, drawable, over_seeds
from fop_core.reproduction.plans import PLANS, RANKS
from fop_core.runs.files import RunError
from fop_core.studies.cells import cells
from tests.studies.filled import run_of


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    return Evidence()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_a_card_that_has_pictures_can_show_one(evidence):
    assert not [card.name for card in cards() if card.pictures and not drawable(card, evidence)]
    assert set(MORE) <= set(CARDS) and {name for names in MORE.values() for name in names} <= set(PICTURES)


@pytest.mark.parametrize("name", [name for name in PICTURES if NEEDED.get(name, mnist.BEST) in shipped.names()])
def test_each_is_drawn_and_said(evidence, name):
    _, draw = PICTURES[name]
    picture = draw(evidence)
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


def test_the_ends_of_figure_2_are_those_of_the_runs(evidence):
    _, draw = PICTURES["paper-2"]
    [panel] = draw(evidence).panels
    ends = {trace.name: trace.y[-1] for trace in panel.figure.data if trace.name}
    packed = shipped.load(mnist.BEST)
    assert ends["FOP, full"] == pytest.approx(np.mean([run.last("test_accuracy") for run in packed.of("full")]))
    assert list(ends) == ["SGD", *(f"FOP, k = {k}" for k in list(RANKS.values())[:-1]), "FOP, full"]


def test_angles_by_std_stand_beside_what_chance_gives(evidence):
    _, draw = PICTURES["paper-A1-std"]
    [panel] = draw(evidence).panels
    traces = {trace.name: trace for trace in panel.figure.data if trace.name}
    learned, drawn = traces["full, learned"], traces["full, never learned"]
    assert learned.marker.symbol != drawn.marker.symbol and learned.x[0] > drawn.x[0]
    line = traces["full"]
    assert np.interp(0.3, line.x, line.y) == pytest.approx(drawn.y[0], abs=1.5), "an M that is random turns as one"


@pytest.mark.parametrize("name", ["4a", "4b"])
def test_figure_4_is_drawn_once_its_runs_are_there(evidence, folder, name):
    [card] = [card for card in cards() if card.name == name]
    [picture] = MORE[name]
    _, draw = PICTURES[picture]
    if evidence.study(f"paper-{name}") is None:
        assert drawable(card, evidence) == []
        with pytest.raises(RunError, match=f"no runs of paper-{name} are there"):
            draw(evidence)
    for cell in cells(PLANS[f"paper-{name}"].quick):
        rate = cell.point["optimizer.lr"]
        run_of(cell, float("nan") if rate == 0.5 and cell.method == "momentum" else 0.5 + rate / 10)
    made = Evidence(runs=folder, quick=True)
    assert drawable(card, made) == [picture]
    panels = draw(made).panels
    assert len(panels) == (2 if name == "4a" else 1)
    lines = {trace.name: trace for trace in panels[0].figure.data if trace.name}
    if name == "4a":
        assert lines["SGD"].y[0] == pytest.approx(0.505) and np.isnan(lines["SGD"].y[1]), "what diverged is a gap"
        np.testing.assert_allclose(lines["FOP"].y, [0.505, 0.55])
    else:
        assert len(lines) == 3 and list(lines["Adam"].x) == [0.001, 0.01]


def test_figure_5a_has_p_and_its_residual_at_the_paper_s_moments(evidence):
    _, draw = PICTURES["paper-5a"]
    [panel] = draw(evidence).panels
    layer = list(evidence.gallery.learned(CIFAR).layers.values())[-1]
    assert len(panel.figure.data) == 2 * len(SHOWN)
    np.testing.assert_allclose(panel.figure.data[len(SHOWN) - 1].z, layer.P(layer.nearest(SHOWN[-1])))
    np.testing.assert_allclose(panel.figure.data[-1].z.sum(), 0, atol=1e-6)


def test_figure_5b_shows_no_cursor(evidence):
    _, draw = PICTURES["paper-5b"]
    for panel in draw(evidence).panels:
        assert "cursor" not in panel.figure.layout.yaxis.ticktext


def test_figure_a1_has_the_paper_s_distance_between_points(evidence):
    _, draw = PICTURES["paper-A1"]
    [panel] = draw(evidence).panels
    [first] = [trace for trace in panel.figure.data if trace.name == "1"]
    assert len(first.x) < 40 and np.all(np.diff(first.x) >= EVERY * 0.5)
