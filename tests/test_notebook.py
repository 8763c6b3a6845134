"""The notebook that takes a run apart runs to its end, in a kernel of its own, and shows what it says."""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOK = ROOT / "examples" / "run_apart.ipynb"


@pytest.fixture(scope="module")
def executed(tmp_path_factory) -> tuple[nbformat.NotebookNode, Path]:
    """The notebook with its outputs, and the folder that it ran in: examples/ of a checkout, nothing installed."""
    checkout = tmp_path_factory.mktemp("checkout")
    for package in ("fop_core", "toy_functions"):
        (checkout / package).symlink_to(ROOT / package)
    folder = checkout / "examples"
    folder.mkdir()
    homes = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    environment = os.environ | {home: str(checkout / home) for home in homes} | {"FOP_RUNS_DIR": str(checkout / "runs")}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        notebook = nbformat.read(NOTEBOOK, as_version=4)
        last = "print('torch' in sys.modules, sorted(path.name for path in Path().iterdir()))"
        notebook.cells.append(nbformat.v4.new_code_cell(last))
        client = NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}})
        return client.execute(), folder  # raises what a cell raises


def outputs(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]


def printed(notebook: nbformat.NotebookNode) -> str:
    return "".join(output.text for output in outputs(notebook) if output.output_type == "stream")


def test_its_figures_are_shown(executed):
    shown = [output.data for output in outputs(executed[0]) if "data" in output]
    assert sum("application/vnd.plotly.v1+json" in data for data in shown) == 4
    assert sum("image/png" in data for data in shown) == 2


def test_it_says_what_the_run_measured_and_learned(executed):
    text = printed(executed[0])
    assert "77.5% after epoch 15" in text and "settings that differ: ['fop.trace']" in text
    gains = [float(gain) for gain in re.findall(r"the mean over a kernel is multiplied by ([\d.]+)", text)]
    assert len(gains) == 7 and max(gains) < 0.05, "in each layer the constant direction is nearly closed"
    pairs = re.findall(r"neighbours (-[\d.]+), other pairs (-[\d.]+)", text)
    assert len(pairs) == 7 and all(float(beside) < float(others) for beside, others in pairs), "whitening"


def test_it_writes_beside_itself_and_needs_no_torch(executed):
    notebook, folder = executed
    assert printed(notebook).splitlines()[-1] == "False ['run.csv', 'spectra.pdf']"
    assert (folder / "spectra.pdf").read_bytes().startswith(b"%PDF")
    assert "run_apart" in (ROOT / "docs" / "runs.md").read_text()


def test_it_is_kept_without_outputs():
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in cells), "clear them: they follow from the run"
