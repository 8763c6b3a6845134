"""The Preconditioners page as a reader meets it, without a browser."""

import tomllib
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from safetensors.numpy import load, save
from streamlit.testing.v1 import AppTest

from fop_core import FOP, inspection, similarity
from fop_core.figures import learned_curves
from fop_core.figures.training_curves import Line, LineStyle
from fop_core.formatting import size
from fop_core.jobs import queue
from fop_core.runs import GALLERY, learned, store
from fop_core.runs.control import Control
from fop_core.runs.learned import Layer
from fop_core.runs.run import Run
from fop_core.runs.run_writer import RunWriter
from fop_core.training import config, diagnostics
from pages.preconditioners import downloads, numbers, pairs, sources, uploads
from pages.preconditioners.settings import PANELS
from pages.shared import form
from pages.shared.text import literal
from tests.pages.app import app_at
from tests.pages.test_trajectories import component, figure, ran, words
from tests.runs.tiny import ABOUT
from tests.training import tiny
from tests.training.test_loop import train

VELOCITY = "cifar10-fop-velocity"
Array = np.ndarray


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("FOP_RUNS_DIR", str(tmp_path / "runs"))
    monkeypatch.setattr(queue, "ensure_dispatcher", lambda folder=None: None)
    monkeypatch.setattr("fop_core.runs.listing.FRESH", 0.0)
    return tmp_path / "runs"


def page(**address: str) -> AppTest:
    at = app_at("preconditioners")
    for name, value in address.items():
        at.query_params[name] = value
    return ran(at.run())


def created(name: str = "walk", method: str = "fop", *changes: str) -> Run:
    return store.create(config.change(config.preset("cifar10-allcnn-small", method), changes).to_json(), name=name)


def take_snapshots(
    run: Run, steps: list[int], M: Callable[[int, int], Array], layers: int = 2, kernel: bool = True
) -> None:
    """Take snapshots of M(layer, step) of every layer, with a row of measurements for each."""
    writer = RunWriter(run, ABOUT)
    for step in steps:
        arrays, row = {}, {"step": step, "train_loss": 1.0}
        for layer in range(layers):
            name = f"{layer}.weight"
            arrays[f"{name}/M"] = M(layer, step).astype(np.float32)
            arrays[f"{name}/spectrum"] = inspection.spectrum(arrays[f"{name}/M"], "factored").astype(np.float32)
            row[f"angle_deg/{name}"] = 10.0
            if kernel:
                row[f"constant_share/{name}"] = 0.5
        writer.row(row)
        writer.snapshot(step, arrays)
    writer.close()


def finished(run: Run) -> None:
    with Control(run) as control:
        control.set("finished")


def near_identity(n: int) -> Callable[[int, int], Array]:
    return lambda layer, step: np.eye(n) + 1e-3 * np.random.default_rng([layer, step]).standard_normal((n, n))


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("run", [VELOCITY, "cifar10-s-hd", "cifar10-pp-hd", "cifar10-frozen", "mnist-fop-full-seed0"])
def test_every_panel_has_something_to_say_of_every_kind_of_run(run, panel):
    at = page(run=run, panel=panel)
    assert not at.error
    if panel != "fork":  # which says what is missing, where the data of a run of the gallery are not here
        assert not at.warning
    assert words(at)


def test_a_run_without_snapshots_waits_and_says_so_and_nothing_else(folder):
    run = created()
    with Control(run) as control:
        control.set("running")
        at = page(run=run.id)
        assert "It has no snapshot yet" in words(at) and "Nothing was learned yet" not in words(at)
        assert "It is training" in words(at)


@pytest.mark.parametrize("panel", PANELS)
def test_one_snapshot_is_enough(folder, panel):
    run = created()
    take_snapshots(run, [0], near_identity(9))
    finished(run)
    at = page(run=run.id, panel=panel)
    assert not at.error
    if panel == "histograms":
        assert figure(at, "inspect diagonal")["data"]


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("n", [1, 25, 49])
def test_kernels_of_other_sizes_are_shown(folder, panel, n):
    run = created()
    take_snapshots(run, [0, 20], near_identity(n))
    finished(run)
    [head, _] = component(page(run=run.id, panel=panel), "inspector")["sources"][0]["layers"]
    assert head["kernel"] == [round(n**0.5)] * 2


