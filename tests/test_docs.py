"""The Python in the documents runs as it stands there, and their tables say what the code says."""

import importlib.util
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from fop_core import FOP, runs
from fop_core.jobs import queue
from fop_core.runs import GALLERY, learned, store
from fop_core.runs.run import Run
from tests.training import tiny

ROOT = Path(__file__).resolve().parents[1]
BLOCKS = {
    f"{path.relative_to(ROOT)} {number}": block
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for number, block in enumerate(re.findall(r"^```python\n(.*?)^```$", path.read_text(), re.MULTILINE | re.DOTALL), 1)
}
WRONG = re.compile(r"pip install\b.*fop[-]lab")
Names = dict[str, Any]


def network() -> Names:
    """What a training script has before the optimizer is made."""
    torch.manual_seed(0)
    return {"torch": torch, "model": nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))}


def stepped(names: Names) -> None:
    model, optimizer = names["model"], names["optimizer"]
    assert isinstance(optimizer, FOP)
    model(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    assert set(optimizer.factors()) == {"0.weight", "2.weight"}


def an_optimizer() -> Names:
    names = network()
    base = torch.optim.SGD(names["model"].named_parameters(), lr=0.05)
    return names | {"optimizer": FOP(base), "step": 12}


def saved(names: Names) -> None:
    from safetensors.torch import load_file

    assert load_file("M-12.safetensors").keys() == names["optimizer"].factors().keys()


def a_run_called_baseline() -> Names:
    """One in the user's folder, with matrices and a checkpoint."""
    folder = store.runs_folder()
    shutil.copytree(GALLERY / "cifar10-fop-velocity", folder / "20261124-104551-baseline-47a8")
    Run(folder / "20261124-104551-baseline-47a8").label(name="baseline")
    return {}


def read(names: Names) -> None:
    assert names["run"].id.endswith("baseline-47a8")
    assert names["M"].shape == (9, 9) and len(names["loss"].steps) == len(names["loss"].values) > 10


def forked(names: Names) -> None:
    (waiting,) = queue.waiting()
    assert waiting.config["epochs"] == 20 and waiting.about["lineage"]["matrices"] == "frozen"


def a_regression() -> Names:
    names = network()
    return names | {"inputs": torch.randn(32, 4), "targets": torch.randn(32, 2)}


def descended(names: Names) -> None:
    losses = names["losses"]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0]


def scheduled(names: Names) -> None:
    optimizer = names["optimizer"]
    assert [group["hyper_lr"] for group in optimizer.param_groups] == [1e-3 / 8] * 2
    assert {name: M.shape[1] for name, M in optimizer.factors().items()} == {"0.weight": 4, "2.weight": 3}
    assert set(optimizer.left_to_base().values()) == {"preconditioner=None in parameter group 1"}


def raced(names: Names) -> None:
    assert names["result"].status == "converged" and names["name"] == "FOP OSGM"


def played(names: Names) -> None:
    assert 100_000 < Path("race.html").stat().st_size < 1_500_000


def whitened(names: Names) -> None:
    assert names["P"].shape == (9, 9)


def stepped_by_the_sign(names: Names) -> None:
    w = torch.zeros(2, requires_grad=True)
    optimizer = names["make_optimizer"]([("w", w)], names["Settings"](lr=0.1), 1)
    w.grad = torch.tensor([3.0, -2.0])
    optimizer.step()
    assert torch.equal(w.detach(), torch.tensor([-0.1, 0.1]))


def made_of_any_shape(names: Names) -> None:
    model = names["make_model"](names["Settings"](width=5), SimpleNamespace(input=(2, 3), output=(4,)))
    assert model(torch.ones(7, 2, 3)).shape == (7, 4)


def read_from_a_table(names: Names) -> None:
    table = ROOT / "examples" / "plugins" / "pendulum.csv"
    data = names["make_data"](names["Settings"](file=str(table), target="period_s"), 0)
    (x, y), (_, held) = data.train, data.test
    assert (len(x), len(held), data.input) == (320, 80, (2,))
    assert x.mean(0).abs().max() < 1e-5 and abs(data.metrics["explained"](torch.zeros_like(y), y)) < 1e-2


