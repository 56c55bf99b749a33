"""PET in SUV: reading, quantities, threshold methods."""

from SegAnyPETLib.pet.hottest import snapped
from SegAnyPETLib.pet.quantities import Quantities, quantities
from SegAnyPETLib.pet.reading import SUV_UNITS, read_pet
from SegAnyPETLib.pet.thresholds import METHODS

__all__ = ["METHODS", "SUV_UNITS", "Quantities", "quantities", "read_pet", "snapped"]
