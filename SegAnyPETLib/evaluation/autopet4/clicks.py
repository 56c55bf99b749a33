"""Clicks that are simulated before a model runs, as the interactive task of autoPET IV simulates them.

They do not depend on what a model answers. A scan has ten clicks on tumours and ten on the background; at step n, from
0 to 10, a model has the first n of each kind. The rules are those of the challenge's published code
(github.com/lab-midas/autoPETCTIV, clicks/simulate_clicks.py):

- components are connected over faces, edges and corners; the centre of one is its deepest voxel, in voxels, not mm;
- tumour clicks are the centres of up to ten lesions, drawn at random; if there are fewer, a random voxel of the surface
  of each of them in turn, until there are ten;
- background clicks are the centres of up to ten components, drawn at random, of what is brighter than the 99.75th
  percentile outside the lesions; if there are fewer, random voxels of each of them in turn.

Draws are made in the order of that code and from its generator, so that an image in the voxel order of a NIfTI file has
its clicks. Only a background component without a voxel deeper than its surface differs: there the published code may
click anywhere outside the component, here it clicks in it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume

#: Clicks of each kind.
CLICKS = 10
#: Numbers of clicks of each kind after which a scan is measured.
STEPS = tuple(range(CLICKS + 1))
#: Background clicks lie in what is brighter than this percentile of the voxels outside the lesions.
BACKGROUND_PERCENTILE = 99.75
#: Faces, edges and corners join voxels.
CONNECTIVITY_26 = ndimage.generate_binary_structure(3, 3)
#: Of the published clicks.
SEED = 42

Index = tuple[int, int, int]


@dataclass(frozen=True)
class ScanClicks:
    """The clicks of a scan, in their order.

    Attributes:
        tumour: ten positive points; none if there is no lesion.
        background: ten negative points.
    """

    tumour: tuple[Point, ...]
    background: tuple[Point, ...]

    def of_step(self, step: int) -> tuple[Point | None, Point | None]:
        """Return the tumour and the background click that a step, from 1, adds; None if there are none."""
        tumour, background = (
            points[step - 1] if step <= len(points) else None for points in (self.tumour, self.background)
        )
        return tumour, background


def scan_clicks(image: Volume, lesions_kji: NDArray[np.bool_], seed: int = SEED) -> ScanClicks:
    """Simulate the clicks of a scan.

    Args:
        image: the PET.
        lesions_kji: bool array (k, j, i), all lesions of the scan; may be empty.
        seed: of the draws.
    """
    # This generator and its `choice` are those of the published code; a newer one has other draws.
    random = np.random.RandomState(seed)
    tumour: list[Index] = []
    if lesions_kji.any():
        tumour = _clicks(lesions_kji, random, _surface_click)
    threshold = np.percentile(image.array_kji[~lesions_kji], BACKGROUND_PERCENTILE)
    bright = (image.array_kji > threshold) & ~lesions_kji
    background = _clicks(bright, random, _any_click) if bright.any() else []
    return ScanClicks(_points(image, tumour, True), _points(image, background, False))


def autopet4_area(values: ArrayLike) -> float:
    """Return the area under a curve over the steps 0 to 10: trapezoids, not divided by the number of steps."""
    return float(np.trapezoid(np.asarray(values, dtype=np.float64)))


def _clicks(
    mask_kji: NDArray[np.bool_],
    random: np.random.RandomState,
    later: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
) -> list[Index]:
    """Choose ten clicks (k, j, i) in the components of a mask: their centres, then what `later` allows."""
    labels_kji, count = ndimage.label(mask_kji, CONNECTIVITY_26)
    boxes = ndimage.find_objects(labels_kji)
    numbers = random.choice(np.arange(1, count + 1), size=min(CLICKS, count), replace=False)
    components = [_Component.of(labels_kji, int(number), boxes[number - 1]) for number in numbers]
    found = [component.centre for component in components]
    allowed = [np.argwhere(later(component.depth_ijk)) for component in components]
    while len(found) < CLICKS:
        for component, voxels in list(zip(components, allowed, strict=True))[: CLICKS - len(found)]:
            found.append(component.index_kji(voxels[random.choice(len(voxels))]))
    return found


@dataclass(frozen=True, eq=False)
class _Component:
    """A component, with its axes in the order of a NIfTI file, which decides between equal voxels.

    Attributes:
        depth_ijk: distance (i, j, k) of its voxels to what is not in it, in voxels; 0 outside.
        low_kji: index in the scan of the first voxel of `depth_ijk`.
    """

    depth_ijk: NDArray[np.float64]
    low_kji: Index

    @classmethod
    def of(cls, labels_kji: NDArray, number: int, slices: tuple[slice, slice, slice]) -> _Component:
        tight = Box(
            (slices[0].start, slices[1].start, slices[2].start), (slices[0].stop, slices[1].stop, slices[2].stop)
        )
        box = tight.grown(1).clipped(labels_kji.shape)
        mask_ijk = (labels_kji[box.slices] == number).transpose(2, 1, 0)
        return cls(ndimage.distance_transform_edt(mask_ijk), box.low_kji)

    @property
    def centre(self) -> Index:
        """Index (k, j, i) of the deepest voxel."""
        return self.index_kji(np.argwhere(self.depth_ijk == self.depth_ijk.max())[0])

    def index_kji(self, voxel_ijk: NDArray[np.intp]) -> Index:
        """Index in the scan of a voxel of `depth_ijk`."""
        k, j, i = (int(v) + low for v, low in zip(voxel_ijk[::-1], self.low_kji, strict=True))
        return k, j, i


def _surface_click(depth_ijk: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return the voxels of least depth."""
    return depth_ijk == depth_ijk[depth_ijk > 0].min()


def _any_click(depth_ijk: NDArray[np.float64]) -> NDArray[np.bool_]:
    return depth_ijk > 0


def _points(image: Volume, indices_kji: list[Index], positive: bool) -> tuple[Point, ...]:
    found = [image.point_ras(index) for index in indices_kji]
    return tuple(Point((float(r), float(a), float(s)), positive) for r, a, s in found)
