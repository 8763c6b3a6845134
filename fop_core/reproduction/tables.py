"""What was measured for each of the paper's figures, as Markdown tables of docs/paper.md."""

import itertools
import math
import statistics
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fop_core import inspection, similarity
from fop_core.figures import style
from fop_core.optim.forms import FORMS, MEAN_REMOVED
from fop_core.reproduction import (
    CIFAR,
    FROZEN,
    FULL,
    LOW_RANK,
    ONE_STEP,
    SETTLED,
    Gallery,
    angle_layers,
    cifar,
    figure_5,
    lacking,
    mnist_tables,
    paragraphs,
)
from fop_core.reproduction.answers import ANSWERS
from fop_core.reproduction.cards import cards
from fop_core.reproduction.evidence import Evidence
from fop_core.reproduction.figure_5 import near
from fop_core.reproduction.figures import apart
from fop_core.reproduction.mnist import chance_deg
from fop_core.reproduction.planned import gpu_hours
from fop_core.reproduction.verdicts import Card
from fop_core.runs.learned import Layer
from fop_core.runs.run import Run
from toy_functions import presets, race

Array = np.ndarray
OUTCOMES = {True: "yes", False: "**no**", None: "not run"}


def markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table's lines."""
    return [f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows)]


def steps(gallery: Gallery) -> list[str]:
    """Return the step counts of Figure 1: published, and of the races as reconstructed."""
    rows = []
    for settings in presets.PRESETS.values():
        for name, trajectory in race(settings).items():
            minimum = "none" if trajectory.minimum is None else style.point(*trajectory.minimum)
            rows.append(
                [settings.surface.name, name, f"{settings.published[name]:,}", f"{trajectory.steps:,}", minimum]
            )
    return markdown(["function", "method", "published steps", "here", "minimum"], rows)


def neighbours(evidence: Evidence) -> list[str]:
    """Return the mean entries of the final P by where two positions of a kernel lie (Figure 5a)."""
    of_seeds = figure_5.learned(evidence)
    rows = []
    for name, layers in by_layer(of_seeds).items():
        values = [[layer.P(-1)[where].mean() for layer in layers] for where in near(layers[0].n).values()]
        rows.append([name, *(_mean(each, "+.3f") for each in values)])
    return markdown([_layer(of_seeds), *near(9)], rows)


def by_layer(of_seeds: Sequence[Mapping[str, Layer]]) -> dict[str, list[Layer]]:
    """Return what each seed learned, by layer."""
    return {name: [layers[name] for layers in of_seeds] for name in of_seeds[0]}


def _layer(of_seeds: Sequence[Mapping[str, Layer]]) -> str:
    """Return what a column of layers is called."""
    return "layer" if len(of_seeds) == 1 else f"layer, mean ± std of {len(of_seeds)} seeds"


def _mean(values: Sequence[float], form: str) -> str:
    """Return the mean over seeds, and the standard deviation of several."""
    made = format(statistics.mean(map(float, values)), form)
    if len(values) > 1:
        made += f" ± {format(statistics.stdev(map(float, values)), form.replace('+', ''))}"
    return made.replace("-", "−")


def likeness(evidence: Evidence) -> list[str]:
    """Return how alike layers and seeds are: correlations of P - I, and of what is left without 11^T (section 5)."""
    of_seeds, gallery = figure_5.learned(evidence), evidence.gallery
    called = f"{cifar.STUDY}, {cifar.FOP}" if figure_5.of_study(evidence) else CIFAR
    rows = []
    for seed, layers in enumerate(of_seeds):
        of = called if len(of_seeds) == 1 else f"{called}, seed {seed}"
        rows.append(_likeness(f"{of}, pairs of its {len(layers)} layers", [layer.P(-1) for layer in layers.values()]))
    if len(of_seeds) > 1:
        for name, each in by_layer(of_seeds).items():
            rows.append(_likeness(f"{called}, {name}, pairs of {len(each)} seeds", [layer.P(-1) for layer in each]))
    for name in (FULL, LOW_RANK):
        seeds = [gallery.learned(run.path.name).layers for run in gallery.seeds(name)]
        for layer in seeds[0]:
            rows.append(
                _likeness(f"{name}, {layer}, pairs of {len(seeds)} seeds", [each[layer].P(-1) for each in seeds])
            )
    return markdown(["pairs", "P − I", "P − a I − c 11ᵀ", "angle of leading eigenvectors"], rows)


