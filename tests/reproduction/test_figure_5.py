"""Figure 5 of one seed, as the gallery has it, and of several once the study ships."""

import dataclasses

import numpy as np
import pytest
from scipy import stats

from fop_core.reproduction import CIFAR, cifar, figure_5, packed_snapshots, pictures, plans, shipped, tables
from fop_core.reproduction.cards import CARDS
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.packed_snapshots import Snapshots
from fop_core.runs import GALLERY, learned
from fop_core.runs.files import DamagedFile
from fop_core.runs.run import Run
from fop_core.studies.statistics import holm
from tests.reproduction.test_verdict_rules import made

STUDY = plans.PLANS[cifar.STUDY].study
OURS = packed_snapshots.of_run(Run(GALLERY / CIFAR))


def of_seed(seed: int, noise: float = 0.01) -> Snapshots:
    """Return what the gallery's run learned, with some noise on its M."""
    rng = np.random.default_rng(seed)
    arrays = dict(OURS.arrays)
    for name, M in OURS.arrays.items():
        if name.endswith("/M"):
            arrays[name] = (
                M + (noise * rng.normal(size=M.shape[1:])).astype(np.float32) * (M.any((1, 2))[:, None, None])
            )
            P = np.einsum("snk,smk->snm", arrays[name], arrays[name])
            arrays[name.replace("/M", "/spectrum")] = np.linalg.eigvalsh(P).astype(np.float32)
    return Snapshots(OURS.steps, arrays)


@pytest.fixture(scope="module")
def packed():
    runs = made(STUDY, lambda cell: 0.7 + cell.seed / 100, keep=lambda cell: cell.method in ("momentum", "fop"))
    return dataclasses.replace(runs, snapshots={("fop", seed): of_seed(seed) for seed in STUDY.fresh_seeds})


@pytest.fixture(scope="module")
def evidence(packed, tmp_path_factory):
    folder = tmp_path_factory.mktemp("paper")
    assert shipped.write(packed, folder / cifar.STUDY) < 1_200_000
    return Evidence(packed=folder)


def test_what_was_learned_ships_of_every_seed_and_is_a_run_s_again(evidence, packed, tmp_path):
    there = evidence.study(cifar.STUDY).layers("fop")
    assert list(there) == [0, 1, 2] and list(there[0]) == list(learned.of_run(Run(GALLERY / CIFAR)).layers)
    few = dataclasses.replace(packed, runs=tuple(packed.of("fop")[1:2]))
    [run] = shipped.unpack(few, tmp_path)
    again = shipped.collect(STUDY, tmp_path)
    for layers in (learned.of_run(run).layers, again.layers("fop")[1]):
        for name, layer in there[1].items():
            np.testing.assert_array_equal(layers[name].M, layer.M)
            np.testing.assert_array_equal(layers[name].spectra, layer.spectra)
            assert layers[name].steps.tolist() == OURS.steps.tolist()
    assert list(again.matrices) == [("fop", 1)], "not of the first seed alone"


def test_cards_tables_and_pictures_are_of_the_study_once_it_ships(evidence):
    for name in ("5a", "5b", "5c"):
        card = CARDS[name](evidence)
        assert card.plans == card.shipped == (cifar.STUDY,) and CIFAR not in card.gallery
        assert all("n = 3; " in part.measured for part in card.parts) and "One seed of FOP." not in card.differences
        alone = CARDS[name](Evidence())
        assert alone.plans == (cifar.STUDY,) and alone.shipped == () and CIFAR in alone.gallery
        assert "One seed of FOP." in alone.differences
    assert CARDS["5a"](Evidence()).parts[-1].holds is None, "one seed says nothing across initializations"
    assert CARDS["5a"](evidence).parts[-1].holds
    for name in ("figure 5a", "figure 5b", "frequencies"):
        assert tables.OF_STUDIES[name](evidence)[0].startswith("| layer, mean ± std of 3 seeds |")
    likeness = "\n".join(tables.likeness(evidence))
    assert "paper-3-cifar10, fop, 18.weight, pairs of 3 seeds" in likeness and CIFAR not in likeness
    assert any(
        line.startswith("| paper-3-cifar10, fop, mean of 3 seeds | 0.weight") for line in tables.spectra(evidence)
    )
    assert "mean of 3 seeds" in pictures.spectra(evidence).caption and "first of 3" in pictures.change(evidence).caption


def test_of_several_seeds_each_layer_is_tested(evidence):
    of_seeds = figure_5.learned(evidence)
    P = np.array([[layer.P(-1) for layer in layers.values()] for layers in of_seeds])
    itself = P[..., np.arange(9), np.arange(9)].mean(-1)
    by_hand = holm([stats.ttest_1samp(itself[:, at], 0.0).pvalue for at in range(7)])
    part = CARDS["5a"](evidence).parts[0]
    assert part.holds is bool(max(by_hand) < 0.05) and "comes out in 7 of 7 (n = 3; Student's t" in part.measured


def test_what_is_not_alike_does_not_come_out():
    rng = np.random.default_rng(0)
    structure = rng.normal(size=(9, 9))
    same = [structure + 0.1 * rng.normal(size=(9, 9)) for _ in range(3)]
    mean, p = figure_5.alike(np.stack(same))
    pairs = [
        np.corrcoef(*(tables.inspection.residual(same[at]).ravel() for at in pair))[0, 1]
        for pair in ((0, 1), (0, 2), (1, 2))
    ]
    assert mean == pytest.approx(np.mean(pairs)) and p == pytest.approx(1e-4)
    mean, p = figure_5.alike(rng.normal(size=(3, 9, 9)))
    assert abs(mean) < 0.3 and p > 0.05


def test_snapshots_of_another_shape_are_refused(packed, tmp_path):
    broken = Snapshots(OURS.steps[:5], OURS.arrays)
    shipped.write(dataclasses.replace(packed, snapshots={("fop", 0): broken}), tmp_path / "paper" / cifar.STUDY)
    with pytest.raises(DamagedFile, match="at 5 steps"):
        shipped.load(cifar.STUDY, tmp_path / "paper")
