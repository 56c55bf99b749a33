"""Log and count every request; log a bug with its traceback, and answer the client plainly."""

from __future__ import annotations

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from SegAnyPETLib.backend.server.answers import refused
from SegAnyPETLib.backend.server.prometheus import Metrics
from SegAnyPETLib.backend.server.refusals import Refusal
from SegAnyPETLib.backend.server.service import Service

#: Key of the scope under which a request keeps plain values for its line in the log.
NOTES = "seganypet.notes"

#: Status in log and metrics of requests whose client left before the response.
GONE = 499

#: Requested every few seconds by monitoring; their successes are not logged.
_WATCHING = ("/v1/health", "/metrics")
_ROUTES = ("/v1/predict", "/v1/models", *_WATCHING)


class Observed:
    """Log and count requests.

    Args:
        app: application that answers them.
        service: owner of the log.
        metrics: counters.
    """

    def __init__(self, app: ASGIApp, service: Service, metrics: Metrics) -> None:
        self._app, self._service, self._metrics = app, service, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and log its end."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin, status = time.perf_counter(), GONE
        route = scope["path"] if scope["path"] in _ROUTES else "other"
        notes: dict[str, Any] = scope.setdefault(NOTES, {})

        async def sending(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, sending)
        except TimeoutError:
            notes["error"] = "answer not read in time"
            raise
        except Exception as error:
            self._service.log.failure("request_failed", error, route=route)
            if status != GONE:
                raise
            await refused(Refusal("failed", "the server failed; its log says more"))(scope, receive, sending)
        finally:
            seconds = time.perf_counter() - begin
            self._metrics.count(route, status, seconds)
            if status != 200 or route not in _WATCHING:
                self._log(scope, route, status, seconds, notes)

    def _log(self, scope: Scope, route: str, status: int, seconds: float, notes: dict[str, Any]) -> None:
        level = "info" if status < 500 else "warning"
        fields = {"route": route, "status": status, "ms": round(seconds * 1e3, 1), "waiting": self._service.waiting}
        self._service.log.write(level, "request", **fields, **notes)
