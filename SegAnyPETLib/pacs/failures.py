"""What goes wrong with a PACS, in one line each that names no patient, study, series or object."""

from __future__ import annotations

import logging
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from pydicom.errors import BytesLengthException, InvalidDicomError
from requests import exceptions as http

from SegAnyPETLib.errors import BackendError
from SegAnyPETLib.pacs.address import PacsAddress

#: Their messages hold addresses with UIDs and search terms, and what servers say.
TALKATIVE = ("dicomweb_client", "retrying", "urllib3", "pydicom")

#: OpenSSL's codes for a certificate of another host name or IP address (X509_V_ERR_HOSTNAME_MISMATCH and the like).
_OTHER_NAME = (62, 64)

#: What pydicom and dicomweb-client raise where an answer is not what DICOMweb says.
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, EOFError, InvalidDicomError, BytesLengthException)


@contextmanager
def told_in_one_line(address: PacsAddress) -> Iterator[None]:
    """Turn failures of the block into `BackendError`, and keep libraries from logging identifiers meanwhile.

    Raises:
        BackendError: without a cause, whose text could hold identifiers.
    """
    try:
        with quietly():
            yield
    except http.RequestException as error:
        raise BackendError(_message(address, error)) from None
    except _MALFORMED:
        raise BackendError(
            f"{address.host} answers with what is not DICOMweb; check the path of the address (often /dicom-web)"
        ) from None


@contextmanager
def quietly() -> Iterator[None]:
    """Keep libraries from logging, and from warning, during the block."""
    loggers = [logging.getLogger(name) for name in TALKATIVE]
    levels = [logger.level for logger in loggers]
    try:
        for logger in loggers:
            logger.setLevel(logging.CRITICAL + 1)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)


def _message(address: PacsAddress, error: http.RequestException) -> str:
    host = address.host
    match error:
        case http.HTTPError():
            return _refusal(host, 0 if error.response is None else error.response.status_code)
        case http.SSLError():
            return _tls_message(host, error)
        case http.ProxyError():
            return f"the proxy of this network does not connect to {host}; check HTTPS_PROXY, or list it in NO_PROXY"
        case http.TooManyRedirects():
            return f"{host} sends requests on to another address; give that address, if you trust it"
        case http.ReadTimeout():
            return f"{host} does not answer in time; try again later"
        case http.ConnectionError():
            return f"{host} cannot be reached; check the network and the address, then try again"
        case http.JSONDecodeError():
            return f"{host} answers with what is not DICOMweb; check the path of the address (often /dicom-web)"
    return f"{host} ended the connection before its answer was complete; try again"


def _refusal(host: str, status: int) -> str:
    match status:
        case 401:
            return f"{host} does not accept the credentials; check --credentials-file or --token-file"
        case 403:
            return f"{host} does not allow this to your account; contact the PACS administrator"
        case 404:
            return f"{host} has no such study or series, or no DICOMweb service at this path; check both"
        case 413:
            return f"{host} takes no objects of this size; contact the PACS administrator"
    return f"{host} refuses the request (HTTP status {status}); contact the PACS administrator"


def _tls_message(host: str, error: BaseException) -> str:
    inner = _ssl_error(error)
    if not isinstance(inner, ssl.SSLCertVerificationError):
        return f"{host} does not speak TLS; check name and port"
    if inner.verify_code in _OTHER_NAME:
        return f"the certificate of {host} was issued for another name; use the name that it was issued for"
    return (
        f"the certificate of {host} is not trusted ({inner.verify_message}); give the file of the authority that "
        "signed it by --ca-file, or contact the PACS administrator"
    )


def _ssl_error(error: BaseException | None) -> ssl.SSLError | None:
    """Return the error of Python's ssl behind those of requests and urllib3, which lie in each other's arguments."""
    while error is not None and not isinstance(error, ssl.SSLError):
        inner = [getattr(error, "reason", None), *error.args, error.__cause__, error.__context__]
        error = next((part for part in inner if isinstance(part, BaseException)), None)
    return error
