"""A Ray cluster: one that is named, or a private one on this machine."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import gettempdir
from types import ModuleType
from typing import Any

from SegAnyPETLib.backend.on_ray.watchdog import watched
from SegAnyPETLib.backend.server.guards.bind import is_loopback
from SegAnyPETLib.errors import BackendError
from SegAnyPETLib.volume.owned_folder import owned_folder

#: Ray's own variable, which names a cluster that is running.
ADDRESS_VARIABLE = "RAY_ADDRESS"

#: Seconds in which a cluster must answer.
CONNECT_S = 10.0

#: Memory that the processes of a cluster share; what is passed between them here is small.
OBJECT_STORE_BYTES = 100 * 1024**2


def named_cluster() -> str | None:
    """Return the address in the variable RAY_ADDRESS; None if a private cluster is to be started."""
    address = os.environ.get(ADDRESS_VARIABLE, "local")
    return None if address in ("", "local") else address


@contextmanager
def ray_cluster(cpus: int, log_to_driver: bool = False) -> Iterator[ModuleType]:
    """Connect to a cluster and yield the module ``ray``.

    The cluster is the one that the environment variable ``RAY_ADDRESS`` names. If it names none, one is started on this
    machine and ends with the block: its ports are bound to 127.0.0.1 and ask for a token that only its own processes
    know, it has no dashboard, sends no usage statistics, and its files are removed.

    Args:
        cpus: CPUs of a private cluster.
        log_to_driver: whether the output of other processes is printed here too.

    Raises:
        BackendError: the cluster cannot be reached, or none can be started.
    """
    address = named_cluster()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    if address is None:
        _keep_to_this_machine()
    else:
        _check_there(address)
    import ray

    # Paths of sockets have some 100 characters at most, and the folders of temporary files may have long names.
    short = Path("/tmp") if os.name == "posix" and Path("/tmp").is_dir() else None
    with ExitStack() as stack:
        folder = stack.enter_context(owned_folder(short or Path(gettempdir()), "ray-"))
        if address is None:
            stack.enter_context(watched(folder.name, folder))
        private: dict[str, Any] = {
            "num_cpus": cpus,
            "object_store_memory": OBJECT_STORE_BYTES,
            "include_dashboard": False,
            "_temp_dir": str(folder),
        }
        options = private if address is None else {}
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
    """Set the variables that Ray reads when it is imported or started, and passes on to its processes."""
    # Despite its name the variable applies on every OS: single-node clusters bind to 127.0.0.1.
    os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    # By default Ray's workers yield to all other programs of the machine.
    os.environ["RAY_worker_niceness"] = "0"  # noqa: SIM112 - Ray spells it so
    # Print the lines of other processes as they come, also repeated ones.
    os.environ["RAY_DEDUP_LOGS"] = os.environ["RAY_COLOR_PREFIX"] = "0"
    # A single-node cluster asks for a token unless this says otherwise. Ray reads it once in the life of a process.
    os.environ.pop("RAY_AUTH_MODE", None)
    os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(32))


def _check_there(address: str) -> None:
    """Check that something listens at the address; Ray itself would try for minutes."""
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
