"""What travels for a whole-body volume, counted on the wire; the bounds are those of the project's promise."""

import numpy as np
import pytest
import torch

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.promptable import ModelOutput
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume
from Testing.backend.hot import HotModel, at
from Testing.backend.serving import serving
from Testing.backend.tap import tapped

MB = 1e6
CENTRE = (160, 200, 200)


@pytest.fixture(scope="module")
def volume():
    """400 x 400 x 326 voxels of noise, which no encoding makes smaller, with a hot ball of 30 mm."""
    rng = np.random.default_rng(0)
    image = rng.standard_normal((326, 400, 400), dtype=np.float32)
    k, j, i = np.meshgrid(*[np.arange(-12, 13)] * 3, indexing="ij")
    box = tuple(slice(c - 12, c + 13) for c in CENTRE)
    image[box] += 8 * ((3 * k) ** 2 + (2 * j) ** 2 + (2 * i) ** 2 < 15**2)
    return Volume(np.abs(image), np.diag([-2.0, 2.0, 3.0, 1.0]), "SUVbw")


class PublishedSize(HotModel):
    """Like the published models it sees 128 voxels per side, at one voxel size, and wants 32 per side again."""

    def __init__(self):
        super().__init__(128, feeds_back_logits=True)
        self.spec = ModelSpec("published size", 128, (1.5,), "a" * 64, previous_logits_size=32)

    def _answer(self, image_kji, spacing_mm, target):
        blocks = image_kji.reshape(32, 4, 32, 4, 32, 4).mean((1, 3, 5))
        return ModelOutput((blocks - 3).astype(np.float32), feeds_back_logits=True)


def traffic(engine, volume):
    """Bytes up and down of each click in one target: the first one, one that adds, one that takes away, one more."""
    with serving([engine]) as url, tapped(url) as tap, HttpBackend(tap.url) as backend:
        backend.connect()
        session = InteractiveSession(volume, backend)
        found = []
        beside = [((0, 0, 0), True), ((1, 2, 3), True), ((0, 3, -6), False), ((-2, -3, 2), True)]
        for (dk, dj, di), positive in beside:
            tap.up.clear()
            tap.down.clear()
            session.add_point(at(volume, (CENTRE[0] + dk, CENTRE[1] + dj, CENTRE[2] + di), positive))
            found.append((sum(tap.up), sum(tap.down)))
            assert session.mask.voxels
    return found


def test_the_published_size_stays_within_6_mb_and_then_0_3_mb_a_click(volume):
    (up, down), *later = traffic(Engine(PublishedSize(), torch.device("cpu")), volume)
    assert 2 * 128**3 < up <= 6 * MB
    assert down <= 0.3 * MB
    assert all(up + down <= 0.3 * MB for up, down in later)


@pytest.mark.slow
def test_lite_stays_within_6_mb_and_then_0_3_mb_a_click(volume):
    (up, down), *later = traffic(Engine.load("lite", threads=1), volume)
    assert 2 * 48**3 < up <= 6 * MB
    assert down <= 0.3 * MB
    assert all(up + down <= 0.3 * MB for up, down in later)
