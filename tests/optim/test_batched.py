"""What torch has for lists of tensors, and its twin of public calls, agree; torch's private calls are there alone."""

import ast
import math
import re
from pathlib import Path

import pytest
import torch

from fop_core.optim import batched
from tests.optim.built import build, run, same

ROOT = Path(batched.__file__).resolve().parents[2]
DTYPES = [torch.float32, torch.float64, torch.bfloat16]


def tensors(seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    return [torch.randn(shape, generator=generator).to(dtype) for shape in ((3, 4), (7,), (), (2, 3, 5))]


def test_torch_has_them():
    """Else what follows compares the twins with themselves."""
    pairs = (batched.copy, batched.public_copy), (batched.norms, batched.public_norms)
    assert all(one is not two for one, two in (*pairs, (batched.adam, batched.public_adam)))


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_copies_are_the_same(dtype):
    to, others = tensors(1, dtype), tensors(2, dtype)
    batched.copy(to, tensors(3, dtype))
    batched.public_copy(others, tensors(3, dtype))
    assert same(to, others) and same(to, tensors(3, dtype))


@pytest.mark.parametrize("bad", [None, math.nan, math.inf, -math.inf], ids=str)
@pytest.mark.parametrize("order", [2.0, math.inf])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_norms_are_the_same(dtype, order, bad):
    arrays = tensors(dtype=dtype)
    if bad is not None:
        arrays[0][1, 1] = arrays[2][()] = bad
    one, two = batched.norms(arrays, order), batched.public_norms(arrays, order)
    torch.testing.assert_close(list(one), two, equal_nan=True)
    assert [each.shape for each in one] == [()] * len(arrays)


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_adam_is_the_same_to_the_last_bit(dtype):
    kept = []
    for step in (batched.adam, batched.public_adam):
        M, means, squares = tensors(1, dtype), *([torch.zeros_like(t) for t in tensors(0, dtype)] for _ in range(2))
        counts = [torch.tensor(float(i)) for i in range(len(M))]
        for number in range(6):
            is_finite = torch.tensor(float(number != 3), dtype=torch.float64)
            step(
                M,
                tensors(10 + number, dtype),
                means,
                squares,
                counts,
                is_finite=is_finite,
                nonfinite=(1 - is_finite).float(),
                rate=0.1 / (number + 1),
                eps=1e-8,
            )
        assert [float(count) for count in counts] == [5, 6, 7, 8]
        kept.append((M, means, squares, counts))
    assert same(*kept)
    assert not same(kept[0][0], tensors(1, dtype))


@pytest.mark.parametrize("options", [{}, {"apply": "after", "kind": "low_rank"}], ids=str)
def test_fop_does_without_torchs_own(monkeypatch, options):
    results = []
    for public in (False, True):
        if public:
            for name, twin in (("copy", "public_copy"), ("norms", "public_norms"), ("adam", "public_adam")):
                monkeypatch.setattr(batched, name, getattr(batched, twin))
        params, optimizer = build(**options)
        run(params, optimizer, range(5))
        results.append((dict(params), optimizer.state_dict()))
    assert same(*results)


TWIN = "a kernel for many tensors, which a twin of public calls agrees with: see above"
HOOKS = "no public way to what was registered by register_..._hook; test_fop_checkpoint has them called as SGD's"
FSDP = "no public mark of a parameter that FSDP has flattened; test_fop_checkpoint has one refused"
PRIVATE = {
    ("batched.py", "_foreach_add_"): TWIN,
    ("batched.py", "_foreach_copy_"): TWIN,
    ("batched.py", "_foreach_norm"): TWIN,
    ("batched.py", "_fused_adam_"): TWIN,
    ("checks.py", "_fsdp_flattened"): FSDP,
    ("checks.py", "_is_flat_param"): FSDP,
    ("fop.py", "_optimizer_"): "what begins so are torch's hooks of this very object, which a copy must not share",
    ("fop.py", "_optimizer_load_state_dict_post_hooks"): HOOKS,
    ("fop.py", "_optimizer_load_state_dict_pre_hooks"): HOOKS,
    ("fop.py", "_optimizer_state_dict_post_hooks"): HOOKS,
    ("fop.py", "_optimizer_state_dict_pre_hooks"): HOOKS,
    ("fop.py", "_zero_grad_profile_name"): "torch sets it on each optimizer, and again on a copy",
    (
        "guard.py",
        "_version",
    ): "torch's notes on autograd name it; no other way tells of a change in place",
}
"""What is private to others and used in ``optim`` all the same, with why; by file and name."""


def private_names(path: Path) -> set[str]:
    """Names with an underscore that a file takes from others, by a string too; not what it defines."""
    tree = ast.parse(path.read_text())
    nodes = list(ast.walk(tree))
    own = {"self", "cls", *(node.name for node in nodes if isinstance(node, ast.ClassDef))}
    made = {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    made |= {node.attr for node in nodes if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)}
    made |= {node.target.id for node in nodes if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)}
    names = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)} - made
    for node in nodes:
        if isinstance(node, ast.Attribute):
            is_own = isinstance(node.value, ast.Name) and node.value.id in own and node.attr in made
            names |= set() if is_own else {node.attr}
        elif isinstance(node, ast.ImportFrom):
            names |= {*(node.module or "").split("."), *(alias.name for alias in node.names)}
    return {name for name in names if re.fullmatch("_[a-z][a-z_]*", name)}


def test_what_is_private_to_others_is_listed_with_why():
    folder = Path(batched.__file__).parent
    used = {(str(path.relative_to(folder)), name) for path in folder.rglob("*.py") for name in private_names(path)}
    assert used == PRIVATE.keys()


def test_private_calls_of_torch_are_in_one_place():
    private = re.compile(r"\btorch(\.\w+)*\._(?!_)\w+|from torch[\w.]*\._\w+ import|getattr\(torch, .*\"_")
    files = {
        str(path.relative_to(ROOT))
        for folder in ("fop_core", "toy_functions", "pages", "examples")
        for path in (ROOT / folder).rglob("*.py")
        if private.search(path.read_text())
    }
    assert files == {"fop_core/optim/batched.py"}
