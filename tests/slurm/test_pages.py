"""Slurm's runs in the browser: launched from Train, on Runs with their nodes and its reason, followed to their end."""

import re

import pytest
from playwright.sync_api import expect

from fop_core.jobs import launcher_settings, queue
from fop_core.runs import store
from tests.chromium import running_over

pytestmark = pytest.mark.browser
LONG = 180_000  # ms for what jobs have to do first


@pytest.fixture
def app(folder, tmp_path):
    """The address of an app whose runs Slurm starts."""
    with running_over(folder, tmp_path / "log.txt") as address:
        yield address


def test_runs_are_launched_by_slurm_and_their_nodes_and_its_reason_are_in_the_table(folder, cluster, visit, troubles):
    troubles.expected = ["/_stcore/", "404 (Not Found)"]
    launcher_settings.choose(folder, at_once=2, cpus=2)  # all of a node, so that the third run has to wait
    page = visit("train?epochs=50&max_steps=1500&snapshots=0&checkpoint_steps=100&threads=1&seeds=0-2", drawn=False)
    page.set_default_timeout(60_000)
    expect(page.get_by_text("Slurm starts it: 0 of our runs are on its nodes, 0 wait.")).to_be_visible()
    page.get_by_role("button", name="Launch 3 runs").click()
    page.wait_for_url(re.compile(r"/runs\?run="))
    runs = [run for run, _ in store.scan(folder)]
    assert len(runs) == 3

    table = page.locator(".fop-runs")
    expect(table.get_by_role("columnheader", name="In Slurm")).to_be_visible(timeout=LONG)
    for node in ("n1", "n2"):
        expect(table.get_by_role("cell", name=re.compile(rf"\b{node}\b"))).to_be_visible(timeout=LONG)
    reason = table.get_by_role("cell", name=re.compile("JobArrayTaskLimit|place 1 of 1"))
    expect(reason).to_be_visible(timeout=LONG)

    for run in runs:
        expect(table.locator(f'tr[data-run="{run.id}"]')).to_contain_text("finished", timeout=LONG)
        assert run.attempts[0]["host"] in ("n1", "n2")
    assert not queue.waiting()


def test_what_slurm_says_to_a_partition_that_it_lacks_is_on_the_page(folder, cluster, visit, troubles):
    troubles.expected = ["/_stcore/", "404 (Not Found)"]
    launcher_settings.choose(folder, partition="nowhere")
    page = visit("train?epochs=1&max_steps=3&snapshots=0&threads=1", drawn=False)
    page.set_default_timeout(60_000)
    page.get_by_role("button", name="Launch 1 run").click()
    page.wait_for_url(re.compile(r"/runs\?run="))
    expect(page.get_by_text(re.compile("invalid partition", re.IGNORECASE)).first).to_be_visible(timeout=LONG)
    [run] = [run for run, _ in store.scan(folder)]
    assert run.state.state == "queued"
    launcher_settings.choose(folder, partition="main")
    expect(page.locator(f'.fop-runs tr[data-run="{run.id}"]')).to_contain_text("finished", timeout=LONG)
