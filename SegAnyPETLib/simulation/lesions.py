"""Shapes of simulated lesions."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial.transform import Rotation

#: Share of lesions with a cold core.
COLD_CORE_SHARE = 0.25
#: Smallest radius of a lesion that has room for a cold core.
COLD_CORE_RADIUS_MM = 12.0
#: Depth in mm from which on a lesion is textured.
TEXTURED_DEPTH_MM = 3.0
#: Depth in mm from which on a lesion may be necrotic.
NECROTIC_DEPTH_MM = 12.0
#: Share of necrotic lesions among those deep enough.
NECROTIC_SHARE = 0.4
#: Share of lesions that fade into their host.
FADING_SHARE = 0.5
#: Width of the fading in mm, drawn between these.
FADE_MM = (1.0, 4.0)
#: Share of lesions of low contrast.
FAINT_SHARE = 0.25
#: Minimum SUV of a lesion of low contrast.
FAINT_SUV = 0.8


def lesion_shape(
    shape_kji: tuple[int, int, int],
    center_kji: ArrayLike,
    radius_mm: float,
    spacing_kji: ArrayLike,
    rng: np.random.Generator,
) -> NDArray[np.bool_]:
    """Draw a lesion: one to three overlapping ellipsoids with a bumpy surface.

    Args:
        shape_kji: shape of the array to make.
        center_kji: index of its middle.
        radius_mm: mean radius.
        spacing_kji: voxel size along k, j and i in mm.
        rng: source of randomness.
    """
    spacing = np.asarray(spacing_kji, dtype=float)
    center = np.asarray(center_kji, dtype=float)
    mask = np.zeros(shape_kji, dtype=bool)
    lobes = 1 + int(rng.random() < 0.35) + int(rng.random() < 0.15)
    for lobe in range(lobes):
        radii = radius_mm * np.exp(rng.normal(0, 0.25, 3)) * (1.0 if lobe == 0 else rng.uniform(0.4, 0.8))
        shift = np.zeros(3) if lobe == 0 else rng.normal(0, 1, 3)
        shift *= radius_mm * rng.uniform(0.6, 1.1) / max(float(np.linalg.norm(shift)), 1e-6)
        _add_ellipsoid(mask, center + shift / spacing, radii, spacing, rng)
    return mask


def _add_ellipsoid(
    mask: NDArray, center: NDArray, radii_mm: NDArray, spacing: NDArray, rng: np.random.Generator
) -> None:
    reach = np.ceil(1.5 * radii_mm.max() / spacing).astype(int)
    low = np.maximum(np.floor(center).astype(int) - reach, 0)
    high = np.minimum(np.floor(center).astype(int) + reach + 1, mask.shape)
    if (high <= low).any():
        return
    axes = [(np.arange(a, b) - c) * s for a, b, c, s in zip(low, high, center, spacing, strict=True)]
    offsets = np.stack(np.meshgrid(*axes, indexing="ij"), -1)
    rotated = offsets @ Rotation.random(random_state=rng).as_matrix()
    radius = np.linalg.norm(rotated / radii_mm, axis=-1)
    bumps = smooth_noise(radius.shape, radii_mm.mean() / spacing * 0.7, rng)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    mask[box] |= radius < 1 + rng.uniform(0, 0.25) * bumps


def lesion_uptake(
    mask: NDArray[np.bool_], suv: float, radius_mm: float, spacing_kji: ArrayLike, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Uptake inside a lesion: heterogeneous, sometimes with a cold core.

    Returns:
        float32 array of SUV; read it inside the mask only.
    """
    spacing = np.asarray(spacing_kji, dtype=float)
    uptake = np.full(mask.shape, suv, dtype=np.float32)
    if radius_mm > 8:
        texture = smooth_noise(mask.shape, np.maximum(0.45 * radius_mm / spacing, 1.0), rng)
        uptake *= np.exp(rng.uniform(0.0, 0.5) * texture)
    if radius_mm > COLD_CORE_RADIUS_MM and rng.random() < COLD_CORE_SHARE:
        depth = ndimage.distance_transform_edt(mask, sampling=spacing)
        core = depth > depth.max() * rng.uniform(0.3, 0.7)
        uptake[core] *= rng.uniform(0.1, 0.6)
    return uptake