def written_one_after_another(names: Names) -> None:
    settings = names["Settings"](length=16, width=8)
    data = names["make_data"](settings, 0)
    x, y = (part[:3] for part in data.train)
    assert torch.equal(x[:, 1:], y[:, :-1])
    model = names["make_model"](settings, data)
    changed = x.clone()
    changed[:, -1] = (changed[:, -1] + 1) % data.output[1]
    assert torch.allclose(model(x)[:, :-1], model(changed)[:, :-1], atol=1e-5)  # none of them sees what comes after


def recorded(name: str, *layers: str) -> Callable[[Names], None]:
    """A run of that name that ended well, with what was learned of those layers."""

    def check(_: Names) -> None:
        run = runs.load(name)
        assert run.state.state == "finished" and "train_loss" in run.metrics
        assert {*layers} <= {*learned.of_run(run).layers}

    return check


def transformers() -> Names:
    for package in ("transformers", "accelerate"):
        pytest.importorskip(package, reason="an extra: docs/record.md")
    return {}


def lightning() -> Names:
    pytest.importorskip("lightning", reason="an extra: docs/record.md")
    return {}


CHECKED: dict[str, tuple[Callable[[], Names], Callable[[Names], None]]] = {
    "README.md 1": (network, stepped),
    "docs/bring-your-own.md 1": (dict, stepped_by_the_sign),
    "docs/bring-your-own.md 2": (dict, made_of_any_shape),
    "docs/bring-your-own.md 3": (dict, read_from_a_table),
    "docs/bring-your-own.md 4": (dict, written_one_after_another),
    "docs/optimizer.md 1": (a_regression, scheduled),
    "docs/optimizer.md 2": (a_regression, descended),
    "docs/optimizer.md 3": (dict, raced),
    "docs/runs.md 1": (a_run_called_baseline, read),
    "docs/trajectories.md 1": (dict, played),
    "docs/training.md 1": (a_run_called_baseline, forked),
    "docs/preconditioners.md 1": (an_optimizer, saved),
    "docs/preconditioners.md 2": (dict, whitened),
    "docs/record.md 1": (dict, recorded("mine", "weight")),
    "docs/record.md 2": (dict, recorded("kronecker", "weight input", "weight output")),
    "docs/record.md 3": (transformers, recorded("tiny gpt", "transformer.wte.weight")),
    "docs/record.md 4": (lightning, recorded("regression", "layer.weight")),
}
"""For each block what is there before it, and what must hold after it."""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    folder = tmp_path / "trained_models" / "runs"
    folder.mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FOP_RUNS_DIR", str(folder))
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path / "data"))  # a fork is refused without what it trains on
    tiny.cifar10(tmp_path / "data" / "cifar10", train=1, test=1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(queue, "_start", lambda folder: None)  # what is queued waits: no job begins
    return folder


@pytest.mark.parametrize("block", BLOCKS)
def test_the_python_in_the_documents_runs(folder, block):
    assert block in CHECKED, f"say in CHECKED what {block} needs and what it must do"
    before, after = CHECKED[block]
    names = before()
    exec(compile(BLOCKS[block], block, "exec"), names)
    after(names)


def test_the_tables_say_what_the_code_says():
    spec = importlib.util.spec_from_file_location("tables", ROOT / "scripts/tables.py")
    assert spec is not None and spec.loader is not None
    tables = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tables)
    for path, text in tables.documents().items():
        assert path.read_text() == text, "run python scripts/tables.py"


def test_no_block_is_looked_for_in_vain():
    assert BLOCKS.keys() == CHECKED.keys()


def test_nothing_is_installed_by_a_name_that_no_index_has():
    texts = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "examples").rglob("*.ipynb")]
    for folder in ("fop_core", "toy_functions", "pages", "examples", "benchmarks", "scripts", "tests"):
        texts += (ROOT / folder).rglob("*.py")
    assert len(texts) > 400
    said = [f"{path}: {line}" for path in texts for line in path.read_text().splitlines() if WRONG.search(line)]
    assert said == [], "of a checkout it is: pip install ."
