"""The commands, their options and their help."""

from __future__ import annotations

import argparse
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

from SegAnyPETLib import __version__
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE

#: Options whose value may begin with a minus sign, which argparse would take for another option.
POINT_OPTIONS = ("--point", "--negative")

DEVICES = ("cpu", "cuda", "mps")
PRECISIONS = ("fp32", "bf16", "fp16")

#: More clicks than anyone gives one target, and more threads than any CPU serves well: slips of the keyboard.
MAX_CLICKS, MAX_THREADS = 1000, 256

#: More processes than one machine has memory for; a Ray cluster may have it.
MAX_JOBS = 1024


def build_parser() -> argparse.ArgumentParser:
    """The grammar of all commands."""
    parser = _Parser(
        prog="seganypet",
        description=f"Promptable segmentation of whole-body PET: click a lesion or an organ, get its mask. {NOTICE}",
    )
    parser.add_argument("--version", action="version", version=f"seganypet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for add in (
        _add_segment,
        _add_segment_many,
        _add_evaluate,
        _add_train,
        _add_phantom,
        _add_demo,
        _add_bench,
        _add_serve,
        _add_weights,
        _add_info,
    ):
        add(commands)
    return parser


def join_negative_points(argv: Sequence[str]) -> list[str]:
    """``--point -12,3,4`` as ``--point=-12,3,4``, which argparse understands."""
    joined: list[str] = []
    for argument in argv:
        if joined and joined[-1] in POINT_OPTIONS and re.match(r"-[\d.]", argument):
            joined[-1] += f"={argument}"
        else:
            joined.append(argument)
    return joined


class _Parser(argparse.ArgumentParser):
    """A parser that reports bad usage as any other bad input: in one line."""

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (see: {self.prog} --help)")