def _likeness(what: str, matrices: Sequence[Array]) -> list[str]:
    pairs = list(itertools.combinations(matrices, 2))
    eye = np.eye(len(matrices[0]))
    whole = [similarity.correlation(P - eye, Q - eye) for P, Q in pairs]
    left = [similarity.correlation(inspection.residual(P), inspection.residual(Q)) for P, Q in pairs]
    leading = [
        float(similarity.principal_angles_deg(similarity.leading(P, 1), similarity.leading(Q, 1))[0]) for P, Q in pairs
    ]
    return [what, _range(whole, 2), _range(left, 2), f"{_range(leading, 0)}°"]


def values(evidence: Evidence) -> list[str]:
    """Return how the entries of P moved (Figure 5b)."""
    of_seeds = figure_5.learned(evidence)
    rows = []
    for name, layers in by_layer(of_seeds).items():
        P = [layer.all_P() for layer in layers]
        on, off = zip(*map(apart, P))
        ends = np.concatenate([each[-1] for each in off])
        thirds = [layer.nearest(2 / 3 * float(layer.steps[-1])) for layer in layers]
        moments = [0] * len(P), thirds, [-1] * len(P)
        norms = [[np.linalg.norm(each[at]) for each, at in zip(P, indices)] for indices in moments]
        rows.append(
            [
                name,
                " → ".join(_mean([each[at].mean() for each in on], ".3f") for at in (0, -1)),
                " → ".join(_mean([each[at].mean() for each in off], "+.3f") for at in (0, -1)),
                f"{ends.min():+.3f} to {ends.max():+.3f}",
                f"{100 * (ends < 0).mean():.0f} %",
                _mean([each[-1].std() for each in off], ".3f"),
                " → ".join(f"{np.mean(each):.2f}" for each in norms),
                f"{100 * statistics.mean(map(figure_5.settled, layers)):.0f} %",
            ]
        )
    head = [_layer(of_seeds), "mean of the diagonal", "mean beside it", "range beside it", "negative", "std"]
    head += ["‖P‖ at 0, ⅔, end", "nine tenths of the way at"]
    return markdown(head, [[cell.replace("-", "−") for cell in row] for row in rows])


def spectra(evidence: Evidence) -> list[str]:
    """Return what the final spectra are like (Figure 5c), in the mean over seeds."""
    of_seeds = figure_5.learned(evidence)
    count = f", mean of {len(of_seeds)} seeds" if len(of_seeds) > 1 else ""
    called = f"{cifar.STUDY}, {cifar.FOP}{count}" if figure_5.of_study(evidence) else CIFAR
    runs = {called: of_seeds, ONE_STEP: [evidence.gallery.learned(ONE_STEP).layers]}
    rows = []
    for run, each_of in runs.items():
        for name, layers in by_layer(each_of).items():
            numbers = np.mean([_spectrum(figure_5.spectrum(layer)) for layer in layers], axis=0)
            cells = [f"{number:.3f}" for number in numbers]
            cells[4] = style.number(numbers[4])
            cells[-1] = f"{numbers[-1]:.2f}"
            rows.append([run, name, *cells])
    head = ["run", "layer", "mean", "median", "std", "std without the smallest", "smallest", "second", "largest"]
    return markdown([*head, "effective rank"], rows)


def _spectrum(eigenvalues: Array) -> list[float]:
    """Return what a spectrum is like, ascending [n]: the columns of ``spectra``."""
    rank = float(inspection.spectrum_summary(eigenvalues)["effective_rank"])
    moments = [eigenvalues.mean(), np.median(eigenvalues), eigenvalues.std(), eigenvalues[1:].std()]
    return [*moments, eigenvalues[0], eigenvalues[1], eigenvalues[-1], rank]