def test_the_browser_gets_P_where_it_makes_none_of_M():
    data = component(page(run="cifar10-frozen"), "inspector")
    head = data["sources"][0]["layers"][0]
    P = np.frombuffer(data[f"{head['id']}/P"], "<f4").reshape(len(head["steps"]), head["n"], head["n"])
    np.testing.assert_allclose(P, [np.eye(9) - 0.95 / 9], atol=1e-7)
    assert f"{head['id']}/M" not in data and not head["hasM"]
    assert head["formula"] == "P = I − 0.95·11ᵀ/n, fixed"


@pytest.mark.parametrize("panel", PANELS)
def test_an_M_that_is_not_finite_is_reported_and_stops_nothing(folder, panel):
    def lost(layer: int, step: int) -> Array:
        return near_identity(9)(layer, step) * (np.nan if step else 1.0)

    runs = [created(f"lost {seed}", "fop", f"seed={seed}") for seed in range(2)]
    for run in runs:
        take_snapshots(run, [0, 20], lost)
        finished(run)
    at = page(run=runs[0].id, panel=panel)
    [head, _] = component(at, "inspector")["sources"][0]["layers"]
    assert head["ranges"]["P"] > 0
    if panel == "spectrum":
        assert "not finite at 1 of 2 snapshots, first at step 20" in words(at)


def sentences(at: AppTest) -> list[str]:
    return [button.label for button in at.button if button.key and button.key.startswith("observed ")]


def without_constant(layer: int, step: int) -> Array:
    """M of P = I but for the constant direction, which closes with the steps, in the second layer alone."""
    return np.eye(9) - layer * min(step, 40) / 40 * 0.95 * np.ones((9, 9)) / 9


def test_the_page_opens_with_what_stands_out_and_leads_there(folder):
    run = created()
    take_snapshots(run, [0, 20, 40, 60], without_constant)
    finished(run)
    at = page(run=run.id, layer="0.weight", at="0")
    constant, identity = sentences(at)
    said = "constant over the kernel: gain 1.00 → 0.00250 by step 40 (n = 9, steps 0 to 60)"
    assert constant.startswith(f"**Layer 1**: {said}")
    assert identity.startswith("**Layer 0**: P ≈ I at every snapshot: condition at most 1.00 (n = 9, steps 0 to 60)")
    at.button(key="observed constant").click()
    ran(at.run())
    assert component(at, "inspector")["chosen"]["layer"] == "1.weight"
    assert component(at, "step cursor")["at"] == 40
    first, second = component(at, "inspector")["sources"][0]["layers"]
    assert second["marks"][0] == ["P ≈ I here: condition 1.00"] == first["marks"][3]
    assert second["marks"][2] == ["constant over the kernel: gain 1.00 → 0.00250 by step 40"]


def test_nothing_opens_the_page_where_nothing_stands_out(folder):
    def corners(layer: int, step: int) -> Array:
        u = np.zeros(9)
        u[[0, 8]] = 1, -1
        return np.eye(9) + 0.1 * np.outer(u, u)

    run = created()
    take_snapshots(run, [0, 20], corners)
    finished(run)
    at = page(run=run.id)
    assert not sentences(at)
    assert component(at, "inspector")["sources"][0]["layers"][0]["marks"] == [[], []]


def test_the_gallery_is_opened_with_what_its_matrices_show():
    velocity, one_step, frozen = (
        sentences(page(run=f"cifar10-{name}")) for name in ("fop-velocity", "fop-one-step", "frozen")
    )
    assert len(velocity) == 2 and "constant over the kernel: gain 1.00 → 0.0" in velocity[0]
    assert "whitening (n = 9, step 5,865)" in velocity[1]
    assert len(one_step) == 1 and "whitening" not in one_step[0], (
        "its neighbours are as the constant direction has them"
    )
    assert frozen == ["**Layer 0**: constant over the kernel: gain 0.0500 (n = 9, steps 0 to 5,865)"]
    assert not sentences(page(run="cifar10-s-hd"))


