"""A scripted module of the structure that Slicer documents: it makes a segment of all voxels above a value."""

from typing import Annotated

import numpy as np
import slicer
import slicer.util
import vtk
from slicer import vtkMRMLScalarVolumeNode, vtkMRMLSegmentationNode
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import Default, WithinRange, parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin


class HotRegion(ScriptedLoadableModule):
    """What Slicer lists."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("Hot region")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Examples")]
        slicer.app.connect("startupCompleted()", registerSampleData)


def registerSampleData():
    """A sample in the module SampleData."""
    import SampleData

    SampleData.SampleDataLogic.registerCustomSampleDataSource(
        category="HotRegion", sampleName="HotRegion1", uris="", fileNames="HotRegion1.nrrd", nodeNames="HotRegion1"
    )


@parameterNodeWrapper
class HotRegionParameterNode:
    """The parameters, kept in the scene."""

    inputVolume: vtkMRMLScalarVolumeNode
    segmentation: vtkMRMLSegmentationNode
    threshold: Annotated[int, WithinRange(0, 20)] = 5
    invert: bool = False
    segmentName: Annotated[str, Default("hot")]


class HotRegionWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The panel."""

    def __init__(self, parent=None):
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self):
        ScriptedLoadableModuleWidget.setup(self)
        uiWidget = slicer.util.loadUI(self.resourcePath("UI/HotRegion.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = slicer.util.childWidgetVariables(uiWidget)
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = HotRegionLogic()
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(slicer.mrmlScene, slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose)
        self.ui.applyButton.connect("clicked(bool)", self.onApplyButton)
        self.initializeParameterNode()

    def cleanup(self):
        self.removeObservers()

    def enter(self):
        self.initializeParameterNode()

    def exit(self):
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self._parameterNodeGuiTag = None
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)

    def onSceneStartClose(self, caller, event):
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event):
        self.initializeParameterNode()

    def initializeParameterNode(self):
        self.setParameterNode(self.logic.getParameterNode())
        if not self._parameterNode.inputVolume:
            first = slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLScalarVolumeNode")
            if first:
                self._parameterNode.inputVolume = first

    def setParameterNode(self, inputParameterNode):
        if self._parameterNode:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
        self._parameterNode = inputParameterNode
        if self._parameterNode:
            self._parameterNodeGuiTag = self._parameterNode.connectGui(self.ui)
            self.addObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self._checkCanApply)
            self._checkCanApply()

    def _checkCanApply(self, caller=None, event=None):
        ready = bool(self._parameterNode.inputVolume and self._parameterNode.segmentation)
        self.ui.applyButton.toolTip = _("Segment") if ready else _("Choose a volume and a segmentation")
        self.ui.applyButton.enabled = ready

    def onApplyButton(self):
        with slicer.util.tryWithErrorDisplay(_("Failed to segment."), waitCursor=True):
            node = self._parameterNode
            self.logic.process(node.inputVolume, node.segmentation, node.segmentName, node.threshold, node.invert)


class HotRegionLogic(ScriptedLoadableModuleLogic):
    """What it computes."""

    def getParameterNode(self):
        return HotRegionParameterNode(super().getParameterNode())

    def process(self, volume, segmentation, name, threshold, invert):
        values = slicer.util.arrayFromVolume(volume)
        if not np.isfinite(values).all():
            raise ValueError("the volume has voxels without a value")
        segmentation.SetReferenceImageGeometryParameterFromVolumeNode(volume)
        mask = values < threshold if invert else values >= threshold
        identifier = segmentation.GetSegmentation().AddEmptySegment("", name)
        slicer.util.updateSegmentBinaryLabelmapFromArray(mask.astype(np.uint8), segmentation, identifier, volume)


class HotRegionTest(ScriptedLoadableModuleTest):
    """The self-test."""

    def runTest(self):
        self.delayDisplay("Starting the test")
        slicer.mrmlScene.AddNewNodeByClass("vtkMRMLTextNode", "made by the self-test")
