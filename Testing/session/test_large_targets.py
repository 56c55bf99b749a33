"""The bundled model on targets that no window holds."""

from dataclasses import replace

import numpy as np
import pytest

from SegAnyPETLib.backend.in_process import load_backend
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.simulation.phantom import make_phantom
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.training.windows.dataset import split_organ_maps
from SegAnyPETLib.volume.io import read_labels
from SegAnyPETLib.volume.volume import Volume

pytestmark = pytest.mark.slow

#: The cube that the published models see.
CUBE_MM = 192.0


class OneVoxelSize:
    """A backend that may not zoom, as the published models may not."""

    def __init__(self, backend, spacing_mm):
        self.spec = replace(backend.spec, spacing_mm=(spacing_mm,))
        self.predict = backend.predict


@pytest.fixture(scope="module")
def lite():
    return load_backend("lite", threads=1)


def clicked(volume, truth_kji, backend, clicks):
    """The session after clicks of a simulated user."""
    session = InteractiveSession(volume, backend)
    user = RobotUser("ideal", 0)
    for _ in range(clicks):
        session.add_point(user.next_point(volume.with_array(truth_kji), session.mask_kji))
    return session


def long_tumour():
    """A body of 4 mm voxels with a tumour of 400 x 120 x 96 mm, and the tumour."""
    shape = np.array((130, 70, 70))
    offsets = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"), -1) - shape // 2
    tumour = np.linalg.norm(offsets * 4.0 / (200, 60, 48), axis=-1) < 1
    body = np.linalg.norm(offsets[..., 1:] * 4.0 / 135, axis=-1) < 1
    noise = np.random.default_rng(0).normal(0, 0.1, shape)
    uptake = np.maximum(body * (1.0 + noise) + 5.0 * tumour, 0).astype(np.float32)
    return Volume(uptake, np.diag([4.0, 4.0, 4.0, 1.0]), "SUVbw"), tumour


@pytest.mark.parametrize("zooms", [True, False])
def test_a_tumour_of_40_cm_is_followed_from_window_to_window(lite, zooms):
    volume, tumour = long_tumour()
    session = clicked(volume, tumour, lite if zooms else OneVoxelSize(lite, CUBE_MM / lite.spec.size), clicks=3)
    window = session.history[0].window
    assert window.size * window.spacing_mm < 400 * 0.8
    assert not session.history[-1].open
    assert np.ptp(np.flatnonzero(session.mask_kji.any((1, 2)))) * 4.0 > 380
    assert dice(session.mask_kji, tumour) > 0.9


def test_a_liver_that_the_cube_of_the_published_models_does_not_hold_is_segmented_whole(lite, shared_data):
    _, left_out = split_organ_maps(shared_data / "organ_maps", 8)
    phantom = make_phantom(0, read_labels(left_out[0]), lesions=0)
    liver = phantom.organs.array_kji == Tissue.LIVER
    extent_mm = np.ptp(np.argwhere(liver), axis=0) * phantom.image.spacing_mm[::-1]
    assert extent_mm.max() > CUBE_MM
    session = clicked(phantom.image, liver, OneVoxelSize(lite, CUBE_MM / lite.spec.size), clicks=5)
    found_mm = np.ptp(np.argwhere(session.mask_kji), axis=0) * phantom.image.spacing_mm[::-1]
    assert found_mm.max() > CUBE_MM
    assert dice(session.mask_kji, liver) > 0.8
