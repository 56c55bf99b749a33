import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.mrml.nodes.labelmaps import array_of, image_of
from SegAnyPETLib.mrml.nodes.volumes import VolumeCache
from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETLib.mrml.segmentations import new_segmentation
from SegAnyPETLib.mrml.target_rows import TargetRows
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.volume.patch import MaskPatch

SHAPE = (6, 7, 8)
MATRIX = np.diag([2.0, 2.0, 2.0, 1.0])


@pytest.fixture
def scene(make):
    """A PET whose values are all different, a segmentation for it, and the PET as a volume."""
    array = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    context = ClickContext(make.volume(array, MATRIX), None)
    context = ClickContext(context.volume_node, new_segmentation(make.scene, context.volume_node))
    return context, VolumeCache().volume_of(context.volume_node)


def measured(context, volume, rows=None):
    """Rows after what changed was measured."""
    rows = rows or TargetRows()
    found = rows.to_measure(context, volume)
    if found is not None:
        found.run()
        rows.take(found)
    return rows.of(context, volume)


def summary(row):
    return row.numbers.volume_ml, row.numbers.suv_max


def shared_segments(context, labels, matrix=MATRIX, offset_kji=(0, 0, 0)):
    """Segments that share one label map, one for each label in an array."""
    image = image_of(MaskPatch(labels > 0, offset_kji), matrix)
    array_of(image)[...] = labels
    segments = context.segmentation.GetSegmentation()
    for label in np.unique(labels[labels > 0]):
        segment = slicer.vtkSegment()
        segment.SetName(str(label))
        segment.AddRepresentation("Binary labelmap", image)
        segment.SetLabelValue(int(label))
        segments.AddSegment(segment)
    return image


def test_segments_that_share_a_label_map_are_measured_each(scene):
    context, volume = scene
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3], labels[4, 2:4, 5] = 1, 3
    shared_segments(context, labels)
    one, three = measured(context, volume)
    assert (one.name, *summary(one)) == ("1", pytest.approx(0.008), volume.array_kji[1, 2, 3])
    assert (three.name, *summary(three)) == ("3", pytest.approx(0.016), volume.array_kji[4, 3, 5])


def test_all_numbers_are_those_of_the_library(scene):
    context, volume = scene
    labels = np.zeros(SHAPE, np.uint8)
    labels[2:4, 2:5, 3:6] = 1
    shared_segments(context, labels)
    (row,) = measured(context, volume)
    assert row.numbers == quantities(volume, labels.astype(bool))


def test_what_of_a_segment_lies_beyond_the_volume_is_not_measured(scene):
    context, volume = scene
    shared_segments(context, np.ones((2, 2, 2), np.uint8), offset_kji=(-1, 6, 7))
    (row,) = measured(context, volume)
    assert summary(row) == (pytest.approx(0.008), volume.array_kji[0, 6, 7])


def test_a_segment_on_another_grid_is_measured_in_the_volumes_voxels(scene):
    context, volume = scene
    matrix = MATRIX.copy()
    matrix[:3, 3] = 0.9  # nearly half a voxel aside
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3] = 1
    shared_segments(context, labels, matrix)
    (row,) = measured(context, volume)
    assert summary(row) == (pytest.approx(0.008), volume.array_kji[1, 2, 3])


def test_a_row_that_was_not_measured_since_its_last_edit_has_no_numbers(scene):
    context, volume = scene
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3] = 1
    image = shared_segments(context, labels)
    rows = TargetRows()
    measured(context, volume, rows)
    array_of(image)[1, 2, 4] = 1
    image.Modified()
    (row,) = rows.of(context, volume)
    assert (row.measured, row.numbers) == (False, None)


def test_numbers_of_a_segment_that_was_edited_while_it_was_measured_are_not_shown(scene):
    context, volume = scene
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3] = 1
    image = shared_segments(context, labels)
    rows = TargetRows()
    running = rows.to_measure(context, volume)
    array_of(image)[1, 2, 4] = 1
    image.Modified()
    running.run()
    rows.take(running)
    (row,) = rows.of(context, volume)
    assert not row.measured
    (row,) = measured(context, volume, rows)
    assert row.numbers.volume_ml == pytest.approx(0.016)


def test_what_is_measured_is_a_copy(scene):
    context, volume = scene
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3] = 1
    image = shared_segments(context, labels)
    running = TargetRows().to_measure(context, volume)
    array_of(image)[...] = 0
    running.run()
    (numbers,) = running.numbers.values()
    assert numbers.volume_ml == pytest.approx(0.008)


def test_what_is_measured_is_not_measured_again(scene):
    context, volume = scene
    shared_segments(context, np.ones(SHAPE, np.uint8))
    rows = TargetRows()
    measured(context, volume, rows)
    assert rows.to_measure(context, volume) is None


def test_rows_follow_an_edit_a_name_and_another_volume(scene, make):
    context, volume = scene
    labels = np.zeros(SHAPE, np.uint8)
    labels[1, 2, 3] = 1
    image = shared_segments(context, labels)
    rows = TargetRows()
    measured(context, volume, rows)
    array_of(image)[...] = 0
    image.Modified()
    context.segmentation.GetSegmentation().GetNthSegment(0).SetName("gone")
    (row,) = measured(context, volume, rows)
    assert (row.name, row.measured, row.numbers) == ("gone", True, None)


def test_segments_that_change_their_labels_in_a_shared_label_map_are_measured_again(scene) -> None:
    context, volume = scene
    labels = np.zeros((4, 4, 4), np.uint8)
    labels[0, 0, :1], labels[1, 1, :3] = 1, 2
    shared_segments(context, labels)
    rows = TargetRows()

    def voxels():
        return [round(row.numbers.volume_ml / volume.voxel_ml) for row in measured(context, volume, rows)]

    assert voxels() == [1, 3]
    first, second = (context.segmentation.GetSegmentation().GetNthSegment(n) for n in (0, 1))
    first.SetLabelValue(2)
    second.SetLabelValue(1)
    assert voxels() == [3, 1]
