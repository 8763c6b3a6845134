"""The example that the README shows runs to the end on the data that ships."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_the_mnist_example_trains_with_both_from_any_folder(tmp_path):
    command = [sys.executable, str(ROOT / "examples/mnist.py"), "--epochs", "1", "--rank", "4"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    accuracies = [float(percent) for percent in re.findall(r"epoch 1: test accuracy ([\d.]+) %", done.stdout)]
    assert len(accuracies) == 2
    assert min(accuracies) > 90
    spectra = re.findall(
        r"\d\.weight: eigenvalues of P from [\d.]+ to [\d.]+ before, ([\d.]+) to ([\d.]+) after", done.stdout
    )
    assert len(spectra) == 4
    assert all(float(low) >= 0.999 and float(high) > 1 for low, high in spectra)
    assert "left to SGD (bias or norm)" in done.stdout


def test_the_example_is_short():
    assert len((ROOT / "examples/mnist.py").read_text().splitlines()) < 80
