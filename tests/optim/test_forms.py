"""The table of forms says what the classes of the same names compute."""

import subprocess
import sys
import typing

import numpy as np
import pytest
import torch

from fop_core import inspection
from fop_core.figures.style import METHODS
from fop_core.optim.forms import FORMS, FormName
from fop_core.optim.preconditioners import PRECONDITIONERS
from fop_core.optim.rules import OF_A_POINT
from fop_core.runs import compare
from fop_core.training import config

MATRICES = [form for form in FORMS.values() if form.P is not None]


def factor(form, n, rank):
    """M some way from its start, as the form has it."""
    generator = torch.Generator().manual_seed(n)
    M = PRECONDITIONERS[form.name].init(n, rank, lambda n, k: torch.randn(n, k, generator=generator)).double()
    step = torch.randn(M.shape, generator=generator, dtype=torch.float64)
    return M + 0.3 * (step + step.mT if M.shape[0] == M.shape[1] else step)


def test_every_name_has_a_row_and_a_class():
    assert list(typing.get_args(FormName)) == list(FORMS)
    assert PRECONDITIONERS.keys() == FORMS.keys()
    assert set(OF_A_POINT) <= FORMS.keys()


def test_a_row_says_whether_its_class_learns():
    for name, form in FORMS.items():
        assert form.learns == (PRECONDITIONERS[name].alignment is not None)


@pytest.mark.parametrize("form", MATRICES, ids=lambda form: form.name)
@pytest.mark.parametrize(("n", "rank"), [(1, 1), (4, 2), (9, 9)])
def test_P_and_its_eigenvalues_are_those_of_the_class(form, n, rank):
    M, kind = factor(form, n, rank), PRECONDITIONERS[form.name]
    P = inspection.preconditioner(M.numpy(), form.name)
    np.testing.assert_allclose(P, kind.matrix(M).numpy(), atol=1e-14)
    stacked = inspection.preconditioner(torch.stack([M, 2 * M]).numpy(), form.name)
    assert stacked.shape == (2, n, n) and np.array_equal(stacked[0], P)
    exact = np.linalg.eigvalsh(P)
    np.testing.assert_allclose(inspection.spectrum(M.numpy(), form.name), exact, atol=1e-12)
    if kind.spectrum is not None:
        np.testing.assert_allclose(np.sort(kind.spectrum(M).numpy()), exact, atol=1e-12)


def test_a_form_with_a_name_of_its_own_is_a_method_of_that_name():
    for form in FORMS.values():
        settings = {"fop.preconditioner": form.name}
        assert compare.method(settings) == form.method in config.METHODS
        if form.known_as:
            assert METHODS[form.method].name == form.known_as


def test_the_table_needs_no_torch():
    code = "import sys, fop_core.optim.forms, fop_core.training.config; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
