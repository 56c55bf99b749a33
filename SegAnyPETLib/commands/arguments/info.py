"""Options of ``seganypet info``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from SegAnyPETLib.commands.arguments.shared import add_command


@dataclass(frozen=True)
class InfoOptions:
    """What `seganypet info` is asked to do."""


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(commands, "info", "say what is installed: versions, devices, models", "  seganypet info")
    parser.set_defaults(kind=InfoOptions)