def test_a_basis_is_no_P_of_which_something_could_be_said(folder):
    at = page(run=by_another("soap").id)
    assert not sentences(at)


def test_colours_of_matrices_have_one_range_unless_each_is_to_have_its_own():
    assert component(page(run=VELOCITY), "inspector")["chosen"]["range"] == "one"
    at = page(run=VELOCITY, range="own")
    assert component(at, "inspector")["chosen"]["range"] == "own" and at.query_params["range"] in ("own", ["own"])


def test_twenty_layers_are_described_one_at_a_time(folder):
    run = created()
    take_snapshots(run, [0, 20], near_identity(9), layers=20)
    finished(run)
    at = page(run=run.id, panel="rotation", layer="7.weight")
    assert "the gradient of 7" in words(at)
    assert len(figure(at, "inspect angles")["data"]) <= 3


def test_what_a_link_asks_for_in_vain_is_named_on_the_page():
    at = page(run="nope", beside="no2", layer="99", at="17")
    text = words(at)
    assert "nope is not here" in text.replace("\\", "") and "no2 is not here" in text.replace("\\", "")
    assert "has no layer 99" in text.replace("\\", "")
    assert not at.sidebar.warning
    assert component(at, "inspector")["chosen"]["layer"] == "18.weight"


def test_another_run_opens_without_a_word_on_a_layer_that_it_has():
    at = page(run=VELOCITY, layer="12.weight")
    at.selectbox(key="preconditioners.run").set_value("mnist-fop-rank16-seed0")
    ran(at.run())
    assert component(at, "inspector")["chosen"]["layer"] == "7.weight"
    assert "has no layer" not in words(at)


def test_numerically_singular_snapshots_are_counted_and_not_called_semidefinite_which_all_are(folder):
    at = page(run=VELOCITY, layer="18.weight")
    layer = learned.of_run(Run(GALLERY / VELOCITY)).layers["18.weight"]
    kinds = [inspection.definiteness(float(each[0]), float(each[-1])) for each in layer.spectra]
    assert 0 < (count := kinds.count("numerically singular")) < len(kinds)
    assert f"numerically singular at {count} of {len(kinds)} snapshots" in words(at)
    assert "semidefinite" not in words(at)


def of_eigenvalues(*each: list[float]) -> Layer:
    steps = np.arange(len(each))
    M = np.stack([np.diag(values) for values in each]).astype(np.float32)
    return Layer("a", "direct", 2, None, steps, M, np.ones(len(each)), steps, np.sort(np.array(each, np.float32)))


def test_no_bound_is_drawn_where_P_is_indefinite():
    bound = numbers.bound_of(of_eigenvalues([1.0, 3.0], [-0.5, 1.0], [0.0, 1.0]))
    np.testing.assert_allclose(bound.y, [30.0, np.nan, 90.0])
    g = np.array([1.0, 0.2])
    turned = np.degrees(np.arccos(g @ (P := np.array([-0.5, 1.0]) * g) / np.linalg.norm(g) / np.linalg.norm(P)))
    assert turned > 90  # so that 90 degrees would be no bound


def test_a_single_seed_that_turns_back_is_warned_of():
    x = np.arange(3.0)
    line = Line(
        "3",
        LineStyle("#000000", "solid", 1.0),
        x,
        np.full(3, 60.0),
        band=(x, np.full(3, 20.0), np.array([80.0, 95.0, 91.0])),
    )
    assert numbers.turns_back(line) == 1
    assert numbers.turns_back(Line("3", LineStyle("#000000", "solid", 1.0), x, np.array([np.nan, 89.9, 20.0]))) is None


