"""A picture shows the race at its step, in its view and theme; its files are what they say, and say what they show."""

import io
import re
import xml.etree.ElementTree as ElementTree
import zlib

import numpy as np
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from fop_core.figures import print_style, still, style
from fop_core.figures.landscape import Landscape
from fop_core.optim.rules import FOP, SGD, Adam
from tests.figures.raced import Raced, raced
from toy_functions import Race, surfaces
from toy_functions.scenes import SCENES

SETTINGS = SCENES["turning"].race
LOST = Race(surfaces.BOOTH, (0.0, -4.0), {"SGD": SGD(0.3), "Adam": Adam(0.3), "FOP": FOP(0.05, 1.0)}, max_steps=400)


@pytest.fixture(scope="module")
def turning() -> tuple[Landscape, list[Raced]]:
    return raced(SETTINGS)


def picture(turning, step=12, **options):
    ground, results = turning
    return still.still(ground, results, SETTINGS.start, SETTINGS.surface.minima, step, **options)


def file_of(figure, kind: str) -> bytes:
    return print_style.save(figure, kind, "A race, step 12", "SGD and FOP", print_style.SCREEN)


def paths(figure, rule: str) -> list[np.ndarray]:
    color = style.METHODS[rule].color.lower()
    axes = figure.axes[0]
    return [
        np.stack(line.get_data(), axis=1)
        for line in axes.lines
        if to_hex(line.get_color()) == color and line.get_transform() == axes.transData and len(line.get_xdata()) > 1
    ]


def test_each_path_ends_where_its_run_was_at_the_step(turning):
    figure = picture(turning, 12)
    for each in turning[1]:
        end = each.motion.points[min(12, len(each.motion.points) - 1)]
        line, *symbols = paths(figure, each.run.rule)
        assert len(line) == min(12, int(each.motion.steps[-1])) + 1
        np.testing.assert_allclose(line[-1], end, rtol=1e-6)
        assert len(symbols) <= 1, "those at steps 1 and 10"


def test_labels_are_of_those_who_have_arrived(turning):
    texts = {text.get_text() for text in picture(turning, 12).axes[0].texts}
    assert texts == {"Newton 1"}
    texts = {text.get_text() for text in picture(turning, 10_000).axes[0].texts}
    assert texts == {each.run.label for each in turning[1]}
    assert picture(turning, 10_000).axes[0].get_title(loc="right") == "step 700 of 700"


def test_the_zoom_is_what_is_seen(turning):
    axes = picture(turning, box=(0.0, 2.0, 0.0, 1.0)).axes[0]
    assert axes.get_xlim() == (0.0, 2.0)
    np.testing.assert_allclose(axes.get_ylim(), (-0.5, 1.5))


@pytest.mark.parametrize(("name", "theme"), style.THEMES.items())
def test_a_png_has_the_colours_of_the_page(turning, name, theme):
    with Image.open(io.BytesIO(file_of(picture(turning, theme=theme, arrows=True), "png"))) as image:
        assert image.text["Title"] == "A race, step 12" and image.text["Description"] == "SGD and FOP"
        pixels = image.convert("RGB")
        assert "#{:02X}{:02X}{:02X}".format(*pixels.getpixel((3, pixels.height - 3))) == theme.paper
        there = {"#{:02X}{:02X}{:02X}".format(*color) for _, color in pixels.getcolors(1 << 24)}
        assert {theme.ink, *(style.METHODS[rule].color for rule in ("sgd", "momentum", "newton", "fop-osgm"))} <= there


def test_an_svg_has_its_paths_and_its_text(turning):
    root = ElementTree.fromstring(file_of(picture(turning), "svg"))
    texts = ["".join(each.itertext()).strip() for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"step 12 of 700", "FOP OSGM", "Newton 1", "x", "y"} <= set(texts)
    assert len(list(root.iter("{http://www.w3.org/2000/svg}path"))) > 20
    written = file_of(picture(turning), "svg").decode()
    assert "<dc:title>A race, step 12</dc:title>" in written and "SGD and FOP" in written
    assert style.METHODS["fop-osgm"].color.lower() in written


def test_a_pdf_has_its_paths_and_its_text(turning):
    content = file_of(picture(turning), "pdf")
    assert (
        content.startswith(b"%PDF-") and b"/Title (A race, step 12)" in content and b"/Subject (SGD and FOP)" in content
    )
    streams = []
    for match in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            streams.append(zlib.decompress(match[1]))
        except zlib.error:
            continue  # a font or a picture of another kind
    page = max(streams, key=lambda each: each.count(b" l\n"))
    assert page.count(b" l\n") > 50 and page.count(b"BT") > 10, "lines, and pieces of text"
    assert b"/FontFile2" in content, "letters as letters"


def test_the_same_picture_has_the_same_bytes(turning):
    for kind in print_style.KINDS:
        assert file_of(picture(turning), kind) == file_of(picture(turning), kind)


@pytest.mark.parametrize("step", [0, 1, 7, 400])
def test_a_run_that_diverges_and_one_that_never_began_can_be_drawn(step):
    ground, results = raced(LOST)
    figure = still.still(ground, results, LOST.start, LOST.surface.minima, step, arrows=True)
    assert len(file_of(figure, "png")) > 10_000
    nobody = still.still(ground, [], LOST.start, [], step)
    assert nobody.axes[0].get_title(loc="right") == f"step {min(step, 1)} of 1"


def test_P_and_arrows_are_at_the_heads(turning):
    def overlays(figure):
        axes = figure.axes[0]
        return [each for each in (*axes.lines, *axes.patches) if each.get_transform() != axes.transData]

    plain, pointed = overlays(picture(turning)), overlays(picture(turning, arrows=True))
    assert len(plain) == 4, "area and outline of P and of H⁻¹"
    assert len(pointed) > len(plain) + 6


def test_what_pulls_at_the_head_of_the_run_whose_steps_are_shown_is_named(turning):
    def names(step, **options):
        return {re.split(" [×÷]", text.get_text())[0] for text in picture(turning, step, **options).axes[0].texts}

    assert {"−ε g", "−ε P g"} <= names(2, rate=lambda step: 0.01)
    assert not {"−ε g", "−ε P g"} & names(2)
    assert "−ε g" in names(2, rate=lambda step: 0.01, followed="SGD")
    assert not {"−ε g", "−ε P g"} & names(10_000, rate=lambda step: 0.01), "no step is taken from the end"
    written = file_of(picture(turning, 2, rate=lambda step: 0.01), "svg").decode()
    assert "−ε P g" in written, "as text"
