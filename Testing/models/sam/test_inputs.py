"""Windows reach the network as the published pipeline cut and normalised them."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from SegAnyPETLib.models.sam.inputs import MASK_GAIN, mask_prompt, network_axes, normalised, window_logits
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window
from Testing.models.sam import filler

FIXTURES = Path(__file__).parent / "fixtures"
ARRAYS = np.load(FIXTURES / "windows.npz")
CUTS = json.loads((FIXTURES / "windows.json").read_text())
#: "a" and "b" are two orientations of one size, "c" is smaller than the window.
PET_SIZES = {"a": (96, 96, 60), "b": (96, 96, 60), "c": (64, 64, 30)}
#: Where torchio's versions laid their 1.5 mm grids differs.
VERSIONS = ("0.20.7", "0.20.23")


def published_window(version, name):
    cut = CUTS[version][name]
    volume = Volume(filler.pet(PET_SIZES[name[0]]), np.array(cut["original_affine_ras"]))
    return normalised(torch.from_numpy(Window(128, np.array(cut["roi_affine_ras"])).sample(volume))[None])


@pytest.mark.slow
@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["a1", "a2", "b1", "b2", "c1"])
def test_a_window_is_the_published_tensor(version, name):
    cut = CUTS[version][name]
    tensor = published_window(version, name)[0, 0].numpy()
    assert np.abs(tensor[3::8, 3::8, 3::8] - ARRAYS[f"{version}.{name}"]).max() <= 1e-5
    assert tensor.mean(dtype=np.float64) == pytest.approx(cut["mean"], abs=1e-5)
    assert tensor.std(dtype=np.float64, ddof=1) == pytest.approx(cut["std"], abs=1e-5)
    assert (tensor.min(), tensor.max()) == pytest.approx((cut["min"], cut["max"]), abs=1e-5)


@pytest.mark.slow
def test_whole_runs_end_in_the_published_masks():
    net = filler.filled(SamNet())
    with torch.inference_mode():
        for run in CUTS["runs"]:
            embedding = net.image_encoder(published_window("0.20.23", run["roi"]))
            logits = torch.zeros(1, 1, 32, 32, 32)
            for clicks in range(1, len(run["labels"]) + 1):
                points = torch.tensor([run["points"][:clicks]], dtype=torch.float32)
                logits, _ = net.decode(embedding, points, torch.tensor([run["labels"][:clicks]]), logits)
            low = logits[0, 0, 1::2, ::2, 1::2].numpy()
            np.testing.assert_allclose(low, ARRAYS[f"{run['name']}.logits"], atol=5e-5)
            mask = network_axes(window_logits(logits, 128))[0].numpy() > 0
            published = np.unpackbits(ARRAYS[f"{run['name']}.mask"]).reshape(128, 128, 128).astype(bool)
            assert np.count_nonzero(mask != published) <= 60


def test_only_positive_voxels_are_counted_and_all_are_scaled():
    image = torch.tensor([0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0, -4.0]).reshape(1, 2, 2, 2)
    wanted = (image - 2.0) / 1.0
    torch.testing.assert_close(normalised(image), network_axes(wanted)[:, None])


def test_each_window_of_a_batch_is_scaled_on_its_own():
    images = torch.rand(2, 4, 4, 4) * torch.tensor([1.0, 50.0]).view(2, 1, 1, 1)
    together = normalised(images)
    torch.testing.assert_close(together[1:], normalised(images[1:]))


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_a_window_of_one_value_stays_finite(value):
    assert (normalised(torch.full((1, 4, 4, 4), value)) == value).all()


def test_the_axes_of_the_network_are_right_anterior_superior():
    image = torch.zeros(1, 4, 4, 4)
    image[0, 1, 2, 3] = 1.0  # superior 1, anterior 2, right 3
    assert network_axes(image)[0, 3, 2, 1] == 1.0


def test_a_mask_prompt_has_its_zero_level_on_the_surface_of_the_mask():
    mask = torch.zeros(1, 16, 16, 16)
    mask[0, 4:10, 4:8, :] = 1.0  # along k it ends in the middle of a low-resolution voxel
    prompt = mask_prompt(mask, 4)
    assert prompt.shape == (1, 1, 4, 4, 4)
    assert prompt[0, 0, 0, 1].tolist() == [-MASK_GAIN, MASK_GAIN, 0.0, -MASK_GAIN]


@pytest.mark.slow
def test_a_large_mask_comes_back_from_its_prompt():
    grid = torch.stack(torch.meshgrid(*[torch.arange(128.0)] * 3, indexing="ij"))
    ball = ((grid - torch.tensor([60.0, 66.0, 63.0]).view(3, 1, 1, 1)).norm(dim=0) < 30).float()[None]
    back = window_logits(mask_prompt(ball, 32), 128) > 0
    overlap = 2 * (back & (ball > 0)).sum() / (back.sum() + ball.sum())
    assert overlap > 0.98
