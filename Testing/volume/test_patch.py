import numpy as np

from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume


def test_cropping_and_pasting_back_keeps_every_voxel():
    mask = np.zeros((4, 5, 6), dtype=bool)
    mask[1, 2, 3] = mask[2, 4, 5] = True
    patch = MaskPatch.cropped(mask)
    assert patch.offset_kji == (1, 2, 3)
    assert patch.array_kji.shape == (2, 3, 3)
    assert (patch.to_array((4, 5, 6)) == mask).all()


def test_the_offset_of_what_is_cropped_is_kept():
    mask = np.zeros((2, 2, 2), dtype=bool)
    mask[1, 1, 1] = True
    assert MaskPatch.cropped(mask, (10, 20, 30)).offset_kji == (11, 21, 31)


def test_an_empty_mask_gives_an_empty_patch():
    patch = MaskPatch.cropped(np.zeros((3, 3, 3), dtype=bool))
    assert patch.voxels == 0
    assert not patch.to_array((3, 3, 3)).any()


def test_a_patch_on_a_box_lies_where_it_lay_on_the_grid():
    mask = np.zeros((6, 6, 6), dtype=bool)
    mask[2, 3, 4] = mask[3, 3, 4] = True
    box = Box((1, 2, 3), (5, 6, 6))
    assert (MaskPatch.cropped(mask).within(box) == mask[box.slices]).all()
    assert not MaskPatch.empty().within(box).any()


def test_a_patch_as_a_volume_keeps_its_place_in_space():
    matrix = np.diag([-2.0, 3.0, 4.0, 1.0])
    volume = Volume(np.zeros((4, 5, 6)), matrix)
    mask = np.zeros((4, 5, 6), dtype=bool)
    mask[1, 2, 3] = True
    cut = MaskPatch.cropped(mask).as_volume(volume)
    assert cut.point_ras([0, 0, 0]).tolist() == volume.point_ras([1, 2, 3]).tolist()
