"""Who may use a server: clients that know its token or, without one, programs on this machine.

A refused request closes its connection; an accepted one marks it (see `connections`).
"""

from __future__ import annotations

import hmac
import re

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from SegAnyPETLib.backend.server.answers import refused
from SegAnyPETLib.backend.server.refusals import Refusal

#: Names of this machine. Other names may be those of a web page, made to point here (DNS rebinding).
LOCAL_HOSTS = frozenset({"127.0.0.1", "localhost", "[::1]"})
#: Key in the scope of a request that was accepted.
ACCEPTED = "seganypet.accepted"
#: Key in the state of a scope under which the connection of our own server is found.
CONNECTION = "seganypet.connection"

_CLOSE = {"Connection": "close"}


class TokenRequired:
    """Refuse every request without the token, for any path.

    Args:
        app: application behind it.
        token: the secret.
    """

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app, self._token = app, token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] == "lifespan" or self._has_token(scope):
            _accept(scope)
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            headers = {"WWW-Authenticate": "Bearer", **_CLOSE}
            await refused(Refusal("unauthorized", "the server needs a valid token", headers))(scope, receive, send)
        else:
            await send({"type": "websocket.close"})

    def _has_token(self, scope: Scope) -> bool:
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if len(given) != 1:
            return False
        scheme, _, token = given[0].partition(b" ")
        return hmac.compare_digest(token.strip(), self._token) and scheme.lower() == b"bearer"


class LocalHostRequired:
    """Refuse requests that name another host than this machine.

    Args:
        app: application behind it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if scope["type"] == "http" and _host(Headers(scope=scope).get("host", "")) not in LOCAL_HOSTS:
            message = "a server without a token answers at 127.0.0.1 or localhost only"
            await refused(Refusal("bad_request", message, _CLOSE))(scope, receive, send)
        else:
            _accept(scope)
            await self._app(scope, receive, send)


def _accept(scope: Scope) -> None:
    if scope["type"] != "http":
        return
    scope[ACCEPTED] = True
    connection = scope.get("state", {}).get(CONNECTION)
    if connection is not None:  # behind another server than ours there is none
        connection.accept()


def _host(header: str) -> str:
    """Return a Host header without its port."""
    return re.sub(r":[0-9]*$", "", header.strip().lower())
