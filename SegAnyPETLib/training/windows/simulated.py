"""Endless simulated windows: uptake, lesions and scanner are drawn anew for every window.

Only the window is painted, at its own voxel size; a whole-body volume is never made.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.simulation.anatomy import Anatomy
from SegAnyPETLib.simulation.details import Detail, detail_uptake, organ_mask
from SegAnyPETLib.simulation.lesions import lesion_shape, lesion_suv, varied_suv, varied_uptake
from SegAnyPETLib.simulation.painting import paint
from SegAnyPETLib.simulation.scanner import Scanner
from SegAnyPETLib.simulation.tissues import Tissue, draw_uptake
from SegAnyPETLib.training.windows.degraded_reference import degraded_reference
from SegAnyPETLib.training.windows.sample import MIN_VOXELS, Sample, drawn_until_seen

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
#: Share of windows whose voxel size is drawn whatever the target's size: a window must not tell it.
ANY_SPACING_SHARE = 0.65
#: Voxel sizes of these in mm, drawn between these.
ANY_SPACING_MM = (2.0, 6.5)
#: Share of lesion windows in which some of the neighbouring lesions are shown as finished segments.
FINISHED_SHARE = 0.3
#: Share of lesions that lie around the head and the neck, where hot organs are near.
NECK_SHARE = 0.35
#: Share of lesions at the rim of an organ that may be hot.
RIM_SHARE = 0.25
#: Organs that may be hot.
HOT_ORGANS = (Tissue.BRAIN, Tissue.BLADDER, Tissue.HEART, Tissue.KIDNEYS, Tissue.HEAD_GLANDS)
#: What the middle of a lesion does not lie in.
NO_HOSTS = (Tissue.AIR, Tissue.FAT, Tissue.BRAIN, Detail.WHITE_MATTER, Detail.VENTRICLES)
#: The upper quarter of a lesion has at least this many times the median uptake around it; a fainter one is not clicked.
MIN_SEEN = 1.15
#: Share of neighbourhoods that are a chain of small nodes.
CHAIN_SHARE = 0.35
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
        """Draw a new window, again if its target would be too small to see.

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
        places = np.argwhere(organ_mask(anatomy.tissues[::4, ::4, ::4], organ)) * 4
        if len(places) == 0:
            return None
        click = places[int(rng.integers(len(places)))]
        extent = (np.ptp(places, axis=0) + 4) * anatomy.spacing_mm
        spacing = self.spacing_mm or draw_spacing(extent.max() * rng.uniform(1.0, 2.2), self.size, rng)
        middle = places.mean(0) if rng.random() < 0.5 else click
        tissues = self._cut(anatomy, middle, spacing, rng)
        target = organ_mask(tissues, organ)
        if rng.random() > PAIR_SHARE and organ in (Tissue.KIDNEYS, Tissue.LUNGS, Tissue.HEAD_GLANDS):
            target = _component(target, rng)
        activity = self._paint(tissues, spacing, rng)
        if rng.random() < 0.3:
            self._add_neighbours(activity, tissues, np.full(3, self.size / 2), spacing, rng, 40.0, spare=target)
        return self._sample(activity, target, spacing, "organ", rng)

    def _lesion(self, anatomy: Anatomy, rng: np.random.Generator) -> Sample | None:
        radius_mm = float(np.exp(rng.uniform(np.log(3.5), np.log(70.0) if rng.random() < 0.3 else np.log(22.0))))
        middle = self._rim_place(anatomy, radius_mm, rng) if rng.random() < RIM_SHARE else None
        middle = middle if middle is not None else self._lesion_place(anatomy, rng)
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
        suv = varied_suv(float(np.median(around)), rng)
        host = activity.copy()
        neighbours: list[NDArray[np.bool_]] = []
        if rng.random() < NEIGHBOUR_SHARE:
            neighbours = self._add_neighbours(activity, tissues, center, spacing, rng, radius_mm, spare=target, suv=suv)
        activity[target] = varied_uptake(target, host, suv, (spacing,) * 3, rng)[target]
        sample = self._sample(activity, target, spacing, "lesion", rng)
        if not _is_seen(sample):
            return None
        return replace(sample, not_target=_finished(neighbours, target, rng))

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
            if tissues[tuple(place)] not in NO_HOSTS:
                return place
        return None

    def _rim_place(self, anatomy: Anatomy, radius_mm: float, rng: np.random.Generator) -> NDArray | None:
        """Draw a position beside a hot organ, little more than the lesion's radius away at most; None if none fits."""
        organ = HOT_ORGANS[int(rng.integers(len(HOT_ORGANS)))]
        voxels = np.argwhere(organ_mask(anatomy.tissues[::2, ::2, ::2], organ)) * 2
        if not len(voxels):
            return None
        place = voxels[int(rng.integers(len(voxels)))].astype(float)
        direction = rng.normal(size=3)
        direction /= np.linalg.norm(direction) * np.array(anatomy.spacing_mm)  # voxels per mm
        inside = organ_mask(anatomy.tissues, organ)
        while _holds(inside, place):
            place += 3.0 * direction
        place = np.rint(place + rng.uniform(0.3, 1.2) * radius_mm * direction).astype(int)
        within = ((place >= 0) & (place < anatomy.tissues.shape)).all()
        return place if within and anatomy.tissues[tuple(place)] not in NO_HOSTS else None

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
        tracer = "fdg" if rng.random() < 0.75 else "psma"
        return paint(tissues, detail_uptake(draw_uptake(tracer, rng), tracer, rng), (spacing_mm,) * 3, rng)

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
    ) -> list[NDArray[np.bool_]]:
        """Add other hot spots, some of them touching the target; the target itself is spared.

        Returns:
            The mask of each.
        """
        masks = []
        chain = rng.random() < CHAIN_SHARE
        direction, last = _unit(rng), radius_mm
        place = np.array(center, dtype=float)
        for _ in range(int(rng.integers(1, MAX_NEIGHBOURS + 1))):
            radius = float(np.exp(rng.uniform(np.log(3.5), np.log(9.0 if chain else 20.0))))
            if chain:  # the next node lies a few mm beyond the last one, about in the same direction
                direction = direction + 0.4 * _unit(rng)
                distance_mm = last + radius + rng.uniform(-2.0, 6.0)
                place = place + direction / np.linalg.norm(direction) * distance_mm / spacing_mm
                last = radius
            else:
                near = rng.random() < 0.5
                distance_mm = (radius_mm + radius) * rng.uniform(0.9, 1.4) if near else rng.uniform(20, 90)
                place = center + _unit(rng) * distance_mm / spacing_mm
            mask = lesion_shape(activity.shape, place, radius, (spacing_mm,) * 3, rng) & (tissues != Tissue.AIR)
            mask &= ~spare
            level = suv * float(np.exp(rng.normal(0, 0.5))) if suv is not None else lesion_suv(1.0, rng)
            activity[mask] = level
            masks.append(mask)
        return masks

    def _sample(
        self, activity: NDArray, target: NDArray, spacing_mm: float, kind: str, rng: np.random.Generator
    ) -> Sample:
        image = Scanner.draw(rng).image(activity, (spacing_mm,) * 3, rng)
        voxel_mm = rng.uniform(1.6, 5.5)
        if voxel_mm > spacing_mm * 1.2:
            image = revoxel(image, voxel_mm / spacing_mm)
        return Sample(image, target, spacing_mm, kind)


