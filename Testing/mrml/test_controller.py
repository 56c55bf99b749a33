import gc
import weakref
from dataclasses import replace

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.errors import BackendError, Cancelled, InputError
from SegAnyPETLib.mrml.controller import Controller
from SegAnyPETLib.mrml.saved_prompts import TAG
from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETLib.mrml.segmentations import new_segmentation
from SegAnyPETLib.mrml.segments import read_mask, replace_mask
from SegAnyPETLib.mrml.target_rows import TargetRows
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.patch import MaskPatch
from Testing.session.hot_backend import HotBackend, OnionBackend

SHAPE = (12, 14, 16)
#: Hot boxes by their lowest voxels and the voxels behind their highest ones (k, j, i).
ONE, TWO = ((3, 3, 3), (6, 6, 6)), ((3, 3, 6), (6, 6, 9))
FAR = ((8, 9, 12), (10, 11, 14))
MATRIX = np.array([[-2.0, 0, 0, 5], [0, 2, 0, 6], [0, 0, 2, 7], [0, 0, 0, 1]])


class Scene:
    """A PET with hot boxes, a segmentation for it, and what clicks on it."""

    def __init__(self, make, *boxes) -> None:
        array = np.ones(SHAPE, np.float32)
        for low, high in boxes:
            array[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = 5.0
        self.array = array
        self.editor = make.editor()
        self.context = ClickContext(make.volume(array, MATRIX), None)
        self.context = ClickContext(self.context.volume_node, new_segmentation(make.scene, self.context.volume_node))
        self.controller = Controller(self.editor)
        self.backend = HotBackend(size=8, spacing_mm=(2.0,))
        self.backend.spec = replace(self.backend.spec, sha256="0" * 64)

    def at(self, index_kji, positive=True):
        k, j, i = index_kji
        return Point(tuple(MATRIX[:3, :3] @ (i, j, k) + MATRIX[:3, 3]), positive)

    def click(self, segment_id, index_kji, positive=True, **options):
        job = self.controller.click(self.context, segment_id, self.at(index_kji, positive), self.backend, **options)
        job.run()
        return self.controller.finish(job)

    def mask(self, segment_id):
        return read_mask(self.context.segmentation, segment_id, self.context.volume_node).to_array(SHAPE)

    def points(self, segment_id):
        return self.controller.points(self.context, segment_id)

    @property
    def segments(self):
        data = self.context.segmentation.GetSegmentation()
        return [data.GetNthSegmentID(n) for n in range(data.GetNumberOfSegments())]

    def paint(self, segment_id, *indices_kji):
        mask = self.mask(segment_id)
        for index in indices_kji:
            mask[index] = True
        self.editor.select(self.context.segmentation, self.context.volume_node)
        self.editor.history.save()
        replace_mask(
            self.editor, self.context.segmentation, segment_id, MaskPatch.cropped(mask), self.context.volume_node
        )


def box(*corners):
    mask = np.zeros(SHAPE, bool)
    for low, high in corners:
        mask[tuple(slice(a, b) for a, b in zip(low, high, strict=True))] = True
    return mask


def test_a_first_click_makes_a_segment_of_the_lesion(make):
    scene = Scene(make, ONE)
    segment_id = scene.click(None, (4, 4, 4))
    assert scene.segments == [segment_id]
    assert np.array_equal(scene.mask(segment_id), box(ONE))
    assert scene.points(segment_id) == (scene.at((4, 4, 4)),)
    volume = scene.controller.volumes.volume_of(scene.context.volume_node)
    found = TargetRows().to_measure(scene.context, volume)
    found.run()
    assert found.numbers[segment_id].volume_ml == pytest.approx(27 * 0.008)
    assert found.numbers[segment_id].suv_max == 5.0


def test_later_clicks_go_on_and_other_segments_keep_every_voxel(make):
    scene = Scene(make, ONE, TWO)
    first = scene.click(None, (4, 4, 3))
    scene.click(first, (4, 4, 8), positive=False)
    before = scene.mask(first)
    second = scene.click(None, (4, 4, 8))
    assert before.any()
    assert scene.segments == [first, second]
    assert np.array_equal(scene.mask(first), before)
    assert [p.positive for p in scene.points(first)] == [True, False]


def test_the_models_memory_is_kept_from_click_to_click_and_dropped_after_undo(make):
    scene = Scene(make, ONE)
    scene.backend.feeds_back_logits = True
    segment_id = scene.click(None, (4, 4, 4))
    scene.click(segment_id, (5, 5, 5))
    assert scene.backend.asked[-1][1].previous_logits is not None
    scene.editor.history.undo()
    scene.click(segment_id, (5, 5, 3))
    target = scene.backend.asked[-1][1]
    assert target.previous_logits is None
    assert target.mask_kji.any()
    assert scene.points(segment_id) == (scene.at((4, 4, 4)), scene.at((5, 5, 3)))


def test_undo_and_redo_bring_masks_and_points_back_together(make):
    scene = Scene(make, ONE, FAR)
    segment_id = scene.click(None, (4, 4, 4))
    scene.click(segment_id, (8, 9, 12))
    assert np.array_equal(scene.mask(segment_id), box(ONE, FAR))
    scene.editor.history.undo()
    assert np.array_equal(scene.mask(segment_id), box(ONE))
    assert len(scene.points(segment_id)) == 1
    scene.editor.history.redo()
    assert np.array_equal(scene.mask(segment_id), box(ONE, FAR))
    assert len(scene.points(segment_id)) == 2
    scene.editor.history.undo()
    scene.editor.history.undo()
    assert scene.segments == []


def test_what_was_painted_by_hand_is_the_mask_prompt_of_the_next_click(make):
    scene = Scene(make, ONE)
    segment_id = scene.click(None, (4, 4, 4))
    scene.paint(segment_id, (8, 8, 8), (8, 8, 9))
    scene.click(segment_id, (5, 5, 5))
    shown = scene.backend.asked[-1][1].mask_kji
    assert shown.sum() > 0
    assert scene.mask(segment_id)[4, 4, 4]
    assert len(scene.points(segment_id)) == 2


def test_a_segment_from_elsewhere_is_refined_and_mended(make):
    scene = Scene(make, ONE)
    data = scene.context.segmentation.GetSegmentation()
    segment_id = data.AddEmptySegment("", "drawn")
    scene.paint(segment_id, (4, 4, 4), (4, 4, 5))
    job = scene.controller.refine(scene.context, segment_id, scene.backend)
    job.run()
    assert scene.controller.finish(job) == segment_id
    assert np.array_equal(scene.mask(segment_id), box(ONE))
    assert scene.backend.asked[-1][1].mask_kji.any()


def test_points_are_moved_and_removed(make):
    scene = Scene(make, ONE, FAR)
    segment_id = scene.click(None, (4, 4, 4))
    scene.click(segment_id, (8, 9, 12))
    job = scene.controller.remove(scene.context, segment_id, 1, scene.backend)
    job.run()
    scene.controller.finish(job)
    assert np.array_equal(scene.mask(segment_id), box(ONE))
    job = scene.controller.move(scene.context, segment_id, 0, scene.at((9, 10, 13)), scene.backend)
    job.run()
    scene.controller.finish(job)
    assert np.array_equal(scene.mask(segment_id), box(FAR))


def test_many_first_clicks_are_one_undo_step(make):
    scene = Scene(make, ONE, FAR)
    job = scene.controller.click_each(scene.context, [scene.at((4, 4, 4)), scene.at((8, 9, 12))], scene.backend)
    job.run()
    ids = scene.controller.finish_each(job)
    assert scene.segments == ids
    assert [scene.mask(i).sum() for i in ids] == [27, 8]
    assert job.done == 2
    scene.editor.history.undo()
    assert scene.segments == []


def test_what_a_batch_has_made_is_written_while_the_rest_is_waited_for(make):
    scene = Scene(make, ONE, FAR)
    job = scene.controller.click_each(scene.context, [scene.at((4, 4, 4)), scene.at((8, 9, 12))], scene.backend)
    assert not scene.controller.write_next(job)
    seen = []
    predict = scene.backend.predict

    def predict_and_look(image, targets):
        seen.append((scene.controller.write_next(job), len(scene.segments)))
        return predict(image, targets)

    scene.backend.predict = predict_and_look
    job.run()
    assert seen == [(False, 0), (True, 1)]
    assert scene.controller.finish_each(job) == scene.segments
    assert len(scene.segments) == 2
    scene.editor.history.undo()
    assert scene.segments == []


def test_what_is_left_of_a_batch_is_dropped_with_its_volume(make):
    scene = Scene(make, ONE, FAR)
    job = scene.controller.click_each(scene.context, [scene.at((4, 4, 4)), scene.at((8, 9, 12))], scene.backend)
    job.run()
    assert scene.controller.write_next(job)
    removes_volume(scene, None)
    assert not scene.controller.write_next(job)
    assert scene.controller.finish_each(job) is None
    assert len(scene.segments) == 1


def test_a_batch_that_is_stopped_keeps_what_is_done(make):
    scene = Scene(make, ONE, FAR)
    job = scene.controller.click_each(scene.context, [scene.at((4, 4, 4)), scene.at((8, 9, 12))], scene.backend)
    scene.backend.fail(2, Cancelled("cancelled"))
    job.run()
    assert len(scene.controller.finish_each(job)) == 1
    job = scene.controller.click_each(scene.context, [scene.at((8, 9, 12))], scene.backend)
    job.stopped = True
    job.run()
    assert scene.controller.finish_each(job) == []


def test_one_unusable_point_of_many_is_named_before_anything_is_sent(make):
    scene = Scene(make, ONE)
    with pytest.raises(InputError, match="point 2 of the list: the point lies outside"):
        scene.controller.click_each(scene.context, [scene.at((4, 4, 4)), scene.at((40, 4, 4))], scene.backend)
    with pytest.raises(InputError, match="no placed point"):
        scene.controller.click_each(scene.context, [], scene.backend)
    assert scene.backend.asked == []


def test_a_snapped_click_remembers_where_it_was_made(make):
    scene = Scene(make, ONE)
    segment_id = scene.click(None, (4, 4, 2), snap=True)
    (point,) = scene.points(segment_id)
    assert point.ras != point.clicked_ras == scene.at((4, 4, 2)).ras
    assert np.array_equal(scene.mask(segment_id), box(ONE))


def removes_segment(scene, segment_id):
    scene.context.segmentation.GetSegmentation().RemoveSegment(segment_id)


def removes_segmentation(scene, segment_id):
    slicer.mrmlScene.RemoveNode(scene.context.segmentation)


def removes_volume(scene, segment_id):
    slicer.mrmlScene.RemoveNode(scene.context.volume_node)


def closes_scene(scene, segment_id):
    slicer.mrmlScene.Clear(0)


def paints(scene, segment_id):
    scene.paint(segment_id, (9, 9, 9))


def undoes(scene, segment_id):
    scene.editor.history.undo()


def changes_image(scene, segment_id):
    scene.context.volume_node.GetImageData().Modified()


@pytest.mark.parametrize(
    "meanwhile",
    [removes_segment, removes_segmentation, removes_volume, closes_scene, paints, undoes, changes_image],
    ids=lambda f: f.__name__,
)
def test_an_answer_to_something_that_has_changed_is_dropped(make, meanwhile):
    scene = Scene(make, ONE, FAR)
    segment_id = scene.click(None, (4, 4, 4))
    job = scene.controller.click(scene.context, segment_id, scene.at((8, 9, 12)), scene.backend)
    meanwhile(scene, segment_id)
    job.run()
    assert scene.controller.finish(job) is None
    if meanwhile is paints:
        assert scene.mask(segment_id).sum() == 28


def test_an_answer_for_a_new_target_is_dropped_with_its_volume(make):
    scene = Scene(make, ONE)
    job = scene.controller.click(scene.context, None, scene.at((4, 4, 4)), scene.backend)
    removes_volume(scene, None)
    job.run()
    assert scene.controller.finish(job) is None
    assert scene.segments == []


def test_a_failed_prediction_changes_nothing_and_the_click_may_be_repeated(make):
    scene = Scene(make, ONE)
    segment_id = scene.click(None, (4, 4, 4))
    scene.backend.fail(1, BackendError("lost"))
    with pytest.raises(BackendError):
        scene.click(segment_id, (5, 5, 5))
    assert len(scene.points(segment_id)) == 1
    assert scene.click(segment_id, (5, 5, 5)) == segment_id
    assert len(scene.points(segment_id)) == 2


def test_the_editors_intensity_range_holds_and_the_next_click_knows_what_it_left(make):
    scene = Scene(make, ONE)
    scene.array[3, 3, 3] = 9.0
    slicer.util.updateVolumeFromArray(scene.context.volume_node, scene.array)
    scene.editor.select(scene.context.segmentation, scene.context.volume_node)
    scene.editor.node.SetSourceVolumeIntensityMask(True)
    scene.editor.node.SetSourceVolumeIntensityMaskRange(2.0, 6.0)
    segment_id = scene.click(None, (4, 4, 4))
    assert scene.mask(segment_id).sum() == 26
    assert not scene.mask(segment_id)[3, 3, 3]
    scene.click(segment_id, (5, 5, 5))
    assert scene.mask(segment_id).sum() == 26
    (_, seen) = scene.backend.asked[-1]
    assert (seen.mask_kji > 0.5).sum() == 26  # the model continues from what was written, not from its own mask


def test_a_segment_that_was_clicked_in_another_volume_is_left_alone(make):
    scene = Scene(make, ONE)
    segment_id = scene.click(None, (4, 4, 4))
    other = make.volume(scene.array, MATRIX)
    with pytest.raises(InputError, match="clicked in PET; choose that PET"):
        scene.controller.click(
            ClickContext(other, scene.context.segmentation), segment_id, scene.at((5, 5, 5)), scene.backend
        )


def test_a_segment_whose_saved_clicks_are_damaged_goes_on_from_its_mask(make):
    scene = Scene(make, ONE)
    segment_id = scene.click(None, (4, 4, 4))
    scene.context.segmentation.GetSegmentation().GetSegment(segment_id).SetTag(TAG, "{damaged")
    job = scene.controller.click(scene.context, segment_id, scene.at((5, 5, 5)), scene.backend)
    assert "damaged" in job.note
    job.run()
    assert scene.controller.finish(job) == segment_id
    assert scene.points(segment_id) == (scene.at((5, 5, 5)),)


def test_a_saved_scene_is_gone_on_with_by_another_controller(make, tmp_path):
    scene = Scene(make, ONE, FAR)
    segment_id = scene.click(None, (4, 4, 4))
    path = str(tmp_path / "scene.mrb")
    assert slicer.mrmlScene.WriteToMRB(path)
    slicer.mrmlScene.Clear(0)
    assert slicer.mrmlScene.ReadFromMRB(path, False)
    context = ClickContext(
        slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode"),
        slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLSegmentationNode"),
    )
    again = Controller(make.editor())
    assert len(again.points(context, segment_id)) == 1
    job = again.click(context, segment_id, scene.at((8, 9, 12)), scene.backend)
    job.run()
    assert again.finish(job) == segment_id
    assert read_mask(context.segmentation, segment_id, context.volume_node).voxels == 27 + 8


@pytest.mark.parametrize("removed", ["volume_node", "segmentation"])
def test_what_left_the_scene_is_not_kept_in_memory(make, removed):
    scene = Scene(make, ONE)
    job = scene.controller.click(scene.context, None, scene.at((4, 4, 4)), scene.backend)
    job.run()
    scene.controller.finish(job)
    volume = scene.controller.volumes.volume_of(scene.context.volume_node)
    rows = TargetRows()
    found = rows.to_measure(scene.context, volume)
    found.run()
    rows.take(found)
    del found
    kept = {"segmentation": [job.session], "volume_node": [job.session, volume]}[removed]
    references = [weakref.ref(value) for value in kept]
    node = getattr(scene.context, removed)
    slicer.mrmlScene.RemoveNode(node)
    del job, volume, kept
    scene.controller.forget_node(node.GetID())
    gc.collect()
    assert [reference() for reference in references] == [None] * len(references)


def test_another_node_that_left_the_scene_leaves_the_session_as_it_is(make):
    scene = Scene(make, ONE)
    scene.backend.feeds_back_logits = True
    segment_id = scene.click(None, (4, 4, 4))
    other = make.volume(scene.array, MATRIX)
    scene.controller.volumes.volume_of(other)
    scene.controller.forget_node(other.GetID())
    scene.click(segment_id, (5, 5, 5))
    (_, seen) = scene.backend.asked[-1]
    assert seen.previous_logits is not None


@pytest.fixture
def onion(make):
    """A hot core in a warm lesion, and a model that takes the core."""
    scene = Scene(make, ONE)
    scene.context.volume_node.GetImageData()
    array = np.ones(SHAPE, np.float32)
    array[2:7, 2:7, 2:7], array[3:6, 3:6, 3:6] = 3.0, 5.0
    scene.context = ClickContext(make.volume(array, MATRIX), None)
    scene.context = ClickContext(scene.context.volume_node, new_segmentation(make.scene, scene.context.volume_node))
    scene.backend = OnionBackend((4.0, 2.0), (0.9, 0.5), spacing_mm=2.0)
    return scene


def resized(scene, segment_id, larger):
    job = scene.controller.resize(scene.context, segment_id, larger, scene.backend)
    job.run()
    return scene.controller.finish(job)


def test_a_larger_mask_is_taken_without_a_click_and_undone_as_one_step(onion) -> None:
    segment = onion.click(None, (4, 4, 4))
    assert onion.mask(segment).sum() == 27
    assert resized(onion, segment, larger=True) == segment
    assert onion.mask(segment).sum() == 125
    assert [p.size_step for p in onion.points(segment)] == [1]
    onion.editor.history.undo()
    assert onion.mask(segment).sum() == 27
    resized(onion, segment, larger=True)  # the sizes are found again after undo
    assert onion.mask(segment).sum() == 125


def test_a_chosen_size_is_what_the_next_click_refines(onion) -> None:
    segment = onion.click(None, (4, 4, 4))
    resized(onion, segment, larger=True)
    onion.click(segment, (2, 2, 2))
    assert onion.mask(segment).sum() == 125


def test_beyond_the_last_size_nothing_changes(onion) -> None:
    segment = onion.click(None, (4, 4, 4))
    with pytest.raises(InputError, match="no smaller mask"):
        resized(onion, segment, larger=False)
    assert onion.mask(segment).sum() == 27


def test_other_segments_are_shown_to_the_model_while_they_are_as_they_were_clicked(make) -> None:
    scene = Scene(make, ONE, FAR)
    scene.backend = HotBackend(size=16, spacing_mm=(2.0,))
    first = scene.click(None, (4, 4, 3))  # the window ends before the other box
    scene.click(None, (8, 9, 12))  # this one reaches two layers of the first box
    shown = scene.backend.asked[-1][1].not_target_kji
    assert shown is not None
    assert shown.sum() == 18
    scene.paint(first, (0, 0, 0))
    scene.click(None, (8, 9, 12))
    assert scene.backend.asked[-1][1].not_target_kji is None  # painted since, and clicked itself