def test_the_ridge_at_the_cursor_is_there_where_each_step_has_its_own_edges():
    steps, counts = np.array([0, 10]), np.array([[0, 8, 0], [1, 2, 1]])
    edges = np.array([[0.5, 0.9, 1.1, 1.5], [0.7, 0.8, 0.9, 1.0]])
    drawn, frames = learned_curves.ridges(steps, counts, edges, "#3885E0", "value", "key")
    assert frames.steps == [0, 10]
    x = np.array(drawn.data[-1].x)
    for at, peak in ((0, 1.0), (1, 0.85)):
        assert x[np.argmax(frames.y[at][0])] == pytest.approx(peak, abs=0.01)
    low, high = drawn.layout.xaxis.range
    assert 0.65 < low < 0.7 and 1.1 < high < 1.15  # no wider than there are values


def upload(*matrices: Array) -> list[SimpleNamespace]:
    return upload_of(*({"a": matrix} for matrix in matrices))


def upload_of(*arrays: dict[str, Array]) -> list[SimpleNamespace]:
    contents = [save({name: matrix.astype(np.float32) for name, matrix in each.items()}) for each in arrays]
    return [
        SimpleNamespace(file_id=f"id {hash(content)}", name=f"M-{step}.safetensors", getvalue=lambda c=content: c)
        for step, content in enumerate(contents)
    ]


def test_a_file_is_read_once_and_not_in_each_run_of_the_page(monkeypatch):
    files = upload(np.eye(9))
    source = sources.of_upload(files, "factored", True)
    monkeypatch.setattr(learned, "of_files", None)
    assert sources.of_upload(files, "factored", True) is source
    counts = numbers.distribution(source, source.learned.layers["a"], "P", "diagonal")[1]
    assert counts.sum() == 9


def test_matrices_are_compared_once_for_each_pair_of_snapshots(monkeypatch):
    one, two = (sources.of_upload(upload(near_identity(9)(0, seed)), "factored", True) for seed in (1, 2))
    sides = (one, one.learned.layers["a"]), (two, two.learned.layers["a"])
    alike = pairs.alike(*sides, -1)
    monkeypatch.setattr(similarity, "leading", None)
    assert pairs.alike(*sides, 0) == alike
    columns, [row] = pairs.table(one, one.learned.layers["a"], sides[1], -1)
    assert len(columns) == len(row) and row[5] == alike.change


def test_labels_of_layers_are_short_and_differ_as_their_names_do():
    assert sources.labels(["0.weight", "1.bias"]) == {"0.weight": "0", "1.bias": "1.bias"}
    names = [f"block{number}.{'a' * 40}" for number in range(3)] + ["c" * 40]
    assert sources.labels(names)["block1." + "a" * 40] == "block1.a…aaaaaaa"
    differ = [f"{'a' * 30}.{number}.{'b' * 30}" for number in range(3)]  # in the middle alone
    assert len(set(sources.labels(differ).values())) == 3


def test_what_if_shows_a_command_as_a_command(tmp_path, monkeypatch):
    monkeypatch.setenv("FOP_DATA_DIR", str(tmp_path))
    at = page(run=VELOCITY, panel="fork")
    assert "`python -m fop_core data cifar10`" in words(at)


def test_what_if_launches_what_was_chosen_as_the_button_was_pressed(folder, tmp_path):
    run = tiny.run(tiny.cifar10(tmp_path / "data"), folder, "fop.hyper_lr=0.01")
    assert train(run)[0] == "finished"
    at = page(run=run.id, panel="fork")
    at.radio(key="inspect fork kind").set_value("reset")
    at.number_input(key="inspect fork epochs").set_value(3)
    at.button(key="inspect fork launch").click().run()
    [made] = [each for each, _ in store.scan() if each.id != run.id]
    assert made.about["lineage"]["matrices"] == "reset" and made.config["epochs"] == run.config["epochs"] + 3


def test_what_if_offers_no_launch_without_the_data_or_a_checkpoint_that_can_be_read(folder, tmp_path):
    data = tiny.cifar10(tmp_path / "data")
    run = tiny.run(data, folder, "fop.hyper_lr=0.01")
    assert train(run)[0] == "finished"

    def shown() -> tuple[bool, str]:
        at = page(run=run.id, panel="fork")
        return "Launch the fork" in [button.label for button in at.button], words(at)

    assert shown()[0]
    path = run.checkpoint_path(run.checkpoint_steps()[-1])
    whole = path.read_bytes()
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    launch, says = shown()
    assert not launch and "its checksum is wrong" in says
    path.write_bytes(whole)
    assert shown()[0]
    data.rename(tmp_path / "elsewhere")
    launch, says = shown()
    assert not launch and literal(f"CIFAR-10 is not in {data}") in says


