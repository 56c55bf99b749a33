"""A picture of a result: three slices through it and a projection of the body, with the contour and the clicks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import SimpleITK as sitk
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.atomic import replacing
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.sitk_bridge import from_image, to_image
from SegAnyPETLib.volume.volume import Volume

#: Upper end of the grey scale for SUV; for values that may be something else, this percentile of what is above zero.
SUV_WINDOW = 6.0
OTHER_PERCENTILE = 99.5

#: Slices show the mask with this margin, and never less than this width.
MARGIN_MM = 40.0
MIN_WIDTH_MM = 200.0

HEIGHT_INCHES = 6.2
#: A panel is at least and at most this many times as wide as high, however flat or slim the volume is.
MIN_RATIO = 0.2
MAX_RATIO = 4.0

#: A click is drawn on a slice when it lies this near to it.
CLICK_DEPTH_MM = 5.0

CONTOUR_COLOR = "#d62728"
POSITIVE_COLOR = "#2ca02c"
NEGATIVE_COLOR = "#d62728"


@dataclass(frozen=True)
class _View:
    """A plane of canonical axes (0 right, 1 anterior, 2 superior) and what its sides are called."""

    name: str
    across: int
    up: int
    depth: int
    left_letter: str
    right_letter: str
    low_letter: str
    high_letter: str


#: Radiological convention: the patient's right is on the left of the picture.
_AXIAL = _View("axial", 0, 1, 2, "R", "L", "P", "A")
_CORONAL = _View("coronal", 0, 2, 1, "R", "L", "I", "S")
_SAGITTAL = _View("sagittal", 1, 2, 0, "A", "P", "I", "S")


@contextmanager
def write_figure(
    volume: Volume, mask_kji: NDArray[np.bool_], points: Sequence[Point], path: Path, title: str
) -> Iterator[None]:
    """Draw a result; the file appears when the block ends well, and not at all otherwise.

    Args:
        volume: the PET, of any orientation; axes are permuted and flipped, never resampled.
        mask_kji: bool array on its grid with at least one voxel.
        points: the clicks.
        path: a ``.png`` file.
        title: the quantities, in one line.

    Raises:
        SegAnyPETError: the file could not be written.
    """
    figure = draw(volume, mask_kji, points, title)
    with replacing(path, ".png") as temporary:
        figure.savefig(temporary, dpi=120, format="png")
        yield


def draw(volume: Volume, mask_kji: NDArray[np.bool_], points: Sequence[Point], title: str) -> Figure:
    """Draw the picture that `write_figure` writes; see there."""
    scene = _Scene.of(volume, mask_kji, points)
    focus_kji = _focus(scene.pet, scene.mask_kji, points)
    limits_mm = _limits_mm(scene.pet, scene.mask_kji)
    views = (_AXIAL, _CORONAL, _SAGITTAL)
    sides_mm = [(limits_mm[view.across], limits_mm[view.up]) for view in views]
    sides_mm.append((_whole_mm(scene.pet, _CORONAL.across), _whole_mm(scene.pet, _CORONAL.up)))
    # All panels are equally high; their widths follow.
    ratios = [float(np.clip(np.ptp(across) / np.ptp(up), MIN_RATIO, MAX_RATIO)) for across, up in sides_mm]
    figure = Figure(figsize=(max(HEIGHT_INCHES * 0.8 * sum(ratios), 10.0) + 1.5, HEIGHT_INCHES), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, 4, width_ratios=ratios)
    for panel, view, (across, up) in zip(panels, (*views, _CORONAL), sides_mm, strict=True):
        plane = focus_kji[2 - view.depth]
        shown = _panel(panel, view, scene, slice(None) if panel is panels[3] else slice(plane, plane + 1))
        panel.set_xlim(across[::-1])  # right and anterior lie on the left of the picture
        panel.set_ylim(up)
        panel.set_title("projection (MIP)" if panel is panels[3] else view.name)
    figure.colorbar(shown, ax=panels[3], label=volume.units or "value", shrink=0.7)
    figure.suptitle(f"{title}\n{NOTICE}")
    return figure


@dataclass(frozen=True, eq=False)
class _Scene:
    """What is drawn, with axes that run nearest to right, anterior and superior.

    Attributes:
        pet: the PET.
        mask_kji: bool array on its grid.
        clicks: continuous index (k, j, i) and whether the target is there.
        grey_top: the value shown black.
    """

    pet: Volume
    mask_kji: NDArray[np.bool_]
    clicks: list[tuple[NDArray, bool]]
    grey_top: float

    @classmethod
    def of(cls, volume: Volume, mask_kji: NDArray[np.bool_], points: Sequence[Point]) -> _Scene:
        pet = _canonical(volume)
        mask = _canonical(volume.with_array(mask_kji)).array_kji.astype(bool)
        grey_top = SUV_WINDOW
        if volume.units != "SUVbw":
            grey_top = float(np.percentile(pet.array_kji[pet.array_kji > 0], OTHER_PERCENTILE))
        return cls(pet, mask, [(pet.index_kji(point.ras), point.positive) for point in points], grey_top)

    def clicks_near(self, axis: int, slab: slice) -> list[tuple[NDArray, bool]]:
        """Return the clicks drawn with a slab: all with the whole volume, those near it with a single plane."""
        if slab.start is None:
            return self.clicks
        depth_mm = float(self.pet.spacing_mm[2 - axis])
        return [click for click in self.clicks if abs(click[0][axis] - slab.start) * depth_mm <= CLICK_DEPTH_MM]


def _canonical(volume: Volume) -> Volume:
    return from_image(sitk.DICOMOrient(to_image(volume), "RAS"))


def _focus(pet: Volume, mask_kji: NDArray[np.bool_], points: Sequence[Point]) -> tuple[int, int, int]:
    """Return the first positive click's voxel, else the mask's hottest."""
    for point in points:
        if point.positive:
            return pet.nearest_kji(point.ras)
    hottest = np.argmax(np.where(mask_kji, pet.array_kji, -np.inf))
    k, j, i = np.unravel_index(hottest, pet.shape_kji)
    return int(k), int(j), int(i)


def _limits_mm(pet: Volume, mask_kji: NDArray[np.bool_]) -> list[tuple[float, float]]:
    """For each canonical axis, from where to where a slice shows: the mask and its margin, within the volume."""
    box = Box.of_mask(mask_kji)
    if box is None:
        raise ValueError("a picture needs a mask with a voxel")
    limits = []
    for axis, side in enumerate(box.slices[::-1]):
        spacing = float(pet.spacing_mm[axis])
        middle = (side.start + side.stop - 1) / 2 * spacing
        half = max((side.stop - side.start) / 2 * spacing + MARGIN_MM, MIN_WIDTH_MM / 2)
        low, high = _whole_mm(pet, axis)
        limits.append((max(middle - half, low), min(middle + half, high)))
    return limits


def _whole_mm(pet: Volume, axis: int) -> tuple[float, float]:
    """Return the outer borders of a volume along a canonical axis, in mm from the first voxel's centre."""
    spacing = float(pet.spacing_mm[axis])
    return -spacing / 2, (pet.shape_kji[2 - axis] - 0.5) * spacing


