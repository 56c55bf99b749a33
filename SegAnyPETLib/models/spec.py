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
        memory_size: voxels per side of the logits that it wants to see again at the next click, 0 where it wants the
            mask instead.
    """

    name: str
    size: int
    spacing_mm: tuple[float, ...]
    sha256: str = ""
    licence: str = ""
    memory_size: int = 0

    @property
    def zooms(self) -> bool:
        """Whether its windows may have several voxel sizes."""
        return min(self.spacing_mm) < max(self.spacing_mm)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return asdict(self)
