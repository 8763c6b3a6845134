"""The components' committed bundles, which the browser gets: each is there, and of the sources as they are."""

import hashlib
import re
from pathlib import Path

import pytest
from plotly.offline import get_plotlyjs_version

from pages.components import plot

COMPONENTS = Path(__file__).parents[2] / "pages" / "components"
ENTRIES = sorted(COMPONENTS.rglob("index.js"))
IMPORTED = re.compile(r'^(?:import|export|\}) ?[^\n]*"(\.[^"\n]+)";$', re.MULTILINE)


def sources(file: Path, known: dict[str, str]) -> dict[str, str]:
    """A file and all that it imports, by their paths from the components' folder."""
    name = file.relative_to(COMPONENTS).as_posix()
    if name not in known:
        known[name] = file.read_text(encoding="utf-8")
        for imported in IMPORTED.findall(known[name]):
            sources((file.parent / imported).resolve(), known)
    return known


def checksum(files: dict[str, str]) -> str:
    return hashlib.sha256("".join(f"{name}\n{files[name]}\n" for name in sorted(files)).encode()).hexdigest()


def test_there_are_components():
    assert len(ENTRIES) > 9


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.parent.name for entry in ENTRIES])
def test_a_bundle_is_of_its_sources_as_they_are(entry: Path):
    files = sources(entry, {})
    first = (entry.parent / "bundle.js").read_text(encoding="utf-8").partition("\n")[0]
    assert checksum(files) in first, "scripts/web.sh build makes it anew"


@pytest.mark.parametrize("entry", ENTRIES, ids=[entry.parent.name for entry in ENTRIES])
def test_no_older_call_of_a_component_undoes_a_newer_one(entry: Path):
    assert re.findall(r"^export default (.*)$", entry.read_text(), re.MULTILINE) == ["inOrder(show);"]


def test_the_players_page_is_of_its_sources_as_they_are():
    files = sources(COMPONENTS / "embed" / "main.js", {})
    for name in ("embed/page.html", "player/style.css", "embed/style.css", "player/markup.html"):
        files[name] = (COMPONENTS / name).read_text(encoding="utf-8")
    page = (COMPONENTS.parents[1] / "fop_core" / "figures" / "player.html").read_text(encoding="utf-8")
    assert page.startswith("<!doctype html>\n<!-- Made by scripts/web.sh build")
    assert checksum(files) in page, "scripts/web.sh build makes it anew"


def test_plotly_js_is_of_the_version_that_plotly_makes_figures_for():
    file = (COMPONENTS.parents[1] / "static" / "plotly-cartesian.min.js").read_text(encoding="utf-8")
    assert plot.VERSION == get_plotlyjs_version()
    assert file.startswith(f"/**\n* plotly.js (cartesian - minified) v{plot.VERSION}\n")


def test_a_change_of_anything_that_is_imported_changes_the_checksum():
    files = sources(COMPONENTS / "readout" / "index.js", {})
    assert {"readout/index.js", "lib/clock.js", "lib/page.js"} <= files.keys()
    changed = [checksum(files | {name: text + "\n"}) for name, text in files.items()]
    assert len({checksum(files), *changed}) == len(files) + 1


def test_private_names_of_plotly_are_in_one_module_and_globals_in_another():
    for file in COMPONENTS.rglob("*.js"):
        name, text = file.relative_to(COMPONENTS).as_posix(), file.read_text(encoding="utf-8")
        if file.name == "bundle.js" or file.name.endswith(".test.js"):
            continue
        assert name == "lib/plotly.js" or not re.search(r"\._[a-z]|\.js-line|\.modebar", text), name
        assert name == "lib/page.js" or "fopLab" not in text, name


def test_no_lock_file_names_a_registry():
    root = COMPONENTS.parents[1]
    assert "resolved" not in (root / "package-lock.json").read_text()
