"""The module beside other modules: keys, mouse modes, reloads, and the Segment Editor in its panel."""

import sys

import numpy as np
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
def same_modules_after():
    """The module's packages are imported again by a reload; other tests go on with those of before."""

    def ours():
        return {name: m for name, m in sys.modules.items() if name.startswith(("SegAnyPETPanel", "SegAnyPETLib"))}

    before = ours()
    yield
    for name in ours():
        del sys.modules[name]
    sys.modules.update(before)


def test_a_reload_brings_a_new_panel_that_the_user_is_in(slicer_harness, same_modules_after) -> None:
    from Testing.module.conftest import MODULE, ModuleUser

    slicer_harness.open_main_window()
    user = ModuleUser(slicer_harness, slicer_harness.load("SegAnyPET", MODULE))
    user.loaded.enter()
    panel_class = type(user.panel)
    user.widget.onReload()
    again = ModuleUser(slicer_harness, user.loaded)
    assert type(again.panel).__name__ == "Panel"
    assert type(again.panel) is not panel_class
    again.add_pet()
    again.rest()
    slicer_harness.main_window.activateWindow()
    again.key("P")
    assert again.ui.positiveButton.checked


def test_a_reload_of_a_module_that_the_user_left_does_not_enter_it(slicer_harness, same_modules_after) -> None:
    import qt

    from Testing.module.conftest import MODULE

    window = slicer_harness.open_main_window()
    loaded = slicer_harness.load("SegAnyPET", MODULE)
    loaded.widget.onReload()
    assert window.findChildren(qt.QShortcut) == []


def test_keys_come_and_go_with_the_panel_and_none_is_the_editors(slicer_harness) -> None:
    from Testing.module.conftest import MODULE

    window = slicer_harness.open_main_window()
    loaded = slicer_harness.load("SegAnyPET", MODULE)
    import qt

    def keys():
        return sorted(shortcut.key.toString() for shortcut in window.findChildren(qt.QShortcut) if shortcut.enabled)

    loaded.enter()
    slicer_harness.app.processEvents()
    assert len(keys()) == len(set(keys()))
    assert {"P", "N", "L", "C", "S", "D", "E", "H", "Z", "Y", "Esc"} <= set(keys())
    loaded.exit()
    slicer_harness.app.processEvents()
    qt.application.sendPostedEvents(None, qt.QEvent.DeferredDelete)
    assert keys() == []


def test_a_key_that_another_module_left_in_the_window_still_works_and_does_not_repeat(slicer_harness) -> None:
    import qt

    from Testing.module.conftest import MODULE, ModuleUser

    window = slicer_harness.open_main_window()
    foreign = qt.QShortcut(qt.QKeySequence("P"), window)
    user = ModuleUser(slicer_harness, slicer_harness.load("SegAnyPET", MODULE))
    user.loaded.enter()
    user.add_pet()
    user.rest()
    user.key("P")
    assert user.ui.positiveButton.checked
    user.key("P")
    assert not user.ui.positiveButton.checked
    from SegAnyPETPanel.views.shortcuts import KEYS

    keys = [s for s in window.findChildren(qt.QShortcut) if s.key.toString() in KEYS and s.enabled]
    assert [shortcut.autoRepeat for shortcut in keys] == [False] * len(KEYS)
    user.loaded.exit()
    assert foreign.enabled


def test_from_points_inside_to_points_outside_and_back_without_a_click_between(quick) -> None:
    def pressed():
        return quick.ui.positiveButton.checked, quick.ui.negativeButton.checked

    quick.press("positiveButton")
    assert pressed() == (True, False)
    quick.press("negativeButton")
    assert pressed() == (False, True)
    assert quick.panel.placing.node is quick.panel.markups.negative
    quick.press("positiveButton")
    assert pressed() == (True, False)
    assert quick.panel.placing.node is quick.panel.markups.positive


def test_a_button_does_not_look_pressed_once_clicks_go_to_another_list(quick) -> None:
    quick.press("positiveButton")
    other = quick.harness.scene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode")
    quick.harness.app.applicationLogic().GetSelectionNode().SetActivePlaceNodeID(other.GetID())
    assert not quick.ui.positiveButton.checked


