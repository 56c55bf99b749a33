"""A whole-body phantom PET with known organs and lesions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.depth import deepest_voxel
from SegAnyPETLib.simulation.analytic_organs import analytic_organs
from SegAnyPETLib.simulation.anatomy import Anatomy, anatomy_from_organs
from SegAnyPETLib.simulation.lesions import largest_part, lesion_shape, lesion_suv, lesion_uptake
from SegAnyPETLib.simulation.painting import paint
from SegAnyPETLib.simulation.scanner import Scanner
from SegAnyPETLib.simulation.tissues import ORGANS, UPTAKE_SUV, Tissue, draw_uptake
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume

#: A lesion must keep this distance from the others.
LESION_GAP_MM = 6.0
#: So often a place for a lesion is tried.
MIN_TRIES = 200
TRIES_PER_LESION = 40
#: Where lesions are put, and the least by which their uptake exceeds that around them, and at all (SUV).
HOSTS = (Tissue.SOFT, Tissue.LUNGS, Tissue.LIVER, Tissue.MARROW)
MIN_CONTRAST = 2.0
MIN_SUV = 2.5
#: A clinical scanner of middling resolution and noise.
SCANNER = Scanner(resolution_mm=6.0, noise=0.08, noise_grain_mm=5.0)


@dataclass(frozen=True)
class LesionTruth:
    """A lesion of a phantom.

    Attributes:
        label: its value in the lesion map.
        volume_ml: of its voxels.
        suv: mean uptake that was painted, before the scanner.
        click_ras: centre of its deepest voxel, RAS mm.
    """

    label: int
    volume_ml: float
    suv: float
    click_ras: tuple[float, float, float]


@dataclass(frozen=True, eq=False)
class Phantom:
    """A simulated PET and what is in it; all volumes lie on one grid.

    Attributes:
        image: SUV, float32.
        organs: labels 1 to 10 of `Tissue`, uint8.
        lesions: labels from 1, uint8.
        truth: one entry per lesion.
    """

    image: Volume
    organs: Volume
    lesions: Volume
    truth: tuple[LesionTruth, ...]


def make_phantom(seed: int = 0, organ_map: Volume | None = None, tracer: str = "fdg", lesions: int = 6) -> Phantom:
    """Simulate a PET.

    Args:
        seed: equal seeds give equal phantoms.
        organ_map: multi-organ labels 1 to 10; None gives an analytic body.
        tracer: "fdg" or "psma".
        lesions: how many lesions to put in; fewer if there is no room for them.

    Raises:
        InputError: the tracer is not known, or the map is not an organ map.
    """
    if tracer not in UPTAKE_SUV:
        raise InputError(f"unknown tracer {tracer!r}; choose one of: {', '.join(UPTAKE_SUV)}")
    rng = np.random.default_rng(seed)
    anatomy = anatomy_from_organs(organ_map if organ_map is not None else analytic_organs(rng), rng)
    activity = paint(anatomy.tissues, draw_uptake(tracer, rng), anatomy.spacing_mm, rng)
    labels = _add_lesions(activity, anatomy, lesions, rng)
    return scan_phantom(anatomy, activity, labels, rng)


def scan_phantom(
    anatomy: Anatomy, activity: NDArray[np.float32], lesions_kji: NDArray[np.uint8], rng: np.random.Generator
) -> Phantom:
    """Scan an activity in which lesions are painted already.

    Args:
        anatomy: the tissues; what a lesion covers is no longer an organ.
        activity: SUV (k, j, i) on the anatomy's grid, before the scanner.
        lesions_kji: labels from 1 on the same grid, 0 where there is no lesion.
        rng: source of the noise.

    Returns:
        The phantom; the middle of its grid is the origin of RAS.
    """
    image = SCANNER.image(activity, anatomy.spacing_mm, rng)
    matrix = np.diag([*anatomy.spacing_mm[::-1], 1.0])
    matrix[:3, 3] = -matrix[:3, :3] @ (np.array(lesions_kji.shape[::-1]) - 1) / 2
    organs = np.where((lesions_kji == 0) & np.isin(anatomy.tissues, ORGANS), anatomy.tissues, 0).astype(np.uint8)
    lesions = Volume(lesions_kji, matrix)
    truth = tuple(_truth(lesions, activity, int(label)) for label in np.unique(lesions_kji) if label)
    return Phantom(Volume(image, matrix, "SUVbw"), Volume(organs, matrix), lesions, truth)


def _add_lesions(activity: NDArray, anatomy: Anatomy, count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Paint lesions into an activity; returns their labels."""
    spacing = np.array(anatomy.spacing_mm)
    labels = np.zeros(activity.shape, dtype=np.uint8)
    hosts = np.isin(anatomy.tissues, HOSTS)
    for _ in range(max(MIN_TRIES, TRIES_PER_LESION * count)):
        if labels.max() == count:
            break
        place = rng.integers(activity.shape)
        if not hosts[tuple(place)]:
            continue
        radius = float(np.exp(rng.uniform(np.log(5.0), np.log(24.0))))
        reach = np.ceil(2.5 * radius / spacing).astype(int)
        box = Box.around(place, reach).clipped(activity.shape)
        near = box.slices
        mask = largest_part(lesion_shape(box.shape_kji, place - box.low_kji, radius, spacing, rng) & hosts[near])
        gap = ndimage.distance_transform_edt(~mask, sampling=spacing) < LESION_GAP_MM
        if mask.sum() < 8 or labels[near][gap].any():
            continue
        background = float(activity[near][mask].max())
        suv = max(lesion_suv(background, rng), MIN_CONTRAST * background, MIN_SUV)
        activity[near][mask] = lesion_uptake(mask, suv, radius, spacing, rng)[mask]
        labels[near][mask] = labels.max() + 1
    return labels


def _truth(lesions: Volume, activity: NDArray, label: int) -> LesionTruth:
    lesion = MaskPatch.cropped(lesions.array_kji == label)
    deepest = deepest_voxel(lesion.array_kji, lesions.spacing_mm[::-1])
    r, a, s = (float(c) for c in lesions.point_ras(np.add(deepest, lesion.offset_kji)))
    suv = float(activity[lesion.slices][lesion.array_kji].mean())
    return LesionTruth(label, lesion.voxels * lesions.voxel_ml, suv, (r, a, s))
