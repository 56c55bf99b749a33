"""Options of ``seganypet serve``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.commands.arguments.shared import (
    Device,
    Precision,
    add_command,
    add_device,
    click_count,
    job_count,
    megabytes,
    port_number,
)


@dataclass(frozen=True)
class ServeOptions:
    """What `seganypet serve` is asked to do.

    Attributes:
        models: names of models, or paths of weights files.
        device: "cpu", "cuda" or "mps".
        precision: "fp32", "bf16" or "fp16"; None for each model's own choice.
        threads: CPU threads; None for torch's choice.
        host: address to listen at.
        port: 0 for any that is free.
        token_file: holds the token that clients must send.
        tls_cert: PEM file of the certificate with its chain.
        tls_key: PEM file of its key.
        cache_mb: memory for embeddings.
        queue: requests that may wait.
        log_file: the log; None for standard error.
        ray: whether as a Ray Serve deployment.
        replicas: processes with `ray`.
        max_replicas: with `ray`, processes while there is work; None for `replicas`.
    """

    models: tuple[str, ...] = ("lite",)
    device: Device = "cpu"
    precision: Precision | None = None
    threads: int | None = None
    host: str = "127.0.0.1"
    port: int = 8650
    token_file: Path | None = None
    tls_cert: Path | None = None
    tls_key: Path | None = None
    cache_mb: int = 512
    queue: int = 64
    log_file: Path | None = None
    ray: bool = False
    replicas: int = 1
    max_replicas: int | None = None


def add(commands: Any) -> None:
    """Add the command to the parser."""
    parser = add_command(
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
        dest="models",
        metavar="MODEL",
        action="append",
        help="lite, general, lesion or another installed model, or a file; repeat it for more (default: lite)",
    )
    add_device(parser)
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen at; any but this machine's own needs a token"
    )
    parser.add_argument(
        "--port", type=port_number, default=8650, metavar="N", help="0 for any that is free (default: 8650)"
    )
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="holds the token that clients must send")
    parser.add_argument("--tls-cert", type=Path, metavar="FILE.pem", help="certificate, with its chain")
    parser.add_argument("--tls-key", type=Path, metavar="FILE.pem", help="key of the certificate, not encrypted")
    parser.add_argument(
        "--cache-mb", type=megabytes, default=512, metavar="N", help="memory for embeddings (default: 512)"
    )
    parser.add_argument(
        "--queue",
        type=click_count,
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
        "--replicas", type=job_count, default=1, metavar="N", help="with --ray: processes, each with a GPU (default: 1)"
    )
    parser.add_argument(
        "--max-replicas",
        type=job_count,
        metavar="N",
        help="with --ray: as many while there is work (default: --replicas)",
    )
    parser.set_defaults(kind=ServeOptions)
