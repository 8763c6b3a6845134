"""``data``: where the data sets are, and how to get one."""

import argparse
from typing import Any

from fop_core.commands.report_errors import failed


def add(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("data", help="download CIFAR-10", description="Download a data set into FOP_DATA_DIR.")
    parser.add_argument("name", choices=["cifar10"])
    parser.set_defaults(do=_data)


def _data(chosen: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    from fop_core.training import datasets

    try:
        print(f"CIFAR-10 is in {datasets.download_cifar10()}")
    except datasets.DataError as error:
        return failed(chosen, parser, error, 1)
    return 0
