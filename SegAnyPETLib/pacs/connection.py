"""A dicomweb-client that verifies TLS, follows nobody elsewhere and takes nothing from hidden files."""

from __future__ import annotations

import ssl
from pathlib import Path

from dicomweb_client import DICOMwebClient
from requests import PreparedRequest, Session
from requests.auth import AuthBase, HTTPBasicAuth
from requests.utils import get_environ_proxies

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pacs.address import PacsAddress
from SegAnyPETLib.pacs.credentials import Credentials

#: Seconds to connect, and seconds without a byte; an archive may fetch from tape first.
CONNECT_S = 10.0
SILENCE_S = 120.0


class _Bearer(AuthBase):
    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token}"
        return request


def connect(address: PacsAddress, credentials: Credentials, ca_file: Path | None) -> DICOMwebClient:
    """Make a client; nothing is sent yet.

    Args:
        address: of the service.
        credentials: sent with every request, to this address only.
        ca_file: PEM file of the authority that signed the server's certificate, the only one that is trusted then;
            None for those that the package certifi lists.

    Raises:
        InputError: the file holds no certificate.
    """
    session = Session()
    # No .netrc, and no REQUESTS_CA_BUNDLE, which would stand above the file that the user names.
    session.trust_env = False
    session.max_redirects = 0
    session.verify = True if ca_file is None else _checked(ca_file)
    session.auth = _auth(credentials)
    session.headers["Accept"] = "application/dicom+json"
    proxies = {} if address.loopback else get_environ_proxies(address.text)
    client = DICOMwebClient(address.text.rstrip("/"), session=session, proxies=proxies, timeout=(CONNECT_S, SILENCE_S))
    client.set_http_retry_params(retry=False)
    return client


def _auth(credentials: Credentials) -> AuthBase | None:
    if credentials.user is not None:
        # As bytes: requests would write text as Latin-1, which not every name fits.
        return HTTPBasicAuth(credentials.user.encode(), credentials.password.encode())
    return None if credentials.token is None else _Bearer(credentials.token)


def _checked(ca_file: Path) -> str:
    try:
        ssl.create_default_context(cafile=ca_file)
    except OSError as error:  # ssl.SSLError is one
        raise InputError(f"{ca_file.name} holds no certificate of an authority; give a PEM file") from error
    return str(ca_file)
