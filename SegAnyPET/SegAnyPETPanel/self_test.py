"""Self-tests in the application itself: the bundled model, in this process, on the phantom of Sample Data."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import slicer
import slicer.util

from SegAnyPETPanel.model import requirements
from SegAnyPETPanel.model.choice import INSIDE, ModelChoice
from SegAnyPETPanel.model.model import Model
from SegAnyPETPanel.panel import Panel
from SegAnyPETPanel.sample_data import makePhantom

#: A lesion of the phantom, RAS mm.
LESION_RAS = (-72.0, 67.5, -327.0)
#: A point of the phantom outside its lesions, RAS mm.
OUTSIDE_RAS = (-72.0, 20.0, -420.0)
WAIT_S = 120.0


def runAll(test: Any) -> None:
    """Run every test, each in an empty scene.

    Args:
        test: the `SegAnyPETTest`, for messages.
    """
    for run in (_clickUndoRedo, _sceneClosesDuringInference):
        slicer.mrmlScene.Clear(0)
        missing = requirements.missing(INSIDE)
        if missing:
            test.delayDisplay("not tested, since packages are missing: " + ", ".join(missing))
            return
        run(_panelWithPhantom())
    slicer.mrmlScene.Clear(0)
    test.delayDisplay("Test passed")


def _clickUndoRedo(panel: Panel) -> None:
    panel.markups.positive.AddControlPointWorld(*LESION_RAS)
    _until(lambda: panel.queue.idle and panel.ui.targetTable.rowCount == 1)
    segments = panel.selection.parameters.segmentation.GetSegmentation()
    assert segments.GetNumberOfSegments() == 1
    assert _hasPrompts(segments.GetNthSegment(0))
    panel.markups.negative.AddControlPointWorld(*OUTSIDE_RAS)
    _until(lambda: panel.queue.idle)
    panel.ui.undoButton.click()
    panel.ui.undoButton.click()
    assert segments.GetNumberOfSegments() == 0
    panel.ui.redoButton.click()
    assert segments.GetNumberOfSegments() == 1


def _sceneClosesDuringInference(panel: Panel) -> None:
    panel.markups.positive.AddControlPointWorld(*LESION_RAS)
    _until(lambda: panel.queue.busy)
    slicer.mrmlScene.Clear(0)
    _until(lambda: panel.queue.idle)
    assert slicer.mrmlScene.GetNumberOfNodesByClass("vtkMRMLSegmentationNode") == 0


def _panelWithPhantom() -> Panel:
    (volume,) = makePhantom()
    slicer.util.selectModule("SegAnyPET")
    panel: Panel = slicer.modules.SegAnyPETWidget.panel
    panel.setModel(Model(ModelChoice(location=INSIDE)))  # the user's saved choice stays
    panel.selection.parameters.volume = volume
    _until(lambda: panel.queue.idle)
    return panel


def _hasPrompts(segment: Any) -> bool:
    import vtk

    return bool(segment.GetTag("SegAnyPET.Prompts", vtk.reference("")))


def _until(done: Callable[[], bool]) -> None:
    """Process events until something is so, at least once, so that the last event is noticed first."""
    end = time.monotonic() + WAIT_S
    slicer.app.processEvents()
    while not done():
        if time.monotonic() > end:
            raise AssertionError(f"waited {WAIT_S:.0f} s in vain")
        slicer.app.processEvents()
