import numpy as np

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.parts import part_at
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

SHAPE = (10, 10, 60)
VOLUME = Volume(np.zeros(SHAPE, np.float32), np.diag([5.0, 5.0, 5.0, 1.0]))


def mask_at(*columns):
    """A mask of single voxels at (5, 5, i)."""
    mask = np.zeros(SHAPE, dtype=bool)
    mask[5, 5, list(columns)] = True
    return mask


def part(columns, i):
    patch = part_at(VOLUME, MaskPatch.cropped(mask_at(*columns)), Point(tuple(VOLUME.point_ras((5, 5, i)))))
    return np.flatnonzero(patch.to_array(SHAPE)[5, 5]).tolist()


def test_components_near_the_point_are_its_part():
    assert part((10, 11, 40), 12) == [10, 11]
    assert part((10, 11, 40), 42) == [40]


def test_gaps_of_thirty_millimetres_are_bridged_and_larger_ones_are_not():
    assert part((10, 16, 22, 29), 10) == [10, 16, 22]


def test_far_from_everything_there_is_no_part():
    assert part((10,), 30) == []
