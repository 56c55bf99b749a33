"""Rasterising a contour of an RTSTRUCT on the grid of a volume, for tests against hand-drawn lesions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pydicom
from matplotlib.path import Path as Polygon
from numpy.typing import NDArray

from SegAnyPETLib.volume.volume import Volume


def mask_from_rtstruct(path: Path, roi_name: str, volume: Volume) -> NDArray[np.bool_]:
    """The voxels (k, j, i) whose centres lie in the planar contours of a region of interest.

    Each contour is filled on the slice (k) nearest to it; where contours overlap on a slice they cut holes (even-odd).
    """
    structure = pydicom.dcmread(path)
    number = next(roi.ROINumber for roi in structure.StructureSetROISequence if roi.ROIName == roi_name)
    contours = next(roi for roi in structure.ROIContourSequence if roi.ReferencedROINumber == number).ContourSequence
    mask = np.zeros(volume.shape_kji, dtype=bool)
    rows, columns = np.indices(volume.shape_kji[1:])
    centers_ij = np.stack([columns.ravel(), rows.ravel()], axis=1)
    for contour in contours:
        points_ras = np.array(contour.ContourData, dtype=float).reshape(-1, 3) * (-1, -1, 1)
        points_kji = volume.index_kji(points_ras)
        k = round(float(points_kji[:, 0].mean()))
        assert np.ptp(points_kji[:, 0]) < 0.5, "the contour does not lie in a slice"
        if 0 <= k < volume.shape_kji[0]:
            mask[k] ^= Polygon(points_kji[:, [2, 1]]).contains_points(centers_ij).reshape(rows.shape)
    return mask
