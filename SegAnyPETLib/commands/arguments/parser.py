"""The parser of all commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from SegAnyPETLib import __version__
from SegAnyPETLib.commands.arguments import (
    bench,
    burden,
    demo,
    evaluate,
    info,
    pacs,
    phantom,
    propose,
    segment,
    segment_many,
    serve,
    study,
    train,
    weights,
)
from SegAnyPETLib.commands.arguments.shared import Parser, options_from
from SegAnyPETLib.notice import NOTICE


def build_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = Parser(
        prog="seganypet",
        description=f"Promptable segmentation of whole-body PET: click a lesion or an organ, get its mask. {NOTICE}",
    )
    parser.add_argument("--version", action="version", version=f"seganypet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in (
        segment,
        segment_many,
        propose,
        burden,
        evaluate,
        train,
        phantom,
        demo,
        bench,
        serve,
        weights,
        pacs,
        study,
        info,
    ):
        command.add(commands)
    return parser


def parse(argv: Sequence[str]) -> tuple[str, Any]:
    """Read a command line.

    Returns:
        The name of the command, and its options.

    Raises:
        InputError: an option is unknown, missing or cannot be read.
    """
    namespace = build_parser().parse_args(segment.join_negative_points(argv))
    return namespace.command, options_from(namespace.kind, namespace)
