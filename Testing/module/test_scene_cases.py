"""Scenes that are loaded, closed or changed under the panel, and keys and views while points are placed."""

import pytest

from Testing.module.held_backend import HeldBackend


@pytest.fixture
def quick(unopened):
    """A model that answers at once, and a PET."""
    unopened.add_pet()
    unopened.use(HeldBackend(held=False))
    unopened.rest()
    return unopened


@pytest.fixture
def at_the_window(slicer_harness):
    """The same in Slicer's main window, which takes the keys."""
    from Testing.module.conftest import MODULE, ModuleUser

    slicer_harness.open_main_window()
    user = ModuleUser(slicer_harness, slicer_harness.load("SegAnyPET", MODULE))
    user.loaded.enter()
    user.add_pet()
    user.use(HeldBackend(held=False))
    user.rest()
    return user


def two_segmentations(user):
    """One lesion in each of two segmentations; the second is chosen, though it is not the scene's first."""
    from SegAnyPETLib.mrml.segmentations import new_segmentation

    pet = user.panel.selection.volume
    first, second = (new_segmentation(user.harness.scene, pet, name) for name in ("first", "second"))
    for node, place in ((first, (12, 12, 10)), (second, (28, 22, 20))):
        user.ui.segmentationSelector.setCurrentNode(node)
        user.rest()
        user.click(place)
    return first, second


def test_after_a_scene_was_loaded_the_editor_has_the_segmentation_of_the_panel(quick, tmp_path) -> None:
    import slicer.util

    two_segmentations(quick)
    assert slicer.util.saveScene(str(tmp_path / "two.mrb"))
    quick.harness.scene.Clear(0)
    quick.rest()
    slicer.util.loadScene(str(tmp_path / "two.mrb"))
    quick.rest()
    assert quick.segmentation.GetName() == "second"
    assert quick.panel.editorWidget.segmentationNode() is quick.segmentation
    assert quick.panel.editorWidget.sourceVolumeNode() is quick.panel.selection.volume
    quick.select("Lesion 1")
    quick.click((28, 22, 21))
    assert len(quick.points()) == 2
    assert quick.panel.editorWidget.currentSegmentID() == quick.segmentation.GetSegmentation().GetNthSegmentID(0)


def test_a_segmentation_that_comes_from_elsewhere_is_not_edited_unless_it_is_chosen(quick) -> None:
    other = quick.harness.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "other")
    quick.rest()
    assert quick.segmentation is None
    assert quick.panel.editorWidget.segmentationNode() is None
    quick.click((12, 12, 10))
    assert quick.panel.editorWidget.segmentationNode() is quick.segmentation
    assert quick.segmentation is not other


def test_what_another_module_makes_of_the_editors_nodes_is_undone(quick) -> None:
    import slicer.util

    quick.click((12, 12, 10))
    pet, segmentation = quick.panel.selection.volume, quick.segmentation
    segment_id = quick.panel.selection.segmentId
    other = quick.harness.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "other")
    quick.panel.editorWidget.setSegmentationNode(other)
    quick.panel.editorWidget.setSourceVolumeNode(slicer.util.addVolumeFromArray(quick.mask().astype("float32")))
    quick.rest()
    assert quick.panel.controller.editor.edits(segmentation, pet)
    assert quick.panel.selection.segmentId == segment_id
    assert quick.panel.editorWidget.currentSegmentID() == segment_id


def test_a_scene_that_is_closed_while_paint_is_active_leaves_no_effect_on_a_dead_segmentation(quick) -> None:
    quick.click((12, 12, 10))
    editor, scene = quick.panel.editorWidget, quick.harness.scene
    editor.setActiveEffectByName("Paint")
    seen = []

    def look(caller, event) -> None:
        seen.append((editor.activeEffect(), editor.segmentationNode(), editor._views_observed))

    tag = scene.AddObserver(scene.StartCloseEvent, look, -1.0)
    scene.Clear(0)
    scene.RemoveObserver(tag)
    assert seen == [(None, None, False)]
    quick.rest()
    assert editor._views_observed
    quick.add_pet()
    quick.click((12, 12, 10))
    assert quick.names() == ["Lesion 1"]


def test_escape_stops_placing_points(at_the_window) -> None:
    at_the_window.key("P")
    assert at_the_window.panel.placing.node is not None
    escape(at_the_window)
    assert at_the_window.panel.placing.node is None
    assert not at_the_window.ui.positiveButton.checked


def test_escape_leaves_the_effect_of_the_editor(at_the_window) -> None:
    at_the_window.click((12, 12, 10))
    editor = at_the_window.panel.editorWidget
    editor.setActiveEffectByName("Paint")
    escape(at_the_window)
    assert editor.activeEffect() is None


def test_placing_points_leaves_the_effect_and_an_effect_stops_placing(quick) -> None:
    quick.click((12, 12, 10))
    editor = quick.panel.editorWidget
    editor.setActiveEffectByName("Paint")
    quick.press("positiveButton")
    assert editor.activeEffect() is None
    editor.setActiveEffectByName("Paint")
    assert quick.panel.placing.node is None
    assert not quick.ui.positiveButton.checked


def test_points_can_be_placed_in_slice_views_only_also_in_one_that_comes_later(quick) -> None:
    scene = quick.harness.scene
    solid, red = (scene.AddNewNodeByClass(f"vtkMRML{kind}Node") for kind in ("View", "Slice"))
    for name, node in (
        ("positiveButton", quick.panel.markups.positive),
        ("negativeButton", quick.panel.markups.negative),
    ):
        quick.press(name)
        display = node.GetDisplayNode()
        assert display.IsDisplayableInView(red.GetID())
        assert not display.IsDisplayableInView(solid.GetID())
    later = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    assert quick.panel.markups.negative.GetDisplayNode().IsDisplayableInView(later.GetID())


def test_a_volume_that_is_deleted_while_the_module_is_left_is_gone_when_the_user_comes_back(unopened) -> None:
    unopened.add_pet()
    backend = unopened.use(HeldBackend())
    unopened.point((12, 12, 10))
    unopened.until(backend.at_work.is_set)
    unopened.loaded.exit()
    unopened.harness.scene.RemoveNode(unopened.panel.selection.volume)
    backend.free()
    unopened.rest()
    unopened.loaded.enter()
    unopened.rest()
    assert unopened.ui.suvLabel.text == "Choose a PET."
    assert unopened.harness.scene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0
    unopened.add_pet()
    unopened.click((12, 12, 10))
    assert unopened.names() == ["Lesion 1"]


def test_a_segmentation_that_is_deleted_while_the_module_is_left_is_gone_when_the_user_comes_back(quick) -> None:
    quick.click((12, 12, 10))
    quick.loaded.exit()
    quick.harness.scene.RemoveNode(quick.segmentation)
    quick.rest()
    quick.loaded.enter()
    quick.rest()
    assert quick.names() == []
    quick.click((12, 12, 10))
    assert quick.names() == ["Lesion 1"]


def escape(user):
    import qt

    qt.QTest.keyClick(user.harness.main_window, qt.Qt.Key_Escape)
    user.rest()
