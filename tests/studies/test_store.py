import json
import os
import subprocess
import sys
import threading

import pytest

from fop_core.runs import store as runs
from fop_core.runs.files import DamagedFile, RunError
from fop_core.runs.listing import Listing
from fop_core.studies import cells, growth, protocol, store
from fop_core.studies.protocol import parse_axis
from fop_core.training.config import ConfigError
from tests.studies.made import study


def test_a_study_is_written_down_and_read_back_by_its_name(folder):
    stored = store.create(study(name="Rates, 2nd"), folder)
    assert stored.id == "rates-2nd" and store.load("Rates, 2nd", folder) == store.load("rates-2nd", folder) == stored
    assert [each.id for each in store.list_studies(folder)[0]] == ["rates-2nd"]
    with pytest.raises(RunError, match="give another name"):
        store.create(study(name="rates 2nd"), folder)
    for text in ("other", "", "../..", "\0"):
        with pytest.raises(RunError, match="there is rates-2nd"):
            store.load(text, folder)


def test_nothing_is_written_of_a_study_that_does_not_do(folder):
    with pytest.raises(ConfigError):
        store.create(study(limit=3), folder)
    assert not os.listdir(folder)


def test_the_folder_of_studies_is_no_run(folder):
    store.create(study(), folder)
    assert list(runs.directories(folder)) == [] and Listing(folder).entries() == {}


def test_many_who_change_a_study_at_once_lose_nothing(folder):
    store.create(study(), folder)

    def change(number: int) -> None:
        for each in range(5):
            with store.changing("s", folder) as stored:
                stored.runs[f"{number}-{each}"] = "a"

    threads = [threading.Thread(target=change, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.load("s", folder).runs) == 20


def test_nothing_is_written_where_a_change_fails(folder):
    store.create(study(), folder)
    with pytest.raises(ZeroDivisionError), store.changing("s", folder) as stored:
        stored.stopped = True
        _ = 1 / 0
    assert not store.load("s", folder).stopped


def test_a_study_grows_by_values_an_axis_or_a_seed_and_says_so(folder):
    store.create(study(), folder)
    with store.changing("s", folder) as stored:
        stored.winners = {"momentum": {"optimizer.lr": 0.1}}
    grown = growth.grow("s", axis=parse_axis("optimizer.lr=0.1,0.2"), folder=folder)
    assert grown.study.axes[0].values == (0.01, 0.05, 0.1, 0.2) and grown.winners == {}
    assert grown.grown_late and grown.changes[0]["what"] == "optimizer.lr=0.1,0.2"
    grown = growth.grow("s", axis=parse_axis("batch_size=64,128"), limit=3000, folder=folder)
    assert len(grown.study.axes) == 3 and grown.study.limit == 3000
    with store.changing("s", folder) as stored:
        stored.winners = {"momentum": {"optimizer.lr": 0.1}}
    grown = growth.grow("s", fresh_seeds=(5, 6, 7), folder=folder)
    assert grown.study.fresh_seeds == (3, 4, 5, 6, 7) and grown.winners, "what won stays where nothing new is tuned"


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"seeds": (3,)}, "tune already"),
        ({"seeds": (1,)}, "has all of that"),
        ({"axis": parse_axis("optimizer.lr=-1")}, "-1 given"),
        ({"axis": parse_axis("nothing=1")}, "no such setting"),
        ({"axis": parse_axis("optimizer.lr=0.1"), "limit": 90}, "has all of that"),
        ({"seeds": (9,), "limit": 30}, "more than 30"),
    ],
)
def test_what_cannot_be_added_changes_nothing(folder, more, why):
    store.create(study(), folder)
    before = (folder / "studies/s/study.json").read_bytes()
    with pytest.raises(ConfigError, match=why):
        growth.grow("s", folder=folder, **more)
    assert (folder / "studies/s/study.json").read_bytes() == before


def test_a_sampled_axis_does_not_grow(folder):
    store.create(study("optimizer.lr=0.01,0.1", sampling="quasi-random", trials=2), folder)
    with pytest.raises(ConfigError, match="submit a new study"):
        growth.grow("s", axis=parse_axis("optimizer.lr=0.2"), folder=folder)
    with pytest.raises(ConfigError, match="submit a new study"):
        growth.grow("s", axis=parse_axis("batch_size=64,128"), folder=folder)


def test_a_new_axis_has_to_have_what_is_there_without_it(folder):
    store.create(study(), folder)
    with pytest.raises(ConfigError, match="batch_size: what is there has 128: give that too"):
        growth.grow("s", axis=parse_axis("batch_size=32,64"), folder=folder)
    before = {cell.key for cell in cells.cells(study())}
    grown = growth.grow("s", axis=parse_axis("batch_size=128,64"), folder=folder)
    assert before < {cell.key for cell in cells.cells(grown.study)}


@pytest.mark.parametrize(
    "damage",
    [
        {"format": 2},
        {"study": None},
        {"study": {"name": "s", "methods": ["newton"]}},
        {"runs": {"key": "../../etc"}},
        {"runs": {"key": 3}},
        {"runs": []},
        {"adopted": "all"},
        {"ended": {"key": None}},
        {"winners": {"fop": 3}},
        {"stopped": "no"},
        {"changes": [{"reported": "many"}]},
    ],
)
def test_a_damaged_study_is_named_and_leaves_the_others_listed(folder, damage):
    store.create(study(), folder)
    store.create(study(name="whole"), folder)
    path = folder / "studies/s/study.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | damage))
    with pytest.raises(DamagedFile, match=r"s/study\.json"):
        store.load("s", folder)
    there, damaged = store.list_studies(folder)
    assert [stored.id for stored in there] == ["whole"] and list(damaged) == ["s"]


def test_a_study_without_its_file_is_listed_as_damaged(folder):
    (folder / "studies/gone").mkdir(parents=True)
    assert "missing" in store.list_studies(folder)[1]["gone"]
    assert protocol.LIMIT == 2000


def test_studies_load_without_torch_and_progress_without_scipy():
    modules = "fop_core.studies.submit, fop_core.studies.predict, fop_core.studies.report, fop_core.commands.study"
    for names, heavy in (
        ("fop_core.studies.progress", {"torch", "scipy", "optuna", "matplotlib"}),
        (modules, {"torch", "streamlit", "optuna", "matplotlib"}),
    ):
        code = f"import sys, {names}; assert not {heavy} & set(sys.modules)"
        subprocess.run([sys.executable, "-c", code], check=True)
