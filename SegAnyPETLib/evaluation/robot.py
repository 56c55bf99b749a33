"""Robot user: clicks as someone would who knows the reference mask."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.patch import bounding_box
from SegAnyPETLib.volume.volume import Volume

RobotKind = Literal["ideal", "noisy"]

#: The noisy robot user's habits: chances per click, and standard deviations of its hand.
OTHER_REGION_CHANCE = 0.1
ANYWHERE_CHANCE = 0.2
SLIP_CHANCE = 0.05
JITTER_MM = 3.0
SLIP_MM = 6.0

#: No hand is off by more than this many standard deviations; draws beyond it are repeated.
JITTER_LIMIT = 2.0
JITTER_DRAWS = 16

#: Depths that differ by less than this fraction are ties; rounding must not decide between them.
DEPTH_TOLERANCE = 1e-6


class RobotUser:
    """Chooses the next click from the reference mask and the current result.

    The *ideal* robot clicks the deepest voxel of the larger of the two error regions: what was missed (a positive
    click) or what was spilled (a negative one). The deepest voxel has the largest Euclidean distance in mm to the
    outside of its region; what lies outside the volume is outside. Before the first result all of the target is
    missed. Ties, of voxels and of regions, are broken by the seeded generator.

    Idealised robots overestimate performance (Marinov et al. 2024, arXiv 2404.01816, who add click variation and
    disagreement between annotators). The *noisy* robot deviates in the same spirit; its figures are this project's:

    - with a chance of 10 % it turns to the smaller error region although a larger one is left;
    - with a chance of 20 % it clicks anywhere in the region instead of its middle;
    - its hand is off by a Gaussian of 3 mm per axis, cut off at 6 mm, without leaving the region that it means;
    - with a chance of 5 % it slips by a Gaussian of 6 mm per axis, cut off at 12 mm, and does not notice: such a click
      can lie outside the region, so that a positive click falls beside the target or a negative one into it.

    Args:
        kind: ``"ideal"`` or ``"noisy"``.
        seed: of the generator; equal seeds give equal clicks for equal masks.

    Raises:
        InputError: there is no such kind.
    """

    def __init__(self, kind: RobotKind = "ideal", seed: int | np.random.SeedSequence = 0) -> None:
        if kind not in get_args(RobotKind):
            raise InputError(f"there is no robot user {kind!r}; choose one of {', '.join(get_args(RobotKind))}")
        self.kind = kind
        self._random = np.random.default_rng(seed)

    def next_point(self, reference: Volume, current_kji: NDArray | None = None) -> Point | None:
        """The next click, at a voxel's centre.

        Args:
            reference: bool volume of the target.
            current_kji: bool array (k, j, i), the current result on the reference's grid; None before the first one.

        Returns:
            The click, or None when no error is left.

        Raises:
            InputError: the current result is not on the reference's grid.
        """
        regions = error_regions(reference, current_kji)
        if not regions:
            return None
        positive, region, offset_kji = self._choose_region(regions)
        index_kji = self._choose_voxel(region, reference.spacing_mm[::-1]) + offset_kji
        if self.kind == "noisy":
            index_kji = self._with_unsteady_hand(index_kji, region, offset_kji, reference)
        r, a, s = reference.point_ras(index_kji)
        return Point((float(r), float(a), float(s)), positive)

    def _choose_region(self, regions: list[tuple[bool, NDArray, NDArray]]) -> tuple[bool, NDArray, NDArray]:
        sizes = np.array([np.count_nonzero(region) for _, region, _ in regions])
        largest = np.flatnonzero(sizes == sizes.max())
        choice = int(self._random.choice(largest))
        if self.kind == "noisy" and len(regions) == 2 and self._random.random() < OTHER_REGION_CHANCE:
            choice = 1 - choice
        return regions[choice]

    def _choose_voxel(self, region: NDArray, spacing_kji_mm: NDArray) -> NDArray:
        if self.kind == "noisy" and self._random.random() < ANYWHERE_CHANCE:
            candidates = np.argwhere(region)
        else:
            candidates = deepest_voxels(region, spacing_kji_mm)
        return candidates[self._random.integers(len(candidates))]

    def _with_unsteady_hand(
        self, index_kji: NDArray, region: NDArray, offset_kji: NDArray, reference: Volume
    ) -> NDArray:
        """The voxel that is hit instead of the one that is meant; the latter where no draw is allowed."""
        slips = self._random.random() < SLIP_CHANCE
        deviation_mm = SLIP_MM if slips else JITTER_MM
        for _ in range(JITTER_DRAWS):
            draw = self._random.normal(size=3)
            moved = np.rint(index_kji + draw * deviation_mm / reference.spacing_mm[::-1]).astype(int)
            allowed = _inside(moved, reference.shape_kji) if slips else _is_set(region, moved - offset_kji)
            if np.linalg.norm(draw) <= JITTER_LIMIT and allowed:
                return moved
        return index_kji


def error_regions(reference: Volume, current_kji: NDArray | None) -> list[tuple[bool, NDArray, NDArray]]:
    """The error regions that have a voxel, the missed one first.

    Returns:
        For each: whether clicks there are positive, its bool array (k, j, i) cropped to its bounding box, and the
        index of the crop's first voxel.

    Raises:
        InputError: the current result is not on the reference's grid.
    """
    target = reference.array_kji
    if current_kji is None:
        return _cropped(True, target)
    if current_kji.shape != target.shape:
        raise InputError(f"a mask of shape {current_kji.shape} does not fit the reference {target.shape}")
    return _cropped(True, target, current_kji) + _cropped(False, current_kji, target)


def _cropped(positive: bool, mask: NDArray, without: NDArray | None = None) -> list[tuple[bool, NDArray, NDArray]]:
    """What a mask has and another has not, cropped; an empty list where nothing is left."""
    box = bounding_box(mask)
    if box is None:
        return []
    offset = np.array([s.start for s in box])
    region = mask[box].astype(bool)
    if without is not None:
        region = region & ~without[box].astype(bool)
        box = bounding_box(region)
        if box is None:
            return []
        offset, region = offset + [s.start for s in box], region[box]
    return [(positive, region, offset)]


def deepest_voxels(region: NDArray[np.bool_], spacing_kji_mm: NDArray) -> NDArray[np.intp]:
    """The voxels of a region that are farthest from its outside.

    Components are looked at from the largest box downwards, and only while a box could hold a greater depth. Depths
    are exact: on the way from a voxel to another component the voxel before that one is nearer, and is outside.

    Args:
        region: bool array (k, j, i) with at least one voxel; what lies beyond the array is outside.
        spacing_kji_mm: voxel size along k, j and i.

    Returns:
        Indices (n, 3); more than one where depths tie.
    """
    labels, _ = ndimage.label(region)
    boxes = ndimage.find_objects(labels)
    # Across n voxels of one axis nothing is deeper than (n + 1) // 2 voxels.
    bounds = np.array(
        [min((b.stop - b.start + 1) // 2 * s for b, s in zip(x, spacing_kji_mm, strict=True)) for x in boxes]
    )
    deepest = 0.0
    found: list[NDArray[np.intp]] = []
    for index in np.argsort(-bounds, kind="stable"):
        if bounds[index] < deepest * (1 - DEPTH_TOLERANCE):
            break
        box = boxes[index]
        component = np.pad(labels[box] == index + 1, 1)
        depth_mm = ndimage.distance_transform_edt(component, sampling=spacing_kji_mm)
        greatest = float(depth_mm.max())
        if greatest > deepest * (1 + DEPTH_TOLERANCE):
            deepest, found = greatest, []
        if greatest >= deepest * (1 - DEPTH_TOLERANCE):
            start = np.array([s.start for s in box]) - 1
            found.append(np.argwhere(depth_mm >= deepest * (1 - DEPTH_TOLERANCE)) + start)
    return np.concatenate(found)


def _inside(index_kji: NDArray, shape_kji: tuple[int, ...]) -> bool:
    return bool((index_kji >= 0).all() and (index_kji < shape_kji).all())


def _is_set(mask_kji: NDArray, index_kji: NDArray) -> bool:
    return _inside(index_kji, mask_kji.shape) and bool(mask_kji[tuple(index_kji)])