def _is_seen(sample: Sample) -> bool:
    """Whether a lesion stands out from what touches it: the median around it is lower than most of the lesion."""
    rim = ndimage.binary_dilation(sample.target, iterations=2) & ~sample.target
    if not rim.any():
        return False
    return bool(np.quantile(sample.image[sample.target], 0.75) > MIN_SEEN * np.median(sample.image[rim]))


def _unit(rng: np.random.Generator) -> NDArray:
    """Draw a direction, (3,)."""
    direction = rng.normal(size=3)
    unit: NDArray = direction / np.linalg.norm(direction)
    return unit


def _holds(mask: NDArray[np.bool_], place: NDArray) -> bool:
    """Whether a mask holds the voxel nearest to a place."""
    index = np.rint(place).astype(int)
    return bool(((index >= 0) & (index < mask.shape)).all() and mask[tuple(index)])


def draw_spacing(spread_mm: float, size: int, rng: np.random.Generator) -> float:
    """Voxel size of a window: mostly any, else one at which ``spread_mm`` fills the window."""
    if rng.random() < ANY_SPACING_SHARE:
        return float(np.exp(rng.uniform(*np.log(ANY_SPACING_MM))))
    return float(np.clip(spread_mm / size, rng.uniform(*FINEST_MM), COARSEST_MM))


def revoxel(image: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    """Return the image as if its scanner's voxels were ``factor`` times larger, interpolated back to its own grid."""
    coarse = [max(4, round(n / factor)) for n in image.shape]
    small = ndimage.zoom(
        image, [c / n for c, n in zip(coarse, image.shape, strict=True)], order=1, grid_mode=True, mode="nearest"
    )
    return ndimage.zoom(
        small, [n / c for c, n in zip(small.shape, image.shape, strict=True)], order=1, grid_mode=True, mode="nearest"
    )


def _finished(
    neighbours: list[NDArray[np.bool_]], target: NDArray[np.bool_], rng: np.random.Generator
) -> NDArray[np.bool_] | None:
    """Draw some of the neighbours as finished segments, which are not without faults; None if none is."""
    shown = [mask for mask in neighbours if mask.any() and rng.random() < 0.7]
    if not shown or rng.random() > FINISHED_SHARE:
        return None
    drawn = np.any([degraded_reference(mask, rng) if rng.random() < 0.5 else mask for mask in shown], axis=0)
    return drawn & ~target if rng.random() < 0.7 else drawn


def _component(mask: NDArray[np.bool_], rng: np.random.Generator) -> NDArray[np.bool_]:
    """One connected component, drawn in proportion to its size."""
    voxels = np.flatnonzero(mask)
    if voxels.size == 0:
        return mask
    labels, _ = ndimage.label(mask)
    return labels == labels.ravel()[rng.choice(voxels)]
