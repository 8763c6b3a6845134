"""What Train's preview takes at a change of a setting: by the process that has torch loaded, against one for each."""

import argparse
import itertools
import tempfile
from pathlib import Path

from benchmarks import measure
from fop_core.training.config import change, preset
from fop_core.warm import Warm

TIMEOUT = 300.0
PRESETS = ("mnist-mlp", "cifar10-allcnn", "imagenet-resnet18")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    load_before = measure.load()
    ranks = itertools.count(1)  # each request is another, as each change of the reader's is
    stays = Warm()

    def ask(server: Warm) -> None:
        rank = next(ranks)
        for name in PRESETS:
            made = change(preset(name), ["fop.preconditioner=low_rank", f"fop.rank={rank}"])
            assert server.ask({"describe": made.to_json(), "environment": {}}, TIMEOUT)["parameters"]

    def anew() -> None:
        for name in PRESETS:
            made = change(preset(name), ["fop.preconditioner=low_rank", f"fop.rank={next(ranks)}"])
            with tempfile.TemporaryDirectory() as home:  # nobody has one there
                server = Warm(Path(home))
                assert server.ask({"describe": made.to_json(), "environment": {}}, TIMEOUT)["parameters"]
                server.close()

    samples = measure.by_turns({"stays": lambda: ask(stays), "anew": anew}, chosen.rounds)
    stays.close()
    each = {name: [seconds / len(PRESETS) for seconds in times] for name, times in samples.items()}
    measure.report(
        load_before,
        {"presets": list(PRESETS), "rounds": chosen.rounds},
        {"anew_vs_stays": measure.ratio(each, "anew", "stays")},
        {name: measure.value(times, "s") for name, times in each.items()},
        each,
    )


if __name__ == "__main__":
    main()
