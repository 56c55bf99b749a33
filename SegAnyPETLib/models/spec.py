"""What a client must know of a model. Loads no torch."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class ModelSpec:
    """A promptable model.

    Attributes:
        name: as the user knows it, such as "lite".
        size: voxels per side of its window.
        spacing_mm: voxel sizes of the windows it understands, finest first; one value where it knows no zoom.
        sha256: of its weights file, "" while in training.
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
