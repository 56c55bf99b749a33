"""The real module on the harness, over Slicer's real scene, with the bundled model on a small PET."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from Testing.slicer_harness.fixtures import *  # noqa: F403

MODULE = Path(__file__).resolve().parents[2] / "SegAnyPET"
#: Grid of the small PET: (k, j, i) voxels of 4 mm.
SHAPE_KJI, SPACING_MM = (40, 36, 32), 4.0
#: Centres (k, j, i) and radii in mm of its lesions.
LESIONS = (((12, 12, 10), 14.0), ((28, 22, 20), 12.0))
WAIT_S = 60.0


def pet_array() -> NDArray[np.float32]:
    """Two hot balls in a warm body, SUV."""
    grid = np.indices(SHAPE_KJI)
    array = np.full(SHAPE_KJI, 1.0, np.float32)
    for center, radius_mm in LESIONS:
        distance_mm = np.sqrt(sum((g - c) ** 2 for g, c in zip(grid, center, strict=True))) * SPACING_MM
        array[distance_mm <= radius_mm] = 8.0
    return array


class ModuleUser:
    """A user at the panel.

    Attributes:
        harness: Slicer.
        widget: the module's widget.
        panel: its `Panel`.
        ui: its widgets.
    """

    def __init__(self, harness: Any, loaded: Any) -> None:
        self.harness = harness
        self.loaded = loaded
        self.widget, self.panel, self.ui = loaded.widget, loaded.widget.panel, loaded.widget.ui

    @property
    def status(self) -> str:
        return self.ui.statusLabel.text

    def add_pet(self, suv: bool = True, array: NDArray | None = None, ijk_to_ras: NDArray | None = None) -> Any:
        """A PET in the scene, chosen in the panel."""
        import slicer
        import slicer.util

        matrix = np.diag([SPACING_MM] * 3 + [1.0]) if ijk_to_ras is None else ijk_to_ras
        node = slicer.util.addVolumeFromArray(pet_array() if array is None else array, ijkToRAS=matrix, name="PET")
        if suv:
            units = slicer.vtkCodedEntry()
            units.SetValueSchemeMeaning("{SUVbw}g/ml", "UCUM", "SUV")
            node.SetVoxelValueUnits(units)
        self.ui.volumeSelector.setCurrentNode(node)
        self.harness.app.processEvents()
        return node

    def until(self, done: Callable[[], Any], wait_s: float = WAIT_S) -> None:
        """Let Qt work until something is so."""
        end = time.monotonic() + wait_s
        while not done():
            assert time.monotonic() < end, f"it did not come to pass; the panel says: {self.status}"
            self.harness.app.processEvents()
            time.sleep(0.002)

    def rest(self) -> None:
        """Let Qt work until the panel has nothing to do."""
        self.harness.app.processEvents()
        self.until(lambda: self.panel.settled)

    def press(self, name: str) -> None:
        """Press a button of the panel."""
        self.harness.press(getattr(self.ui, name))

    def key(self, key: str) -> None:
        """Press a key in the main window."""
        import qt

        qt.QTest.keyClick(self.harness.main_window, key.lower())
        self.harness.app.processEvents()

    def choose(self, location: str, device: str = "cpu") -> None:
        """Choose where the model runs, and start it."""
        from SegAnyPETPanel.model.choice import LOCATIONS

        self.ui.locationSelector.currentIndex = LOCATIONS.index(location)
        self.ui.deviceSelector.currentText = device
        self.press("startButton")

    def use(self, backend: Any) -> Any:
        """Let a backend of the test answer, inside this process."""
        self.use_choice(make=lambda choice, progress: backend, location="inside")
        return backend

    def use_choice(self, make: Callable[..., Any] | None = None, **choice: Any) -> None:
        """Give the panel a model that was not started yet.

        Args:
            make: creates its backend; by default as the panel does.
            choice: fields of the `ModelChoice`.
        """
        from SegAnyPETPanel.model.choice import ModelChoice
        from SegAnyPETPanel.model.model import Model, makeBackend

        self.panel.models.use(Model(ModelChoice(**choice), make or makeBackend))

    def point(self, index_kji: tuple[int, int, int], positive: bool = True) -> None:
        """A point in the views at a voxel of the small PET, as the mouse would place it."""
        k, j, i = index_kji
        node = self.panel.markups.positive if positive else self.panel.markups.negative
        node.AddControlPointWorld(i * SPACING_MM, j * SPACING_MM, k * SPACING_MM)

    def click(self, index_kji: tuple[int, int, int], positive: bool = True) -> None:
        """A point, and what follows from it."""
        self.point(index_kji, positive)
        self.rest()

    def select(self, name: str) -> None:
        """Choose a row of the list."""
        self.ui.targetTable.selectRow(self.names().index(name))
        self.rest()

    @property
    def segmentation(self) -> Any:
        return self.panel.selection.segmentation

    def names(self) -> list[str]:
        """Of the segments in the list."""
        return [name for name, *_ in self.rows() if not name.startswith("Total of ")]

    def rows(self) -> list[tuple[str, ...]]:
        """Name and numbers in the list, as they are shown."""
        table = self.ui.targetTable
        return [tuple(table.item(row, column).text() for column in (0, 2, 3, 4, 5, 6)) for row in range(table.rowCount)]

    def mask(self, number: int = 0) -> NDArray[np.bool_]:
        """A segment on the grid of the PET."""
        import slicer.util

        segment_id = self.segmentation.GetSegmentation().GetNthSegmentID(number)
        array = slicer.util.arrayFromSegmentBinaryLabelmap(self.segmentation, segment_id, self.panel.selection.volume)
        return array.astype(bool)

    def points(self, number: int = 0) -> list[tuple[tuple[float, float, float], bool]]:
        """The clicks that a segment remembers."""
        segment_id = self.segmentation.GetSegmentation().GetNthSegmentID(number)
        return [(p.ras, p.positive) for p in self.panel.controller.points(self.panel.selection.context(), segment_id)]


@pytest.fixture
def unopened(slicer_harness: Any) -> ModuleUser:
    """The module with its panel, before anything was chosen."""
    user = ModuleUser(slicer_harness, slicer_harness.load("SegAnyPET", MODULE))
    user.loaded.enter()
    return user


@pytest.fixture
def user(unopened: ModuleUser) -> ModuleUser:
    """The module with the bundled model in this process and a small PET."""
    unopened.add_pet()
    unopened.choose("inside")
    unopened.rest()
    return unopened
