"""Who may use a server: whoever knows its token; without one, whoever sits at this machine."""

from __future__ import annotations

import hmac
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from SegAnyPETLib.backend.server.answers import refused
from SegAnyPETLib.backend.server.refusals import Refusal

#: What a browser or client calls this machine. Other names may be a web page's, made to point here (DNS rebinding).
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})


class TokenRequired:
    """Refuses whatever comes without the token, whichever path it asks for.

    Args:
        app: what it guards.
        token: the secret.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] == "lifespan" or self._knows_token(scope):
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            refusal = Refusal("unauthorized", "the server needs a valid token", {"WWW-Authenticate": "Bearer"})
            await refused(refusal)(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    def _knows_token(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(b" ")
        return hmac.compare_digest(token.strip(), self._token) and scheme.lower() == b"bearer"


class LocalHostRequired:
    """Refuses requests that name another host than this machine.

    Args:
        app: what it guards.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] == "http" and _host(Headers(scope=scope).get("host", "")) not in LOCAL_HOSTS:
            message = "a server without a token answers at 127.0.0.1 or localhost only"
            await refused(Refusal("bad_request", message))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _host(header: str) -> str:
    """A Host header without its port."""
    return re.sub(r":[0-9]*$", "", header.strip().lower())
