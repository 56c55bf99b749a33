"""Specification of a model, as a client needs it. Loads no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ModelSpec:
    """A promptable model.

    Attributes:
        name: name for the user, such as "lite".
        size: voxels per side of its window.
        spacing_mm: voxel sizes of the windows that it accepts, finest first; one value if it does not zoom.
        sha256: of its weights file; "" in training.
        licence: of its weights, in one line.
        previous_logits_size: voxels per side of the logits that it takes back with the next click; 0 if it takes the
            mask instead.
    """

    name: str
    size: int
    spacing_mm: tuple[float, ...]
    sha256: str = ""
    licence: str = ""
    previous_logits_size: int = 0

    @property
    def zooms(self) -> bool:
        """Whether its windows may have several voxel sizes."""
        return min(self.spacing_mm) < max(self.spacing_mm)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON; protocol and weights files call the size of previous logits ``memory_size``."""
        values = asdict(self)
        values["memory_size"] = values.pop("previous_logits_size")
        return values

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> ModelSpec:
        """Build a specification from what `to_dict` returned.

        Raises:
            TypeError: a name is unknown or missing.
        """
        given = dict(values)
        size = given.pop("memory_size", 0)
        return cls(**given, previous_logits_size=size)
