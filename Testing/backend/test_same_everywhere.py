"""The same session gives the same masks in process, through a worker and through a server, bit for bit."""

import numpy as np
import pytest
import torch

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.backend.worker.backend import WorkerBackend
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.sam.checkpoint import save_checkpoint
from SegAnyPETLib.models.sam.config import SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume
from Testing.backend.hot import at
from Testing.backend.serving import serving
from Testing.models.sam.filler import filled

pytestmark = pytest.mark.slow

SMALL, LARGE = (13, 20, 20), (32, 38, 38)


@pytest.fixture(scope="module")
def volume():
    """Two hot ellipsoids with texture, of which the larger one needs a coarser window, on an anisotropic grid."""
    rng = np.random.default_rng(3)
    k, j, i = np.meshgrid(np.arange(50) * 3.0, np.arange(60) * 2.5, np.arange(60) * 2.5, indexing="ij")
    image = 1 + 0.2 * rng.standard_normal(k.shape)
    image += 7 * (((k - 40) / 1.3) ** 2 + (j - 50) ** 2 + (i - 50) ** 2 < 9.0**2)
    image += 5 * ((k - 95) ** 2 + ((j - 95) / 1.2) ** 2 + (i - 95) ** 2 < 30.0**2)
    return Volume(np.maximum(image, 0).astype(np.float32), np.diag([-2.5, 2.5, 3.0, 1.0]), "SUVbw")


@pytest.fixture(scope="module", params=["lite", "sam"])
def model(request, tmp_path_factory):
    """The bundled model, and a small one of the published family, whose weights nobody has trained."""
    if request.param == "lite":
        return "lite"
    path = tmp_path_factory.mktemp("weights") / "small.pth"
    config = SamConfig(32, patch=8, width=24, depth=2, heads=2, global_blocks=(1,), window=3, prompt_width=48)
    save_checkpoint(filled(SamNet(config)), path)
    return str(path)


class Noted:
    """A backend whose answers are kept."""

    def __init__(self, backend):
        self.backend, self.answers = backend, []

    def __getattr__(self, name):
        return getattr(self.backend, name)

    def predict(self, image, targets):
        self.answers += self.backend.predict(image, targets)
        return self.answers[-len(targets) :]


def script(volume, backend):
    """Answers, and masks after each prompt of three targets, some in windows that others have used."""
    noted, masks = Noted(backend), []

    def show(step):
        masks.append(step.mask.to_array(volume.shape_kji))

    small, large, drawn = (InteractiveSession(volume, noted, watch=lambda windows: windows < 2) for _ in range(3))
    show(small.add_point(at(volume, SMALL)))
    show(large.add_point(at(volume, LARGE)))
    show(small.add_point(at(volume, (15, 21, 20))))
    show(large.add_point(at(volume, (36, 44, 40))))
    show(large.add_point(at(volume, (20, 38, 38), positive=False)))
    box = np.zeros(volume.shape_kji, bool)
    box[11:15, 17:23, 18:24] = True
    show(drawn.add_mask(box))
    show(drawn.add_point(at(volume, (14, 22, 20))))
    show(drawn.add_point(at(volume, (13, 24, 20), positive=False)))
    show(small.add_point(at(volume, LARGE)))  # a new part, far from the first one
    windows = {id(step.window) for session in (small, large, drawn) for step in session.history}
    assert len(windows) > 3, "no target went to another window"
    assert all(mask.any() for mask in masks)
    return masks, noted.answers


def test_masks_and_answers_are_the_same_at_every_distance(volume, model):
    threads = torch.get_num_threads()
    masks, answers = script(volume, load_backend(model, threads=1))
    with (
        WorkerBackend(model, threads=1) as worker,
        serving([Engine.load(model, threads=1)]) as url,
        HttpBackend(url) as server,
    ):
        others = [script(volume, worker), script(volume, server)]
    torch.set_num_threads(threads)
    for found_masks, found_answers in others:
        np.testing.assert_array_equal(found_masks, masks)
        assert len(found_answers) == len(answers)
        for found, expected in zip(found_answers, answers, strict=True):
            np.testing.assert_array_equal(found.logits_kji, expected.logits_kji)
            assert (found.quality, found.feeds_back_logits) == (expected.quality, expected.feeds_back_logits)
