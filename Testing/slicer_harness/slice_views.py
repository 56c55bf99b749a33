"""Slice views without a window: Slicer's real slice logic, displayable managers and mouse handling, drawn off-screen.

A view takes mouse events through its interactor, as the view of the application does. The pixel (0, 0) is at the
bottom left, as VTK counts.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import slicer
import vtk
from numpy.typing import NDArray
from vtk.util.numpy_support import vtk_to_numpy

from Testing.slicer_harness.core import SlicerCore

#: What a slice view of Slicer draws and reacts to, as far as a module for segmentation meets it.
DISPLAYABLE_MANAGERS = (
    "vtkMRMLCrosshairDisplayableManager",
    "vtkMRMLOrientationMarkerDisplayableManager",
    "vtkMRMLRulerDisplayableManager",
    "vtkMRMLScalarBarDisplayableManager",
    "vtkMRMLSegmentationsDisplayableManager2D",
    "vtkMRMLMarkupsDisplayableManager",
)
ORIENTATIONS = {"Red": "Axial", "Green": "Coronal", "Yellow": "Sagittal"}


def graphics_work() -> bool:
    """Whether this machine can draw off-screen."""
    return bool(vtk.vtkRenderWindow().SupportsOpenGL())


class SliceView:
    """A slice view over the real scene.

    Args:
        core: the scene and the application's logic.
        name: of the view, "Red".
        orientation: "Axial", "Coronal" or "Sagittal".
        size: width and height in pixels.

    Attributes:
        logic: the vtkMRMLSliceLogic.
        node: the vtkMRMLSliceNode.
        interactor: takes the mouse events.
    """

    def __init__(self, core: SlicerCore, name: str, orientation: str, size: tuple[int, int]) -> None:
        self._core = core
        self.size = size
        self._renderer = vtk.vtkRenderer()
        self._renderer.GetActiveCamera().ParallelProjectionOn()
        self._window = vtk.vtkRenderWindow()
        self._window.SetOffScreenRendering(1)
        self._window.SetSize(*size)
        self._window.AddRenderer(self._renderer)
        self.interactor = vtk.vtkRenderWindowInteractor()
        self.interactor.SetRenderWindow(self._window)
        self.interactor.SetInteractorStyle(vtk.vtkInteractorStyleUser())
        self.interactor.Initialize()
        self._managers = self._displayable_managers()
        self.logic = slicer.vtkMRMLSliceLogic()
        self.logic.SetMRMLApplicationLogic(core.application_logic)
        core.application_logic.GetSliceLogics().AddItem(self.logic)
        self.logic.SetMRMLScene(core.scene)
        self.node = self.logic.AddSliceNode(name)
        self.node.SetOrientation(orientation)
        self._managers.SetMRMLDisplayableNode(self.node)
        self._style = slicer.vtkMRMLSliceViewInteractorStyle()
        self._style.SetSliceLogic(self.logic)
        self._style.SetDisplayableManagers(self._managers)
        self._style.SetInteractor(self.interactor)
        self.logic.ResizeSliceNode(*size)
        self._image = vtk.vtkImageMapper()
        self._image.SetColorWindow(255)
        self._image.SetColorLevel(127.5)
        self._actor = vtk.vtkActor2D()
        self._actor.SetMapper(self._image)
        self._actor.GetProperty().SetDisplayLocationToBackground()
        self._renderer.AddViewProp(self._actor)

    def _displayable_managers(self) -> Any:
        factory = slicer.vtkMRMLSliceViewDisplayableManagerFactory.GetInstance()
        factory.SetMRMLApplicationLogic(self._core.application_logic)
        for manager in DISPLAYABLE_MANAGERS:
            if not factory.IsDisplayableManagerRegistered(manager):
                factory.RegisterDisplayableManager(manager)
        group = slicer.vtkMRMLDisplayableManagerGroup()
        group.SetRenderer(self._renderer)
        group.Initialize(factory, self._renderer)
        return group

    def show(self, volume: Any) -> None:
        """Put a volume in the background and fit the view to it."""
        self.logic.GetSliceCompositeNode().SetBackgroundVolumeID(None if volume is None else volume.GetID())
        self.logic.FitSliceToBackground()

    def jump_to(self, point_ras: NDArray | tuple[float, float, float]) -> None:
        """Show the slice through a point of the world."""
        self.node.JumpSliceByOffsetting(*(float(x) for x in point_ras))

    def render(self) -> None:
        """Draw the view now."""
        connection = self.logic.GetImageDataConnection()
        self._image.SetInputConnection(connection)
        self._actor.SetVisibility(connection is not None)
        self.interactor.Render()

    def picture(self) -> NDArray[np.uint8]:
        """The view as it is now, (height, width, 3) with the top row first."""
        self.render()
        grab = vtk.vtkWindowToImageFilter()
        grab.SetInput(self._window)
        grab.ReadFrontBufferOff()
        grab.ShouldRerenderOff()
        grab.Update()
        image = grab.GetOutput()
        width, height, _ = image.GetDimensions()
        return vtk_to_numpy(image.GetPointData().GetScalars()).reshape(height, width, -1)[::-1, :, :3].copy()

    def close(self) -> None:
        """Take the view and its nodes out of the scene."""
        self._core.application_logic.GetSliceLogics().RemoveItem(self.logic)
        self._style.SetInteractor(None)
        self._window.Finalize()


def slice_views(core: SlicerCore, size: tuple[int, int] = (400, 300)) -> dict[str, SliceView]:
    """Red, Green and Yellow."""
    return {name: SliceView(core, name, orientation, size) for name, orientation in ORIENTATIONS.items()}


def pixel_to_ras(view: SliceView, pixel: tuple[float, float]) -> NDArray[np.float64]:
    """The point of the world (mm) that a pixel of the view shows."""
    return np.array(view.node.GetXYToRAS().MultiplyPoint((*pixel, 0, 1))[:3])


def ras_to_pixel(view: SliceView, point_ras: NDArray | tuple[float, float, float]) -> tuple[int, int]:
    """The pixel nearest to a point of the world; the point need not lie on the slice that is shown."""
    inverse = vtk.vtkMatrix4x4()
    vtk.vtkMatrix4x4.Invert(view.node.GetXYToRAS(), inverse)
    x, y = inverse.MultiplyPoint((*(float(c) for c in point_ras), 1))[:2]
    return round(x), round(y)


def send(view: SliceView, pixel: tuple[int, int], *events: str) -> None:
    """Mouse events at a pixel, through the interactor."""
    for event in events:
        view.interactor.SetEventInformation(*pixel, 0, 0, chr(0), 0, None)
        view.interactor.InvokeEvent(event)


def click(view: SliceView, pixel: tuple[int, int]) -> None:
    """The user moves the mouse there and clicks with the left button."""
    send(view, pixel, "EnterEvent", "MouseMoveEvent", "LeftButtonPressEvent", "LeftButtonReleaseEvent")


def drag(view: SliceView, start: tuple[int, int], end: tuple[int, int]) -> None:
    """The user pulls what lies at a pixel to another."""
    send(view, start, "EnterEvent", "MouseMoveEvent", "LeftButtonPressEvent")
    send(view, end, "MouseMoveEvent", "LeftButtonReleaseEvent")


def save_pictures(views: dict[str, SliceView], path: Path) -> None:
    """The views side by side in a PNG."""
    from matplotlib.image import imsave

    imsave(path, np.concatenate([view.picture() for view in views.values()], axis=1))
