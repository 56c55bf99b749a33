"""Refusal of targets that no object can hold."""

from __future__ import annotations

from collections.abc import Sequence

from SegAnyPETLib.dicom_out.source import SourceSeries
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.errors import InputError


def check_targets(source: SourceSeries, targets: Sequence[Target]) -> None:
    """Refuse masks that have no voxel or another grid, and no mask at all.

    Raises:
        InputError: with the name of the target.
    """
    if not targets:
        raise InputError("there is no segment to write")
    for target in targets:
        if target.segment.mask_kji.shape != source.volume.shape_kji:
            raise InputError(f"the mask of '{target.label}' does not fit the volume's grid")
        if not target.segment.mask_kji.any():
            raise InputError(f"the mask of '{target.label}' has no voxel, there is nothing to write")
