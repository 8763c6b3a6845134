"""Numbers in the prose of docs/paper.md and docs/gallery.md are those of the tables beside them."""

import re
from pathlib import Path

import numpy as np
import pytest

from fop_core.reproduction import CIFAR, FROZEN, cifar
from fop_core.reproduction.cards import card, shipped_evidence

ROOT = Path(__file__).resolve().parents[2]


def prose(name: str) -> str:
    """A document without its tables and its line breaks."""
    lines = (ROOT / "docs" / name).read_text().splitlines()
    return " ".join(line.strip() for line in lines if not line.startswith("|"))


def table(name: str) -> list[str]:
    """A table of docs/paper.md, which another test holds to the runs."""
    text = (ROOT / "docs" / "paper.md").read_text()
    return text.split(f"<!-- {name} -->\n")[1].split(f"<!-- end of {name} -->")[0].splitlines()


def half_waves(u: int, v: int) -> np.ndarray:
    """A cosine of u half waves down and v across a 3 x 3 kernel, of length 1."""
    down, across = (np.cos(np.pi * waves * (np.arange(3) + 0.5) / 3) for waves in (u, v))
    both = np.outer(down, across).ravel()
    return both / np.linalg.norm(both)


@pytest.fixture(scope="module")
def gallery():
    return shipped_evidence().gallery


def columns(lines: list[str]) -> dict[str, list[list[float]]]:
    """Numbers of a table by column, rows of CIFAR's layers or all where no row names a run."""
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    head, rows = cells[0], cells[2:]
    if any(row[0].strip() == CIFAR for row in rows):
        rows = [row for row in rows if row[0].strip() == CIFAR]
    numbers = [
        [[float(each.replace("−", "-")) for each in re.findall(r"[+−]?\d[\d.]*(?:e-\d+)?", cell)] for cell in row]
        for row in rows
    ]
    return {name.strip(): [row[at] for row in numbers] for at, name in enumerate(head)}


def test_figure_5as_constant_direction_and_when_it_is_all_there_is(gallery):
    def shares(run: str) -> list[float]:
        made = []
        for layer in gallery.learned(run).layers.values():
            for epoch in (1, 2, 3):
                D = layer.P(layer.nearest(epoch / 15 * float(layer.steps[-1]))) - np.eye(9)
                made.append(100 * D.sum() ** 2 / 81 / (D**2).sum())
        return made

    velocity, norm = (shares(run) for run in (CIFAR, cifar.OF_GALLERY["fop-norm"]))
    said = f"{min(velocity):.0f} to {max(velocity):.0f} %"
    assert f"which is {said} of ‖P − I‖²" in prose("paper.md")
    assert f"(FOP: {said}, FOP-norm: {min(norm):.0f} to {max(norm):.0f} %)" in prose("gallery.md")


def test_seeds_are_alike_as_the_table_says():
    lines = [line for line in table("likeness") if "mnist-fop" in line]
    left = [
        [float(each.replace("−", "-")) for each in re.findall(r"−?\d\.\d\d", line.split(" | ")[2])] for line in lines
    ]
    first, *others = left
    assert [round(each, 1) for each in first] == [0.1, 0.1]
    low, high = (f"{edge([value for of in others for value in of]):.2f}".replace("-", "−") for edge in (min, max))
    assert "correlates by 0.1 between seeds in the first layer of full rank" in prose("paper.md")
    assert f"and by {low} to {high} elsewhere" in prose("paper.md")


def test_figure_5b_and_5c_are_said_as_their_tables_are():
    text, entries, spectra = prose("paper.md"), columns(table("figure 5b")), columns(table("figure 5c"))
    shrinks = [first - last for first, last in entries["mean of the diagonal"]]
    assert f"by {shrinks[0]:.2f} in the first and by 0.2 to 0.3 in the others" in text
    assert [round(edge(shrinks[1:]), 1) for edge in (min, max)] == [0.2, 0.3]
    assert shrinks[0] < shrinks[1] < shrinks[2] and shrinks[2:] != sorted(shrinks[2:])
    assert f"the diagonal shrinks by {min(shrinks[2:]):.2f} to {max(shrinks[2:]):.2f}, in no order" in text
    means = [mean for [mean] in spectra["mean"]]
    assert f"(mean {', '.join(f'{each:.2f}' for each in means[:3])}) and stays at" in text
    assert f"stays at {min(means[2:]):.2f} to {max(means[2:]):.2f}" in text
    for name in ("std", "std without the smallest"):
        [first], *others = spectra[name]
        assert all(other > first for [other] in others)
    assert all(rank < spectra["effective rank"][0][0] for [rank] in spectra["effective rank"][1:])
    second, largest = (
        f"{edge(value for [value] in spectra[name]):.3g}" for name, edge in (("second", min), ("largest", max))
    )
    assert (second, largest) == ("0.212", "1.06") and "the others are between 0.2 and 1.06" in text
    assert any("39 to 66" in control.shows for control in card("5c").controls) and "grows to 39 to 66" in text


