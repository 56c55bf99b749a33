from dataclasses import replace

import numpy as np
import pytest

from SegAnyPETLib.backend.messages.fit import check_fits
from SegAnyPETLib.backend.messages.requests import PredictRequest
from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.volume.crop import Crop

SPEC = ModelSpec("lite", 8, (2.0, 4.0, 6.5))
REMEMBERING = ModelSpec("general", 8, (1.5,), previous_logits_size=4)


def asked(spacing_mm=2.0, size=8, mask=None, previous_logits=None):
    image = WindowImage.of(np.ones((size,) * 3, np.float32), spacing_mm)
    target = TargetPrompts(np.zeros((1, 3), np.float32), np.ones(1, bool), mask, previous_logits)
    return PredictRequest("lite", "", image.sha256, spacing_mm, image, (target,))


def mask(grid):
    return Crop(grid, (1, 1, 1), np.full((2, 2, 2), 255, np.uint8))


def beside(not_target):
    """A request in which a neighbour is known."""
    request = asked()
    return replace(request, targets=(replace(request.targets[0], not_target=not_target),))


def previous_logits(size):
    return np.zeros((size,) * 3, np.float16)


@pytest.mark.parametrize("spacing_mm", [2.0, 3.3, 6.5, 2.0 * (1 - 1e-9), 6.5 * (1 + 1e-9)])
def test_a_model_that_zooms_takes_any_voxel_size_between_its_ends(spacing_mm):
    check_fits(asked(spacing_mm, mask=mask(8)), SPEC)


@pytest.mark.parametrize("spacing_mm", [1.99, 6.52, 100.0])
def test_voxel_sizes_beyond_its_ends_are_refused(spacing_mm):
    with pytest.raises(InputError, match=r"windows of lite have voxels of 2 to 6\.5 mm"):
        check_fits(asked(spacing_mm), SPEC)


@pytest.mark.parametrize("size", [7, 9, 16])
def test_windows_of_another_size_are_refused(size):
    with pytest.raises(InputError, match=f"8 voxels per side, not {size}"):
        check_fits(asked(size=size), SPEC)


def test_a_window_that_the_server_should_know_has_no_voxels_to_compare():
    check_fits(replace(asked(), image=None), SPEC)


@pytest.mark.parametrize("grid", [4, 9, 256])
def test_masks_on_another_grid_are_refused(grid):
    with pytest.raises(InputError, match=f"a grid of 8 voxels per side, not {grid}"):
        check_fits(asked(mask=mask(grid)), SPEC)
    with pytest.raises(InputError, match=f"a grid of 8 voxels per side, not {grid}"):
        check_fits(beside(mask(grid)), SPEC)


def test_a_model_takes_back_the_logits_that_it_answers():
    check_fits(asked(1.5, previous_logits=previous_logits(4)), REMEMBERING)


@pytest.mark.parametrize(("spec", "size"), [(SPEC, 8), (replace(REMEMBERING, spacing_mm=(2.0,)), 8)])
def test_logits_that_a_model_does_not_answer_are_refused(spec, size):
    with pytest.raises(InputError, match="did not answer the logits"):
        check_fits(asked(previous_logits=previous_logits(size)), spec)


def test_every_target_is_looked_at():
    request = asked()
    with pytest.raises(InputError, match="grid"):
        check_fits(replace(request, targets=(*request.targets, *asked(mask=mask(9)).targets)), SPEC)