def frequencies(evidence: Evidence) -> list[str]:
    """Return by how much P scales each spatial frequency of a 3 x 3 kernel, and how far these are from eigenvectors.

    The frequency (u, v) is the cosine of u half waves down and v across (the discrete cosine transform's basis). How
    much of the gradient is at (0, 0) follows from what the frozen P = I - c 11^T/n leaves of its length at step 1.
    """
    names = ["(0, 0)", "(1, 0)", "(0, 1)", "(2, 0)", "(0, 2)", "(1, 1)", "(1, 2)", "(2, 1)", "(2, 2)"]
    basis = cosines(3)
    frozen = evidence.gallery.run(FROZEN).metrics
    removed = 1 - (1 - MEAN_REMOVED) ** 2
    of_seeds = figure_5.learned(evidence)
    among = np.stack([basis[int(u), int(v)].ravel() for u, v in (frequency[1:-1].split(", ") for frequency in names)])
    rows = []
    for name, layers in by_layer(of_seeds).items():
        P = [among @ layer.P(-1) @ among.T for layer in layers]
        beside = [np.linalg.norm(each - np.diag(np.diag(each))) / np.linalg.norm(each) for each in P]
        share = (1 - float(frozen[f"length_ratio/{name}"].values[0]) ** 2) / removed
        cells = [_mean([each[at, at] for each in P], ".2f") for at in range(len(names))]
        rows.append([name, *cells, f"{100 * np.mean(beside):.0f} %", f"{100 * share:.0f} %"])
    return markdown([_layer(of_seeds), *names, "beside the diagonal", "of ‖g‖² at (0, 0)"], rows)


def cosines(side: int) -> Array:
    """Return the orthonormal basis of the two-dimensional discrete cosine transform, [side, side, side, side]."""
    wave, position = np.mgrid[:side, :side]
    lines = np.cos(np.pi * wave * (position + 0.5) / side)
    lines /= np.linalg.norm(lines, axis=1, keepdims=True)
    return np.einsum("ui,vj->uvij", lines, lines)


def angles(gallery: Gallery) -> list[str]:
    """Return the angles between g and P g (Figure A.1), beside those of an M as drawn, and how far P could turn."""
    rows = []
    for name, runs in {
        FULL: gallery.seeds(FULL),
        LOW_RANK: gallery.seeds(LOW_RANK),
        CIFAR: [gallery.run(CIFAR)],
    }.items():
        learned = [gallery.learned(run.path.name).layers for run in runs]
        rows += [_angles(name, layer, runs, [each[layer] for each in learned]) for layer in angle_layers(runs)]
    head = [
        "runs",
        "layer",
        "M as drawn",
        "step 1",
        f"mean from step {SETTLED} on",
        "range",
        "35° to 45°",
        "bound at the end",
    ]
    return markdown([*head, "M as drawn with σ = 1"], rows)


def _angles(name: str, layer: str, runs: Sequence[Run], learned: Sequence[Layer]) -> list[str]:
    series = [run.metrics[f"angle_deg/{layer}"] for run in runs]
    every = np.concatenate([angle.values[angle.steps >= SETTLED] for angle in series])
    first = statistics.mean(float(angle.values[0]) for angle in series)
    conditions = [inspection.spectrum_summary(each.spectra[-1])["condition"] for each in learned]
    bounds = [float(inspection.rotation_bound_deg(condition)) for condition in conditions]
    usual = 100 * ((every >= 35) & (every <= 45)).mean()
    n, k = learned[0].M.shape[1:]
    drawn = [0.0, math.nan]  # P starts as the identity
    if FORMS[learned[0].form].has_rank:
        drawn = [chance_deg(n, k, std) for std in (runs[0].config["fop"]["init_std"], 1.0)]
    numbers = [f"{drawn[0]:.2f}°", f"{first:.2f}°", f"{every.mean():.2f}°", f"{_range(every, 2)}°"]
    return [name, layer, *numbers, f"{usual:.0f} %", f"{_range(bounds, 1)}°", _known(drawn[1])]


def _known(angle: float) -> str:
    return "–" if math.isnan(angle) else f"{angle:.1f}°"


def _range(numbers: Sequence[float] | Array, digits: int) -> str:
    low, high = (f"{round(float(number), digits) + 0.0:.{digits}f}".replace("-", "−") for number in _ends(numbers))
    return low if low == high else f"{low} to {high}"


def _ends(numbers: Sequence[float] | Array) -> tuple[float, float]:
    return float(np.min(numbers)), float(np.max(numbers))


TABLES: dict[str, Callable[[Gallery], list[str]]] = {
    "figure 1": steps,
    "figure A.1": angles,
}


