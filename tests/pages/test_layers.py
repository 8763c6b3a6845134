"""Pages hold widgets and words: maths and folders are the floors', and no export takes its numbers from a view."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(path for path in (ROOT / "pages").rglob("*.py"))
EXPORTS = [path for path in PAGES if path.stem in ("exports", "downloads")]
NO_DRAWING = {"cache_data", "cache_resource", "session_state", "query_params", "context"}
"""Of Streamlit, what puts nothing on a page."""
FOR_EXPORTS = {"pages.components.download", "pages.shared.form"}
"""The buttons themselves, and the settings, which are read."""
LISTS_FOLDERS = {"glob", "rglob", "scandir", "listdir", "iterdir", "walk"}


def chain(node: ast.AST) -> list[str]:
    """The names of a dotted expression: ["st", "session_state", "get"]; empty where it is none."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.insert(0, node.attr)
        node = node.value
    return [node.id, *names] if isinstance(node, ast.Name) else []


def draws(tree: ast.AST) -> bool:
    """Whether a module puts anything on a page: a widget of Streamlit's, or a component of ours."""
    calls = [chain(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return any(
        names == ["component"] or (len(names) > 1 and names[0] == "st" and names[1] not in NO_DRAWING)
        for names in calls
    )


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of pages that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pages"):
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if file_of(inner).exists() else node.module


def file_of(module: str) -> Path:
    path = ROOT.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def maths(tree: ast.AST) -> list[str]:
    """What a page would compute or list by itself."""
    bad = []
    for node in ast.walk(tree):
        names = chain(node) if isinstance(node, ast.Attribute) else []
        match names:
            case [("np" | "math"), str(name)] if name.startswith(("nan", "log")):
                bad.append(".".join(names))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in {"mean", "std", "var"} | LISTS_FOLDERS:
                bad.append(node.func.attr)
    return bad


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_export_takes_what_it_draws_from_a_module_that_draws(path):
    modules = set(imported(ast.parse(path.read_text()))) - FOR_EXPORTS
    assert not {module for module in modules if draws(ast.parse(file_of(module).read_text()))}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_computes_nothing_and_lists_no_folder(path):
    assert not maths(ast.parse(path.read_text()))


def test_every_way_to_draw_or_to_compute_is_seen():
    assert draws(ast.parse('with st.popover("Export"): pass')) and draws(ast.parse('_mount = component("update")'))
    assert not draws(ast.parse('@st.cache_data(max_entries=3)\ndef f(): st.session_state.get("page")'))
    code = "np.nanmin(a), math.log10(2), np.nan, values.mean(), Path().glob('*'), os.scandir('.')"
    assert len(maths(ast.parse(code))) == 6
    [module] = imported(ast.parse("from pages.basins import maps"))
    assert module == "pages.basins.maps" and file_of(module).is_file()
    assert {path.parent.name for path in EXPORTS} == {"basins", "preconditioners", "runs", "studies", "trajectories"}
