"""What several commands share: numbers, the options of a model, of a server and of processes."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Iterable
from dataclasses import MISSING, dataclass, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn, TypeVar, get_args, get_type_hints

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE

Device = Literal["cpu", "cuda", "mps"]
Precision = Literal["fp32", "bf16", "fp16"]
DEVICES: tuple[Device, ...] = get_args(Device)
PRECISIONS: tuple[Precision, ...] = get_args(Precision)

#: More clicks than anyone gives one target, and more threads than any CPU serves well: slips of the keyboard.
MAX_CLICKS = 1000
MAX_THREADS = 256

#: More processes than one machine has memory for; a Ray cluster may have it.
MAX_JOBS = 1024

#: As `pet.suv.suv_type.SuvType`, which would bring numpy.
SUV_TYPES = {
    "bw": "body weight (default)",
    "lbm": "lean body mass (Janmahasatian)",
    "ibw": "ideal body weight",
    "bsa": "body surface",
}

Options = TypeVar("Options")


@dataclass(frozen=True)
class ModelArguments:
    """A model and where it runs, as the command line names them.

    Attributes:
        model: name of a model, or path of a weights file.
        device: "cpu", "cuda" or "mps"; None if it was not given.
        precision: "fp32", "bf16" or "fp16"; None for the model's own choice.
        threads: CPU threads; None for torch's choice.
        server: address of a server that runs the model; None for this machine.
        token_file: holds the server's token.
        ca_file: PEM file of the authority that signed the server's certificate.
    """

    model: str = "lite"
    device: Device | None = None
    precision: Precision | None = None
    threads: int | None = None
    server: str | None = None
    token_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class JobArguments:
    """How many cases are worked on at a time.

    Attributes:
        jobs: processes.
        ray: whether on a Ray cluster.
    """

    jobs: int = 1
    ray: bool = False


def add_suv_type(parser: argparse.ArgumentParser, types: Iterable[str] = SUV_TYPES) -> None:
    """Add the option that says what SUV relates the dose to."""
    names = list(types)
    known = ", ".join(f"{name}: {SUV_TYPES[name]}" for name in names)
    parser.add_argument(
        "--suv-type",
        choices=names,
        default="bw",
        help=f"what SUV is shown by; {known}. All but bw need a DICOM series with the patient's size and sex",
    )


def options_from(kind: type[Options], namespace: argparse.Namespace) -> Options:
    """Build the options of a command from what argparse read.

    Args:
        kind: a dataclass; fields that are dataclasses themselves are built from the same namespace.
        namespace: parsed arguments; one that was not given keeps its default.
    """
    values: dict[str, Any] = {}
    types = get_type_hints(kind)
    for field in fields(kind):  # type: ignore[arg-type]
        if is_dataclass(types[field.name]):
            values[field.name] = options_from(types[field.name], namespace)
        elif field.default is MISSING or getattr(namespace, field.name, None) is not None:
            value = getattr(namespace, field.name)
            values[field.name] = tuple(value) if isinstance(value, list) else value
    return kind(**values)


def add_series(parser: argparse.ArgumentParser) -> None:
    """Add the option that says which series of a DICOM folder is meant."""
    parser.add_argument(
        "--series",
        default="",
        metavar="SERIES",
        help="which PET series of a DICOM folder: its number in the list of seganypet info FOLDER, its UID, or the end "
        "of that (default: the attenuation-corrected one of most slices)",
    )


class Parser(argparse.ArgumentParser):
    """A parser that reports bad usage as any other bad input: in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see: {self.prog} --help)")


def whole_number(text: str, least: int, most: int) -> int:
    """Read a whole number between two bounds."""
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {least} to {most}")
    return int(text)


def click_count(text: str) -> int:
    """Read a number of clicks."""
    return whole_number(text, 1, MAX_CLICKS)


def thread_count(text: str) -> int:
    """Read a number of threads."""
    return whole_number(text, 1, MAX_THREADS)


def job_count(text: str) -> int:
    """Read a number of processes."""
    return whole_number(text, 1, MAX_JOBS)


def port_number(text: str) -> int:
    """Read a port."""
    return whole_number(text, 0, 65535)


def megabytes(text: str) -> int:
    """Read a size in megabytes."""
    return whole_number(text, 1, 10**6)


def seed_number(text: str) -> int:
    """Read a seed."""
    return whole_number(text, 0, 2**63 - 1)


def point_coordinates(text: str) -> tuple[float, float, float]:
    """Read the three coordinates of a point."""
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no point; give three numbers such as 12.5,-40,310") from None
    if not all(map(math.isfinite, (x, y, z))):
        raise argparse.ArgumentTypeError(f"{text!r} is no point; its three numbers must be finite")
    return x, y, z


def add_command(commands: Any, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    """Add a command with its summary, which is also its description, and examples."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}. {NOTICE}",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the options of a model on this machine."""
    parser.add_argument(
        "--model", default="lite", help="lite, general, lesion or another installed model, or a file (default: lite)"
    )
    add_device(parser)


def add_backend(parser: argparse.ArgumentParser) -> None:
    """Add the options of a model on this machine or on a server."""
    add_model(parser)
    parser.set_defaults(device=None)  # to tell what is given from what is not
    parser.add_argument(
        "--server",
        metavar="URL",
        help="run the model on a server: https://..., or http://127.0.0.1:8650 on this machine",
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help="holds the server's token (default: the environment variable SEGANYPET_TOKEN)",
    )
    parser.add_argument(
        "--ca-file",
        type=Path,
        metavar="FILE.pem",
        help="authority that signed the server's certificate (default: those that the system trusts)",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add the options of a device."""
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where it runs (default: cpu)")
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="of its arithmetic (default: the model's own choice on the device)"
    )
    parser.add_argument("--threads", type=thread_count, metavar="N", help="CPU threads (default: as torch chooses)")


def add_jobs(parser: argparse.ArgumentParser) -> None:
    """Add the options of processes."""
    parser.add_argument(
        "--jobs",
        type=job_count,
        default=1,
        metavar="N",
        help="cases at a time, each with a model of its own; the same --threads give the same masks (default: 1)",
    )
    parser.add_argument(
        "--ray", action="store_true", help="on the Ray cluster that RAY_ADDRESS names, or else one of this machine's"
    )
