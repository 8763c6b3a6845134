"""What a trial's seeds came to together, by hand."""

import math
from dataclasses import replace

import numpy as np

from fop_core.studies.trials import outcome
from tests.studies import made


def test_a_trial_leaves_out_what_diverged_and_what_nobody_knows():
    table = made.table({"momentum": [0.5, 0.75, math.nan, 0.25], "fop": [math.nan] * 4})
    seconds = np.array([1.0, math.nan, 3.0, 8.0] + [math.nan] * 4)
    memory = np.array([2e6, 5e6, math.nan, 1e6] + [math.nan] * 4)
    share = np.array([1.0, 1.0, 0.5, 1.0] + [0.0] * 4)
    table = replace(table, seconds=seconds, peak_memory=memory, share=share)
    came_to = outcome(table, table.rows(method="momentum"), "test_accuracy")
    assert (came_to.results, came_to.mean, came_to.diverged) == ([0.5, 0.75, 0.25], 0.5, 1)
    assert (came_to.share, came_to.seconds, came_to.peak_memory) == (0.875, 4.0, 5e6)
    none = outcome(table, table.rows(method="fop"), "test_accuracy")
    assert (none.results, none.mean, none.diverged, none.share) == ([], None, 4, 0.0)
    assert none.seconds is None and none.peak_memory is None


def test_the_best_value_counts_where_the_study_has_it_so():
    table = made.table({"fop": [0.5, 0.75]}, analysis={"at": "best"})
    table = replace(table, best={name: values + 0.125 for name, values in table.best.items()})
    assert outcome(table, table.rows(), "test_accuracy").results == [0.625, 0.875]
