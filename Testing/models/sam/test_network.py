"""The network gives the published answers, for weights and inputs that follow from names alone."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from SegAnyPETLib.models.sam.config import PUBLISHED, SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from Testing.models.sam import filler

FIXTURES = Path(__file__).parent / "fixtures"
ANSWERS = np.load(FIXTURES / "network.npz")
MODELS = json.loads((FIXTURES / "network.json").read_text())
#: RMS and largest difference that rounding explains, in units of what is compared, or of 1 if that is smaller: an IoU
#: near 0 is rounded as the sum it comes from. The fixtures are float64 results rounded to float32.
TOLERANCE = {torch.float32: (1e-5, 5e-5), torch.float64: (1e-7, 5e-7)}
EVERY_SECOND = (..., slice(1, None, 2), slice(None, None, 2), slice(1, None, 2))


@pytest.fixture(scope="module", params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request):
    return request.param


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=pytest.mark.slow) if name == "vit_b_ori" else name for name in MODELS],
)
def embedded(request, dtype):
    """A network of a size, and its embedding of the fixtures' image."""
    name = request.param
    settings = MODELS[name]["config"]
    net = SamNet(SamConfig(**{**settings, "global_blocks": tuple(settings["global_blocks"])})).to(dtype)
    filler.filled(net)
    tokens = []
    for block in net.image_encoder.blocks:
        block.register_forward_hook(lambda _module, _inputs, out: tokens.append(out.detach()))
    image = torch.from_numpy(filler.image(net.config.size)).to(dtype)[None, None]
    with torch.inference_mode():
        return name, net, net.image_encoder(image), tokens


def assert_equal(answer, key, dtype):
    wanted = ANSWERS[key].astype(np.float64)
    difference = answer.detach().double().numpy().reshape(wanted.shape) - wanted
    rms, largest = TOLERANCE[dtype]
    scale = max(np.sqrt((wanted**2).mean()), 1.0)
    assert np.sqrt((difference**2).mean()) <= rms * scale, key
    assert np.abs(difference).max() <= largest * scale, key


def test_tokens_after_every_block_are_the_published_ones(embedded, dtype):
    name, _, _, tokens = embedded
    corners = [(0, 0, 0), (3, 5, 1), (7, 7, 7)]
    chosen = torch.stack([torch.stack([block[0][place] for place in corners]) for block in tokens])
    assert_equal(chosen, f"{name}.block_tokens", dtype)


def test_the_embedding_is_the_published_one(embedded, dtype):
    name, _, embedding, _ = embedded
    step = 2 if name == "vit_b_ori" else 1
    assert_equal(embedding[0, ::step], f"{name}.embedding", dtype)


def test_the_grid_of_tokens_is_encoded_with_its_first_axes_swapped(embedded, dtype):
    name, net, _, _ = embedded
    encoding = net.prompt_encoder.grid_encoding()[0]
    chosen = encoding[::2, ::3, ::2, 1::3] if name == "vit_b_ori" else encoding[::4]
    assert_equal(chosen, f"{name}.dense_pe", dtype)


def test_every_kind_of_prompt_gives_the_published_mask_and_iou(embedded, dtype):
    name, net, embedding, _ = embedded
    prompt = torch.from_numpy(filler.mask_prompt(net.config.mask_size)).to(dtype)[None, None]
    masks = {"zeros": torch.zeros_like(prompt), "prompt": prompt, None: None}
    with torch.inference_mode():
        for case, settings in MODELS[name]["cases"].items():
            points = torch.tensor(settings["points"] or np.zeros((1, 0, 3)), dtype=dtype)
            labels = torch.tensor(settings["labels"] or np.zeros((1, 0)), dtype=torch.long)
            mask = masks[settings["mask"]]
            logits, iou = net.decode(embedding, points, labels, mask, settings["multimask"])
            if case == "one_point":
                masks["logits of one_point"] = logits
            assert_equal(logits[EVERY_SECOND], f"{name}.{case}.logits", dtype)
            assert_equal(iou, f"{name}.{case}.iou", dtype)
            if settings["points"]:
                assert_equal(net.prompt_encoder.sparse(points, labels), f"{name}.{case}.sparse", dtype)


def test_without_points_there_are_no_tokens_at_all(embedded, dtype):
    _, net, _, _ = embedded
    nothing = torch.zeros(2, 0, dtype=torch.long)
    assert net.prompt_encoder.sparse(torch.zeros(2, 0, 3, dtype=dtype), nothing).shape[1] == 0


def test_the_published_size_has_the_published_number_of_parameters():
    with torch.device("meta"):
        net = SamNet(PUBLISHED)
    parts = (net.image_encoder, net.prompt_encoder, net.mask_decoder)
    assert [sum(v.numel() for v in part.state_dict().values()) for part in parts] == [92_924_928, 9_052, 7_575_636]
    assert len(net.state_dict()) == 324


def test_targets_of_one_window_share_its_embedding():
    torch.manual_seed(0)
    net = SamNet(SamConfig(size=32, patch=8, width=24, depth=1, heads=2, global_blocks=(0,), prompt_width=48)).eval()
    filler.filled(net)
    embedding = net.image_encoder(torch.randn(1, 1, 32, 32, 32))
    points, labels = torch.rand(3, 2, 3) * 32, torch.tensor([[1, 0], [1, 1], [0, 1]])
    mask = torch.randn(3, 1, 16, 16, 16)
    together, _ = net.decode(embedding, points, labels, mask)
    for n in range(3):
        alone, _ = net.decode(embedding, points[n : n + 1], labels[n : n + 1], mask[n : n + 1])
        torch.testing.assert_close(together[n : n + 1], alone, rtol=1e-4, atol=1e-5)
