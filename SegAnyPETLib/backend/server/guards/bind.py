"""Where a server listens: on this machine, or elsewhere behind a token."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from pathlib import Path

from SegAnyPETLib.errors import BackendError, InputError


@dataclass(frozen=True)
class Address:
    """Address to listen at.

    Attributes:
        host: name or IP address of this machine.
        port: 0 for any that is free.
        certificate: PEM file for TLS, with its chain; None for plain HTTP.
        key: PEM file of its key, not encrypted.

    Raises:
        InputError: certificate or key is given without the other, or they cannot be used.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None

    def __post_init__(self) -> None:
        if (self.certificate is None) != (self.key is None):
            raise InputError("TLS needs a certificate and its key: give both --tls-cert and --tls-key")
        if self.certificate is not None and self.key is not None:
            _check_certificate(self.certificate, self.key)

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self.certificate is not None

    def url(self, port: int) -> str:
        """Return the URL for clients, with the port that was bound."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{port}"


def listen(address: Address, token: str | None) -> socket.socket:
    """Bind a socket.

    Raises:
        InputError: the host is not this machine's, or others can reach it and there is no token.
        BackendError: the port is taken.
    """
    family, where = _resolved(address)
    if token is None and not is_loopback(where[0]):
        raise InputError(
            f"listening on {address.host} lets others in, which needs a token: give --token-file or set SEGANYPET_TOKEN"
        )
    # asyncio sets TCP_NODELAY only on sockets that are declared as TCP; on others every response takes 40 ms more.
    bound = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # On Windows this option would let two servers share a port.
        if hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_EXCLUSIVEADDRUSE, 1)
        else:
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
    except OSError as error:
        bound.close()
        raise BackendError(
            f"cannot listen on {address.host} port {address.port}: {error.strerror}; choose another --port"
        ) from error
    return bound


def is_loopback(ip: str) -> bool:
    """Return whether an IP address can be reached from this machine only."""
    return ipaddress.ip_address(ip.partition("%")[0]).is_loopback


def _resolved(address: Address) -> tuple[socket.AddressFamily, tuple[str, int]]:
    """Resolve the host, so that the address that is checked is the one that is bound."""
    try:
        found = socket.getaddrinfo(address.host or None, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise InputError(f"{address.host!r} is not an address of this machine") from error
    family, _, _, _, where = found[0]
    return family, (str(where[0]), int(where[1]))


def _check_certificate(certificate: Path, key: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(certificate, key, password=lambda: "")  # never ask at the terminal
    except (OSError, ValueError) as error:
        raise InputError(
            f"the certificate {certificate} and key {key} cannot be used: they must be PEM files that belong together, "
            "the key not encrypted"
        ) from error