# files of the reader's own --------------------------------------------------------------------------------------------


def with_files(at: AppTest, *files: tuple[str, bytes]) -> AppTest:
    """Bring files."""
    at.file_uploader[0].set_value([(name, content, "") for name, content in files])
    return ran(at.run())


def removals(at: AppTest) -> list[str]:
    return [button.label.replace("\\", "") for button in at.sidebar.button if button.label.startswith("Remove")]


def test_what_the_snippet_saves_is_looked_into_as_the_page_stands():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Tanh(), torch.nn.Linear(3, 2))
    optimizer = FOP(torch.optim.SGD(model.named_parameters(), lr=0.5), hyper_lr=0.1)
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randn(5, 4)).square().sum().backward()
        optimizer.step()
    M = {name: factor.numpy() for name, factor in optimizer.factors().items()}
    assert not all(np.allclose(each, each.T, atol=1e-5) for each in M.values())  # which no P may be
    at = with_files(page(source="file"), ("M-4.safetensors", save(M)))
    assert not at.error and not at.info and removals(at) == ["Remove M-4.safetensors"]
    heads = component(at, "inspector")["sources"][0]["layers"]
    assert [(head["name"], head["form"]) for head in heads] == [(name, "factored") for name in M]


def test_matrices_that_may_be_P_are_not_taken_for_M_in_silence():
    random = np.random.default_rng(0).standard_normal((4, 4))
    at = with_files(page(source="file"), ("a.safetensors", save({"a": random @ random.T})))
    assert not at.error and "Every matrix is symmetric, as a P is" in words(at)
    at.selectbox(key="preconditioners.file_form").set_value("direct")
    assert "Every matrix is symmetric" not in words(ran(at.run()))
    for name, matrix in (("a/P", random @ random.T), ("a", random), ("a", np.eye(4)), ("a", random[:, :2])):
        at = with_files(page(source="file"), ("a.safetensors", save({name: np.ascontiguousarray(matrix)})))
        assert component(at, "inspector") and "Every matrix is symmetric" not in words(at)


def test_a_session_keeps_files_up_to_a_limit_and_says_which_it_does_not_take(monkeypatch):
    content = save({"a": np.eye(4)})
    monkeypatch.setattr(uploads, "MOST", 2 * len(content))
    at = with_files(page(source="file"), ("M-1.safetensors", content), ("M-2.safetensors", content))
    at = with_files(at, ("M-3.safetensors", content))
    assert "M-3.safetensors" in at.error[0].value.replace("\\", "") and "are kept" in at.error[0].value
    assert removals(at) == ["Remove M-1.safetensors", "Remove M-2.safetensors"]
    at.sidebar.button[0].click()
    at = with_files(ran(at.run()), ("M-3.safetensors", content))
    assert not at.error and removals(at) == ["Remove M-2.safetensors", "Remove M-3.safetensors"]


def test_how_large_a_file_may_be_is_one_number():
    root = Path(__file__).parents[2]
    settings = tomllib.loads((root / ".streamlit/config.toml").read_text())
    most = settings["server"]["maxUploadSize"]
    assert most << 20 == learned.UPLOAD
    assert page(source="file").file_uploader[0].proto.max_upload_size_mb == most
    text = (root / "docs/preconditioners.md").read_text()
    assert f"{most} MB a file" in text and f"up to {size(uploads.MOST)} of them" in text


