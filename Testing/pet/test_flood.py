"""A mask that ran on into the tissue around is told from one of its target."""

import numpy as np
import pytest
from scipy import ndimage

from SegAnyPETLib.pet.flood import flood_notes
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.io import read_image, read_labels
from SegAnyPETLib.volume.notes import NoteKind
from SegAnyPETLib.volume.volume import Volume

SPACING_MM = 4.0
SHAPE = (30, 40, 40)
CENTER = (15, 20, 20)


def _distance_mm():
    return SPACING_MM * np.linalg.norm(np.indices(SHAPE) - np.reshape(CENTER, (3, 1, 1, 1)), axis=0)


def _body():
    body = np.zeros(SHAPE, bool)
    body[:, 5:-5, 5:-5] = True
    return body


def _pet(peak: float, radius_mm: float) -> Volume:
    array = np.where(_distance_mm() <= radius_mm, peak, 1.0) * _body()
    smooth = ndimage.gaussian_filter(array, 0.6)
    return Volume(smooth.astype(np.float32), np.diag([SPACING_MM] * 3 + [1.0]), "SUVbw")


def _point(kji=CENTER, positive=True):
    return Point(tuple(SPACING_MM * n for n in reversed(kji)), positive)


@pytest.mark.parametrize("peak", [3.0, 8.0, 40.0])
@pytest.mark.parametrize("radius_mm", [5.0, 9.0])
def test_small_spot_that_fills_the_body_is_told(peak, radius_mm):
    (note,) = flood_notes(_pet(peak, radius_mm), _body(), [_point()])
    assert note.kind is NoteKind.MASK
    assert "it may have run on" in note.message
    assert "\n" not in note.message


@pytest.mark.parametrize("radius_mm", [5.0, 9.0, 30.0])
def test_mask_of_its_target_is_not_told(radius_mm):
    assert flood_notes(_pet(6.0, radius_mm), _distance_mm() <= radius_mm + 4, [_point()]) == ()


def test_organ_of_even_uptake_is_not_told():
    body = Volume(_body().astype(np.float32), np.diag([SPACING_MM] * 3 + [1.0]))
    assert flood_notes(body, _body(), [_point()]) == ()


def test_small_excess_is_not_told():
    assert flood_notes(_pet(6.0, 5.0), _distance_mm() <= 15, [_point()]) == ()


def test_without_a_positive_point_nothing_is_told():
    assert flood_notes(_pet(6.0, 5.0), _body(), []) == ()
    assert flood_notes(_pet(6.0, 5.0), _body(), [_point(positive=False)]) == ()


def test_contours_of_real_sarcomas_are_not_told(shared_data):
    folders = sorted((shared_data / "sts").glob("STS_*"))
    assert folders
    told = []
    for folder in folders:
        pet, labels = read_image(folder / "PET_image.nii.gz"), read_labels(folder / "PET_mask.nii.gz")
        mask = labels.array_kji > 0
        depth = ndimage.distance_transform_edt(mask, sampling=pet.spacing_mm[::-1])
        middle = pet.point_ras(np.unravel_index(depth.argmax(), mask.shape))
        if flood_notes(pet, mask, [Point(tuple(middle))]):
            told.append(folder.name)
    assert told == []
