"""Metrics: values on tiny masks against brute force, empty masks, the border of the volume, cropping."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from monai.metrics import compute_surface_dice
from monai.utils import convert_to_tensor
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.metrics import crop_to_union, hausdorff_95, score, surface_dice, untouched_voxels
from SegAnyPETLib.volume.volume import Volume

SPACING_KJI = np.array([3.0, 2.0, 1.5])


def reference_volume(mask_kji: NDArray, spacing_kji_mm: NDArray = SPACING_KJI) -> Volume:
    return Volume(mask_kji, np.diag([*spacing_kji_mm[::-1], 1.0]))


def surface_voxels(mask: NDArray) -> NDArray:
    """Voxels with a face neighbour that is not in the mask, one by one."""
    padded = np.pad(mask, 1)
    steps = [step for step in product((-1, 0, 1), repeat=3) if sum(map(abs, step)) == 1]
    inside = [i for i in np.argwhere(padded) if all(padded[tuple(i + np.array(s))] for s in steps)]
    return np.array([i - 1 for i in np.argwhere(padded) if not any((i == j).all() for j in inside)])


def brute_force_hausdorff_95(first: NDArray, second: NDArray) -> float:
    a, b = (surface_voxels(m) * SPACING_KJI for m in (first, second))
    distances = np.linalg.norm(a[:, None] - b[None], axis=-1)
    return max(np.percentile(distances.min(1), 95), np.percentile(distances.min(0), 95))


masks = arrays(bool, (4, 3, 5)).filter(lambda m: bool(m.any()))


@pytest.mark.slow
@given(masks, masks)
@settings(max_examples=40, deadline=None)
def test_hausdorff_95_equals_brute_force_over_surface_voxels(first: NDArray, second: NDArray) -> None:
    assert hausdorff_95(first, second, SPACING_KJI) == pytest.approx(brute_force_hausdorff_95(first, second), abs=1e-4)


@pytest.mark.slow
@given(masks, masks)
@settings(max_examples=40, deadline=None)
def test_surface_dice_equals_monais_own_on_an_uncropped_grid(first: NDArray, second: NDArray) -> None:
    wide = [convert_to_tensor(np.pad(m, 4)[None, None].astype(np.float32)) for m in (first, second)]
    expected = [
        float(
            compute_surface_dice(
                *wide, [t + 1e-4], include_background=True, spacing=tuple(SPACING_KJI), use_subvoxels=True
            )
        )
        for t in (2.0, 4.0)
    ]
    assert surface_dice(first, second, SPACING_KJI, (2.0, 4.0)) == pytest.approx(expected, abs=1e-5)


@pytest.mark.slow
@given(masks, masks, st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * 3))
@settings(max_examples=40, deadline=None)
def test_a_wider_grid_changes_no_score(first: NDArray, second: NDArray, margins: tuple) -> None:
    narrow = score(first, reference_volume(second))
    wide = score(np.pad(first, margins), reference_volume(np.pad(second, margins)))
    assert narrow == wide


def test_dice_of_half_overlapping_boxes() -> None:
    first, second = np.zeros((2, 1, 3), bool), np.zeros((2, 1, 3), bool)
    first[:, :, :2] = True
    second[:, :, 1:] = True
    assert score(first, reference_volume(second)).dice == 0.5


def test_surface_dice_counts_the_shift_in_millimetres_of_the_right_axis() -> None:
    first, along_k, along_i = (np.zeros((12, 12, 12), bool) for _ in range(3))
    first[2:10, 2:10, 2:10] = True
    along_k[3:11, 2:10, 2:10] = True
    along_i[2:10, 2:10, 3:11] = True
    spacing = np.array([3.0, 2.0, 1.5])
    shifted_3mm = score(along_k, reference_volume(first, spacing))
    assert shifted_3mm.nsd_2mm < 0.9
    assert shifted_3mm.nsd_4mm == 1.0
    assert shifted_3mm.hd95_mm == pytest.approx(3.0)
    shifted_1_5mm = score(along_i, reference_volume(first, spacing))
    assert shifted_1_5mm.nsd_2mm == 1.0
    assert shifted_1_5mm.hd95_mm == pytest.approx(1.5)


def test_a_shift_of_exactly_the_tolerance_is_within_it() -> None:
    first, second = np.zeros((3, 3, 9), bool), np.zeros((3, 3, 9), bool)
    first[:, :, 1:4] = True
    second[:, :, 4:7] = True
    spacing = np.array([9.0, 9.0, 2.0 / 3.0])
    assert score(first, reference_volume(second, spacing)).nsd_2mm == 1.0


def test_a_mask_at_the_border_of_the_volume_has_a_surface_there() -> None:
    full, hollow = np.ones((5, 5, 5), bool), np.ones((5, 5, 5), bool)
    hollow[0] = False
    scores = score(hollow, reference_volume(full))
    assert scores.hd95_mm == pytest.approx(3.0)
    assert scores.nsd_2mm < 1.0


def test_empty_prediction_and_empty_reference_have_stated_scores() -> None:
    empty, one = np.zeros((2, 2, 2), bool), np.zeros((2, 2, 2), bool)
    one[0, 0, 0] = True
    missed = score(empty, reference_volume(one))
    assert (missed.dice, missed.nsd_2mm, missed.nsd_4mm, missed.fpv_ml) == (0.0, 0.0, 0.0, 0.0)
    assert math.isnan(missed.hd95_mm)
    assert missed.fnv_ml == pytest.approx(0.009)
    invented = score(one, reference_volume(empty))
    assert (invented.dice, invented.nsd_2mm, invented.fnv_ml) == (0.0, 0.0, 0.0)
    assert invented.fpv_ml == pytest.approx(0.009)
    nothing = score(empty, reference_volume(empty))
    assert math.isnan(nothing.dice)
    assert math.isnan(nothing.nsd_2mm)
    assert math.isnan(nothing.hd95_mm)


def test_false_volumes_count_only_components_without_overlap() -> None:
    prediction, reference = np.zeros((1, 3, 9), bool), np.zeros((1, 3, 9), bool)
    reference[0, 0, 0:3] = True  # partly found
    prediction[0, 0, 2:4] = True
    reference[0, 2, 6] = True  # missed
    prediction[0, 2, 0:2] = True  # invented
    scores = score(prediction, reference_volume(reference, np.array([10.0, 10.0, 10.0])))
    assert scores.fpv_ml == pytest.approx(2.0)
    assert scores.fnv_ml == pytest.approx(1.0)


def test_components_are_joined_over_edges_but_not_over_corners() -> None:
    mask, other = np.zeros((3, 3, 3), bool), np.zeros((3, 3, 3), bool)
    mask[0, 0, 0] = mask[0, 1, 1] = True  # share an edge
    mask[1, 2, 2] = True  # meets (0, 1, 1) at a corner
    other[0, 0, 0] = True
    assert untouched_voxels(mask, other) == 1


def test_cropping_keeps_both_masks_aligned() -> None:
    first, second = np.zeros((5, 5, 5), bool), np.zeros((5, 5, 5), bool)
    first[1, 2, 3] = True
    second[3, 2, 1] = True
    a, b = crop_to_union(first, second)
    assert a.shape == b.shape == (3, 1, 3)
    assert a[0, 0, 2]
    assert b[2, 0, 0]


def test_a_prediction_on_another_grid_is_refused() -> None:
    with pytest.raises(InputError, match="does not fit"):
        score(np.zeros((2, 2, 2), bool), reference_volume(np.ones((2, 2, 3), bool)))
