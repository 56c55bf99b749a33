"""A module of Slicer's documented structure runs unmodified: clicks on its panel change the real scene."""

from pathlib import Path

import numpy as np
import pytest

TEMPLATE = Path(__file__).with_name("template")


@pytest.fixture
def panel(slicer_harness):
    return slicer_harness.load("HotRegion", TEMPLATE).widget


@pytest.fixture
def pet(slicer_harness):
    """A 4x4x4 volume with one hot voxel of 9 and one of 6."""
    import slicer

    def make(nan: bool = False):
        values = np.zeros((4, 4, 4), np.float32)
        values[1, 2, 3], values[0, 0, 0] = 9, 6
        values[3, 3, 3] = np.nan if nan else 0
        return slicer.util.addVolumeFromArray(values, name="PET")

    return make


def test_a_click_on_apply_makes_the_segment(slicer_harness, panel, pet) -> None:
    import slicer

    volume = pet()
    segmentation = slicer_harness.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert panel.ui.volumeSelector.currentNode() is volume
    assert panel._parameterNode.inputVolume is volume
    assert not panel.ui.applyButton.enabled
    panel.ui.segmentationSelector.setCurrentNode(segmentation)
    assert panel.ui.applyButton.enabled
    panel.ui.thresholdBox.value = 7
    slicer_harness.press(panel.ui.applyButton)
    mask = slicer.util.arrayFromSegmentBinaryLabelmap(
        segmentation, segmentation.GetSegmentation().GetNthSegmentID(0), volume
    )
    assert np.argwhere(mask).tolist() == [[1, 2, 3]]
    assert segmentation.GetSegmentation().GetNthSegment(0).GetName() == "hot"


def test_the_scene_rules_the_panel_and_the_panel_the_scene(slicer_harness, panel) -> None:
    node = panel._parameterNode.parameterNode
    node.SetParameter("threshold", "11")
    assert panel.ui.thresholdBox.value == 11
    slicer_harness.press(panel.ui.invertBox)
    assert node.GetParameter("invert") == "True"
    panel.ui.nameEdit.text = "liver"
    assert node.GetParameter("segmentName") == "liver"


def test_the_limits_of_a_field_are_those_of_its_widget_and_hold_without_it(panel) -> None:
    assert (panel.ui.thresholdBox.minimum, panel.ui.thresholdBox.maximum) == (0, 20)
    with pytest.raises(ValueError, match="within range"):
        panel._parameterNode.threshold = 21


@pytest.mark.filterwarnings("ignore:does not have observer")  # of slicer.util, for code of Slicer's template
def test_a_panel_that_was_left_follows_the_scene_no_more(panel) -> None:
    node = panel._parameterNode.parameterNode
    panel.exit()
    node.SetParameter("threshold", "11")
    panel.ui.invertBox.checked = True
    assert (panel.ui.thresholdBox.value, node.GetParameter("invert")) == (5, "False")
    panel.enter()
    assert panel.ui.thresholdBox.value == 11


def test_a_closed_scene_leaves_a_working_panel(slicer_harness, panel, pet) -> None:
    panel.ui.segmentationSelector.addNode()
    pet()
    slicer_harness.scene.Clear(0)
    assert panel.ui.volumeSelector.currentNode() is None
    assert panel.ui.thresholdBox.value == 5
    volume = pet()
    assert panel._parameterNode.inputVolume is volume


def test_parameters_come_back_with_a_saved_scene(slicer_harness, panel, pet, tmp_path) -> None:
    import slicer

    pet()
    panel.ui.thresholdBox.value = 12
    assert slicer.util.saveScene(str(tmp_path / "scene.mrb"))
    slicer_harness.scene.Clear(0)
    assert panel.ui.thresholdBox.value == 5
    slicer.util.loadScene(str(tmp_path / "scene.mrb"))
    assert panel.ui.thresholdBox.value == 12
    assert panel._parameterNode.inputVolume.GetName() == "PET"


def test_an_error_is_shown_to_the_user_and_known_to_the_test(slicer_harness, panel, pet, uncaught) -> None:
    pet(nan=True)
    panel.ui.segmentationSelector.addNode()
    slicer_harness.press(panel.ui.applyButton)
    (message,) = slicer_harness.dialogs.shown
    assert (message.level, message.text) == ("error", "Failed to segment.\n\nthe volume has voxels without a value")
    assert "Traceback" in message.details
    assert isinstance(uncaught.pop(), ValueError)


def test_the_module_registers_its_sample_when_the_application_has_started(slicer_harness, panel) -> None:
    (sample,) = slicer_harness.installations.samples
    assert sample.sampleName == "HotRegion1"


def test_the_self_test_of_the_module_runs(slicer_harness, panel) -> None:
    import slicer

    slicer.selfTests["HotRegion"]()
    assert slicer.mrmlScene.GetFirstNodeByName("made by the self-test") is not None
