"""Windows that show nothing end in an error, not in an endless search."""

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.simulation.anatomy import Anatomy
from SegAnyPETLib.simulation.tissues import Tissue
from SegAnyPETLib.training.windows import sample
from SegAnyPETLib.training.windows.real import RealCase, RealWindows
from SegAnyPETLib.training.windows.sample import Sample, drawn_until_seen
from SegAnyPETLib.training.windows.simulated import SimulatedWindows
from SegAnyPETLib.volume.volume import Volume


def showing(voxels):
    target = np.zeros((4, 4, 4), bool)
    target.ravel()[:voxels] = True
    return Sample(np.ones(target.shape, np.float32), target, 4.0, "lesion")


def test_windows_are_drawn_until_one_shows_four_voxels():
    seen = drawn_until_seen(iter([None, showing(0), showing(3), showing(4), showing(9)]).__next__, "")
    assert seen.target.sum() == 4


@pytest.mark.parametrize("organ_share", [0.0, 1.0])
def test_bodies_without_tissue_are_told(monkeypatch, organ_share):
    monkeypatch.setattr(sample, "MAX_DRAWS", 5)
    empty = Anatomy(np.full((8, 8, 8), Tissue.AIR, np.uint8), (4.0, 4.0, 4.0))
    with pytest.raises(InputError, match="none of 5 training windows shows 4 voxels of a target; give organ maps"):
        SimulatedWindows([empty], 16, organ_share).draw(np.random.default_rng(0))


def test_real_masks_that_no_window_shows_are_told(monkeypatch):
    monkeypatch.setattr(sample, "MAX_DRAWS", 5)
    mask = np.zeros((40, 40, 40), bool)
    mask[20, 20, 20] = True
    grid = np.diag([4.0, 4.0, 4.0, 1.0])
    case = RealCase("one voxel", Volume(np.zeros(mask.shape, np.float32), grid), Volume(mask, grid))
    with pytest.raises(InputError, match="none of 5 training windows shows 4 voxels of a target; give cases"):
        RealWindows([case], 16, 4.0).draw(np.random.default_rng(0))
