"""Robot user: clicks as someone would who knows the reference mask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.error_regions import ErrorRegion, error_regions
from SegAnyPETLib.pet.depth import deepest_voxels
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.volume import Volume

RobotKind = Literal["ideal", "noisy", "human"]

#: No hand is off by more than this many standard deviations; draws beyond it are repeated.
JITTER_LIMIT = 2.0
JITTER_DRAWS = 16

#: A first click just outside lies within this distance of the target, or in the nearest voxels.
JUST_OUTSIDE_MM = 4.0


@dataclass(frozen=True)
class Habits:
    """How a robot user deviates from the ideal click; chances are per click, hands are off by a Gaussian per axis.

    Attributes:
        other_region: chance to turn to the smaller error region although a larger one is left.
        anywhere: chance to click anywhere in the region instead of its deepest voxel.
        jitter_mm: standard deviation of the hand.
        stays_inside: whether the hand never leaves the region that it means, however it trembles.
        slip: chance to slip by `slip_mm` instead, in or out of the region.
        slip_mm: standard deviation of a slip.
        first_outside: chance that the first click lies just outside the reference.
        wrong_sign: chance that a later click has the wrong sign.
    """

    other_region: float = 0.0
    anywhere: float = 0.0
    jitter_mm: float = 0.0
    stays_inside: bool = True
    slip: float = 0.0
    slip_mm: float = 0.0
    first_outside: float = 0.0
    wrong_sign: float = 0.0


IDEAL = Habits()
NOISY = Habits(other_region=0.1, anywhere=0.2, jitter_mm=3.0, slip=0.05, slip_mm=6.0)
HUMAN = Habits(other_region=0.1, anywhere=0.3, jitter_mm=4.0, stays_inside=False, first_outside=0.25, wrong_sign=0.05)

HABITS: dict[RobotKind, Habits] = {"ideal": IDEAL, "noisy": NOISY, "human": HUMAN}


class RobotUser:
    """Chooses the next click from the reference mask and the current result.

    The *ideal* robot clicks the deepest voxel of the larger of the two error regions: what was missed (a positive
    click) or what was spilled (a negative one). The deepest voxel has the largest Euclidean distance in mm to the
    outside of its region; what lies outside the volume is outside. Before the first result all of the target is
    missed. Ties, of voxels and of regions, are broken by the seeded generator.

    Idealised robots overestimate performance: people reach a Dice that is 0.07 to 0.09 lower (Marinov et al. 2024,
    arXiv 2404.01816, who add click variation and disagreement between annotators). Two robots deviate in the same
    spirit; their figures are this project's:

    - *noisy* knows the reference and has an unsteady hand, see `NOISY`: its hand is off by 3 mm per axis, cut off at
      6 mm, without leaving the region that it means, but that it slips with a chance of 5 %;
    - *human* does not know the reference exactly, see `HUMAN`: a quarter of its first clicks lie just outside the
      reference, its hand may leave the region, and 5 % of its later clicks have the wrong sign.

    Args:
        kind: ``"ideal"``, ``"noisy"`` or ``"human"``.
        seed: of the generator; equal seeds give equal clicks for equal masks.
        habits: instead of those of the kind.

    Raises:
        InputError: there is no such kind.
    """

    def __init__(
        self, kind: RobotKind = "ideal", seed: int | np.random.SeedSequence = 0, habits: Habits | None = None
    ) -> None:
        if kind not in get_args(RobotKind):
            raise InputError(f"there is no robot user {kind!r}; choose one of {', '.join(get_args(RobotKind))}")
        self.kind = kind
        self.habits = HABITS[kind] if habits is None else habits
        self._random = np.random.default_rng(seed)

    def next_point(self, reference: Volume, current_kji: NDArray | None = None) -> Point | None:
        """Choose the next click, at a voxel's centre.

        Args:
            reference: bool volume of the target.
            current_kji: bool array (k, j, i), the current result on the reference's grid; None before the first one.

        Returns:
            The click, or None if no error is left.

        Raises:
            InputError: the current result is not on the reference's grid.
        """
        regions = error_regions(reference, current_kji)
        if not regions:
            return None
        first = current_kji is None or not current_kji.any()
        region = self._choose_region(regions)
        if first and self._happens(self.habits.first_outside):
            index_kji = self._just_outside(reference)
        else:
            index_kji = self._hit(self._choose_voxel(region, reference.spacing_mm[::-1]), region, reference)
        # A target begins with a positive point, so the first one cannot have the wrong sign.
        positive = region.missed != (not first and self._happens(self.habits.wrong_sign))
        r, a, s = reference.point_ras(index_kji)
        return Point((float(r), float(a), float(s)), positive)

    def _happens(self, chance: float) -> bool:
        """Draw, but only if there is a chance: habits that a kind has not do not change its other draws."""
        return chance > 0 and bool(self._random.random() < chance)

    def _choose_region(self, regions: list[ErrorRegion]) -> ErrorRegion:
        sizes = np.array([region.patch.voxels for region in regions])
        choice = int(self._random.choice(np.flatnonzero(sizes == sizes.max())))
        if len(regions) == 2 and self._happens(self.habits.other_region):
            choice = 1 - choice
        return regions[choice]

    def _choose_voxel(self, region: ErrorRegion, spacing_kji_mm: NDArray) -> NDArray:
        """Index in the grid of the voxel that is meant."""
        mask = region.patch.array_kji
        meant = np.argwhere(mask) if self._happens(self.habits.anywhere) else deepest_voxels(mask, spacing_kji_mm)
        return meant[self._random.integers(len(meant))] + region.patch.offset_kji

    def _hit(self, index_kji: NDArray, region: ErrorRegion, reference: Volume) -> NDArray:
        """Index of the voxel that is hit instead of the one that is meant; the latter if no draw is allowed."""
        slips = self._happens(self.habits.slip)
        deviation_mm = self.habits.slip_mm if slips else self.habits.jitter_mm
        if not deviation_mm:
            return index_kji
        whole = Box.whole(reference.shape_kji)
        for _ in range(JITTER_DRAWS):
            draw = self._random.normal(size=3)
            moved = np.rint(index_kji + draw * deviation_mm / reference.spacing_mm[::-1]).astype(int)
            free = slips or not self.habits.stays_inside
            allowed = bool(whole.contains(moved)) if free else _is_set(region, moved)
            if np.linalg.norm(draw) <= JITTER_LIMIT and allowed:
                return moved
        return index_kji

    def _just_outside(self, reference: Volume) -> NDArray:
        """Index of a voxel beside the target; of its deepest voxel if it fills the volume."""
        spacing_kji_mm = reference.spacing_mm[::-1]
        reach_mm = max(JUST_OUTSIDE_MM, float(spacing_kji_mm.min()))
        box = Box.of_mask(reference.array_kji)
        assert box is not None, "a region has a voxel, so the reference or the mask has"
        box = box.grown(np.ceil(reach_mm / spacing_kji_mm).astype(int)).clipped(reference.shape_kji)
        away_mm = ndimage.distance_transform_edt(~reference.array_kji[box.slices], sampling=spacing_kji_mm)
        outside = np.argwhere((away_mm > 0) & (away_mm <= reach_mm * (1 + 1e-6)))
        if not len(outside):
            outside = deepest_voxels(reference.array_kji[box.slices], spacing_kji_mm)
        return outside[self._random.integers(len(outside))] + box.low_kji


def _is_set(region: ErrorRegion, index_kji: NDArray) -> bool:
    patch = region.patch
    return bool(patch.box.contains(index_kji)) and bool(patch.array_kji[tuple(index_kji - patch.offset_kji)])
