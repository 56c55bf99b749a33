import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from slicer.util import addVolumeFromArray, arrayFromVolume, arrayFromVolumeModified, updateVolumeFromArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.volumes import VolumeCache, units_of
from SegAnyPETLib.volume.units import SUV_UNITS

OBLIQUE = np.array([[0, -3, 0, 1], [2, 0, 0, 2], [0, 0, -4, 3], [0, 0, 0, 1]], dtype=float)
RAMP = np.arange(24, dtype=np.float32).reshape(2, 3, 4)


def set_units(node, code: str) -> None:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(code, "UCUM", "unit")
    node.SetVoxelValueUnits(entry)


def test_voxels_and_geometry_are_those_of_the_node(make) -> None:
    volume = VolumeCache().volume_of(make.volume(RAMP, OBLIQUE))
    assert np.array_equal(volume.array_kji, RAMP)
    assert np.array_equal(volume.ijk_to_ras, OBLIQUE)


def test_a_transform_above_the_node_changes_nothing(make) -> None:
    node = make.volume(RAMP, OBLIQUE)
    cache = VolumeCache()
    before = cache.volume_of(node)
    node.SetAndObserveTransformNodeID(make.transform(np.diag([-1.0, -1.0, 1.0, 1.0])).GetID())
    assert cache.volume_of(node) is before


def test_float_voxels_are_not_copied_and_cannot_be_written(make) -> None:
    node = make.volume(RAMP)
    volume = VolumeCache().volume_of(node)
    assert np.shares_memory(volume.array_kji, arrayFromVolume(node))
    assert not volume.array_kji.flags.writeable


def test_integer_voxels_become_float(make) -> None:
    volume = VolumeCache().volume_of(make.volume(RAMP.astype(np.int16)))
    assert volume.array_kji.dtype == np.float32
    assert np.array_equal(volume.array_kji, RAMP)


def test_a_volume_is_converted_once(make) -> None:
    node = make.volume(RAMP.astype(np.int16))
    cache = VolumeCache()
    first = cache.volume_of(node)
    node.SetName("renamed")
    assert cache.volume_of(node) is first


def test_edited_voxels_are_seen(make) -> None:
    node = make.volume(RAMP.astype(np.int16))
    cache = VolumeCache()
    cache.volume_of(node)
    arrayFromVolume(node)[1, 2, 3] = 99
    arrayFromVolumeModified(node)
    assert cache.volume_of(node).array_kji[1, 2, 3] == 99


def test_an_image_put_in_place_of_another_is_seen(make) -> None:
    node = make.volume(RAMP)
    cache = VolumeCache()
    cache.volume_of(node)
    updateVolumeFromArray(node, RAMP + 1)
    assert cache.volume_of(node).array_kji[0, 0, 0] == 1


def test_a_new_node_with_the_id_of_an_old_one_is_another_volume(make) -> None:
    cache = VolumeCache()
    old = make.volume(RAMP)
    cache.volume_of(old)
    node_id = old.GetID()
    make.scene.Clear(0)
    new = make.volume(RAMP + 5)
    assert new.GetID() == node_id
    assert cache.volume_of(new).array_kji[0, 0, 0] == 5


def test_new_geometry_keeps_the_voxels(make) -> None:
    node = make.volume(RAMP.astype(np.int16))
    cache = VolumeCache()
    before = cache.volume_of(node)
    node.SetSpacing(2, 2, 2)
    after = cache.volume_of(node)
    assert after.spacing_mm.tolist() == [2, 2, 2]
    assert np.shares_memory(after.array_kji, before.array_kji)


def test_a_forgotten_volume_is_converted_again(make) -> None:
    node = make.volume(RAMP)
    cache = VolumeCache()
    first = cache.volume_of(node)
    assert cache.forget_node(node.GetID()) is not None
    second = cache.volume_of(node)
    cache.forget()
    assert first is not second
    assert cache.volume_of(node) is not second


@pytest.mark.parametrize(
    ("code", "units"), [("{SUVbw}g/ml", SUV_UNITS), ("Bq/ml", "Bq/ml"), ("{SUVlbm}g/ml", ""), ("[hnsf'U]", "")]
)
def test_units_are_those_that_the_node_tells(make, code: str, units: str) -> None:
    node = make.volume(RAMP)
    cache = VolumeCache()
    assert cache.volume_of(node).units == ""
    set_units(node, code)
    assert units_of(node) == units
    assert cache.volume_of(node).units == units


def test_what_cannot_be_segmented_is_refused(make) -> None:
    cache = VolumeCache()
    empty = make.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode")
    with pytest.raises(InputError, match="no image"):
        cache.volume_of(empty)
    with pytest.raises(InputError, match="2-D"):
        cache.volume_of(make.volume(np.zeros((1, 4, 4), np.float32)))
    colored = addVolumeFromArray(np.zeros((2, 2, 2, 3), np.uint8), nodeClassName="vtkMRMLVectorVolumeNode")
    with pytest.raises(InputError, match="several values per voxel"):
        cache.volume_of(colored)
    labels = addVolumeFromArray(np.zeros((2, 2, 2), np.uint8), nodeClassName="vtkMRMLLabelMapVolumeNode")
    with pytest.raises(InputError, match="label map"):
        cache.volume_of(labels)
    with pytest.raises(InputError, match="warping"):
        cache.volume_of(make.volume(RAMP, parent=make.warp()))
    with pytest.raises(InputError, match="mm large"):
        cache.volume_of(make.volume(RAMP, np.diag([0.1, 0.1, 0.1, 1])))
