"""A body around organs."""

import numpy as np
import pytest
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.simulation.anatomy import anatomy_from_organs, canonical_labels
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.volume.volume import Volume


def test_a_flipped_and_permuted_organ_map_becomes_superior_anterior_right():
    array = np.zeros((2, 3, 4), dtype=np.uint8)
    array[0, 0, 3] = Tissue.LIVER
    # i runs to the left, j upwards, k to the back.
    matrix = np.array([[-2.0, 0, 0, 0], [0, 0, -4.0, 0], [0, 3.0, 0, 0], [0, 0, 0, 1]])
    labels, spacing = canonical_labels(Volume(array, matrix))
    assert labels.shape == (3, 2, 4)
    assert spacing == (3.0, 4.0, 2.0)
    assert np.argwhere(labels == Tissue.LIVER).tolist() == [[0, 1, 0]]


def test_a_body_surrounds_the_organs_and_keeps_them(anatomy):
    tissues = anatomy.tissues
    for organ in (Tissue.LIVER, Tissue.BRAIN, Tissue.BLADDER, Tissue.HEART):
        inside = tissues == organ
        assert inside.any()
        grown = np.zeros_like(inside)
        grown[1:], grown[:-1] = inside[:-1], inside[1:]
        assert not (tissues[grown] == Tissue.AIR).any()
    assert {Tissue.FAT, Tissue.SOFT, Tissue.MARROW, Tissue.BOWEL, Tissue.BLOOD} <= set(np.unique(tissues))
    assert (tissues[:, 0, 0] == Tissue.AIR).all()


def test_bowel_lies_between_bladder_and_lungs(anatomy):
    def slices(tissue):
        return np.flatnonzero((anatomy.tissues == tissue).any((1, 2)))

    bowel = slices(Tissue.BOWEL)
    assert slices(Tissue.BLADDER)[0] <= bowel[0] < bowel[-1] < slices(Tissue.LUNGS)[0]
    depth = ndimage.distance_transform_edt(anatomy.tissues != Tissue.AIR, sampling=anatomy.spacing_mm)
    assert depth[anatomy.tissues == Tissue.BOWEL].min() > 25  # 30 mm along the shorter half axis


@pytest.mark.parametrize("label", [0, 11, 257, -1])
def test_what_is_no_organ_map_is_refused(label):
    with pytest.raises(InputError, match="labels 1 to 10"):
        anatomy_from_organs(Volume(np.full((2, 2, 2), label, np.int32), np.eye(4)), np.random.default_rng(0))
