"""The organ maps that training left out, and which of them a benchmark uses."""

from __future__ import annotations

import argparse
from pathlib import Path

from SegAnyPETLib.training.windows.dataset import split_organ_maps

#: Every eighth map, from the first, is left out of training (`organ_map_stride: 8` in the recipes).
STRIDE = 8


def benchmark_parser(description: str, skip: int) -> argparse.ArgumentParser:
    """The options of a benchmark on such maps.

    Args:
        description: of the benchmark.
        skip: how many of the maps it passes over unless told.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds organ_maps")
    parser.add_argument("--output", type=Path, required=True, help="JSON file of the results")
    parser.add_argument("--model", default="lite")
    parser.add_argument("--clicks", type=int, default=5)
    parser.add_argument("--maps", type=int, default=99, help="use this many maps at most")
    parser.add_argument(
        "--skip", type=int, default=skip, help="leave out this many maps before them (default: %(default)s)"
    )
    return parser


def chosen_maps(arguments: argparse.Namespace) -> list[tuple[int, Path]]:
    """Number and file of the maps that the options choose; the number is the place among all that were left out.

    Raises:
        SystemExit: there is none.
    """
    _, left_out = split_organ_maps(arguments.data / "organ_maps", STRIDE)
    chosen = list(enumerate(left_out))[arguments.skip : arguments.skip + arguments.maps]
    if not chosen:
        raise SystemExit(f"no organ map is left: {len(left_out)} are left out of training, --skip is {arguments.skip}")
    return chosen
