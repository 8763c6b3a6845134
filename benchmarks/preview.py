"""What Train's preview takes at a change of a setting: by the process that stays, against a process for each."""

import argparse
import itertools

from benchmarks import measure
from fop_core.training.config import change, preset
from fop_core.training.preview_worker import Worker

TIMEOUT = 300.0
PRESETS = ("mnist-mlp", "cifar10-allcnn", "imagenet-resnet18")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    chosen = parser.parse_args()
    load_before = measure.load()
    ranks = itertools.count(1)  # each request is another, as each change of the reader's is
    stays = Worker()

    def ask(worker: Worker) -> None:
        rank = next(ranks)
        for name in PRESETS:
            made = change(preset(name), ["fop.preconditioner=low_rank", f"fop.rank={rank}"])
            assert worker.ask(made.to_json(), TIMEOUT)["parameters"]

    def anew() -> None:
        for name in PRESETS:
            worker = Worker()
            made = change(preset(name), ["fop.preconditioner=low_rank", f"fop.rank={next(ranks)}"])
            assert worker.ask(made.to_json(), TIMEOUT)["parameters"]
            worker.close()

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
