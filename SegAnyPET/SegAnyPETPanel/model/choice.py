"""Which model runs where, as the user prefers it; kept in Slicer's settings, not in the scene."""

from __future__ import annotations

from dataclasses import dataclass

import qt

WORKER = "worker"
SERVER = "server"
INSIDE = "inside"
LOCATIONS = (WORKER, SERVER, INSIDE)
#: Keys of the saved preferences below "SegAnyPET/", by field; "place" is the key of the first release.
SAVED_KEYS = {"model": "model", "location": "place", "device": "device", "server": "server"}


@dataclass(frozen=True)
class ModelChoice:
    """A model, and where it runs.

    Attributes:
        model: its name.
        location: `WORKER`, `SERVER` or `INSIDE`.
        device: "cpu", "cuda" or "mps"; a server has its own.
        server: address of the server.
        token: for the server, "" for none; never saved.
    """

    model: str = "lite"
    location: str = WORKER
    device: str = "cpu"
    server: str = ""
    token: str = ""


def savedChoice() -> ModelChoice:
    """Return the saved choice, without a token; the default if none was saved."""
    settings, default = qt.QSettings(), ModelChoice()
    saved = {
        field: str(settings.value(f"SegAnyPET/{key}", getattr(default, field))) for field, key in SAVED_KEYS.items()
    }
    return ModelChoice(**saved) if saved["location"] in LOCATIONS else default


def saveChoice(choice: ModelChoice) -> None:
    """Save a choice except its token."""
    settings = qt.QSettings()
    for field, key in SAVED_KEYS.items():
        settings.setValue(f"SegAnyPET/{key}", getattr(choice, field))
