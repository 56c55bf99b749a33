import numpy as np

from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.patch import MaskPatch

GRID = Grid((6, 6, 6), tuple(map(tuple, np.eye(4).tolist())))
MASK = MaskPatch(np.ones((2, 2, 2), bool), (1, 1, 1))


def test_equal_masks_have_equal_fingerprints_however_they_are_cropped() -> None:
    wide = MaskPatch(np.pad(MASK.array_kji, 1), (0, 0, 0))
    moved = MaskPatch(MASK.array_kji, (1, 1, 2))
    assert fingerprint(wide, GRID) == fingerprint(MASK, GRID) != fingerprint(moved, GRID)
    assert fingerprint(MaskPatch.empty(), GRID) == fingerprint(MaskPatch(np.zeros((2, 2, 2), bool), (3, 3, 3)), GRID)


def test_voxels_of_the_same_box_are_told_apart() -> None:
    holed = MASK.array_kji.copy()
    holed[0, 0, 1] = False
    turned = holed[:, :, ::-1]
    texts = {fingerprint(MaskPatch(array, (1, 1, 1)), GRID) for array in (MASK.array_kji, holed, turned)}
    assert len(texts) == 3


def test_a_mask_on_reversed_slices_has_the_same_fingerprint() -> None:
    reversed_slices = Grid((6, 6, 6), ((1.0, 0, 0, 0), (0, 1, 0, 0), (0, 0, -1, 5), (0, 0, 0, 1)))
    tower = MaskPatch(np.array([[[True, True]], [[True, False]]]), (0, 1, 2))
    assert fingerprint(reversed_slices.to(GRID, tower), GRID) == fingerprint(tower, reversed_slices)
