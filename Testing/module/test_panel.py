"""What the panel shows and offers beside clicks."""

import gc
import sys
import weakref

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


def test_an_empty_scene_says_what_to_do(unopened) -> None:
    unopened.rest()
    assert unopened.ui.suvLabel.text == "Choose a PET."
    for name in ("positiveButton", "negativeButton", "nextButton", "undoButton", "useFiducialsButton"):
        assert not getattr(unopened.ui, name).enabled


def test_values_that_are_not_suv_are_called_so(unopened) -> None:
    unopened.add_pet(suv=False)
    unopened.rest()
    assert unopened.ui.suvLabel.text.startswith("Caution: this volume does not say that its values are SUV.")
    assert unopened.ui.targetTable.horizontalHeaderItem(3).text() == "Maximum"
    assert not unopened.ui.petWindowButton.enabled
    unopened.add_pet()
    unopened.rest()
    assert unopened.ui.suvLabel.text == "The values are SUV (body weight)."
    assert unopened.ui.targetTable.horizontalHeaderItem(3).text() == "SUVmax"
    assert unopened.ui.petWindowButton.enabled


def test_the_first_pet_in_suv_is_chosen_when_the_module_is_entered(unopened) -> None:
    import slicer.util

    unopened.loaded.exit()
    slicer.util.addVolumeFromArray(np.ones((4, 4, 4), np.float32), name="CT")
    pet = unopened.add_pet()
    unopened.ui.volumeSelector.setCurrentNode(None)
    unopened.panel.selection.parameters.volume = None
    unopened.loaded.enter()
    unopened.rest()
    assert unopened.ui.volumeSelector.currentNode() is pet


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


def test_a_volume_that_cannot_be_a_pet_is_refused_in_words(unopened) -> None:
    unopened.add_pet(array=np.ones((1, 8, 8), np.float32))
    unopened.rest()
    assert unopened.status == "The volume is a 2-D image; choose a 3-D image."


def test_a_row_tells_name_volume_and_maximum(quick) -> None:
    quick.click((12, 12, 10))
    table = quick.ui.targetTable
    voxels = quick.mask().sum()
    assert [table.item(0, column).text() for column in (0, 2, 3)] == ["Lesion 1", f"{voxels * 0.064:.2f}", "8.00"]
    assert quick.ui.targetLabel.text == "Clicks go to Lesion 1."
    color = quick.segmentation.GetSegmentation().GetNthSegment(0).GetColor()
    shown = table.item(0, 1).data(1)
    assert (shown.redF(), shown.greenF(), shown.blueF()) == pytest.approx(color, abs=0.01)


def test_a_segment_is_named_and_coded_as_chosen(quick) -> None:
    from SegAnyPETLib.mrml.nodes.terminology import KINDS, METASTASIS

    chooser = quick.ui.kindSelector
    assert [chooser.itemText(n) for n in range(chooser.count)] == [kind.name for kind in KINDS]
    chooser.currentIndex = KINDS.index(METASTASIS)
    quick.click((12, 12, 10))
    assert quick.names() == ["Metastasis 1"]
    assert quick.segmentation.GetSegmentation().GetNthSegment(0).GetTerminology() == METASTASIS.terminology


def test_a_click_snaps_to_the_hottest_voxel_where_asked_and_can_still_be_moved(quick) -> None:
    quick.press("snapCheckBox")
    quick.click((12, 12, 14))
    (segment,) = quick.panel.selection.segmentIds()
    (point,) = quick.panel.controller.points(quick.panel.selection.context(), segment)
    assert point.clicked_ras == (56, 48, 48)
    assert point.ras != point.clicked_ras
    positive = quick.panel.markups.positive
    positive.SetNthControlPointPositionWorld(0, 80, 88, 112)
    positive.InvokeEvent(positive.PointEndInteractionEvent)  # the mouse lets the point go
    quick.rest()
    assert quick.points() == [((80, 88, 112), True)]


def test_coming_back_to_an_earlier_lesion_goes_on_with_it(quick) -> None:
    quick.click((12, 12, 10))
    quick.press("nextButton")
    quick.click((28, 22, 20))
    quick.select("Lesion 1")
    quick.click((12, 12, 11))
    assert [len(quick.points(number)) for number in (0, 1)] == [2, 1]
    assert quick.names() == ["Lesion 1", "Lesion 2"]


def test_a_segment_from_elsewhere_is_mended(quick) -> None:
    import slicer.util

    quick.click((12, 12, 10))
    segments = quick.segmentation.GetSegmentation()
    painted = segments.AddEmptySegment("", "painted")
    mask = np.zeros((40, 36, 32), np.uint8)
    mask[27:30, 21:24, 19:22] = 1
    slicer.util.updateSegmentBinaryLabelmapFromArray(
        mask, quick.segmentation, painted, quick.panel.selection.parameters.volume
    )
    quick.rest()
    quick.select("painted")
    quick.press("refineButton")
    quick.rest()
    assert quick.mask(1).sum() > mask.sum()
    quick.press("undoButton")
    quick.rest()
    assert (quick.mask(1) == mask.astype(bool)).all()


