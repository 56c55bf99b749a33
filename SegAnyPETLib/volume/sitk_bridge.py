"""Volumes to and from SimpleITK images, whose world is LPS millimetres."""

from __future__ import annotations

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from SegAnyPETLib.volume.volume import Volume

#: From RAS to LPS millimetres and back: the first two axes point the other way.
LPS_FLIP = np.diag([-1.0, -1.0, 1.0, 1.0])


def image_matrix(image: sitk.Image | sitk.ImageFileReader) -> NDArray:
    """4x4 IJK-to-RAS matrix of a 3-D SimpleITK image, or of the header that a reader has read."""
    direction = np.reshape(image.GetDirection(), (image.GetDimension(), -1))[:3, :3]
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = direction * np.array(image.GetSpacing()[:3])
    ijk_to_lps[:3, 3] = image.GetOrigin()[:3]
    return LPS_FLIP @ ijk_to_lps


def to_image(volume: Volume) -> sitk.Image:
    """Convert a volume to a SimpleITK image of the same voxels and geometry; bool becomes 8-bit unsigned."""
    array = volume.array_kji.astype(np.uint8) if volume.array_kji.dtype == np.bool_ else volume.array_kji
    image = sitk.GetImageFromArray(np.ascontiguousarray(array))
    set_geometry(image, volume)
    return image


def set_geometry(image: sitk.Image, volume: Volume) -> None:
    """Give an image of the same size the geometry of a volume, in place."""
    ijk_to_lps = LPS_FLIP @ volume.ijk_to_ras
    image.SetOrigin(ijk_to_lps[:3, 3].tolist())
    image.SetSpacing(volume.spacing_mm.tolist())
    image.SetDirection((ijk_to_lps[:3, :3] / volume.spacing_mm).ravel().tolist())


def from_image(image: sitk.Image) -> Volume:
    """Convert a scalar 3-D image to a volume of the same voxels (copied) and geometry.

    Raises:
        InputError: the image is not 3-D or its axes are sheared.
    """
    return Volume(sitk.GetArrayFromImage(image), image_matrix(image))
