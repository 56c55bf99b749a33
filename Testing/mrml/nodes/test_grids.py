import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.mrml.nodes.volumes import grid_of
from SegAnyPETLib.volume.patch import MaskPatch

SHAPE = (4, 5, 6)


def geometry(rng: np.random.Generator) -> np.ndarray:
    matrix = np.eye(4)
    q, _ = np.linalg.qr(rng.normal(size=(3, 3)))
    matrix[:3, :3] = q * rng.choice([-1.0, 1.0], size=3) * rng.uniform(0.5, 6.0, size=3)
    matrix[:3, 3] = rng.uniform(-300, 300, size=3)
    return matrix


@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz"])
@pytest.mark.parametrize("seed", range(8))
def test_a_volume_that_is_loaded_again_has_the_same_voxels_on_its_grid(make, tmp_path, seed: int, ending: str) -> None:
    rng = np.random.default_rng(seed)
    node = make.volume(rng.random(SHAPE).astype(np.float32), geometry(rng))
    path = str(tmp_path / f"pet{ending}")
    storage = node.CreateDefaultStorageNode()
    storage.SetFileName(path)
    assert storage.WriteData(node)
    loaded = slicer.modules.volumes.logic().AddArchetypeVolume(path, "again", 0)
    before, after = grid_of(node), grid_of(loaded)
    one = MaskPatch(np.ones((1, 1, 1), bool), (0, 1, 2))
    there = before.to(after, one)
    arrays = [slicer.util.arrayFromVolume(n) for n in (node, loaded)]
    assert not after.left_handed
    assert arrays[0][one.slices] == arrays[1][there.slices]
    assert after.to(before, there).offset_kji == one.offset_kji
    assert after.right_handed(there).offset_kji == before.right_handed(one).offset_kji == there.offset_kji