def _panel(panel: Axes, view: _View, scene: _Scene, slab: slice) -> AxesImage:
    """Return the maximum over a slab of planes, in mm from the first voxel's centre along both axes."""
    axis = 2 - view.depth
    where = tuple(slab if a == axis else slice(None) for a in range(3))
    image, outline = scene.pet.array_kji[where].max(axis), scene.mask_kji[where].max(axis)
    step_x, step_y = float(scene.pet.spacing_mm[view.across]), float(scene.pet.spacing_mm[view.up])
    rows, columns = image.shape
    extent = (*_whole_mm(scene.pet, view.across), *_whole_mm(scene.pet, view.up))
    shown = panel.imshow(image, "gray_r", vmin=0, vmax=scene.grey_top, origin="lower", extent=extent, aspect="equal")
    if outline.any():
        # A rim of background closes the contour at the border of the picture.
        x, y = np.arange(-1, columns + 1) * step_x, np.arange(-1, rows + 1) * step_y
        panel.contour(x, y, np.pad(outline.astype(float), 1), [0.5], colors=CONTOUR_COLOR, linewidths=1.2)
    for index_kji, positive in scene.clicks_near(axis, slab):
        at = index_kji[2 - view.across] * step_x, index_kji[2 - view.up] * step_y
        marker, color = ("+", POSITIVE_COLOR) if positive else ("_", NEGATIVE_COLOR)
        panel.plot(*at, marker=marker, color=color, markersize=11, markeredgewidth=2)
    panel.set_xticks([])
    panel.set_yticks([])
    letters = {"left": (0.02, 0.5), "right": (0.98, 0.5), "low": (0.5, 0.02), "high": (0.5, 0.98)}
    texts = (view.left_letter, view.right_letter, view.low_letter, view.high_letter)
    for (side, (x_at, y_at)), text in zip(letters.items(), texts, strict=True):
        across = side if side in ("left", "right") else "center"
        up = {"low": "bottom", "high": "top"}.get(side, "center")
        panel.text(x_at, y_at, text, transform=panel.transAxes, ha=across, va=up, color="#1f77b4", weight="bold")
    return shown
