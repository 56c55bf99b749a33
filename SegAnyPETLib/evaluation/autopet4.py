"""The click protocol of the interactive task of autoPET IV, beside this project's own.

Clicks are simulated before the model runs and do not depend on what it answers. A scan has up to ten clicks on tumours
and ten on the background; after step n, from 0 to 10, the model has been given the first n of each kind, and all
lesions of the scan are measured as one mask. As the challenge's rules state them:

- tumour clicks are the centres of the lesions, then voxels of their boundary;
- background clicks are the centres of the components, over faces, edges and corners, of what lies above the 99.75th
  percentile of the scan outside the lesions;
- Dice, false positive and false negative volume are measured with components over faces and edges; Dice and false
  negative volume of a scan without a lesion are undefined;
- the area under a curve over the steps is that of the trapezoids, not divided by the number of steps.

What the rules leave open is our reading: the centre of a component is its deepest voxel in voxels (not mm); larger
components come first; boundary voxels are drawn at random over all lesions, without repetition. So figures are those of
the protocol, not of the challenge's own code; do not set them beside its leaderboard.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage

from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

#: Clicks of each kind.
MAX_CLICKS = 10
#: Numbers of clicks of each kind after which a scan is measured.
STEPS = tuple(range(MAX_CLICKS + 1))
#: Background clicks lie in what is brighter than this percentile of the scan.
BACKGROUND_PERCENTILE = 99.75
#: Faces, edges and corners join voxels.
CONNECTIVITY_26 = ndimage.generate_binary_structure(3, 3)


@dataclass(frozen=True)
class SimulatedClicks:
    """The clicks of a scan.

    Attributes:
        tumour: at most ten positive points.
        background: at most ten negative points.
    """

    tumour: tuple[Point, ...]
    background: tuple[Point, ...]

    def of_step(self, step: int) -> tuple[Point, ...]:
        """Return the clicks that step ``step``, from 1, adds: at most one of each kind, the tumour's first."""
        return (*self.tumour[step - 1 : step], *self.background[step - 1 : step])


def simulated_clicks(image: Volume, reference: Volume, seed: int | np.random.SeedSequence = 0) -> SimulatedClicks:
    """Simulate the clicks of a scan.

    Args:
        image: the PET.
        reference: bool volume of all lesions on its grid; may be empty.
        seed: of the order of boundary voxels.
    """
    lesions = reference.array_kji
    random = np.random.default_rng(seed)
    tumour = _centers(lesions)
    boundary = np.argwhere(lesions & ~ndimage.binary_erosion(lesions))
    tumour += [tuple(index) for index in random.permutation(boundary)[: max(MAX_CLICKS - len(tumour), 0)]]
    bright = image.array_kji > np.percentile(image.array_kji, BACKGROUND_PERCENTILE)
    background = _centers(bright & ~lesions)
    return SimulatedClicks(_points(image, tumour, True), _points(image, background, False))


def autopet4_area(values: ArrayLike) -> float:
    """Return the area under a curve over the steps 0 to 10: trapezoids, not divided by the number of steps."""
    return float(np.trapezoid(np.asarray(values, dtype=np.float64)))


def _centers(mask: NDArray[np.bool_]) -> list[tuple[int, ...]]:
    """The deepest voxel of each component, the largest component first; at most ten."""
    parts, count = ndimage.label(mask, CONNECTIVITY_26)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    centers = []
    boxes = ndimage.find_objects(parts)
    for number in np.argsort(-sizes, kind="stable")[:MAX_CLICKS]:
        box = boxes[number]
        part = np.pad(parts[box] == number + 1, 1)
        deepest = np.unravel_index(int(ndimage.distance_transform_edt(part).argmax()), part.shape)
        centers.append(tuple(int(d) - 1 + s.start for d, s in zip(deepest, box, strict=True)))
    return centers


def _points(image: Volume, indices: list[tuple[int, ...]], positive: bool) -> tuple[Point, ...]:
    found = [image.point_ras(np.array(index)) for index in indices[:MAX_CLICKS]]
    return tuple(Point((float(r), float(a), float(s)), positive) for r, a, s in found)
