"""What a server states about itself: its models, and whether it is busy."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from SegAnyPETLib.backend.messages.requests import MAX_SIZE, MAX_SPACING_MM, PROTOCOL
from SegAnyPETLib.errors import BackendError, InputError
from SegAnyPETLib.models.spec import ModelSpec

#: Maximum number of voxel sizes of one model.
MAX_SPACINGS = 64


@dataclass(frozen=True)
class ServerInfo:
    """The models of a server, and where they run.

    Attributes:
        models: at least one.
        devices: device and precision of each model by its name, such as "cuda, bf16".
    """

    models: tuple[ModelSpec, ...]
    devices: dict[str, str]

    def spec(self, model: str | None) -> ModelSpec:
        """Return the specification of a model, or of the first one if none is named.

        Raises:
            InputError: the server does not run it.
        """
        if model is None:
            return self.models[0]
        found = next((spec for spec in self.models if spec.name == model), None)
        if found is None:
            names = ", ".join(spec.name for spec in self.models)
            raise InputError(f"the server does not run the model {model!r}; it runs: {names}")
        return found


def read_server_info(body: bytes) -> ServerInfo:
    """Read the reply of ``/v1/models``.

    Raises:
        BackendError: it is something else, or of another version of the protocol.
    """
    try:
        fields = json.loads(body)
        version = fields["protocol"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise _nonsense() from error
    if version != PROTOCOL:
        raise BackendError(
            f"the server speaks version {str(version)[:20]} of the protocol, this program version {PROTOCOL}; install "
            "the same release on both"
        )
    try:
        models = tuple(_spec(item) for item in fields["models"])
        devices = {spec.name: _text(fields.get("devices", {}).get(spec.name, fields["device"])) for spec in models}
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise _nonsense() from error
    if not models:
        raise _nonsense()
    return ServerInfo(models, devices)


def read_busy(body: bytes) -> bool:
    """Read from the reply of ``/v1/health`` whether a request runs or waits.

    Raises:
        BackendError: the reply is something else.
    """
    try:
        fields = json.loads(body)
        return bool(fields["running"] or fields["waiting"])
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise _nonsense() from error


def _spec(item: dict[str, Any]) -> ModelSpec:
    size, logits_size, spacing_mm = item["size"], item["memory_size"], item["spacing_mm"]
    whole = type(size) is int and type(logits_size) is int and 1 <= size <= MAX_SIZE and 0 <= logits_size <= size
    if not whole or not 1 <= len(spacing_mm) <= MAX_SPACINGS:
        raise ValueError("sizes of a model")
    if not all(type(s) in (int, float) and 0 < s <= MAX_SPACING_MM for s in spacing_mm):
        raise ValueError("voxel sizes of a model")
    if not re.fullmatch(r"[0-9a-f]{0,64}", item["sha256"]):
        raise ValueError("weights of a model")
    return ModelSpec(
        _text(item["name"]),
        size,
        tuple(float(s) for s in spacing_mm),
        item["sha256"],
        _text(item["licence"], least=0),
        logits_size,
    )


def _text(value: object, least: int = 1) -> str:
    if not isinstance(value, str) or not least <= len(value) <= 200 or not value.isprintable():
        raise ValueError("a text")
    return value


def _nonsense() -> BackendError:
    return BackendError("what answers is not a SegAnyPET server; check its address")
