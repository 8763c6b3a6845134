"""Write the tables of forms and of quantities into the documents that have them, between their marks.

python scripts/tables.py
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from fop_core.optim.forms import FORMS  # noqa: E402
from fop_core.quantities import QUANTITIES  # noqa: E402
from fop_core.reproduction.tables import markdown, replaced  # noqa: E402


def forms() -> list[str]:
    """Return the table of what P can be."""
    rows = []
    for form in FORMS.values():
        formula = f"{form.formula} ({form.equation})" if form.equation else form.formula
        about = f"{form.known_as}: {form.about}" if form.known_as else form.about
        rows.append([f'`"{form.name}"`', formula, form.start, about])
    return markdown(["`preconditioner`", "P", "at the start", "what it does"], rows)


def quantities() -> list[str]:
    """Return the table of what metrics hold."""
    rows = []
    for each in QUANTITIES.values():
        column = f"`{each.name}/<layer>`" if each.layered else f"`{each.name}`"
        rows.append([column, each.formula, each.unit, each.range, each.about])
    return markdown(["column", "formula", "unit", "range", "meaning"], rows)


def documents() -> dict[Path, str]:
    """Return each document as it should be."""
    tables = {"optimizer.md": {"forms": forms()}, "runs.md": {"quantities": quantities()}}
    paths = {ROOT / "docs" / name: of for name, of in tables.items()}
    return {path: replaced(path.read_text(), of) for path, of in paths.items()}


if __name__ == "__main__":
    for path, text in documents().items():
        path.write_text(text)
        print(path)
