"""Limits for open connections, so that those without the token cannot lock out those with it.

A connection is a stranger until a request on it has been accepted (see `auth`). Strangers are counted apart from the
others, and per peer. Beyond a limit it is not the newest connection that is closed but the oldest silent stranger of
the peer that has most of them. A client sends its request as soon as it is connected: either that still waits in the
socket, so that the connection is not silent, or it is read and accepted. So an attacker replaces its own connections.
Beyond the limit of accepted connections, the one that has been idle for longest is closed; clients connect again
without notice. All limits together stay below the 1,024 files that a process may have open on most systems.
"""

from __future__ import annotations

import asyncio
import ipaddress
import select
import sys
from collections import OrderedDict
from typing import Any, Protocol

from SegAnyPETLib.backend.server.guards.auth import CONNECTION
from SegAnyPETLib.backend.server.guards.head_deadline import HeadDeadline

#: Maximum number of accepted connections that are idle or busy; a workstation needs one or two.
MAX_ACCEPTED = 256
#: Maximum number of strangers in all.
MAX_STRANGERS = 512
#: Maximum number of strangers of one peer.
MAX_STRANGERS_PER_PEER = 256


class Closable(Protocol):
    """A connection as its limits see it."""

    @property
    def idle(self) -> bool:
        """Whether no request is being answered."""
        ...

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived that were not read yet."""
        ...

    def abort(self) -> None:
        """Close it at once."""
        ...


class Connections:
    """The open connections of a server; used by its event loop only.

    Args:
        max_accepted: maximum number of accepted connections.
        max_strangers: maximum number of strangers.
        max_per_peer: maximum number of strangers of one peer.
    """

    def __init__(
        self,
        max_accepted: int = MAX_ACCEPTED,
        max_strangers: int = MAX_STRANGERS,
        max_per_peer: int = MAX_STRANGERS_PER_PEER,
    ) -> None:
        self.max_accepted, self.max_strangers, self.max_per_peer = max_accepted, max_strangers, max_per_peer
        self._strangers: dict[str, OrderedDict[Closable, None]] = {}
        self._peers: dict[Closable, str] = {}
        self._accepted: OrderedDict[Closable, None] = OrderedDict()

    @property
    def strangers(self) -> int:
        """Number of strangers."""
        return len(self._peers)

    @property
    def accepted(self) -> int:
        """Number of accepted connections."""
        return len(self._accepted)

    def opened(self, connection: Closable, peer: str) -> None:
        """Count a new connection, and close a stranger if there are too many.

        Args:
            connection: a stranger.
            peer: see `peer_of`.
        """
        self._peers[connection] = peer
        of_peer = self._strangers.setdefault(peer, OrderedDict())
        of_peer[connection] = None
        if len(of_peer) <= self.max_per_peer:
            if len(self._peers) <= self.max_strangers:
                return
            of_peer = self._strangers[max(self._strangers, key=lambda peer: len(self._strangers[peer]))]
        # If none is silent there is one too many until the event loop has read what they sent.
        silent = next((c for c in of_peer if not c.has_unread), None)
        if silent is not None:
            self._close(silent)

    def accept(self, connection: Closable) -> None:
        """Count a connection on which a request was accepted as no stranger, and close an idle one if needed."""
        self._forget_stranger(connection)
        self._accepted[connection] = None
        self._accepted.move_to_end(connection)
        if len(self._accepted) > self.max_accepted:
            idle = next((c for c in self._accepted if c.idle), None)
            if idle is not None:
                self._close(idle)

    def closed(self, connection: Closable) -> None:
        """Count a connection no longer."""
        self._forget_stranger(connection)
        self._accepted.pop(connection, None)

    def _close(self, connection: Closable) -> None:
        self.closed(connection)
        connection.abort()

    def _forget_stranger(self, connection: Closable) -> None:
        peer = self._peers.pop(connection, None)
        if peer is None:
            return
        of_peer = self._strangers[peer]
        del of_peer[connection]
        if not of_peer:
            del self._strangers[peer]


class LimitedProtocol(HeadDeadline):
    """A connection that counts towards limits.

    Args:
        limits: of all connections of the server.
        options: of uvicorn's protocol.
    """

    def __init__(self, limits: Connections, **options: Any) -> None:
        super().__init__(**options)
        self._limits = limits
        self.app_state = {**self.app_state, CONNECTION: self}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count the connection."""
        super().connection_made(transport)
        self._limits.opened(self, peer_of(self.client[0] if self.client else ""))

    def connection_lost(self, exc: Exception | None) -> None:
        """Count it no longer."""
        self._limits.closed(self)
        super().connection_lost(exc)

    @property
    def has_unread(self) -> bool:
        """Whether bytes have arrived that were not read yet."""
        return _readable(self.transport.get_extra_info("socket").fileno())

    def accept(self) -> None:
        """Count it as one on which a request was accepted."""
        self._limits.accept(self)

    def abort(self) -> None:
        """Close it at once."""
        self.transport.abort()


def _readable(file: int) -> bool:
    if file < 0:
        return False
    if sys.platform == "win32":
        return bool(select.select([file], [], [], 0)[0])
    poll = select.poll()  # takes files of any number
    poll.register(file, select.POLLIN)
    return bool(poll.poll(0))


def peer_of(address: str) -> str:
    """Return what counts as one peer: an IPv4 address, or the network of an IPv6 address, of which a peer has 2^64."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if ip.version == 6 and ip.ipv4_mapped is None and not ip.is_loopback:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