def test_undo_and_redo_can_be_pressed_while_there_is_a_step_for_them(quick) -> None:
    def enabled():
        return quick.ui.undoButton.enabled, quick.ui.redoButton.enabled

    assert enabled() == (False, False)
    quick.click((12, 12, 10))
    assert enabled() == (True, False)
    quick.press("undoButton")
    quick.rest()
    assert enabled() == (False, True)
    quick.press("redoButton")
    quick.rest()
    assert enabled() == (True, False)


def test_the_editor_works_on_the_pet_also_for_a_segmentation_that_was_made_on_another_volume(quick) -> None:
    import slicer.util

    from SegAnyPETLib.mrml.segmentations import new_segmentation

    pet, editor = quick.panel.selection.volume, quick.panel.controller.editor.node
    ct = slicer.util.addVolumeFromArray(np.full((40, 36, 32), 40.0, np.float32), ijkToRAS=np.diag([4.0, 4, 4, 1]))
    quick.ui.segmentationSelector.setCurrentNode(new_segmentation(quick.harness.scene, ct))
    quick.rest()
    assert editor.GetSourceVolumeNode() is pet
    editor.SetSourceVolumeIntensityMask(True)
    editor.SetSourceVolumeIntensityMaskRange(2.0, 10.0)
    quick.click((12, 12, 10))
    assert quick.mask()[12, 12, 10]


def test_after_undo_and_redo_by_the_editors_keys_clicks_go_to_the_lesion_that_came_back(slicer_harness) -> None:
    from Testing.module.conftest import MODULE, ModuleUser

    slicer_harness.open_main_window()
    user = ModuleUser(slicer_harness, slicer_harness.load("SegAnyPET", MODULE))
    user.loaded.enter()
    user.add_pet()
    user.use(HeldBackend(held=False))
    user.click((12, 12, 10))
    user.key("Z")
    user.rest()
    assert user.names() == []
    user.key("Y")
    user.click((12, 12, 11))
    assert user.names() == ["Lesion 1"]
    assert len(user.points()) == 2


def test_clicks_go_to_the_segment_that_is_chosen_in_the_editor(quick) -> None:
    quick.click((12, 12, 10))
    quick.press("nextButton")
    quick.click((28, 22, 20))
    quick.panel.editorWidget.selectPreviousSegment()
    quick.rest()
    assert quick.ui.targetLabel.text == "Clicks go to Lesion 1."
    quick.click((12, 12, 11))
    assert [len(quick.points(number)) for number in (0, 1)] == [2, 1]


def test_a_segmentation_that_is_chosen_selects_none_of_its_segments(quick) -> None:
    from SegAnyPETLib.mrml.segmentations import new_segmentation

    pet, scene = quick.panel.selection.volume, quick.harness.scene
    one, two = new_segmentation(scene, pet), new_segmentation(scene, pet)
    for node in (one, two):
        for segment_id in ("Segment_1", "Segment_2"):
            node.GetSegmentation().AddEmptySegment(segment_id, segment_id)
    quick.rest()
    quick.ui.segmentationSelector.setCurrentNode(one)
    quick.rest()
    quick.panel.editorWidget.setCurrentSegmentID("Segment_2")
    quick.rest()
    assert quick.ui.targetLabel.text == "Clicks go to Segment_2."
    quick.ui.segmentationSelector.setCurrentNode(two)
    quick.rest()
    assert quick.ui.targetLabel.text == "The next click begins a new segment."


def test_a_scene_that_is_closed_elsewhere_leaves_the_module_alone(quick) -> None:
    quick.loaded.exit()
    quick.harness.scene.Clear(0)
    quick.harness.app.processEvents()
    assert quick.panel.selection.parameters is None
    quick.loaded.enter()
    quick.add_pet()
    quick.click((12, 12, 10))
    assert quick.names() == ["Lesion 1"]


def test_coming_back_adds_no_further_observer_to_the_parameter_node(quick) -> None:
    parameters = quick.panel.selection.parameters
    quick.loaded.exit()
    quick.loaded.enter()
    assert quick.panel.selection.parameters is parameters


def test_a_panel_that_is_left_places_no_points_and_comes_back_as_it_was(quick) -> None:
    quick.press("positiveButton")
    assert quick.panel.placing.node is quick.panel.markups.positive
    quick.loaded.exit()
    assert quick.panel.placing.node is None
    quick.loaded.enter()
    quick.click((12, 12, 10))
    assert quick.names() == ["Lesion 1"]
