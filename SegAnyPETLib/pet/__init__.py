"""PET in SUV: reading, quantities, threshold methods.

`read_pet` is imported on first use: it needs pydicom 3, which Slicer's process may not have.
"""

from typing import TYPE_CHECKING, Any

from SegAnyPETLib.pet.hottest import snapped
from SegAnyPETLib.pet.quantities import Quantities, quantities
from SegAnyPETLib.pet.thresholds import METHODS
from SegAnyPETLib.volume.units import SUV_UNITS

if TYPE_CHECKING:
    from SegAnyPETLib.pet.reading import read_pet

__all__ = ["METHODS", "SUV_UNITS", "Quantities", "quantities", "read_pet", "snapped"]


def __getattr__(name: str) -> Any:
    """Import `read_pet` on first use."""
    if name != "read_pet":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from SegAnyPETLib.pet.reading import read_pet

    return read_pet


def __dir__() -> list[str]:
    """List `read_pet` before its first use too."""
    return sorted({*globals(), *__all__})
