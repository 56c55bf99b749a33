"""Which model runs where, as the user prefers it; kept in Slicer's settings, not in the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import qt

WORKER = "worker"
SERVER = "server"
INSIDE = "inside"
LOCATIONS = (WORKER, SERVER, INSIDE)
#: Keys of the saved preferences below "SegAnyPET/", by field; "place" is the key of the first release.
SAVED_KEYS = {
    "model": "model",
    "location": "place",
    "device": "device",
    "server": "server",
    "certificate": "certificate",
}
#: Those that say which server it is.
SERVER_FIELDS = ("server", "certificate")


@dataclass(frozen=True)
class ModelChoice:
    """A model, and where it runs.

    Attributes:
        model: its name.
        location: `WORKER`, `SERVER` or `INSIDE`.
        device: "cpu", "cuda" or "mps"; a server has its own.
        server: address of the server.
        token: for the server, "" for none; never saved.
        certificate: path of the PEM file of the authority that signed the server's certificate, "" for the system's.
    """

    model: str = "lite"
    location: str = WORKER
    device: str = "cpu"
    server: str = ""
    token: str = ""
    certificate: str = ""


def savedChoice() -> ModelChoice:
    """Return the saved choice, without a token; the default if none was saved."""
    settings, default = qt.QSettings(), ModelChoice()
    saved = {
        field: str(settings.value(f"SegAnyPET/{key}", getattr(default, field))) for field, key in SAVED_KEYS.items()
    }
    return ModelChoice(**saved) if saved["location"] in LOCATIONS else default


def saveChoice(choice: ModelChoice) -> None:
    """Save a choice except its token."""
    _save(choice, tuple(SAVED_KEYS))


def saveServer(choice: ModelChoice) -> None:
    """Save the server's address and certificate of a choice."""
    _save(choice, SERVER_FIELDS)


def _save(choice: ModelChoice, fields: Sequence[str]) -> None:
    settings = qt.QSettings()
    for field in fields:
        settings.setValue(f"SegAnyPET/{SAVED_KEYS[field]}", getattr(choice, field))