def test_frequencies_are_said_as_their_table_is(gallery):
    text, of = prose("paper.md"), columns(table("frequencies"))

    def between(*names: str) -> list[float]:
        values = [value for name in names for [value] in of[name]]
        return [round(min(values), 1), round(max(values), 1)]

    assert [between(*names) for names in ([("(0, 0)")], ("(1, 0)", "(0, 1)"), ("(2, 0)", "(0, 2)"))] == [
        [0.0, 0.0],
        [0.2, 0.9],
        [0.6, 1.0],
    ]
    both_ways = [value for name in ("(1, 1)", "(1, 2)", "(2, 1)", "(2, 2)") for [value] in of[name]]
    assert both_ways == pytest.approx([1] * len(both_ways), abs=0.051) and "and 1 at what varies both ways" in text
    assert "0 at the mean, 0.2 to 0.9 at one half wave, 0.6 to 1 at two half waves in one direction" in text
    power = [value for [value] in of["of ‖g‖² at (0, 0)"]]
    assert f"({min(power):.0f} to {max(power):.0f} % of it in one direction of nine)" in text
    halves = np.stack([half_waves(1, 0), half_waves(0, 1)])
    nearest = []
    for layer in gallery.learned(CIFAR).layers.values():
        vectors = np.linalg.eigh(layer.P(-1))[1].T
        assert np.abs(vectors[0] @ half_waves(0, 0)) ** 2 > 0.95, "the smallest one's is the constant"
        nearest.append(bool(((vectors[1:3] @ halves.T) ** 2).sum(1).min() > 0.5))
    assert nearest.count(True) == 6 and len(nearest) == 7 and "in six of the seven layers" in text


def test_figure_a1s_angles_stay_near_those_of_step_1_as_is_said():
    rows = [line.split(" | ") for line in table("figure A.1") if "mnist-fop" in line]
    first, *others = (float(row[4].rstrip("°")) - float(row[3].rstrip("°")) for row in rows)
    assert len(others) == 7 and first > 7 and all(0 < each < 0.5 for each in others)
    assert "less than half a degree to them on average, but in the first layer of full rank" in prose("paper.md")


def test_the_order_of_figure_1_at_the_best_rates_is_that_of_its_controls():
    booth, himmelblau = (
        dict(re.findall(r"(SGD|FOP) (\d+)", control.shows.split(";")[0])) for control in card("1").controls[:2]
    )
    assert int(booth["SGD"]) - int(booth["FOP"]) == 1 and int(himmelblau["SGD"]) < int(himmelblau["FOP"])
    assert "changes the order on Himmelblau's function, and brings SGD and FOP within a step" in prose("paper.md")


def test_the_gallerys_prose_is_that_of_its_accuracies(gallery):
    def at(name: str, epoch: int) -> float:
        return 100 * float(gallery.run(name).metrics["test_accuracy"].values[epoch - 1])

    velocity, norm, sgd = (cifar.OF_GALLERY[name] for name in ("fop", "fop-norm", "momentum"))
    leads = {run: [at(run, epoch) - at(sgd, epoch) for epoch in range(1, 16)] for run in (velocity, norm)}
    assert min(leads[velocity][:4]) > 0 and min(leads[norm][:3]) > 0 > leads[norm][3]
    assert min(of[0] for of in leads.values()) > 10 and all(14.5 < of[1] < 15 for of in leads.values())
    ends = [f"{at(run, 15):.1f}" for run in (velocity, norm, sgd, FROZEN)]
    assert "{} and {} % against {} %".format(*ends[:3]) in prose("gallery.md")
    shares = [100 * (at(FROZEN, epoch) - at(sgd, epoch)) / leads[velocity][epoch - 1] for epoch in (1, 2)]
    assert (
        f"has {shares[0]:.0f} % of FOP's lead after one epoch and {shares[1]:.0f} % after two, and ends at {ends[3]} %"
        in prose("gallery.md")
    )
    smallest = [
        max(np.linalg.eigvalsh(layer.P(layer.nearest(0.2 * float(layer.steps[-1]))))[0] for layer in of.layers.values())
        for of in (gallery.learned(velocity), gallery.learned(norm))
    ]
    assert smallest[0] < 0.05 < smallest[1] < 0.06 and "below 0.05 within three epochs" in prose("gallery.md")
    largest = [
        [np.linalg.eigvalsh(layer.all_P())[:, -1] for layer in gallery.learned(run).layers.values()]
        for run in (velocity, norm)
    ]
    most, of_norm = (f"{max(each.max() for each in of):.2f}" for of in largest)
    end, norm_end = (f"{max(each[-1] for each in of):.2f}" for of in largest)
    assert f"The largest is {most} at most, within the first epoch, and {end} at the end" in prose("gallery.md")
    assert of_norm == norm_end and f"‖P‖ fixed: {of_norm} both times)" in prose("gallery.md")
