"""Scans of a few cubes on a warm background."""

import numpy as np

from SegAnyPETLib.pet.burden.lesions import Lesion, measured_lesions, regions_of
from SegAnyPETLib.volume.volume import Volume

#: Voxels of 10 mm: a sphere of 1 ml holds one voxel, so SUVpeak is SUVmax.
MATRIX = np.diag([10.0, 10.0, 10.0, 1.0])


def scan_of(*cubes: tuple[tuple[int, int, int], int, float], shape=(20, 12, 12)) -> tuple[Volume, tuple[Lesion, ...]]:
    """A scan with cubes, each given by its first voxel, its side and its SUV, and the lesions that these are."""
    array = np.full(shape, 0.5, np.float32)
    labels = np.zeros(shape, np.uint8)
    for n, ((k, j, i), side, suv) in enumerate(cubes, start=1):
        where = slice(k, k + side), slice(j, j + side), slice(i, i + side)
        array[where], labels[where] = suv, n
    pet = Volume(array, MATRIX, "SUVbw")
    return pet, measured_lesions(pet, regions_of(labels)) if cubes else ()
