"""The grid of a series from the tags of its slices.

Geometry follows DICOM PS3.3, C.7.6.2 (Image Plane module): rows and columns from ImageOrientationPatient and
PixelSpacing, slices sorted by ImagePositionPatient along the normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.header import required_number, required_numbers, tag_name
from SegAnyPETLib.volume.sitk_bridge import LPS_FLIP

#: Largest difference of direction cosines, or of pixel spacings in mm, that rounding in the tags explains.
COSINE_TOLERANCE = 1e-3
#: No scanner places a slice farther away from its own origin.
MAX_POSITION_MM = 1e5
#: Slices count as the same position below this share of the usual distance, and as missing between them above the next.
SAME_POSITION = 0.1
MISSING_SLICE = 1.5
#: How far a slice may lie from its place on the uniform grid, as a share of the slice distance. Scanners round
#: positions and move the table unevenly between beds (distances then differ by some percent); at half a voxel a place
#: would be wrong.
PLACE_TOLERANCE = 0.25


def sorted_slices(slices: Sequence[tuple[Path, Dataset]]) -> list[tuple[Path, Dataset]]:
    """Paths and headers of slices by position along the normal.

    Raises:
        InputError: the slices differ in size, direction or pixel spacing.
    """
    first = slices[0][1]
    normal = _axes(first)[2]
    for _, header in slices:
        for keyword in ("Rows", "Columns"):
            if required_number(header, keyword) != required_number(first, keyword):
                raise InputError(f"the slices of the PET series differ in {tag_name(keyword)}; export one whole series")
        for keyword, count in (("ImageOrientationPatient", 6), ("PixelSpacing", 2)):
            difference = np.abs(
                required_numbers(header, keyword, count) - required_numbers(first, keyword, count)
            ).max()
            if difference > COSINE_TOLERANCE:
                raise InputError(f"the slices of the PET series differ in {tag_name(keyword)}; export one whole series")
    return sorted(slices, key=lambda each: float(required_numbers(each[1], "ImagePositionPatient", 3) @ normal))


def ijk_to_ras_of(headers: Sequence[Dataset]) -> NDArray:
    """Build the matrix of sorted slices on a grid of uniform slice distance, their mean.

    Raises:
        InputError: a slice is missing or there twice, or the slices are not on a regular grid.
    """
    first = headers[0]
    axes = _axes(first)
    _check_count(headers)
    positions = np.stack([required_numbers(header, "ImagePositionPatient", 3) for header in headers])
    if np.abs(positions).max() > MAX_POSITION_MM:
        raise InputError(
            f"{tag_name('ImagePositionPatient')} of the PET series is {np.abs(positions).max():.3g} mm; correct it"
        )
    spacing = _slice_spacing(positions, axes[2])
    row_spacing, column_spacing = required_numbers(first, "PixelSpacing", 2)
    if min(row_spacing, column_spacing) <= 0:
        raise InputError(f"{tag_name('PixelSpacing')} of the PET series is not above zero; export the series again")
    ijk_to_lps = np.eye(4)
    ijk_to_lps[:3, :3] = axes.T * (column_spacing, row_spacing, spacing)
    ijk_to_lps[:3, 3] = positions[0]
    return LPS_FLIP @ ijk_to_lps


def _slice_spacing(positions: NDArray, normal: NDArray) -> float:
    """Mean distance in mm of slices that lie on a regular grid.

    Args:
        positions: centres of the first voxels (slices, 3), LPS mm, sorted along the normal.
        normal: unit vector, LPS.

    Raises:
        InputError: a slice is missing or there twice, or the slices are not on a regular grid.
    """
    along = positions @ normal
    gaps = np.diff(along)
    usual = float(np.quantile(gaps, 0.5, method="lower"))
    if gaps.min() < SAME_POSITION * usual or usual <= 0:
        raise InputError("two slices of the PET series lie at the same place; give one static series, each file once")
    if gaps.max() > MISSING_SLICE * usual:
        place = along[int(np.argmax(gaps))]
        raise InputError(
            f"the PET series lacks a slice: a gap of {gaps.max():.2f} mm at {place:.1f} mm where {usual:.2f} mm "
            "is usual; export the whole series"
        )
    spacing = float(np.mean(gaps))
    places = positions[0] + np.outer(np.arange(len(positions)) * spacing, normal)
    if np.abs(positions - places).max() > PLACE_TOLERANCE * spacing:
        raise InputError(
            "the slices of the PET series are not on a regular, perpendicular grid; export it as NIfTI instead"
        )
    return spacing


def _axes(header: Dataset) -> NDArray:
    """Return unit vectors (rows) along i, j and the slice normal in LPS, orthonormal."""
    cosines = required_numbers(header, "ImageOrientationPatient", 6).reshape(2, 3)
    lengths = np.linalg.norm(cosines, axis=1)
    if np.abs(lengths - 1).max() > COSINE_TOLERANCE or abs(cosines[0] @ cosines[1]) > COSINE_TOLERANCE:
        raise InputError(
            f"{tag_name('ImageOrientationPatient')} of the PET series is not perpendicular; export it again"
        )
    along_i = cosines[0] / lengths[0]
    normal = np.cross(along_i, cosines[1])
    normal /= np.linalg.norm(normal)
    return np.stack([along_i, np.cross(normal, along_i), normal])


def _check_count(headers: Sequence[Dataset]) -> None:
    if len(headers) < 2:
        raise InputError("the PET series has a single slice; export the whole series")
    expected = headers[0].get("NumberOfSlices")
    if expected and len(headers) < (count := required_number(headers[0], "NumberOfSlices")):
        raise InputError(f"the PET series has {len(headers)} of its {count:g} slices; export the whole series")
