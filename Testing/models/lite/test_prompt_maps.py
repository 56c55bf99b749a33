import numpy as np
import pytest
import SimpleITK as sitk
import torch

from SegAnyPETLib.models.lite.prompt_maps import (
    DEFAULT_REFERENCE,
    FAR_MM,
    MAPS,
    NEAR_MM,
    PromptBatch,
    encode,
    pad_points,
    path_map,
    reference_uptake,
)


def batch(image, points=(), labels=(), previous=None, spacing_mm=2.0, not_target=None):
    image = torch.as_tensor(image, dtype=torch.float32)[None]
    points, labels = pad_points(
        [torch.tensor(points).reshape(-1, 3).float()], [torch.tensor(labels, dtype=torch.int64)]
    )
    return PromptBatch(
        image=image,
        points=points,
        labels=labels,
        previous=torch.zeros_like(image) if previous is None else torch.as_tensor(previous).float()[None],
        has_previous=torch.tensor([previous is not None]),
        spacing_mm=torch.tensor([spacing_mm]),
        not_target=torch.zeros_like(image) if not_target is None else torch.as_tensor(not_target).float()[None],
    )


def maps_of(*args, **kwargs):
    return dict(zip(MAPS, encode(batch(*args, **kwargs))[0], strict=True))


def test_distance_maps_are_in_millimetres_from_the_nearest_point_of_their_kind():
    maps = maps_of(np.ones((4, 4, 8)), [[0, 0, 0], [0, 0, 4], [3, 0, 0]], [1, 1, 0], spacing_mm=3.0)
    assert maps["positive_near"][0, 0, 5].item() == pytest.approx(np.exp(-3.0 / NEAR_MM))
    assert maps["positive_far"][0, 0, 2].item() == pytest.approx(np.exp(-6.0 / FAR_MM))
    assert maps["negative_near"][0, 0, 0].item() == pytest.approx(np.exp(-9.0 / NEAR_MM))


def test_without_points_of_a_kind_its_maps_are_zero():
    maps = maps_of(np.ones((4, 4, 4)), [[0, 0, 0]], [1])
    assert not maps["negative_near"].any()
    assert not maps["negative_path"].any()


def test_a_point_outside_the_window_still_has_a_distance_but_no_path():
    maps = maps_of(np.ones((4, 4, 4)), [[-2, 0, 0]], [1], spacing_mm=2.0)
    assert maps["positive_near"][0, 0, 0].item() == pytest.approx(np.exp(-4.0 / NEAR_MM))
    assert not maps["positive_path"].any()


def test_uptake_is_relative_to_the_hottest_voxel_near_the_positive_point():
    image = np.ones((9, 9, 9))
    image[4, 4, 5] = 8.0
    image[0, 0, 0] = 100.0  # too far away to count
    assert reference_uptake(batch(image, [[4, 4, 4]], [1])).item() == 8.0
    assert maps_of(image, [[4, 4, 4]], [1])["relative_uptake"][4, 4, 4].item() == pytest.approx(1 / 8)


def test_a_mask_alone_gives_the_reference_uptake():
    image, mask = np.full((4, 4, 4), 2.0), np.zeros((4, 4, 4))
    image[1, 1, 1] = mask[1, 1, 1] = 6.0
    assert reference_uptake(batch(image, previous=mask / 6)).item() == 6.0
    assert reference_uptake(batch(image)).item() == DEFAULT_REFERENCE


def test_behind_a_valley_the_path_map_stays_at_the_valleys_level():
    line = torch.tensor([1.0, 5.0, 2.0, 7.0, 3.0]).reshape(1, 1, 1, 1, 5)
    seeds = torch.tensor([0, 1, 0, 0, 0], dtype=torch.bool).reshape(line.shape)
    assert path_map(line, seeds).flatten().tolist() == [1.0, 5.0, 2.0, 2.0, 2.0]


def test_with_enough_sweeps_the_path_map_is_the_reconstruction_by_dilation_of_itk():
    rng = np.random.default_rng(3)
    coarse = sitk.GetImageFromArray(rng.uniform(0, 5, (5, 5, 5)).astype(np.float32))
    grid = sitk.GetImageFromArray(np.zeros((17, 17, 17), np.float32))
    grid.SetSpacing([0.25] * 3)
    image = sitk.GetArrayFromImage(sitk.Resample(coarse, grid, sitk.Transform(), sitk.sitkLinear))
    seeds = np.zeros_like(image, dtype=bool)
    seeds[8, 8, 8] = True
    marker = np.where(seeds, image, 0).astype(np.float32)
    expected = sitk.ReconstructionByDilation(sitk.GetImageFromArray(marker), sitk.GetImageFromArray(image))
    expected = sitk.GetArrayFromImage(expected)
    tensors = torch.from_numpy(image), torch.from_numpy(seeds)
    assert np.abs(path_map(*tensors, sweeps=12).numpy() - expected).max() < 1e-6
    default = path_map(*tensors).numpy()
    assert (default <= expected + 1e-6).all()
    assert np.mean(np.abs(default - expected) < 1e-6) > 0.5


def test_items_of_a_batch_do_not_mix():
    one = batch(np.full((4, 4, 4), 2.0), [[0, 0, 0]], [1])
    two = batch(np.full((4, 4, 4), 5.0), [[3, 3, 3]], [1])
    both = PromptBatch(**{name: torch.cat([getattr(one, name), getattr(two, name)]) for name in vars(one)})
    assert torch.equal(encode(both)[1], encode(two)[0])


def test_lists_of_different_length_are_padded_with_no_points():
    points, labels = pad_points([torch.zeros(0, 3), torch.ones(2, 3)], [torch.zeros(0).long(), torch.tensor([1, 0])])
    assert points.shape == (2, 2, 3)
    assert labels.tolist() == [[-1, -1], [1, 0]]


def test_what_is_known_not_to_be_the_target_is_a_map_of_its_own():
    neighbour = np.zeros((4, 4, 8), np.float32)
    neighbour[1, 2, 3:5] = 1.0
    maps = maps_of(np.ones((4, 4, 8)), [[0, 0, 0]], [1], not_target=neighbour)
    assert torch.equal(maps["not_target"], torch.from_numpy(neighbour))