def test_a_P_that_was_given_has_no_M_anywhere():
    matrices = {"B/P": np.diag([2.0, -1.0]), "C/M": np.ones((2, 1))}
    for layer, values in (("B", "P"), ("C", "M")):
        at = page(source="file", panel="histograms", values="M", layer=layer)
        at = with_files(at, ("B.safetensors", save(matrices)))
        B, C = component(at, "inspector")["sources"][0]["layers"]
        assert (B["hasM"], C["hasM"]) == (False, True) and not B["ranges"]["M"] and C["ranges"]["M"]
        assert f"Values of {values} of {layer}" in words(at)
        assert len([box for box in at.button_group if box.label == "Values of"]) == (layer == "C")
    source = sources.of_upload(upload_of(matrices), "factored", False)
    assert load(downloads.at_cursor(source, -1).content).keys() == {"B/P", "C/P", "C/M"}
    assert load(downloads.everything(source).content).keys() == {"B/P", "B/steps", "C/M", "C/steps"}
    np.testing.assert_array_equal(
        source.learned.layers["B"].view("M", 0), np.diag([1.0, -2.0])
    )  # P - I, as in the browser


def by_another(name: str) -> Run:
    """A run by another optimizer than FOP, with snapshots of what it might have learned."""
    run = created(name, "sgd", f'optimizer={{"name": "{name}"}}')
    writer = RunWriter(run, ABOUT)
    for step in (0, 20):
        noise = torch.randn(4, 6, generator=torch.Generator().manual_seed(step))
        P = torch.eye(4) + noise @ noise.T
        Q, _ = torch.linalg.qr(P)
        soap = name == "soap"
        arrays, columns = diagnostics.inspect_factors(
            {} if soap else {"0.weight": {"input": P, "output": torch.eye(3) + step}},
            {"0.weight": {"input": Q}} if soap else {},
            {"0.weight": 1 / (1 + noise.abs())} if soap else {},
            True,
        )
        writer.row({"step": step, "train_loss": 1.0, **columns})
        writer.snapshot(step, arrays)
    writer.close()
    finished(run)
    return run


@pytest.mark.parametrize("panel", PANELS)
@pytest.mark.parametrize("name", ["shampoo", "psgd_kron", "soap"])
def test_every_panel_has_something_to_say_of_other_optimizers(folder, name, panel):
    at = page(run=by_another(name).id, panel=panel)
    assert not at.error and not at.warning and words(at)


@pytest.mark.parametrize(
    ("name", "abouts"),
    [
        ("shampoo", ["Shampoo, input factor", "Shampoo, output factor"]),
        ("psgd_kron", ["PSGD-Kron, input factor", "PSGD-Kron, output factor"]),
        ("soap", ["SOAP, input basis: its columns are the directions that are scaled", ""]),
    ],
)
def test_what_other_optimizers_learned_is_shown_under_their_own_names(folder, name, abouts):
    heads = component(page(run=by_another(name).id), "inspector")["sources"][0]["layers"]
    assert [head["formula"] for head in heads] == abouts
    assert not any(head["hasM"] for head in heads)
    if name == "soap":
        assert heads[1]["name"] == "0.weight scales" and heads[1]["words"].startswith("SOAP, what a gradient is multi")


def back_from_runs() -> tuple[AppTest, Run]:
    """The page with own matrices, left for a run of Runs and about to be shown again."""
    run = created("late", "sgd")
    finished(run)
    at = page(source="file")
    at.switch_page("pages/runs/page.py")
    at.query_params.clear()
    at.query_params["run"] = run.id
    ran(at.run())
    at.switch_page("pages/preconditioners/page.py")
    return at, run


def test_back_with_the_address_that_the_page_before_wrote_last_keeps_the_settings(folder, monkeypatch):
    at, _ = back_from_runs()
    monkeypatch.setattr(form, "_by_history", lambda: True)  # as the browser says it, which no AppTest does
    ran(at.run())
    assert "is not here" not in words(at) and at.file_uploader
    assert at.query_params == {"source": "file"}


def test_a_choice_that_comes_along_with_another_pages_address_keeps_the_settings(folder):
    at, run = back_from_runs()
    at.query_params.clear()
    at.query_params["source"] = "file"
    ran(at.run())
    at.query_params.clear()
    at.query_params["run"] = run.id
    at.checkbox(key="preconditioners.kernel").check()
    ran(at.run())
    assert "is not here" not in words(at) and at.file_uploader
    assert at.query_params == {"source": "file", "kernel": "1"}
