"""Maximum projections of a whole scan with outlined and numbered regions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: The value shown black; more is as black.
SUV_WINDOW = 8.0
HEIGHT_INCHES = 8.0
#: Panels are not narrower than this share of their height, however slim the volume is.
MIN_RATIO = 0.3
MAX_RATIO = 3.0
#: Numbers stand this far to the right of and above their region's middle.
LABEL_SHIFT_MM = 8.0


@dataclass(frozen=True, eq=False)
class Mark:
    """A region with its number.

    Attributes:
        label: what stands beside it.
        region: its voxels on the scan's grid.
        color: of outline and label, as matplotlib names it.
    """

    label: str
    region: MaskPatch
    color: str


@dataclass(frozen=True)
class _View:
    """A projection along a canonical axis (0 right, 1 anterior); what is to the left and the right of the picture."""

    name: str
    across: int
    depth: int
    left_letter: str
    right_letter: str


_VIEWS = (_View("coronal", 0, 1, "R", "L"), _View("sagittal", 1, 0, "A", "P"))
_UP = 2


def projections(volume: Volume, marks: Sequence[Mark]) -> Figure:
    """Draw coronal and sagittal maximum projections; the patient's right is on the left.

    Args:
        volume: the PET in SUV, of any orientation: each axis counts as the one that it runs nearest to.
        marks: what is outlined.
    """
    axes = _Axes.of(volume)
    ratios = [float(np.clip(axes.length_mm(v.across) / axes.length_mm(_UP), MIN_RATIO, MAX_RATIO)) for v in _VIEWS]
    figure = Figure(figsize=(HEIGHT_INCHES * sum(ratios) + 0.6, HEIGHT_INCHES), layout="constrained")
    for panel, view in zip(figure.subplots(1, 2, width_ratios=ratios), _VIEWS, strict=True):
        _draw(panel, view, axes, volume, marks)
    return figure


@dataclass(frozen=True)
class _Axes:
    """Which array axis runs nearest to each canonical one.

    Attributes:
        array_axes: of right, anterior and superior.
        ascending: whether the index grows towards them.
        steps_mm: voxel size along them.
        counts: number of voxels along them.
    """

    array_axes: tuple[int, ...]
    ascending: tuple[bool, ...]
    steps_mm: tuple[float, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(cls, volume: Volume) -> _Axes:
        directions = volume.ijk_to_ras[:3, :3] / volume.spacing_mm
        _, columns = linear_sum_assignment(-np.abs(directions))
        return cls(
            tuple(2 - int(column) for column in columns),
            tuple(bool(directions[row, column] > 0) for row, column in enumerate(columns)),
            tuple(float(volume.spacing_mm[column]) for column in columns),
            tuple(volume.shape_kji[2 - int(column)] for column in columns),
        )

    def length_mm(self, axis: int) -> float:
        """Return how long the volume is along a canonical axis."""
        return self.counts[axis] * self.steps_mm[axis]

    def places_mm(self, axis: int, indices: NDArray) -> NDArray:
        """Return how far voxels lie along a canonical axis, from the centre of the outermost voxel."""
        along = indices if self.ascending[axis] else self.counts[axis] - 1 - indices
        return along * self.steps_mm[axis]

    def flat(self, array_kji: NDArray, view: _View) -> NDArray:
        """Return the maximum along the depth of a view: rows along the superior axis, columns across, as stored."""
        flat = array_kji.max(axis=self.array_axes[view.depth])
        rows_first = self.array_axes[_UP] < self.array_axes[view.across]
        return flat if rows_first else flat.T


def _draw(panel: Axes, view: _View, axes: _Axes, volume: Volume, marks: Sequence[Mark]) -> None:
    image = axes.flat(volume.array_kji, view)
    image = image[:: 1 if axes.ascending[_UP] else -1, :: 1 if axes.ascending[view.across] else -1]
    x_step, y_step = axes.steps_mm[view.across], axes.steps_mm[_UP]
    rows, columns = image.shape
    extent = (-x_step / 2, (columns - 0.5) * x_step, -y_step / 2, (rows - 0.5) * y_step)
    panel.imshow(image, "gray_r", vmin=0, vmax=SUV_WINDOW, origin="lower", extent=extent, aspect="equal")
    for mark in marks:
        _outline(panel, view, axes, mark)
    panel.set_xlim(extent[1], extent[0])  # right and anterior lie on the left of the picture
    panel.set_ylim(extent[2], extent[3])
    panel.set_xticks([])
    panel.set_yticks([])
    panel.set_title(f"{view.name} projection (MIP, SUV 0 to {SUV_WINDOW:g})", fontsize=9)
    for place, letter in ((0.02, view.left_letter), (0.95, view.right_letter)):
        panel.text(place, 0.5, letter, transform=panel.transAxes, color="#1f77b4", weight="bold")


def _outline(panel: Axes, view: _View, axes: _Axes, mark: Mark) -> None:
    outline = np.pad(axes.flat(mark.region.array_kji, view), 1).astype(float)
    low = mark.region.offset_kji
    x = axes.places_mm(view.across, low[axes.array_axes[view.across]] - 1 + np.arange(outline.shape[1]))
    y = axes.places_mm(_UP, low[axes.array_axes[_UP]] - 1 + np.arange(outline.shape[0]))
    panel.contour(x, y, outline, [0.5], colors=mark.color, linewidths=1.0)
    panel.text(
        float(x.mean()) - LABEL_SHIFT_MM,
        float(y.mean()) + LABEL_SHIFT_MM,
        mark.label,
        color=mark.color,
        fontsize=8,
        weight="bold",
        path_effects=[patheffects.withStroke(linewidth=2, foreground="white")],
        clip_on=True,
    )
