"""The backend that the options of the command line name: a model in this process, or one on a server."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from SegAnyPETLib.backend.protocol import Backend
from SegAnyPETLib.backend.token import read_token
from SegAnyPETLib.commands.arguments.shared import JobArguments, ModelArguments
from SegAnyPETLib.errors import InputError

#: All in this process.
ONE_JOB = JobArguments()


@dataclass(frozen=True)
class ServerOptions:
    """A server, see `HttpBackend`.

    Attributes:
        url: its address.
        token_file: holds its token; None for the environment's, or none at all.
        ca_file: PEM file of the authority that signed its certificate, None for those of the system.
    """

    url: str
    token_file: Path | None = None
    ca_file: Path | None = None


@dataclass(frozen=True)
class ModelOptions:
    """A model as the command line names it; see `load_backend`. With a server, only ``model`` is used."""

    model: str
    device: str = "cpu"
    threads: int | None = None
    precision: str | None = None
    server: ServerOptions | None = None

    def opened(self) -> Backend:
        """Open the backend that the options name, once in this process; see `open_backend`."""
        return _opened(self)


def model_options(arguments: ModelArguments, jobs: JobArguments = ONE_JOB, threads: int | None = None) -> ModelOptions:
    """Return the model that the options name.

    Args:
        arguments: a model on this machine or on a server.
        jobs: the processes that run it.
        threads: CPU threads instead of those that the options name.

    Raises:
        InputError: options contradict each other.
    """
    _check(arguments, jobs)
    if arguments.server is not None:
        server = ServerOptions(arguments.server, arguments.token_file, arguments.ca_file)
        return ModelOptions(arguments.model, server=server)
    threads = arguments.threads if threads is None else threads
    return ModelOptions(arguments.model, arguments.device or "cpu", threads, arguments.precision)


def open_backend(options: ModelOptions) -> Backend:
    """Load a model, or ask a server for it.

    Raises:
        InputError: the model, device or precision is not there, or the address, token or certificate cannot be used.
        BackendError: the server cannot be reached or refuses.
    """
    if options.server is None:
        from SegAnyPETLib.backend.in_process import load_backend

        return load_backend(options.model, options.device, options.threads, options.precision)
    from SegAnyPETLib.backend.http.backend import HttpBackend

    token = read_token(options.server.token_file, os.environ)
    backend = HttpBackend(options.server.url, token, options.model, options.server.ca_file)
    backend.connect()
    return backend


@cache
def _opened(options: ModelOptions) -> Backend:
    return open_backend(options)


def _check(arguments: ModelArguments, jobs: JobArguments) -> None:
    given_here = [o for o in ("device", "precision", "threads") if getattr(arguments, o) is not None]
    given_for_server = [o for o in ("token_file", "ca_file") if getattr(arguments, o) is not None]
    if arguments.server is None and given_for_server:
        raise InputError(f"{_name(given_for_server[0])} belongs to a server; give --server too")
    if arguments.server is None:
        return
    if given_here:
        raise InputError(f"{_name(given_here[0])} is for a model on this machine; the server has its own, leave it out")
    if jobs.ray:
        raise InputError("give either --server or --ray; --jobs may go with a server")


def _name(option: str) -> str:
    return f"--{option.replace('_', '-')}"