def _of_rows(make: Callable[[Evidence], tuple[list[str], list[list[str]]]]) -> Callable[[Evidence], list[str]]:
    return lambda evidence: markdown(*make(evidence))


def verdicts(evidence: Evidence) -> list[str]:
    """Return every claim of the paper with its verdict."""
    rows = []
    for card in cards(evidence):
        out = sum(part.holds is True for part in card.parts)
        rows.append([card.title.partition(":")[0], card.claim, _verdict(card), f"{out} of {len(card.parts)}"])
    return markdown(["figure", "claim of the paper", "verdict", "parts that come out"], rows)


def _verdict(card: Card) -> str:
    if card.gpu_hours is not None:
        return f"{card.verdict}: {gpu_hours(card)}, at a throughput that is assumed"
    return f"**{card.verdict}**"


def parts(evidence: Evidence) -> list[str]:
    """Return each part of every claim: published beside measured, and whether it comes out."""
    rows = [
        [card.title.partition(":")[0], part.says, part.published, part.measured, OUTCOMES[part.holds]]
        for card in cards(evidence)
        for part in card.parts
    ]
    return markdown(["figure", "part of the claim", "published", "measured", "comes out"], rows)


def left_open(evidence: Evidence) -> list[str]:
    """Return what the paper leaves open, and what was measured of it."""
    rows = [
        [question.title, part.says, part.measured, OUTCOMES[part.holds]]
        for question in lacking.questions(evidence)
        for part in question.parts
    ]
    return markdown(["question", "part", "measured", "comes out"], rows)


def controls(evidence: Evidence) -> list[str]:
    """Return the controls, and what they show."""
    rows = [
        [card.title.partition(":")[0], control.what, control.shows or "not run"]
        for card in cards(evidence)
        for control in card.controls
    ]
    return markdown(["figure", "control", "shows"], rows)


OF_STUDIES: dict[str, Callable[[Evidence], list[str]]] = {
    "verdicts": verdicts,
    "parts": parts,
    "controls": controls,
    "left open": left_open,
    "figure 2 rates": _of_rows(mnist_tables.rate_rows),
    "figure 2": _of_rows(mnist_tables.best_rows),
    "figure 2 small": _of_rows(mnist_tables.small_rows),
    "figure 2 early": _of_rows(mnist_tables.early_rows),
    "figure 2 says": paragraphs.figure_2,
    "figure 2 length": _of_rows(mnist_tables.length_rows),
    "figure 2 length says": paragraphs.figure_2_length,
    "figure 3, CIFAR-10": _of_rows(cifar.rows),
    "figure 3 says": paragraphs.figure_3,
    "figure 5a": neighbours,
    "likeness": likeness,
    "figure 5b": values,
    "figure 5c": spectra,
    "frequencies": frequencies,
    "figure A.1 angles": _of_rows(mnist_tables.angle_rows),
    "figure A.1 says": paragraphs.figure_a1,
}
"""Tables, and what they say, from the studies that ship; those of ``TABLES`` are from the gallery alone."""


def all_tables(evidence: Evidence) -> dict[str, list[str]]:
    """Return every table of docs/paper.md."""
    of_gallery = {name: make(evidence.gallery) for name, make in TABLES.items()}
    return of_gallery | {name: make(evidence) for name, make in OF_STUDIES.items()}


def in_document(text: str, evidence: Evidence) -> dict[str, list[str]]:
    """Return what goes between a document's marks: the answers where it has those of docs/does-fop-help.md."""
    if f"<!-- {next(iter(ANSWERS))} -->" in text:
        return {name: make(evidence) for name, make in ANSWERS.items()}
    return all_tables(evidence)


def replaced(text: str, tables: Mapping[str, Sequence[str]]) -> str:
    """Return a document with each table between its marks, ``<!-- name -->`` and ``<!-- end of name -->``.

    Raises:
        ValueError: where a mark is missing.
    """
    for name, lines in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
        before, there, tail = text.partition(begin)
        _, closed, after = tail.partition(end)
        if not (there and closed):
            raise ValueError(f"no place for the table of {name}: it goes between {begin.strip()} and {end}")
        text = before + begin + "\n".join([*lines, ""]) + end + after
    return text
