"""Which model runs where, as the user prefers it; kept with Slicer's settings, not with the scene."""

from dataclasses import dataclass

import qt

WORKER, SERVER, INSIDE = "worker", "server", "inside"
PLACES = (WORKER, SERVER, INSIDE)


@dataclass(frozen=True)
class ModelChoice:
    """A model, and where it runs.

    Attributes:
        model: its name.
        place: `WORKER`, `SERVER` or `INSIDE`.
        device: "cpu", "cuda" or "mps"; a server has its own.
        server: address of the server.
        token: for the server, "" for none; never saved.
    """

    model: str = "lite"
    place: str = WORKER
    device: str = "cpu"
    server: str = ""
    token: str = ""


def savedChoice():
    """The choice of the last time, without a token."""
    settings, default = qt.QSettings(), ModelChoice()
    saved = {name: str(settings.value(f"SegAnyPET/{name}", getattr(default, name))) for name in _SAVED}
    return ModelChoice(**saved) if saved["place"] in PLACES else default


def saveChoice(choice):
    """Keep a choice, but for the token."""
    settings = qt.QSettings()
    for name in _SAVED:
        settings.setValue(f"SegAnyPET/{name}", getattr(choice, name))


_SAVED = ("model", "place", "device", "server")
