"""The server's application: the same behind uvicorn, in a worker process and as a Ray Serve deployment."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.responses import JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from SegAnyPETLib import __version__
from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import PROTOCOL, pack_predictions, unpack_request
from SegAnyPETLib.backend.server.answers import MaskResponse, refused
from SegAnyPETLib.backend.server.guards.auth import LocalHostRequired, TokenRequired
from SegAnyPETLib.backend.server.guards.linger import Linger
from SegAnyPETLib.backend.server.guards.request_body import Bodies, Body
from SegAnyPETLib.backend.server.observed import GONE, NOTES, Observed
from SegAnyPETLib.backend.server.prometheus import Metrics
from SegAnyPETLib.backend.server.refusals import STATUS_OF, ClientGone, Refusal
from SegAnyPETLib.backend.server.service import READY, Service
from SegAnyPETLib.errors import InputError

CLIENT_HEADER = "X-Client"
DEADLINE_HEADER = "X-Deadline-S"


def create_app(service: Service, token: str | None) -> FastAPI:
    """Create the application around a service, which it starts and stops with itself (ASGI's lifespan).

    Args:
        service: runs the requests.
        token: secret that clients must send; without one, only requests to 127.0.0.1 or localhost are answered.
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await service.stop()

    bodies = Bodies(service.limits)
    metrics = Metrics(service, bodies)
    app = FastAPI(
        title="SegAnyPET",
        version=__version__,
        lifespan=lifespan,
        openapi_url=None,  # `app.openapi()` makes the schema; it is not served
        redirect_slashes=False,
        middleware=[
            Middleware(Linger),
            Middleware(Observed, service=service, metrics=metrics),
            Middleware(TokenRequired, token=token) if token is not None else Middleware(LocalHostRequired),
        ],
        exception_handlers={
            Refusal: _on_refusal,
            InputError: _on_input_error,
            ClientGone: _on_client_gone,
            HTTPException: _on_http_exception,
        },
    )
    _add_predict(app, service, bodies)
    _add_questions(app, service, metrics)
    return app


def _add_predict(app: FastAPI, service: Service, bodies: Bodies) -> None:
    async def held() -> AsyncIterator[Body]:
        with bodies.held() as body:
            yield body  # until the answer has been sent

    until_sent: Body = Depends(held)

    @app.post("/v1/predict", response_class=Response, responses=_PREDICT_RESPONSES, openapi_extra=_PREDICT_REQUEST)
    async def predict(request: Request, body: Body = until_sent) -> Response:
        """Segment targets in a window."""
        limits = service.limits
        client, ends_at = _client(request), time.monotonic() + _deadline_s(request, limits)
        service.check_open()
        message = await body.read(request.headers, request.receive)
        # Reading 4 MB of voxels and their SHA-256 takes several ms, 64 MB a tenth of a second: in another thread it
        # does not delay other requests.
        asked = await asyncio.to_thread(unpack_request, message, limits)
        del message
        notes = request.scope.get(NOTES, {})
        notes |= {"targets": len(asked.targets), "upload": asked.image is not None}
        predictions = await service.predict(asked, client, ends_at - time.monotonic(), lambda: _left(request))
        answer = await asyncio.to_thread(pack_predictions, predictions)
        body.hold_answer(len(answer))
        return MaskResponse(answer, limits.body_s)


def _add_questions(app: FastAPI, service: Service, metrics: Metrics) -> None:
    @app.get("/v1/models", responses=_ERROR_RESPONSES)
    async def models() -> dict[str, Any]:
        """Return the models of the server, where they run, and its limits."""
        devices = {name: f"{engine.device.type}, {engine.precision}" for name, engine in service.engines.items()}
        return {
            "protocol": PROTOCOL,
            "device": next(iter(devices.values())),
            "devices": devices,
            "models": [engine.spec.to_dict() for engine in service.engines.values()],
            "limits": asdict(service.limits),
        }

    @app.get("/v1/health", responses={503: {"description": "starting or stopping"}, **_ERROR_RESPONSES})
    async def health() -> JSONResponse:
        """Return whether the server takes requests."""
        return JSONResponse(service.status(), 200 if service.state == READY else 503)

    @app.get("/metrics", response_class=Response, responses=_ERROR_RESPONSES)
    async def figures() -> Response:
        """Return the metrics for Prometheus."""
        return Response(metrics.text(), media_type=CONTENT_TYPE_LATEST)


def _client(request: Request) -> str:
    """Return the client's identifier; clients that do not send one share their windows."""
    client = request.headers.get(CLIENT_HEADER, "")
    if not re.fullmatch(r"[0-9A-Za-z_-]{0,64}", client):
        raise InputError(f"{CLIENT_HEADER} must be at most 64 letters, digits, - or _")
    return client


def _deadline_s(request: Request, limits: Limits) -> float:
    """Return the number of seconds that the client waits."""
    text = request.headers.get(DEADLINE_HEADER)
    try:
        seconds = limits.deadline_s if text is None else float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise InputError(f"{DEADLINE_HEADER} must be a number of seconds above 0")
    return min(seconds, limits.deadline_s)


async def _left(request: Request) -> None:
    """Return when the client has closed its connection."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


async def _on_refusal(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refusal)
    request.scope.get(NOTES, {})["error"] = error.code
    return refused(error)


async def _on_input_error(request: Request, error: Exception) -> Response:
    return await _on_refusal(request, Refusal("bad_request", str(error)))


async def _on_client_gone(request: Request, error: Exception) -> Response:
    return Response(status_code=GONE)


async def _on_http_exception(request: Request, error: Exception) -> Response:
    """Answer a request that the router refused."""
    assert isinstance(error, HTTPException)
    if error.status_code == STATUS_OF["method_not_allowed"]:
        refusal = Refusal("method_not_allowed", "this path does not take this method", dict(error.headers or {}))
    else:
        refusal = Refusal("not_found", "there is nothing here; check the address of the server")
    return await _on_refusal(request, refusal)


_ERROR_SCHEMA = {
    "type": "object",
    "required": ["error", "message"],
    "properties": {"error": {"enum": sorted(STATUS_OF)}, "message": {"type": "string"}},
}
_ERROR: dict[str, Any] = {"content": {"application/json": {"schema": _ERROR_SCHEMA}}}
_BINARY: dict[str, Any] = {"schema": {"type": "string", "format": "binary"}}


def _errors(*statuses: int) -> dict[int | str, dict[str, Any]]:
    codes = {status: [code for code, s in STATUS_OF.items() if s == status] for status in statuses}
    return {status: {"description": " or ".join(named), **_ERROR} for status, named in codes.items()}


_ERROR_RESPONSES = _errors(400, 401)
_PREDICT_RESPONSES = {
    200: {"description": "masks as logits", "content": {MEDIA_TYPE: _BINARY}},
    **_errors(400, 401, 404, 408, 413, 415, 429, 500, 503, 504),
}
_PREDICT_REQUEST: dict[str, Any] = {
    "requestBody": {"required": True, "content": {MEDIA_TYPE: _BINARY}},
    "parameters": [
        {
            "name": CLIENT_HEADER,
            "in": "header",
            "required": False,
            "schema": {"type": "string", "pattern": "^[0-9A-Za-z_-]{0,64}$"},
        },
        {
            "name": DEADLINE_HEADER,
            "in": "header",
            "required": False,
            "schema": {"type": "number", "exclusiveMinimum": 0},
        },
    ],
}
