import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

import numpy as np

from SegAnyPETLib.mrml.editor import SegmentEditor, editor_node
from SegAnyPETLib.mrml.segmentations import new_segmentation


def test_there_is_one_editor_node_and_it_overwrites_nothing(scene) -> None:
    node = editor_node(scene)
    assert editor_node(scene) is node
    assert node.GetOverwriteMode() == node.OverwriteNone


def test_what_the_user_chose_stays(scene) -> None:
    node = editor_node(scene)
    node.SetOverwriteMode(node.OverwriteVisibleSegments)
    assert editor_node(scene).GetOverwriteMode() == node.OverwriteVisibleSegments


def test_after_the_scene_was_closed_neighbours_are_safe_again(make) -> None:
    editor = make.editor()
    make.scene.Clear(0)
    assert editor.node.GetOverwriteMode() == editor.node.OverwriteAllSegments  # Slicer's default
    pet = make.volume(np.zeros((3, 3, 3), np.float32))
    editor.select(new_segmentation(make.scene, pet), pet)
    assert editor.node.GetOverwriteMode() == editor.node.OverwriteNone


def test_the_volume_that_is_clicked_is_the_source_whatever_was_before(make) -> None:
    ct, pet = (make.volume(np.zeros((3, 3, 3), np.float32)) for _ in range(2))
    editor = make.editor()
    editor.node.SetAndObserveSourceVolumeNode(ct)
    segmentation = new_segmentation(make.scene, pet)
    editor.select(segmentation, pet)
    assert editor.node.GetSourceVolumeNode() is pet
    assert editor.node.GetSegmentationNode() is segmentation


def test_masking_is_seen(make) -> None:
    editor = make.editor()
    assert not editor.masks
    editor.node.SetSourceVolumeIntensityMask(True)
    assert editor.masks
    editor.node.SetSourceVolumeIntensityMask(False)
    editor.node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedOutsideAllSegments)
    assert editor.masks


def test_undo_steps_go_where_they_are_shown(make) -> None:
    class Widget:
        saved = 0

        def save(self) -> None:
            self.saved += 1

        def undo(self) -> None:
            self.saved -= 1

        def redo(self) -> None:
            self.saved += 1

    widget = Widget()
    editor = SegmentEditor(make.scene, make.application_logic, editor_node(make.scene), widget)
    editor.history.save()
    assert widget.saved == 1
    assert not editor.logic.CanUndo()
