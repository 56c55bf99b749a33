"""A replica: the same application as anywhere else, which reports its windows to Ray."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import ray
from fastapi import FastAPI
from ray import serve
from ray.serve._private import replica as rays_replica

from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import PredictRequest
from SegAnyPETLib.backend.on_ray.options import RayOptions
from SegAnyPETLib.backend.protocol import Prediction
from SegAnyPETLib.backend.server.app import create_app
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.service import Service
from SegAnyPETLib.errors import BackendError
from SegAnyPETLib.models.embedding_cache import EmbeddingCache
from SegAnyPETLib.models.engine import Engine

#: Maximum number of windows that a replica reports. Ray sends all of them to all proxies whenever one changes.
MAX_WINDOWS = 256


class Held:
    """Stand-in for the embeddings of a window; Ray destroys it to have them dropped."""

    def __init__(self, service: Service, window_sha256: str) -> None:
        self._service, self._window_sha256, self._held = service, window_sha256, True

    def __del__(self) -> None:
        """Drop the embeddings once; Ray calls this, and later Python does again."""
        if self._held:
            self._held = False
            self._service.forget(self._window_sha256)


class HoldingService(Service):
    """A service that reports which windows it has used.

    Args:
        hold: called with the SHA-256 of a window that has been used.
    """

    def __init__(self, *arguments: Any, hold: Callable[[str], Awaitable[object]]) -> None:
        super().__init__(*arguments)
        self._hold = hold

    async def predict(self, request: PredictRequest, *arguments: Any) -> list[Prediction]:
        """Answer a request; see `Service.predict`."""
        predictions = await super().predict(request, *arguments)
        await self._hold(request.window_sha256)
        return predictions


class Replica:
    """A service and its application in a process of Ray.

    Args:
        options: what it runs.
        token: secret that clients must send.

    Raises:
        SegAnyPETError: a model cannot be loaded or does not run.
    """

    def __init__(self, options: RayOptions, token: str | None) -> None:
        _keep_to_the_cluster()
        self._token = token
        log = EventLog(None if options.log_file is None else _numbered(options.log_file))
        limits = replace(Limits(), queue=options.queue)
        self._service = HoldingService(_engines(options), limits, log, hold=self.hold)
        self._service.start()
        self._service.wait_started()
        self.check_health()

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Return the application; Ray calls this after construction."""
        return create_app(self._service, self._token)

    def check_health(self) -> None:
        """Check the service; Ray calls this every few seconds.

        Raises:
            BackendError: the service failed; Ray starts another replica.
        """
        if self._service.failure is not None:
            raise BackendError(str(self._service.failure))

    @serve.multiplexed(max_num_models_per_replica=MAX_WINDOWS)
    async def hold(self, window_sha256: str) -> Held:
        """Record that a window has been used; Ray drops the least recently used one."""
        return Held(self._service, window_sha256)


def _engines(options: RayOptions) -> Sequence[Engine]:
    cache = EmbeddingCache(options.cache_mb * 1024**2)
    return [
        Engine.load(name, options.device, options.threads_each, options.precision, cache) for name in options.models
    ]


def _numbered(log_file: Path) -> Path:
    rank = serve.get_replica_context().rank.rank
    return log_file.with_name(f"{log_file.stem}-{rank}{log_file.suffix}")


def _keep_to_the_cluster() -> None:
    """Restrict the port that Ray opens on all interfaces in every replica to the cluster's address.

    That is the address by which the cluster knows this machine: 127.0.0.1 for a private cluster.
    """
    listen, ip = rays_replica.add_port_to_grpc_server, ray.util.get_node_ip_address()
    host = f"[{ip}]" if ":" in ip else ip
    rays_replica.add_port_to_grpc_server = lambda server, _: listen(server, f"{host}:0")
