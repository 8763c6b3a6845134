"""Maps for print have the colours of the page's maps, cell by cell, and their files are what they say."""

import io
import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fop_core.figures import maps, print_style, style
from fop_core.figures.map_axes import MapAxis
from fop_core.figures.maps import Maps, Minimum
from tests import node

ROOT = Path(__file__).parents[2]
KINDS = np.array([[[1, 2, 0], [1, 1 | 1 << 4, 1 << 4], [2 << 4, 1 | 2 << 4, 2 | 1 << 4]]], dtype=np.uint8)
STEPS = np.array([[[3, 40, 500], [12, 500, 500], [7, 99, 500]]])
TICKS = MapAxis("", [(0.25, "−5"), (0.75, "5")])


def of(kinds=KINDS, steps=STEPS, **changes) -> Maps:
    settings = {
        "rules": ["fop"],
        "titles": ["FOP"],
        "words": ["78 % converge, median 12 steps"],
        "kinds": kinds,
        "steps": steps,
        "minima": [Minimum("A (3, 2)", style.MINIMA[0], ", the lowest"), Minimum("B (−3, 2)", style.MINIMA[1])],
        "span": (3, 480),
        "limit": 500,
        "x": TICKS,
        "y": TICKS,
        "crosses": [(0.8, 0.6), (0.95, 0.6)],
    }
    return Maps(**(settings | changes))


@pytest.mark.parametrize("scheme", style.THEMES)
def test_every_cell_has_the_colour_that_it_has_on_the_page(scheme):
    theme = style.THEMES[scheme]
    colors = {name: getattr(theme, name) for name in ("paper", "ink", "muted", "grid", "low", "high", "level")}
    shown = of()
    script = f"""import {{ palette, shades, colorOf, isStriped }} from "{ROOT}/pages/components/basin_maps/cells.js";
      const colors = palette({json.dumps([{"color": each.color} for each in shown.minima])}, {json.dumps(colors)});
      const shade = shades([3, 480], 500);
      const cells = {json.dumps([KINDS.ravel().tolist(), STEPS.ravel().tolist()])};
      console.log(JSON.stringify(cells[0].map((kind, i) =>
        [colorOf(colors, shade, kind, cells[1][i]), isStriped(kind, 1), isStriped(kind, 2)])));"""
    expected = node.run(script)
    drawn = maps.colors(shown, theme).reshape(-1, 3).tolist()
    assert drawn == [color for color, *_ in expected]
    for status in (maps.LIMIT, maps.DIVERGED):
        assert maps.striped(KINDS, status).ravel().tolist() == [each[status] for each in expected]


def test_stripes_lie_in_their_cells_alone_and_reach_all_of_them():
    generator = np.random.default_rng(0)
    mask = generator.random((8, 8)) < 0.3
    reached = np.zeros_like(mask)
    for (x0, y0), (x1, y1) in maps.stripes(mask, 0.02):
        assert abs((x1 - x0) - (y1 - y0)) < 1e-9, "all at 45°"
        for share in np.linspace(0.01, 0.99, 50):
            x, y = x0 + share * (x1 - x0), y0 + share * (y1 - y0)
            at = min(7, int(y * 8)), min(7, int(x * 8))
            reached[at] = True
            near = [(y * 8) % 1, (x * 8) % 1]
            assert mask[at] or any(min(part, 1 - part) < 0.3 for part in near)
    assert (reached >= mask).all()
    assert maps.stripes(np.zeros((8, 8), bool), 0.02) == []


def test_the_key_says_what_there_is_and_nothing_else():
    def texts(shown):
        [key] = maps.maps_figure(shown).legends
        return [text.get_text() for text in key.get_texts()]

    assert texts(of()) == [
        "A (3, 2), the lowest",
        "B (−3, 2)",
        "3 to 480 steps, logarithmic",
        "at a minimum, not converged",
        "not converged in 500 steps",
        "diverged",
    ]
    assert texts(of(kinds=np.full_like(KINDS, 2))) == ["B (−3, 2)", "3 to 480 steps, logarithmic"]


@pytest.mark.parametrize("count", [1, 2, 6, 9, 11])
def test_maps_stand_side_by_side_in_the_picture(count):
    shown = of(
        np.repeat(KINDS, count, axis=0),
        np.repeat(STEPS, count, axis=0),
        rules=["fop"] * count,
        titles=[f"Map {at}" for at in range(count)],
        words=["0 % converge"] * count,
    )
    figure = maps.maps_figure(shown)
    boxes = [axes.get_position() for axes in figure.axes]
    assert len(boxes) == count
    for box in boxes:
        assert 0 <= box.x0 < box.x1 <= 1 and 0 <= box.y0 < box.y1 <= 1
    for at, one in enumerate(boxes):
        assert not any(one.overlaps(other) for other in boxes[at + 1 :])


@pytest.mark.parametrize(("name", "theme"), style.THEMES.items())
def test_a_png_has_the_maps_colours_and_says_what_it_is(name, theme):
    content = print_style.save(maps.maps_figure(of(), theme), "png", "Maps", "FOP: all", print_style.SCREEN)
    with Image.open(io.BytesIO(content)) as image:
        assert image.text["Title"] == "Maps" and image.text["Description"] == "FOP: all"
        there = {tuple(color) for _, color in image.convert("RGB").getcolors(1 << 24)}
    # Not the few with stripes over all of a tiny map's cell.
    assert {tuple(color) for color in maps.colors(of(), theme).reshape(-1, 3).tolist()} <= there


def test_an_svg_has_its_text_and_the_cells_in_it():
    shown = of(x=MapAxis("learning rate ε", TICKS.ticks), ring=(0.4, 0.5))
    content = print_style.save(maps.maps_figure(shown), "svg", "Maps", "", print_style.SCREEN)
    root = ElementTree.fromstring(content)
    texts = {"".join(each.itertext()).strip() for each in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"FOP", "78 % converge, median 12 steps", "A", "B", "learning rate ε", "diverged", "−5"} <= texts
    [image] = root.iter("{http://www.w3.org/2000/svg}image")
    assert image.get("{http://www.w3.org/1999/xlink}href").startswith("data:image/png;base64,")


def test_a_pdf_is_one_page_with_text():
    content = print_style.save(maps.maps_figure(of()), "pdf", "Maps", "FOP: all", print_style.SCREEN)
    assert content.startswith(b"%PDF-") and len(re.findall(rb"/Type /Page\b", content)) == 1
    assert b"/Title (Maps)" in content and b"/FontFile2" in content