def test_the_pet_is_shown_dark_where_it_is_hot(quick) -> None:
    quick.rest()
    quick.press("petWindowButton")
    display = quick.panel.selection.parameters.volume.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 6)
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeInvertedGrey"


def test_keys_come_and_go_with_the_panel_and_none_is_the_editors(slicer_harness) -> None:
    from Testing.module.conftest import MODULE

    window = slicer_harness.open_main_window()
    loaded = slicer_harness.load("SegAnyPET", MODULE)
    import qt

    def keys():
        return sorted(shortcut.key.toString() for shortcut in window.findChildren(qt.QShortcut))

    loaded.enter()
    slicer_harness.app.processEvents()
    assert len(keys()) == len(set(keys()))
    assert {"P", "N", "L", "C", "Z", "Y", "Esc"} <= set(keys())
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
    keys = [s for s in window.findChildren(qt.QShortcut) if s.key.toString() in ("P", "N", "L", "C") and s.enabled]
    assert [shortcut.autoRepeat for shortcut in keys] == [False] * 4
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

    pet, editor = quick.panel.selection.parameters.volume, quick.panel.controller.editor.node
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

    pet, scene = quick.panel.selection.parameters.volume, quick.harness.scene
    one, two = new_segmentation(scene, pet), new_segmentation(scene, pet)
    for node in (one, two):
        for segment_id in ("Segment_1", "Segment_2"):
            node.GetSegmentation().AddEmptySegment(segment_id, segment_id)
    quick.ui.segmentationSelector.setCurrentNode(one)
    quick.rest()
    quick.panel.editorWidget.setCurrentSegmentID("Segment_2")
    quick.rest()
    assert quick.ui.targetLabel.text == "Clicks go to Segment_2."
    quick.ui.segmentationSelector.setCurrentNode(two)
    quick.rest()
    assert quick.ui.targetLabel.text == "The next click begins a new segment."


def test_a_deleted_pet_is_forgotten(quick) -> None:
    quick.click((12, 12, 10))
    volume = weakref.ref(quick.panel.controller.volumes.volume_of(quick.panel.selection.parameters.volume))
    quick.harness.scene.RemoveNode(quick.panel.selection.parameters.volume)
    quick.rest()
    gc.collect()
    assert volume() is None


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


@pytest.mark.slow
def test_the_phantom_is_offered_and_is_a_pet_in_suv(unopened) -> None:
    (sample,) = unopened.harness.installations.samples
    assert (sample.category, sample.sampleName) == ("SegAnyPET", "PhantomPET")
    assert (sample.uris, sample.fileNames, sample.nodeNames) == ([""], ["PhantomPET"], ["PhantomPET"])
    (node,) = sample.customDownloader(sample)
    unopened.ui.volumeSelector.setCurrentNode(node)
    unopened.rest()
    assert unopened.ui.suvLabel.text == "The values are SUV (body weight)."


@pytest.mark.slow
def test_the_self_tests_run_and_leave_the_users_choice_of_a_model(unopened) -> None:
    from SegAnyPETPanel.model.choice import ModelChoice, saveChoice, savedChoice

    chosen = ModelChoice(location="server", server="http://127.0.0.1:9")
    saveChoice(chosen)
    unopened.loaded.python.SegAnyPETTest().runTest()
    assert savedChoice() == chosen


def test_the_self_tests_run_without_torch(unopened, monkeypatch) -> None:
    from SegAnyPETPanel.model import requirements

    messages = []
    monkeypatch.setattr(requirements, "missing", lambda location: ["torch"])
    test = unopened.loaded.python.SegAnyPETTest()
    monkeypatch.setattr(test, "delayDisplay", messages.append)
    test.runTest()
    assert messages == ["the model was not tested, since packages are missing: torch", "Test passed"]


@pytest.mark.slow
def test_the_module_brings_nothing_foreign_into_slicer_at_its_start() -> None:
    import subprocess
    import sys

    from Testing.module.conftest import MODULE

    code = f"""
import sys
sys.path.insert(0, {str(MODULE.parent)!r})
from Testing.slicer_harness.bootstrap import SlicerHarness
before = set(sys.modules)
sys.path.insert(0, {str(MODULE)!r})
import SegAnyPETPanel.panel
print(*sorted({{name.partition(".")[0] for name in set(sys.modules) - before}} & {{"torch", "monai", "httpx",
    "safetensors", "fastapi", "huggingface_hub", "pydicom"}}))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "", done.stderr
