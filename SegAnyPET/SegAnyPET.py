"""SegAnyPET in 3D Slicer: click a lesion or an organ in a PET, get its segment."""

from __future__ import annotations

import os
import sys
from typing import Any

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

try:  # an extension that was built has the library beside this file
    import SegAnyPETLib  # noqa: F401
except ImportError:  # a checkout has it one folder up
    sys.path.append(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class SegAnyPET(ScriptedLoadableModule):
    """Title, category and help of the module."""

    def __init__(self, parent: Any) -> None:
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("SegAnyPET")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Segmentation")]
        self.parent.dependencies = ["Markups", "Segmentations", "SegmentEditor"]
        self.parent.contributors = ["SegAnyPET contributors"]
        self.parent.helpText = _(
            "Promptable segmentation of whole-body PET: click in a lesion or an organ, correct with more clicks or in "
            "the Segment Editor. Research use only, not a medical device."
        )
        self.parent.acknowledgementText = _("Method: SegAnyPET, arXiv 2502.14351.")
        slicer.app.connect("startupCompleted()", self._registerSampleData)
        slicer.app.connect("startupCompleted()", self._registerStatistics)

    def _registerSampleData(self) -> None:
        from SegAnyPETPanel.sample_data import registerSampleData

        registerSampleData(self.resourcePath("Icons/SegAnyPET.png"))

    def _registerStatistics(self) -> None:
        try:
            from SegAnyPETPanel.statistics_plugin import registerPlugin
        except ImportError:  # Slicer runs without its module Segment Statistics
            return
        registerPlugin()


class SegAnyPETWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """Loads the .ui file, connects the parameter node and forwards events of the scene to the panel."""

    def __init__(self, parent: Any = None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic: Any = None
        self.panel: Any = None
        self._parameters: Any = None
        self._guiTag: Any = None

    def setup(self) -> None:
        """Load the .ui file and connect it."""
        ScriptedLoadableModuleWidget.setup(self)
        from SegAnyPETPanel.panel import Panel

        root = slicer.util.loadUI(self.resourcePath("UI/SegAnyPET.ui"))
        self.layout.addWidget(root)
        self.ui = slicer.util.childWidgetVariables(root)
        root.setMRMLScene(slicer.mrmlScene)
        self.logic = SegAnyPETLogic()
        self.panel = Panel(self.ui, self.parent)
        scene = slicer.mrmlScene
        self.addObserver(scene, scene.StartCloseEvent, self.onSceneStartClose)
        self.addObserver(scene, scene.EndCloseEvent, self.onSceneReady)
        self.addObserver(scene, scene.EndImportEvent, self.onSceneReady)
        self.addObserver(scene, scene.NodeRemovedEvent, self.onNodeRemoved)
        self.addObserver(scene, scene.NodeAddedEvent, self.onNodeAdded)
        self.initializeParameterNode()

    def cleanup(self) -> None:
        """Release everything: the module widget is being destroyed."""
        if self.panel is not None:
            self.exit()
            self.panel.close()
        self.removeObservers()

    def enter(self) -> None:
        """Connect the panel: the user came to the module."""
        self.initializeParameterNode()
        self.panel.enter()

    def exit(self) -> None:
        """Disconnect the panel: the user left the module."""
        if self._parameters is not None and self._guiTag is not None:
            self._parameters.disconnectGui(self._guiTag)
            self._guiTag = None
        self.panel.exit()

    def onReload(self) -> None:
        """Reload the module with the panel and the library."""
        for name in [n for n in sys.modules if n.partition(".")[0] in ("SegAnyPETPanel", "SegAnyPETLib")]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)
        if self.parent.isEntered:  # Slicer sets the new widget up, but the user does not come to the module again
            getattr(slicer.modules, f"{self.moduleName}Widget").enter()

    def onSceneStartClose(self, caller: Any, event: Any) -> None:
        """Drop everything tied to the closing scene."""
        self.panel.forgetScene()
        self.setParameterNode(None)
        self.logic.forgetScene()

    def onSceneReady(self, caller: Any, event: Any) -> None:
        """Connect the parameter node of the scene that was closed or loaded, if the user is in the module."""
        if self.parent.isEntered:
            self.initializeParameterNode()
            self.panel.observeViews()

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeRemoved(self, caller: Any, event: Any, node: Any) -> None:
        """Drop what was kept of a node that left the scene."""
        self.panel.controller.forget_node(node.GetID())

    @vtk.calldata_type(vtk.VTK_OBJECT)
    def onNodeAdded(self, caller: Any, event: Any, node: Any) -> None:
        """Let points be placed in a slice view that came."""
        if node.IsA("vtkMRMLSliceNode"):
            self.panel.onSliceViewAdded()

    def initializeParameterNode(self) -> None:
        """Connect the parameter node of the scene; without a volume, choose the first PET in SUV."""
        from SegAnyPETLib.mrml.nodes.volumes import first_suv_volume

        parameters = self.logic.getParameterNode()
        if parameters.parameterNode.GetNodeReference("volume") is None:
            parameters.volume = first_suv_volume(slicer.mrmlScene)
        self.setParameterNode(parameters)

    def setParameterNode(self, parameters: Any | None) -> None:
        """Connect the widgets with a parameter node, or with none."""
        if self._parameters is not None:
            if self._guiTag is not None:
                self._parameters.disconnectGui(self._guiTag)
                self._guiTag = None
            self.removeObserver(self._parameters, vtk.vtkCommand.ModifiedEvent, self._onParametersChanged)
        self._parameters = parameters
        if parameters is not None:
            self._guiTag = parameters.connectGui(self.ui)
            self.addObserver(parameters, vtk.vtkCommand.ModifiedEvent, self._onParametersChanged)
        self.panel.setParameters(parameters)

    def _onParametersChanged(self, caller: Any, event: Any) -> None:
        self.panel.onSceneChanged()


class SegAnyPETLogic(ScriptedLoadableModuleLogic):
    """Provides the parameter node; the module's logic is `SegAnyPETLib.mrml.controller`, which needs no widget."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        self._parameters: Any = None

    def getParameterNode(self) -> Any:
        """Return the `SegAnyPETParameters` of the scene, the same object until the scene is closed.

        Every new wrapper adds an observer to the node, which Slicer 5.10 never removes.
        """
        from SegAnyPETPanel.parameters import SegAnyPETParameters

        node = super().getParameterNode()
        if self._parameters is None or self._parameters.parameterNode is not node:
            wrapper: Any = SegAnyPETParameters
            self._parameters = wrapper(node)
        return self._parameters

    def forgetScene(self) -> None:
        """Drop the parameter node of a closing scene."""
        self._parameters = None


class SegAnyPETTest(ScriptedLoadableModuleTest):
    """Runs the self-tests in SegAnyPETPanel/self_test.py."""

    def runTest(self) -> None:
        """Run all self-tests."""
        from SegAnyPETPanel.self_test import runAll

        runAll(self)
