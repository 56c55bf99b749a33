"""Every request leaves a line in the log and is counted; a bug leaves its trace, and the client a plain answer."""

from __future__ import annotations

import time
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from SegAnyPETLib.backend.server.answers import refused
from SegAnyPETLib.backend.server.prometheus import Metrics
from SegAnyPETLib.backend.server.refusals import Refusal
from SegAnyPETLib.backend.server.service import Service

#: Where a request leaves plain values for its line in the log.
NOTES = "seganypet.notes"

#: Status in log and metrics of requests whose client left before the answer.
GONE = 499

#: Asked for every few seconds by whoever watches the server; their successes are not logged.
_WATCHING = ("/v1/health", "/metrics")
_ROUTES = ("/v1/predict", "/v1/models", *_WATCHING)


class Observed:
    """Logs and counts.

    Args:
        app: what answers.
        service: whose log it is.
        metrics: the counts.
    """

    def __init__(self, app: ASGIApp, service: Service, metrics: Metrics) -> None:
        self._app, self._service, self._metrics = app, service, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and note the end."""
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