class _AppendClick(argparse.Action):
    """Collects ``--point`` and ``--negative`` in the order in which they are given."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        namespace.clicks = [*(namespace.clicks or []), (values, option != "--negative")]


def _coordinates(text: str) -> tuple[float, float, float]:
    try:
        x, y, z = (float(part) for part in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no point; give three numbers such as 12.5,-40,310") from None
    if not all(map(math.isfinite, (x, y, z))):
        raise argparse.ArgumentTypeError(f"{text!r} is no point; its three numbers must be finite")
    return x, y, z


def _clicks(text: str) -> int:
    return _whole(text, 1, MAX_CLICKS)


def _threads(text: str) -> int:
    return _whole(text, 1, MAX_THREADS)


def _jobs(text: str) -> int:
    return _whole(text, 1, MAX_JOBS)


def _port(text: str) -> int:
    return _whole(text, 0, 65535)


def _megabytes(text: str) -> int:
    return _whole(text, 1, 10**6)


def _seed(text: str) -> int:
    return _whole(text, 0, 2**63 - 1)


def _whole(text: str, least: int, most: int) -> int:
    if not re.fullmatch(r"[0-9]{1,19}", text) or not least <= int(text) <= most:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no whole number from {least} to {most}")
    return int(text)


def _add(commands: Any, name: str, summary: str, examples: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}. {NOTICE}",
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    return parser


def _add_model(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--model", default="lite", help="lite, general, lesion or another installed model, or a file (default: lite)"
    )
    _add_device(parser)


def _add_backend(parser: argparse.ArgumentParser) -> None:
    _add_model(parser)
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


def _add_device(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where it runs (default: cpu)")
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="of its arithmetic (default: the model's own choice on the device)"
    )
    parser.add_argument("--threads", type=_threads, metavar="N", help="CPU threads (default: as torch chooses)")


def _add_jobs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--jobs",
        type=_jobs,
        default=1,
        metavar="N",
        help="cases at a time, each with a model of its own; the same --threads give the same masks (default: 1)",
    )
    parser.add_argument(
        "--ray", action="store_true", help="on the Ray cluster that RAY_ADDRESS names, or else one of this machine's"
    )


def _add_segment(commands: Any) -> None:
    parser = _add(
        commands,
        "segment",
        "segment what the clicks point at in a PET",
        "  seganypet segment pet.nii.gz --point 12.5,-40,310 --output lesion.seg.nrrd\n"
        "  seganypet segment dicom_folder --point -80,15,-620 --negative -60,15,-600 \\\n"
        "      --output lesion.nii.gz --figure lesion.png\n"
        "  seganypet segment pet.nrrd --coordinates ijk --point 64,70,120 --mask draft.nii.gz --output lesion.nrrd\n"
        "  seganypet segment pet.nii.gz --point 12.5,-40,310 --output lesion.nii.gz \\\n"
        "      --server https://pet.hospital.example --token-file token",
    )
    parser.add_argument("pet", type=Path, metavar="PET", help="a NIfTI, NRRD or MHA file, or a DICOM folder")
    clicks: dict[str, Any] = {"dest": "clicks", "action": _AppendClick, "type": _coordinates, "metavar": "R,A,S"}
    parser.add_argument("--point", help="a point in the target; repeat it for more, they count in this order", **clicks)
    parser.add_argument("--negative", help="a point outside the target; repeat it for more", **clicks)
    parser.add_argument("--mask", type=Path, help="a mask on the PET's grid to start from")
    parser.add_argument(
        "--coordinates",
        choices=["ras", "lps", "ijk"],
        default="ras",
        help="what the points are: RAS mm as Slicer shows them (default), LPS mm as in DICOM and ITK, or voxel indices",
    )
    _add_backend(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="OUT",
        help="the mask on the PET's grid: .seg.nrrd, .nii.gz, .nrrd, .nii or .mha",
    )
    parser.add_argument("--figure", type=Path, metavar="FILE.png", help="a picture of the result")


def _add_segment_many(commands: Any) -> None:
    parser = _add(
        commands,
        "segment-many",
        "segment the targets of many PETs from clicks in a list",
        "  seganypet segment-many cases.json --output masks\n"
        "  seganypet segment-many cases.json --output masks --jobs 4 --threads 2\n"
        "  RAY_ADDRESS=head:6379 seganypet segment-many cases.json --output masks --jobs 32 --ray\n"
        "cases.json:\n"
        '  {"cases": [\n'
        '    {"id": "a", "image": "a/pet.nii.gz", "clicks": [{"ras": [12.5, -40, 310], "positive": true}]},\n'
        '    {"id": "b", "image": "b/dicom", "targets": [\n'
        '      {"name": "Liver lesion", "clicks": [{"ras": [-80, 15, -620], "positive": true}]},\n'
        '      {"name": "Node", "mask": "b/node.nii.gz"}]}]}\n'
        "  paths are relative to the list; a case or target may have a mask to start from",
    )
    parser.add_argument("manifest", type=Path, metavar="M.json", help="the cases")
    _add_backend(parser)
    _add_jobs(parser)
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="folder for ID.seg.nrrd of each case and quantities.csv of all, made where absent",
    )


def _add_evaluate(commands: Any) -> None:
    parser = _add(
        commands,
        "evaluate",
        "measure a model with a simulated user on reference masks",
        "  seganypet evaluate --manifest cases.json --model lite --clicks 10 --output report.json\n"
        "  seganypet evaluate --manifest cases.json --robot noisy --seed 7 --baselines --output report.json\n"
        "  seganypet evaluate --manifest cases.json --jobs 4 --threads 1 --output report.json\n"
        "cases.json:\n"
        '  {"cases": [{"id": "a", "image": "a/pet.nii.gz", "label": "a/lesions.nii.gz"}]}\n'
        "  every positive value of a label map is one target; paths are relative to the manifest",
    )
    parser.add_argument("--manifest", type=Path, required=True, metavar="M.json", help="the cases")
    _add_backend(parser)
    _add_jobs(parser)
    parser.add_argument("--clicks", type=_clicks, default=10, metavar="N", help="clicks per target (default: 10)")
    parser.add_argument(
        "--robot", choices=["ideal", "noisy"], default="ideal", help="the simulated user (default: ideal)"
    )
    parser.add_argument("--seed", type=_seed, default=0, help="seed of the simulated user (default: 0)")
    parser.add_argument("--baselines", action="store_true", help="measure threshold methods on the same targets too")
    parser.add_argument("--output", type=Path, required=True, metavar="R.json", help="the report")


def _add_train(commands: Any) -> None:
    parser = _add(
        commands,
        "train",
        "train a model by a recipe",
        "  seganypet train recipe.yaml\n"
        "  seganypet train recipe.yaml --data my_data --output runs --device cuda\n"
        "  seganypet train recipe.yaml --output runs --resume",
    )
    parser.add_argument("recipe", type=Path, metavar="RECIPE.yaml", help="data, schedule and seed")
    parser.add_argument(
        "--data", type=Path, metavar="DIR", help="folder of the recipe's data (default: the recipe's own)"
    )
    parser.add_argument(
        "--output", type=Path, default=Path("runs"), metavar="DIR", help="checkpoints, log and weights (default: runs)"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the checkpoint in the output folder")
    parser.add_argument("--device", choices=DEVICES, default="cpu", help="where to train (default: cpu)")


def _add_phantom(commands: Any) -> None:
    parser = _add(
        commands,
        "phantom",
        "make a simulated whole-body PET with organs, lesions and their truth",
        "  seganypet phantom --output phantom\n"
        "  seganypet phantom --output phantom --seed 3 --tracer psma\n"
        "  seganypet evaluate --manifest phantom/manifest.json --output report.json",
    )
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder, made where absent")
    parser.add_argument("--organ-map", type=Path, metavar="F", help="label map of organs (default: an analytic body)")
    parser.add_argument("--tracer", choices=["fdg", "psma"], default="fdg", help="whose uptake (default: fdg)")
    parser.add_argument("--seed", type=_seed, default=0, help="another seed, another patient (default: 0)")


def _add_demo(commands: Any) -> None:
    parser = _add(
        commands,
        "demo",
        "make a phantom, click its lesions, and compare the quantities with the truth",
        "  seganypet demo --output demo_output\n  seganypet demo --output demo_output --clicks 5 --seed 2",
    )
    parser.add_argument("--output", type=Path, default=Path("demo_output"), metavar="DIR", help="folder to write to")
    parser.add_argument("--clicks", type=_clicks, default=3, metavar="N", help="clicks per lesion (default: 3)")
    parser.add_argument("--seed", type=_seed, default=0, help="another seed, another patient (default: 0)")
    _add_backend(parser)


def _add_bench(commands: Any) -> None:
    parser = _add(
        commands,
        "bench",
        "measure what each part of a click costs on this machine",
        "  seganypet bench --threads 2\n"
        "  seganypet bench --model lesion --device cuda\n"
        "  seganypet bench --random-weights --threads 1",
    )
    _add_model(parser)
    parser.add_argument(
        "--random-weights",
        action="store_true",
        help="measure the published size with random weights, where its weights are not installed",
    )
    parser.add_argument("--repeats", type=_clicks, default=4, metavar="N", help="measurements per row (default: 4)")


def _add_serve(commands: Any) -> None:
    parser = _add(
        commands,
        "serve",
        "run models for other programs and machines until it is stopped",
        "  seganypet serve --threads 2\n"
        "  seganypet serve --model lite --model lesion --device cuda --log-file server.log\n"
        "  seganypet serve --host 0.0.0.0 --token-file token --tls-cert cert.pem --tls-key key.pem\n"
        "  seganypet serve --ray --replicas 2 --max-replicas 4 --device cuda\n"
        "The token may also stand in the environment variable SEGANYPET_TOKEN. Make one with:\n"
        "  python3 -c 'import secrets; print(secrets.token_urlsafe(32))'",
    )
    parser.add_argument(
        "--model",
        action="append",
        help="lite, general, lesion or another installed model, or a file; repeat it for more (default: lite)",
    )
    _add_device(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; any but this machine's own needs a token"
    )
    parser.add_argument("--port", type=_port, default=8650, metavar="N", help="0 for any that is free (default: 8650)")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="holds the token that clients must send")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE.pem", help="certificate, with its chain")
    parser.add_argument("--tls-key", type=Path, metavar="FILE.pem", help="key of the certificate, not encrypted")
    parser.add_argument(
        "--cache-mb", type=_megabytes, default=512, metavar="N", help="memory for embeddings (default: 512)"
    )
    parser.add_argument(
        "--queue",
        type=_clicks,
        default=64,
        metavar="N",
        help="requests that wait, before others are told to come later",
    )
    parser.add_argument(
        "--log-file", type=Path, metavar="FILE", help="the log, one JSON object a line (default: stderr)"
    )
    parser.add_argument(
        "--ray",
        action="store_true",
        help="as a Ray Serve deployment, on the cluster that RAY_ADDRESS names or else one of this machine's",
    )
    parser.add_argument(
        "--replicas", type=_jobs, default=1, metavar="N", help="with --ray: processes, each with a GPU (default: 1)"
    )
    parser.add_argument(
        "--max-replicas", type=_jobs, metavar="N", help="with --ray: as many while there is work (default: --replicas)"
    )


def _add_weights(commands: Any) -> None:
    weights = _add(
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
    _add(actions, "list", "say what is known and what is installed", "  seganypet weights list")
    fetch = _add(
        actions,
        "fetch",
        "download a model's weights from Hugging Face",
        "  seganypet weights fetch lesion --accept-terms\n"
        "  seganypet weights fetch lesion --file checkpoints/lesion.pth\n"
        "An interrupted download goes on where it stopped when it is run again.",
    )
    add = _add(
        actions,
        "add",
        "install a copy of a checkpoint that is on this machine",
        "  seganypet weights add general downloads/general.pth --accept-terms",
    )
    for parser in (fetch, add):
        parser.add_argument("name", metavar="NAME", help="the model; `seganypet weights list` names them")
        parser.add_argument(
            "--accept-terms", action="store_true", help="agree to what is told where no licence is stated; asked once"
        )
    fetch.add_argument("--file", metavar="FILE", help="the file in the repository, where several may be meant")
    fetch.add_argument(
        "--offline", action="store_true", help="no network: take it from the cache of huggingface_hub on this machine"
    )
    add.add_argument("file", type=Path, metavar="PATH", help="a .pth, .pt or .safetensors file")
    verify = _add(
        actions,
        "verify",
        "read installed weights again and compare them with what was installed",
        "  seganypet weights verify\n  seganypet weights verify lesion",
    )
    verify.add_argument("name", nargs="?", metavar="NAME", help="the model (default: all that are installed)")
    remove = _add(actions, "remove", "delete a model's weights", "  seganypet weights remove lesion")
    remove.add_argument("name", metavar="NAME", help="the model")


def _add_info(commands: Any) -> None:
    _add(commands, "info", "say what is installed: versions, devices, models", "  seganypet info")
