"""A Ray cluster to work on: one that is named, or one of this machine's own, which nobody else reaches."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import Any

from SegAnyPETLib.backend.server.guards.bind import is_loopback
from SegAnyPETLib.errors import BackendError

#: Names a cluster that runs already; Ray's own variable.
ADDRESS_VARIABLE = "RAY_ADDRESS"

#: Seconds in which a cluster must answer.
CONNECT_S = 10.0

#: Memory that the processes of a cluster share; what is passed between them here is small.
OBJECT_STORE_BYTES = 100 * 1024**2


def named_cluster() -> str | None:
    """The address in the variable RAY_ADDRESS; None where a cluster of this machine's own is to begin."""
    address = os.environ.get(ADDRESS_VARIABLE, "local")
    return None if address in ("", "local") else address


@contextmanager
def ray_cluster(cpus: int, log_to_driver: bool = False) -> Iterator[ModuleType]:
    """Ray, connected.

    The cluster is the one that the environment variable ``RAY_ADDRESS`` names. Where it names none, one begins on this
    machine and ends with the block: its ports are bound to 127.0.0.1 and ask for a token that only its own processes
    know, it has no dashboard, reports nothing to anyone, and its files are removed.

    Args:
        cpus: that work on this machine's own cluster may ask for at a time.
        log_to_driver: whether what other processes print is printed here too.

    Raises:
        BackendError: the cluster cannot be reached, or none can begin.
    """
    address = named_cluster()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:
        _keep_to_this_machine()
    else:
        _check_there(address)
    import ray

    # Paths of sockets have some 100 characters at most, and the folders of temporary files may have long names.
    short = "/tmp" if os.name == "posix" and Path("/tmp").is_dir() else None
    with TemporaryDirectory(prefix="ray-", dir=short, ignore_cleanup_errors=True) as folder:
        alone: dict[str, Any] = {
            "num_cpus": cpus,
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
            "_temp_dir": folder,
        }
        options = alone if address is None else {}
        try:
            ray.init(address or "local", log_to_driver=log_to_driver, logging_level=logging.ERROR, **options)
        except (ConnectionError, RuntimeError, ValueError) as error:
            raise BackendError(f"no work is possible on Ray: {str(error).splitlines()[0]}") from error
        try:
            if address is None:
                _check_reach(ray)
            yield ray
        finally:
            ray.shutdown()


def _keep_to_this_machine() -> None:
    """Settings that Ray reads when it is imported or begins, and passes on to its processes."""
    # Its name is of another time: without clusters of several machines, Ray binds to 127.0.0.1 on every system.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    # Else other programs of this machine come first, however busy they are.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray spells it so
    # Lines of other processes are printed as they come, also those that look alike.
    os.environ["RAY_DEDUP_LOGS"] = os.environ["RAY_COLOR_PREFIX"] = "0"
    # A cluster of one machine asks for a token unless told not to. Ray reads it once in the life of a process.
    os.environ.pop("RAY_AUTH_MODE", None)
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _check_there(address: str) -> None:
    """Ray itself tries for minutes to reach a cluster that is not there."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not port.isdecimal():
        return  # "auto", which looks for a cluster on this machine
    try:
        socket.create_connection((host.strip("[]"), int(port)), CONNECT_S).close()
    except (OSError, OverflowError) as error:
        raise BackendError(f"there is no Ray cluster at {address}; check the variable {ADDRESS_VARIABLE}") from error


def _check_reach(ray: ModuleType) -> None:
    if not is_loopback(ray.util.get_node_ip_address()):
        raise BackendError("Ray was imported before this command and would listen to other machines; import it later")
