"""The supervisor of a job sends the notice of its end."""

import pytest

from fop_core.jobs import queue
from fop_core.runs import notices
from tests.jobs.conftest import new, wait
from tests.waiting import until
from tests.webhook import SECRET, serving


@pytest.mark.parametrize(
    ("settings", "text"),
    [((), "short: finished at step 30"), (("optimizer.lr=1000",), "short: failed, diverged at step")],
    ids=["finished", "diverged"],
)
def test_a_job_sends_one_notice_of_how_it_ended(folder, settings, text):
    with serving() as webhook:
        queue.slots(folder)
        (folder / ".queue").mkdir(exist_ok=True)
        notices.write(folder, notices.changed(folder, webhook=webhook.address))
        run = new(folder, *settings)
        queue.submit(run)
        wait(run, "finished", "failed")
        until(lambda: webhook.bodies)
    [body] = webhook.bodies
    assert body["text"].startswith(text) and body["run"] == run.id
    assert SECRET not in run.log()
