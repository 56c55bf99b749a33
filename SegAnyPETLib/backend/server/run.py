"""Run the application with uvicorn until it is stopped."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable
from functools import partial
from types import FrameType

import uvicorn

from SegAnyPETLib.backend.server.app import create_app
from SegAnyPETLib.backend.server.guards.bind import Address, is_loopback, listen
from SegAnyPETLib.backend.server.guards.connections import Connections, LimitedProtocol
from SegAnyPETLib.backend.server.guards.head_deadline import HEAD_S
from SegAnyPETLib.backend.server.logs import ToEvents
from SegAnyPETLib.backend.server.service import Service

#: Seconds for which an idle connection is kept, so that a client pays for TCP and TLS once, not at every click.
KEEP_ALIVE_S = 60
#: Seconds that responses may take to be sent when the service has stopped.
LAST_ANSWERS_S = 5


class Server(uvicorn.Server):
    """A server of one service; stop it with `stop`, from any thread, or by SIGINT or SIGTERM in the main thread.

    Args:
        service: runs the requests.
        token: see `create_app`.
        address: where to listen.
        listening: called with the port when clients can connect.
        ready: called when the service takes requests.
        bound: socket at the address, if `listen` has made it already.

    Raises:
        InputError: the host is not this machine's, or others can reach it and no token is set.
        BackendError: the port is taken.
    """

    def __init__(
        self,
        service: Service,
        token: str | None,
        address: Address,
        listening: Callable[[int], None] | None = None,
        ready: Callable[[], None] | None = None,
        bound: socket.socket | None = None,
    ) -> None:
        self._service, self._listening, self._ready = service, listening, ready
        self._socket = bound or listen(address, token)
        self.port: int = self._socket.getsockname()[1]
        if not is_loopback(self._socket.getsockname()[0]) and not address.secure:
            message = "listening to others without TLS: put a reverse proxy with TLS in front, or give --tls-cert"
            service.log.write("warning", "no_tls", message=message)
        super().__init__(
            uvicorn.Config(
                create_app(service, token),
                http=partial(LimitedProtocol, Connections()),  # type: ignore[arg-type] # uvicorn only calls it
                loop="asyncio",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=LAST_ANSWERS_S,
                ssl_certfile=address.certificate,
                ssl_keyfile=address.key,
            )
        )

    def run_until_stopped(self) -> None:
        """Serve.

        Raises:
            SegAnyPETError: the service could not start.
        """
        handler = ToEvents(self._service.log)
        loggers = [logging.getLogger(name) for name in ("uvicorn.error", "asyncio")]
        for logger in loggers:
            logger.addHandler(handler)
        try:
            self.run(sockets=[self._socket])
            self._service.log.write("info", "stopped")
        finally:
            for logger in loggers:
                logger.removeHandler(handler)
            self._socket.close()
        if self._service.failure is not None:
            raise self._service.failure

    def stop(self) -> None:
        """Begin to stop: the running request is answered, those that wait are refused."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        if self.config.is_ssl:
            # uvicorn has no option for it, and asyncio would wait a minute for a handshake.
            loop = asyncio.get_running_loop()
            loop.create_server = partial(loop.create_server, ssl_handshake_timeout=HEAD_S)  # type: ignore[method-assign]
        await super().startup(sockets)
        if self.started and self._listening:
            self._listening(self.port)
        self._watching = asyncio.create_task(self._watch_start())

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop the service first; connections end when their requests are answered."""
        await self._service.stop()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop at a signal; at a second one without waiting for responses. Neither is an error."""
        self.force_exit = self.should_exit
        self.should_exit = True

    async def _watch_start(self) -> None:
        await asyncio.to_thread(self._service.wait_started)
        if self._service.failure is not None:
            self.should_exit = True
            return
        self._service.log.write("info", "ready", models=list(self._service.engines))
        if self._ready:
            self._ready()
