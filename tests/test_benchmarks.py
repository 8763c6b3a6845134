"""What is measured only now and then can at least be begun."""

import importlib
import pkgutil

import pytest

import benchmarks

MODULES = [each.name for each in pkgutil.walk_packages(benchmarks.__path__, "benchmarks.")]


@pytest.mark.parametrize("name", MODULES)
def test_a_benchmark_finds_all_that_it_uses(name):
    importlib.import_module(name)
