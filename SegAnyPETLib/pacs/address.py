"""The address of a DICOMweb service."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from SegAnyPETLib.errors import InputError


@dataclass(frozen=True)
class PacsAddress:
    """An address that images of patients and credentials may be sent to.

    Attributes:
        text: such as "https://pacs.hospital.example/dicom-web".
        allow_http: whether the user accepts that others could read along.

    Raises:
        InputError: the text is not such an address, holds credentials, or others could read along unasked.
    """

    text: str
    allow_http: bool = False

    def __post_init__(self) -> None:
        try:
            url = self._url
            whole = url.scheme in ("http", "https") and url.hostname and (url.port is None or url.port > 0)
        except ValueError:
            whole = False
        # The text is not repeated: it may hold a password or an identifier.
        if not whole:
            raise InputError(
                "this is not the address of a DICOMweb service; give one such as https://pacs.hospital.example/dicom-web"
            )
        if url.username is not None or url.password is not None:
            raise InputError("the address holds credentials, which others could see; give them by --credentials-file")
        if url.query or url.fragment:
            raise InputError("the address of a DICOMweb service has neither ? nor #; leave out what follows them")
        if url.scheme == "http" and not (self.loopback or self.allow_http):
            raise InputError(
                f"others could read what is sent to {self.host}; use an address that begins with https://, "
                "or accept it by --allow-http"
            )

    @property
    def host(self) -> str:
        """Name and port."""
        return self._url.netloc

    @property
    def secure(self) -> bool:
        """Whether it speaks TLS."""
        return self._url.scheme == "https"

    @property
    def loopback(self) -> bool:
        """Whether it is on this machine."""
        name = self._url.hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    @property
    def _url(self) -> SplitResult:
        return urlsplit(self.text)
