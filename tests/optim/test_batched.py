"""What torch has for lists of tensors, and its twin of public calls, agree; torch's private calls are there alone."""

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


def test_private_calls_of_torch_are_in_one_place():
    private = re.compile(r"\btorch(\.\w+)*\._(?!_)\w+|from torch[\w.]*\._\w+ import|getattr\(torch, .*\"_")
    files = {
        str(path.relative_to(ROOT))
        for folder in ("fop_core", "toy_functions", "pages", "examples")
        for path in (ROOT / folder).rglob("*.py")
        if private.search(path.read_text())
    }
    assert files == {"fop_core/optim/batched.py"}
