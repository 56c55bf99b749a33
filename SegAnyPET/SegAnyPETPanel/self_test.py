"""Self-tests in the application itself, on the phantom of Sample Data.

The panel is tested with a threshold in place of a model, which needs no packages; then the bundled model if it can run.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import slicer
import slicer.util

from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETPanel.model import packages
from SegAnyPETPanel.model.choice import INSIDE, ModelChoice, savedChoice
from SegAnyPETPanel.model.model import Model
from SegAnyPETPanel.panel import Panel
from SegAnyPETPanel.sample_data import makePhantom
from SegAnyPETPanel.views.target_table import segmentCount

#: A lesion of the phantom, RAS mm.
LESION_RAS = (-72.0, 67.5, -327.0)
#: A point of the phantom outside its lesions, RAS mm.
OUTSIDE_RAS = (-72.0, 20.0, -420.0)
WAIT_S = 120.0
#: SUV above which the threshold finds a lesion.
THRESHOLD_SUV = 4.0


class ThresholdBackend:
    """A backend that needs no packages: foreground is what is hotter than `THRESHOLD_SUV`."""

    spec = ModelSpec("threshold", 32, (4.0,))
    device = "self-test"

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        """As `Backend.predict`."""
        logits = np.where(image.array_kji > THRESHOLD_SUV, 3.0, -3.0).astype(np.float32)
        return [Prediction.of(logits, len(logits), 1.0) for _ in targets]

    def cancel(self) -> None:
        """Do nothing: a prediction takes milliseconds."""


def runAll(test: Any) -> None:
    """Run every test, each in an empty scene.

    Args:
        test: the `SegAnyPETTest`, for messages.
    """
    threshold = Model(ModelChoice(location=INSIDE), lambda choice, progress: ThresholdBackend(), needsPackages=False)
    for run in (_placing, _clickUndoRedo, _saveAndLoad, _sceneClosesDuringInference):
        run(_panelWithPhantom(threshold))
    missing = packages.missing(INSIDE)
    if missing:
        test.delayDisplay("the model was not tested, since packages are missing: " + ", ".join(map(str, missing)))
    else:
        for run in (_clickUndoRedo, _sceneClosesDuringInference):
            run(_panelWithPhantom(Model(ModelChoice(location=INSIDE))))
    slicer.mrmlScene.Clear(0)
    slicer.modules.SegAnyPETWidget.panel.models.use(Model(savedChoice()))
    test.delayDisplay("Test passed")


def _placing(panel: Panel) -> None:
    for button, node in (
        (panel.ui.positiveButton, panel.markups.positive),
        (panel.ui.negativeButton, panel.markups.negative),
    ):
        button.click()
        assert panel.placing.node is node
        assert button.checked
    panel.ui.negativeButton.click()
    assert panel.placing.node is None


def _saveAndLoad(panel: Panel) -> None:
    panel.markups.positive.AddControlPointWorld(*LESION_RAS)
    _until(lambda: panel.queue.idle and segmentCount(panel.ui.targetTable) == 1)
    path = os.path.join(slicer.app.temporaryPath, "SegAnyPETSelfTest.mrb")
    assert slicer.util.saveScene(path)
    slicer.mrmlScene.Clear(0)
    slicer.util.loadScene(path)
    os.remove(path)
    _until(lambda: panel.queue.idle and segmentCount(panel.ui.targetTable) == 1)
    segments = panel.selection.segmentation.GetSegmentation()
    assert _hasPrompts(segments.GetNthSegment(0))


def _clickUndoRedo(panel: Panel) -> None:
    panel.markups.positive.AddControlPointWorld(*LESION_RAS)
    _until(lambda: panel.queue.idle and segmentCount(panel.ui.targetTable) == 1)
    segments = panel.selection.segmentation.GetSegmentation()
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


def _panelWithPhantom(model: Model) -> Panel:
    slicer.mrmlScene.Clear(0)
    (volume,) = makePhantom()
    slicer.util.selectModule("SegAnyPET")
    panel: Panel = slicer.modules.SegAnyPETWidget.panel
    panel.models.use(model)  # the user's saved choice stays
    panel.selection.parameters.volume = volume
    _until(lambda: panel.settled)
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
