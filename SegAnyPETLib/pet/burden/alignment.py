"""Rigid alignment of two scans of a patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from numpy.typing import ArrayLike, NDArray

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.volume.sitk_bridge import LPS_FLIP, to_image
from SegAnyPETLib.volume.volume import Volume, apply_matrix

#: Scans are aligned in voxels of this size: lesions are matched within centimetres, not millimetres.
VOXEL_MM = 8.0
#: Uptake above this counts as this much, so that bladder and lesions, which change, do not lead.
MAX_SUV = 3.0
#: The body is where SUV exceeds this.
BODY_SUV = 0.2
LEVELS = (4, 2, 1)
ITERATIONS = 60


@dataclass(frozen=True, eq=False)
class Alignment:
    """Where points of one scan lie in another.

    Attributes:
        matrix: 4x4, rigid, from RAS mm of the first scan to RAS mm of the second.
        overlap: Dice of the two bodies after it, where both scans look; 1 for a scan with itself.
    """

    matrix: NDArray[np.float64]
    overlap: float

    def points_ras(self, points_ras: ArrayLike) -> NDArray:
        """Return where points of the first scan lie in the second, both in RAS mm."""
        return apply_matrix(self.matrix, points_ras)


def align(before: Volume, after: Volume) -> Alignment:
    """Align two scans rigidly, by their mutual information, from coarse to fine.

    Args:
        before: the first PET in SUV.
        after: the second one.

    Raises:
        SegAnyPETError: the scans have nothing in common.
    """
    fixed, moving = _coarse(after), _coarse(before)
    try:
        backward = _registered(fixed, moving)
    except RuntimeError as error:
        raise SegAnyPETError("the two scans cannot be aligned; they may show different parts of the body") from error
    # The transform takes points of the second scan to the first one, in LPS mm.
    backwards = np.eye(4)
    center, shift = np.array(backward.GetCenter()), np.array(backward.GetTranslation())
    backwards[:3, :3] = np.reshape(backward.GetMatrix(), (3, 3))
    backwards[:3, 3] = center + shift - backwards[:3, :3] @ center
    matrix = LPS_FLIP @ np.linalg.inv(backwards) @ LPS_FLIP
    return Alignment(matrix, _overlap(fixed, moving, backward))


def _registered(fixed: sitk.Image, moving: sitk.Image) -> sitk.Euler3DTransform:
    """Return the transform from points of the fixed image to the moving one.

    Raises:
        RuntimeError: the images are empty or do not overlap.
    """
    start = sitk.Euler3DTransform(
        sitk.CenteredTransformInitializer(
            fixed, moving, sitk.Euler3DTransform(), sitk.CenteredTransformInitializerFilter.MOMENTS
        )
    )
    method = sitk.ImageRegistrationMethod()
    method.SetMetricAsMattesMutualInformation(32)
    method.SetInterpolator(sitk.sitkLinear)
    method.SetOptimizerAsRegularStepGradientDescent(4.0, 0.05, ITERATIONS, relaxationFactor=0.5)
    method.SetOptimizerScalesFromPhysicalShift()
    method.SetShrinkFactorsPerLevel(LEVELS)
    method.SetSmoothingSigmasPerLevel([level * VOXEL_MM / 2 for level in LEVELS])
    method.SmoothingSigmasAreSpecifiedInPhysicalUnitsOn()
    method.SetInitialTransform(start, inPlace=True)
    method.Execute(fixed, moving)
    return start


def _coarse(volume: Volume) -> sitk.Image:
    """Return a scan in coarse voxels, each the mean of what it covers, as far as whole voxels go."""
    image = sitk.Cast(to_image(volume), sitk.sitkFloat32)
    factors = [max(1, round(VOXEL_MM / step)) for step in volume.spacing_mm]
    factors = [min(factor, size) for factor, size in zip(factors, image.GetSize(), strict=True)]
    return sitk.Clamp(sitk.BinShrink(image, factors), sitk.sitkFloat32, 0.0, MAX_SUV)


def _overlap(fixed: sitk.Image, moving: sitk.Image, transform: sitk.Transform) -> float:
    nothing = -1.0
    moved = sitk.GetArrayFromImage(sitk.Resample(moving, fixed, transform, sitk.sitkLinear, nothing))
    seen = moved != nothing
    first, second = moved[seen] > BODY_SUV, sitk.GetArrayFromImage(fixed)[seen] > BODY_SUV
    sizes = int(first.sum()) + int(second.sum())
    return 2.0 * int((first & second).sum()) / sizes if sizes else 0.0