def lesion_suv(background: float, rng: np.random.Generator) -> float:
    """Uptake of a lesion: SUV 1.5 to 25, and at least half again as much as its surroundings."""
    return max(float(np.exp(rng.uniform(np.log(1.5), np.log(25.0)))), background * rng.uniform(1.5, 4.0))


def varied_uptake(
    mask: NDArray[np.bool_], host: NDArray[np.float32], suv: float, spacing_kji: ArrayLike, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Uptake of a lesion as uneven as in patients: textured, fading into its host, with a cold part off its middle.

    Against real tumours those of `lesion_uptake` are half as uneven: the deviation within is 0.21 of the mean, in
    patients 0.31 to 0.45.

    Args:
        mask: the lesion (k, j, i).
        host: SUV of what it grows in, same shape.
        suv: uptake of its inner part.
        spacing_kji: voxel size in mm.
        rng: source of randomness.

    Returns:
        float32 array of SUV; read it inside the mask only.
    """
    spacing = np.asarray(spacing_kji, dtype=float)
    depth = ndimage.distance_transform_edt(mask, sampling=spacing).astype(np.float32)
    deepest = max(float(depth.max()), 1.0)
    uptake = np.full(mask.shape, suv, dtype=np.float32)
    if deepest > TEXTURED_DEPTH_MM:
        scale = np.maximum(rng.uniform(0.3, 0.9) * deepest / spacing, 1.0)
        uptake *= np.exp(np.float32(rng.uniform(0.05, 0.45)) * smooth_noise(mask.shape, scale, rng))
    if deepest > NECROTIC_DEPTH_MM and rng.random() < NECROTIC_SHARE:
        field = depth / deepest + np.float32(0.5) * smooth_noise(mask.shape, np.maximum(deepest / spacing, 1.0), rng)
        cold = mask & (field > np.quantile(field[mask], rng.uniform(0.4, 0.9)))
        uptake[cold] *= np.float32(rng.uniform(0.1, 0.6))
    fade_mm = rng.uniform(*FADE_MM) if rng.random() < FADING_SHARE else 0.0
    if fade_mm:
        share = np.clip((depth + fade_mm) / (2 * min(fade_mm, deepest) + fade_mm), 0.3, 1.0)
        uptake = host + share * (uptake - host)
    return uptake.astype(np.float32)


def varied_suv(background: float, rng: np.random.Generator) -> float:
    """Uptake of a lesion, one in four hardly above its surroundings."""
    if rng.random() < FAINT_SHARE:
        return max(background * rng.uniform(1.4, 2.2), FAINT_SUV)
    return lesion_suv(background, rng)


def largest_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest of the parts that touch over faces; the mask itself if it has no more than one."""
    labels, count = ndimage.label(mask)
    if count < 2:
        return mask
    return labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))


def smooth_noise(shape: tuple[int, ...], scale_voxels: ArrayLike, rng: np.random.Generator) -> NDArray[np.float32]:
    """Random field of about unit deviation and a correlation length of ``scale_voxels`` per axis.

    It is made on a coarse grid and interpolated, which costs little for long correlations.
    """
    scale = np.broadcast_to(np.maximum(np.asarray(scale_voxels, dtype=float), 1.0), (3,))
    coarse = rng.normal(size=[int(np.ceil(n / s)) + 2 for n, s in zip(shape, scale, strict=True)]).astype(np.float32)
    field = coarse
    for axis, (n, s) in enumerate(zip(shape, scale, strict=True)):
        position = np.arange(n) / s + rng.random()
        lower = position.astype(int)
        weight = (position - lower).astype(np.float32).reshape([-1 if a == axis else 1 for a in range(3)])
        field = np.take(field, lower, axis) * (1 - weight) + np.take(field, lower + 1, axis) * weight
    return field * np.float32(1.5)
