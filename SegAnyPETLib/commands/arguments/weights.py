"""Options of ``seganypet weights``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import add_command


@dataclass(frozen=True)
class ListWeights:
    """Say which models are known and which are installed."""


@dataclass(frozen=True)
class FetchWeights:
    """Download a model's weights.

    Attributes:
        name: of the model.
        accept_terms: whether the user agrees to the model's terms.
        file: the file in the repository; None if only one may be meant.
        offline: whether the network must not be used.
    """

    name: str
    accept_terms: bool = False
    file: str | None = None
    offline: bool = False


@dataclass(frozen=True)
class AddWeights:
    """Install a copy of a checkpoint that is on this machine.

    Attributes:
        name: of the model.
        file: the checkpoint.
        accept_terms: whether the user agrees to the model's terms.
    """

    name: str
    file: Path
    accept_terms: bool = False


@dataclass(frozen=True)
class VerifyWeights:
    """Compare installed weights with what was installed.

    Attributes:
        name: of the model; None for all that are installed.
    """

    name: str | None = None


@dataclass(frozen=True)
class RemoveWeights:
    """Delete a model's weights.

    Attributes:
        name: of the model.
    """

    name: str


WeightsOptions = ListWeights | FetchWeights | AddWeights | VerifyWeights | RemoveWeights


def add(commands: Any) -> None:
    """Add the command to the parser."""
    weights = add_command(
        commands,
        "weights",
        "say which models' weights are installed; fetch, add, check or remove them",
        "  seganypet weights list\n"
        "  seganypet weights fetch sam-med3d-turbo\n"
        "  seganypet weights fetch lesion --accept-terms\n"
        "  seganypet weights add general downloads/general.pth --accept-terms\n"
        "  seganypet weights verify\n"
        "They lie in a folder of yours, which `list` names and the environment variable SEGANYPET_HOME moves.",
    )
    actions = weights.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = add_command(actions, "list", "say what is known and what is installed", "  seganypet weights list")
    fetch = add_command(
        actions,
        "fetch",
        "download a model's weights from Hugging Face",
        "  seganypet weights fetch lesion --accept-terms\n"
        "  seganypet weights fetch lesion --file checkpoints/lesion.pth\n"
        "An interrupted download goes on where it stopped when it is run again.",
    )
    added = add_command(
        actions,
        "add",
        "install a copy of a checkpoint that is on this machine",
        "  seganypet weights add general downloads/general.pth --accept-terms",
    )
    for parser in (fetch, added):
        parser.add_argument("name", metavar="NAME", help="the model; `seganypet weights list` names them")
        parser.add_argument(
            "--accept-terms", action="store_true", help="agree to what is told where no licence is stated; asked once"
        )
    fetch.add_argument("--file", metavar="FILE", help="the file in the repository, where several may be meant")
    fetch.add_argument(
        "--offline", action="store_true", help="no network: take it from the cache of huggingface_hub on this machine"
    )
    added.add_argument("file", type=Path, metavar="PATH", help="a .pth, .pt or .safetensors file")
    verify = add_command(
        actions,
        "verify",
        "read installed weights again and compare them with what was installed",
        "  seganypet weights verify\n  seganypet weights verify lesion",
    )
    verify.add_argument("name", nargs="?", metavar="NAME", help="the model (default: all that are installed)")
    remove = add_command(actions, "remove", "delete a model's weights", "  seganypet weights remove lesion")
    remove.add_argument("name", metavar="NAME", help="the model")
    for parser, kind in (
        (listed, ListWeights),
        (fetch, FetchWeights),
        (added, AddWeights),
        (verify, VerifyWeights),
        (remove, RemoveWeights),
    ):
        parser.set_defaults(kind=kind)
