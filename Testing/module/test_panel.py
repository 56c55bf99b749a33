"""What the panel shows and offers beside clicks."""

import gc
import sys
import weakref

import numpy as np
import pytest

from Testing.module.held_backend import HeldBackend
from Testing.session.hot_backend import OnionBackend


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


def test_a_volume_that_cannot_be_a_pet_is_refused_in_words(unopened) -> None:
    unopened.add_pet(array=np.ones((1, 8, 8), np.float32))
    unopened.rest()
    assert unopened.status == "The volume is a 2-D image; choose a 3-D image."


def test_a_row_tells_name_color_and_numbers(quick) -> None:
    from SegAnyPETLib.pet.quantities import quantities

    quick.click((12, 12, 10))
    volume = quick.panel.controller.volumes.volume_of(quick.panel.selection.volume)
    found = quantities(volume, quick.mask())
    numbers = (found.volume_ml, found.suv_max, found.suv_mean, found.suv_peak, found.tlg)
    assert quick.rows()[0] == ("Lesion 1", *(f"{number:.2f}" for number in numbers))
    assert quick.ui.targetLabel.text == "Clicks go to Lesion 1."
    color = quick.segmentation.GetSegmentation().GetNthSegment(0).GetColor()
    shown = quick.ui.targetTable.item(0, 1).data(1)
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
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, quick.segmentation, painted, quick.panel.selection.volume)
    quick.rest()
    quick.select("painted")
    quick.press("refineButton")
    quick.rest()
    assert quick.mask(1).sum() > mask.sum()
    quick.press("undoButton")
    quick.rest()
    assert (quick.mask(1) == mask.astype(bool)).all()


def test_smaller_and_larger_take_another_meaning_of_the_click(unopened) -> None:
    array = np.ones((40, 36, 32), np.float32)
    array[9:16, 9:16, 7:14], array[11:14, 11:14, 9:12] = 3.0, 8.0
    unopened.add_pet(array=array)
    unopened.use(OnionBackend((5.0, 2.0), (0.9, 0.5), spacing_mm=4.0))
    unopened.rest()
    assert not unopened.ui.largerButton.enabled
    unopened.click((12, 12, 10))
    assert unopened.mask().sum() == 27
    unopened.press("largerButton")
    unopened.rest()
    assert unopened.mask().sum() == 343
    assert len(unopened.points()) == 1
    unopened.press("largerButton")
    unopened.rest()
    assert unopened.status.startswith("There is no larger mask for this click")
    unopened.press("smallerButton")
    unopened.rest()
    assert unopened.mask().sum() == 27
    unopened.press("undoButton")
    unopened.rest()
    assert unopened.mask().sum() == 343


def test_the_pet_is_shown_dark_where_it_is_hot(quick) -> None:
    quick.rest()
    quick.press("petWindowButton")
    display = quick.panel.selection.volume.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 6)
    assert display.GetColorNodeID() == "vtkMRMLColorTableNodeInvertedGrey"


def test_a_deleted_pet_is_forgotten(quick) -> None:
    quick.click((12, 12, 10))
    volume = weakref.ref(quick.panel.controller.volumes.volume_of(quick.panel.selection.volume))
    quick.harness.scene.RemoveNode(quick.panel.selection.volume)
    quick.rest()
    gc.collect()
    assert volume() is None


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


@pytest.mark.slow
def test_the_self_tests_run_without_torch(unopened, monkeypatch) -> None:
    messages = []
    unopened.harness.installations.lacking.add("torch")
    test = unopened.loaded.python.SegAnyPETTest()
    monkeypatch.setattr(test, "delayDisplay", messages.append)
    test.runTest()
    assert messages == ["the model was not tested, since packages are missing: torch", "Test passed"]


@pytest.mark.slow
def test_the_module_brings_nothing_foreign_into_slicer_at_its_start() -> None:
    import subprocess

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
