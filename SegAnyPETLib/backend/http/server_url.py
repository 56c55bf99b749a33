"""The address of a server."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from functools import cached_property

import httpx

from SegAnyPETLib.errors import InputError


@dataclass(frozen=True)
class ServerUrl:
    """An address that images and tokens may be sent to: over TLS, or on this machine.

    Attributes:
        text: such as "https://pet.hospital.example" or "http://127.0.0.1:8650".

    Raises:
        InputError: the text is not the address of a server, or others could read along.
    """

    text: str

    def __post_init__(self) -> None:
        url = self._url
        whole = url.scheme in ("http", "https") and url.host and (url.port is None or 0 < url.port < 1 << 16)
        if not whole or url.userinfo or url.query or url.fragment:
            raise _no_address(self.text)
        if url.scheme == "http" and not self.loopback:
            raise InputError(f"others could read what is sent to {self.host}; use an address that begins with https://")

    @property
    def host(self) -> str:
        """Name and port, as the user typed them."""
        return self._url.netloc.decode("ascii")

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self._url.scheme == "https"

    @cached_property
    def loopback(self) -> bool:
        """Whether it is on this machine."""
        try:
            return ipaddress.ip_address(self._url.host).is_loopback
        except ValueError:
            return self._url.host == "localhost"

    @cached_property
    def _url(self) -> httpx.URL:
        try:
            url = httpx.URL(self.text)
            url.host.encode("idna")
        except (httpx.InvalidURL, UnicodeError) as error:
            raise _no_address(self.text) from error
        return url


def _no_address(text: str) -> InputError:
    return InputError(
        f"{text[:100]!r} is not the address of a server; give one such as https://pet.hospital.example:8650"
    )
