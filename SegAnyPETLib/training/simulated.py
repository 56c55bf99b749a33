"""Endless simulated windows: uptake, lesions and scanner are drawn anew for every window.

Only the window is painted, at its own voxel size; a whole-body volume is never made.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.simulation.anatomy import Anatomy
from SegAnyPETLib.simulation.lesions import lesion_shape, lesion_suv, lesion_uptake
from SegAnyPETLib.simulation.painting import paint
from SegAnyPETLib.simulation.scanner import Scanner
from SegAnyPETLib.simulation.tissues import Tissue, draw_uptake
from SegAnyPETLib.training.sample import MIN_VOXELS, Sample, drawn_until_seen

#: Organs asked for as targets, with their relative frequency.
ORGAN_TARGETS = {
    Tissue.SPLEEN: 1.0,
    Tissue.KIDNEYS: 1.5,
    Tissue.LIVER: 1.5,
    Tissue.BLADDER: 1.2,
    Tissue.LUNGS: 0.3,
    Tissue.BRAIN: 1.2,
    Tissue.HEART: 1.5,
    Tissue.STOMACH: 0.4,
    Tissue.PROSTATE: 0.2,
    Tissue.HEAD_GLANDS: 0.5,
}
#: Paired organs are one target as often as each side is a target of its own.
PAIR_SHARE = 0.25
#: Finest voxel size of windows in mm, drawn between these.
FINEST_MM = (1.6, 2.4)
#: Coarsest voxel size of windows in mm.
COARSEST_MM = 6.8
#: Share of windows at about the voxel size of a session's first look, whatever the target's size.
FIRST_LOOK_SHARE = 0.35
#: Voxel size of a session's first look, in mm.
FIRST_LOOK_MM = 4.0
#: Share of lesions that lie around the head and the neck, where hot organs are near.
NECK_SHARE = 0.35
#: Share of lesion windows with neighbouring lesions.
NEIGHBOUR_SHARE = 0.65
#: Maximum number of neighbouring lesions.
MAX_NEIGHBOURS = 5


class SimulatedWindows:
    """Draws windows from anatomies.

    Args:
        anatomies: tissue maps to draw from.
        size: voxels per side of a window.
        organ_share: share of windows whose target is an organ; the others' is a lesion.
        spacing_mm: voxel size of all windows; None where it goes with the target.
    """

    def __init__(
        self, anatomies: list[Anatomy], size: int, organ_share: float, spacing_mm: float | None = None
    ) -> None:
        self.anatomies = anatomies
        self.size = size
        self.organ_share = organ_share
        self.spacing_mm = spacing_mm

    def draw(self, rng: np.random.Generator) -> Sample:
        """A new window; one whose target would be too small to see is drawn again.

        Raises:
            InputError: no anatomy shows a target.
        """
        return drawn_until_seen(
            lambda: self._window(rng), "give organ maps with larger organs, or windows of smaller voxels"
        )

    def _window(self, rng: np.random.Generator) -> Sample | None:
        anatomy = self.anatomies[int(rng.integers(len(self.anatomies)))]
        make = self._organ if rng.random() < self.organ_share else self._lesion
        return make(anatomy, rng)

    def _organ(self, anatomy: Anatomy, rng: np.random.Generator) -> Sample | None:
        weights = np.array(list(ORGAN_TARGETS.values()))
        organ = list(ORGAN_TARGETS)[int(rng.choice(len(weights), p=weights / weights.sum()))]
        places = np.argwhere(anatomy.tissues[::4, ::4, ::4] == organ) * 4
        if len(places) == 0:
            return None
        click = places[int(rng.integers(len(places)))]
        extent = (np.ptp(places, axis=0) + 4) * anatomy.spacing_mm
        spacing = self.spacing_mm or draw_spacing(extent.max() * rng.uniform(1.0, 2.2), self.size, rng)
        middle = places.mean(0) if rng.random() < 0.5 else click
        tissues = self._cut(anatomy, middle, spacing, rng)
        target = tissues == organ
        if rng.random() > PAIR_SHARE and organ in (Tissue.KIDNEYS, Tissue.LUNGS, Tissue.HEAD_GLANDS):
            target = _component(target, rng)
        activity = self._paint(tissues, spacing, rng)
        if rng.random() < 0.3:
            self._add_neighbours(activity, tissues, np.full(3, self.size / 2), spacing, rng, 40.0, spare=target)
        return self._sample(activity, target, spacing, "organ", rng)

    def _lesion(self, anatomy: Anatomy, rng: np.random.Generator) -> Sample | None:
        radius_mm = float(np.exp(rng.uniform(np.log(3.5), np.log(70.0) if rng.random() < 0.3 else np.log(22.0))))
        middle = self._lesion_place(anatomy, rng)
        if middle is None:
            return None
        spread = 2 * radius_mm * np.exp(rng.uniform(np.log(1.3), np.log(7.0)))
        spacing = self.spacing_mm or draw_spacing(spread, self.size, rng)
        tissues = self._cut(anatomy, middle, spacing, rng)
        activity = self._paint(tissues, spacing, rng)
        center = self.size / 2 + rng.normal(0, 0.06 * self.size, 3)
        shape = (self.size,) * 3
        target = lesion_shape(shape, center, radius_mm, (spacing,) * 3, rng) & (tissues != Tissue.AIR)
        around = activity[ndimage.binary_dilation(target, iterations=2) & ~target]
        if target.sum() < MIN_VOXELS or around.size == 0:
            return None
        suv = lesion_suv(float(np.median(around)), rng)
        if rng.random() < NEIGHBOUR_SHARE:
            self._add_neighbours(activity, tissues, center, spacing, rng, radius_mm, spare=target, suv=suv)
        activity[target] = lesion_uptake(target, suv, radius_mm, (spacing,) * 3, rng)[target]
        return self._sample(activity, target, spacing, "lesion", rng)

    def _lesion_place(self, anatomy: Anatomy, rng: np.random.Generator) -> NDArray | None:
        tissues = anatomy.tissues
        head = np.flatnonzero((tissues == Tissue.HEAD_GLANDS).any((1, 2)))
        brain = np.flatnonzero((tissues == Tissue.BRAIN).any((1, 2)))
        levels = (0, tissues.shape[0])
        if rng.random() < NECK_SHARE and (head.size or brain.size):
            top = brain[0] + 4 if brain.size else head[-1] + 1
            top = min(int(top), tissues.shape[0])
            levels = (max(top - int(180 / anatomy.spacing_mm[0]), 0), top)
        for _ in range(50):
            place = rng.integers((levels[0], 0, 0), (levels[1], *tissues.shape[1:]))
            if tissues[tuple(place)] not in (Tissue.AIR, Tissue.FAT, Tissue.BRAIN):
                return place
        return None

    def _cut(self, anatomy: Anatomy, middle: NDArray, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.uint8]:
        """Nearest-neighbour window of the tissues, stretched and flipped at random."""
        index, inside = [], []
        for axis in range(3):
            stretch = rng.uniform(0.88, 1.14) * (-1 if axis != 0 and rng.random() < 0.5 else 1)
            steps = (np.arange(self.size) - self.size // 2) * spacing_mm * stretch / anatomy.spacing_mm[axis]
            position = np.rint(middle[axis] + steps).astype(int)
            valid = (position >= 0) & (position < anatomy.tissues.shape[axis])
            index.append(np.clip(position, 0, anatomy.tissues.shape[axis] - 1))
            inside.append(valid)
        cut = anatomy.tissues[np.ix_(*index)]
        return np.where(inside[0][:, None, None] & inside[1][:, None] & inside[2], cut, np.uint8(Tissue.AIR))

    def _paint(self, tissues: NDArray, spacing_mm: float, rng: np.random.Generator) -> NDArray[np.float32]:
        uptake = draw_uptake("fdg" if rng.random() < 0.75 else "psma", rng)
        return paint(tissues, uptake, (spacing_mm,) * 3, rng, myocardium=rng.random() < 0.3)

    def _add_neighbours(
        self,
        activity: NDArray,
        tissues: NDArray,
        center: NDArray,
        spacing_mm: float,
        rng: np.random.Generator,
        radius_mm: float,
        spare: NDArray,
        suv: float | None = None,
    ) -> None:
        """Other hot spots, some of them touching the target; the target itself is spared."""
        for _ in range(int(rng.integers(1, MAX_NEIGHBOURS + 1))):
            radius = float(np.exp(rng.uniform(np.log(3.5), np.log(20.0))))
            direction = rng.normal(size=3)
            distance_mm = (radius_mm + radius) * rng.uniform(0.9, 1.4) if rng.random() < 0.5 else rng.uniform(20, 90)
            place = center + direction / np.linalg.norm(direction) * distance_mm / spacing_mm
            mask = lesion_shape(activity.shape, place, radius, (spacing_mm,) * 3, rng) & (tissues != Tissue.AIR)
            mask &= ~spare
            level = suv * float(np.exp(rng.normal(0, 0.5))) if suv is not None else lesion_suv(1.0, rng)
            activity[mask] = level

    def _sample(
        self, activity: NDArray, target: NDArray, spacing_mm: float, kind: str, rng: np.random.Generator
    ) -> Sample:
        image = Scanner.draw(rng).image(activity, (spacing_mm,) * 3, rng)
        voxel_mm = rng.uniform(1.6, 5.5)
        if voxel_mm > spacing_mm * 1.2:
            image = revoxel(image, voxel_mm / spacing_mm)
        return Sample(image, target, spacing_mm, kind)


def draw_spacing(spread_mm: float, size: int, rng: np.random.Generator) -> float:
    """Voxel size of a window: often that of a first look, else one at which ``spread_mm`` fills the window."""
    if rng.random() < FIRST_LOOK_SHARE:
        return FIRST_LOOK_MM * float(rng.uniform(0.9, 1.1))
    return float(np.clip(spread_mm / size, rng.uniform(*FINEST_MM), COARSEST_MM))


def revoxel(image: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """The image as if its scanner's voxels were ``factor`` times larger, interpolated back to its own grid."""
    coarse = [max(4, round(n / factor)) for n in image.shape]
    small = ndimage.zoom(
        image, [c / n for c, n in zip(coarse, image.shape, strict=True)], order=1, grid_mode=True, mode="nearest"
    )
    return ndimage.zoom(
        small, [n / c for c, n in zip(small.shape, image.shape, strict=True)], order=1, grid_mode=True, mode="nearest"
    )


def _component(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """One connected component, drawn in proportion to its size."""
    voxels = np.flatnonzero(mask)
    if voxels.size == 0:
        return mask
    labels, _ = ndimage.label(mask)
    return labels == labels.ravel()[rng.choice(voxels)]
