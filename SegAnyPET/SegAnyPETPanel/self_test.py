"""Self-tests in the application itself: the bundled model, in this process, on the phantom of Sample Data."""

import time

import slicer

from SegAnyPETPanel import requirements
from SegAnyPETPanel.model_choice import INSIDE, ModelChoice
from SegAnyPETPanel.sample_data import makePhantom

#: A lesion of the phantom, RAS mm, and a place outside the body's lesions.
LESION_RAS, OUTSIDE_RAS = (-72.0, 67.5, -327.0), (-72.0, 20.0, -420.0)
WAIT_S = 120.0


def runAll(test):
    """Run every test, each in an empty scene.

    Args:
        test: the `SegAnyPETTest`, for messages and assertions.
    """
    for run in (_clickUndoRedo, _sceneClosesDuringInference):
        slicer.mrmlScene.Clear(0)
        lacking = requirements.missing(INSIDE)
        if lacking:
            test.delayDisplay("not tested, since packages are absent: " + ", ".join(lacking))
            return
        run(test, _panelWithPhantom())
    slicer.mrmlScene.Clear(0)
    test.delayDisplay("Test passed")


def _clickUndoRedo(test, panel):
    panel.markups.positive.AddControlPointWorld(*LESION_RAS)
    _until(lambda: panel.work.idle and panel.ui.targetTable.rowCount == 1)
    segments = panel.parameters.segmentation.GetSegmentation()
    assert segments.GetNumberOfSegments() == 1
    assert "SegAnyPET.Prompts" in _tagNames(segments.GetNthSegment(0))
    panel.markups.negative.AddControlPointWorld(*OUTSIDE_RAS)
    _until(lambda: panel.work.idle)
    panel.ui.undoButton.click()
    panel.ui.undoButton.click()
    assert segments.GetNumberOfSegments() == 0
    panel.ui.redoButton.click()
    assert segments.GetNumberOfSegments() == 1


def _sceneClosesDuringInference(test, panel):
    panel.markups.positive.AddControlPointWorld(*LESION_RAS)
    _until(lambda: panel.work.busy)
    slicer.mrmlScene.Clear(0)
    _until(lambda: panel.work.idle)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def _panelWithPhantom():
    (volume,) = makePhantom()
    slicer.util.selectModule("SegAnyPET")
    panel = slicer.modules.SegAnyPETWidget.panel
    panel.modelSection.show(ModelChoice(place=INSIDE))
    panel.onStartModel()
    panel.parameters.volume = volume
    _until(lambda: panel.work.idle)
    return panel


def _tagNames(segment):
    import vtk

    return [name for name in ("SegAnyPET.Prompts",) if segment.GetTag(name, vtk.reference(""))]


def _until(done):
    end = time.monotonic() + WAIT_S
    slicer.app.processEvents()  # what was done a moment ago is noticed first
    while not done():
        if time.monotonic() > end:
            raise AssertionError("it did not come to pass in time")
        slicer.app.processEvents()
