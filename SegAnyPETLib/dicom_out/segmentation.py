"""DICOM SEG: the masks of targets as frames that refer to the slices of the PET (DICOM PS3.3, A.51)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from highdicom import UID, AlgorithmIdentificationSequence
from highdicom.color import CIELabColor
from highdicom.seg import SegmentAlgorithmTypeValues, Segmentation, SegmentationTypeValues, SegmentDescription
from numpy.typing import NDArray

from SegAnyPETLib.dicom_out.checks import check_targets
from SegAnyPETLib.dicom_out.equipment import (
    FOR_RESEARCH,
    MANUFACTURER,
    MODEL_NAME,
    QUALIFICATION,
    SEGMENTATION_SERIES,
    SERIAL_NUMBER,
)
from SegAnyPETLib.dicom_out.making import making
from SegAnyPETLib.dicom_out.source import UTF8, SourceSeries
from SegAnyPETLib.dicom_out.target import Target, terminology_of
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE


def segmentation_of(source: SourceSeries, targets: Sequence[Target], label_map: bool = False) -> Segmentation:
    """Make a DICOM SEG with one segment per target.

    Args:
        source: the PET.
        targets: at least one; masks on the PET's grid, each with a voxel. They may overlap unless it is a label map.
        label_map: whether it is a label map (DICOM PS3.3, A.51, since 2024) rather than binary.

    Returns:
        The object, with frames for the slices that have a voxel; their positions are those of the PET's slices.

    Raises:
        InputError: a mask has no voxel or does not fit the grid, masks of a label map overlap, or the tags of the
            series do not allow it.
    """
    check_targets(source, targets)
    pixels = _pixels(targets, source.volume.shape_kji)
    if label_map and pixels.ndim > 3:
        raise InputError("a DICOM label map cannot hold segments that overlap; ask for a .dcm (SEG) instead")
    with making("DICOM SEG"):
        made = Segmentation(
            source_images=source.headers,
            pixel_array=pixels,
            segmentation_type=SegmentationTypeValues.LABELMAP if label_map else SegmentationTypeValues.BINARY,
            segment_descriptions=[_description(n, target) for n, target in enumerate(targets, start=1)],
            series_instance_uid=UID(),
            series_number=SEGMENTATION_SERIES,
            sop_instance_uid=UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL_NAME,
            software_versions=targets[0].algorithm.version,
            device_serial_number=SERIAL_NUMBER,
            series_description=f"Segments, {FOR_RESEARCH}",
            content_label="SEGANYPET",
            content_description=NOTICE,
            content_qualification=QUALIFICATION,
            specific_character_set=UTF8,
        )
        made.ContentCreatorName = ""  # it must be there, and nobody is known
    return made


def _pixels(targets: Sequence[Target], shape_kji: tuple[int, int, int]) -> NDArray:
    """Label map (k, j, i) if targets do not overlap, which takes less memory, else masks (k, j, i, target)."""
    labels = np.zeros(shape_kji, np.uint8 if len(targets) < 256 else np.uint16)
    for value, target in enumerate(targets, start=1):
        mask_kji = target.segment.mask_kji
        if labels[mask_kji].any():
            return np.stack([each.segment.mask_kji for each in targets], axis=-1).astype(np.uint8)
        labels[mask_kji] = value
    return labels


def _description(number: int, target: Target) -> SegmentDescription:
    terms, algorithm = terminology_of(target.segment), target.algorithm
    return SegmentDescription(
        segment_number=number,
        segment_label=target.label,
        segmented_property_category=terms.category,
        segmented_property_type=terms.kind,
        algorithm_type=SegmentAlgorithmTypeValues.SEMIAUTOMATIC,
        algorithm_identification=AlgorithmIdentificationSequence(
            algorithm.name,
            algorithm.family,
            algorithm.version,
            MANUFACTURER,
            algorithm.parameters,
        ),
        tracking_uid=target.tracking_uid,
        tracking_id=target.label,
        display_color=CIELabColor.from_rgb(*(round(255 * part) for part in target.segment.color)),
    )
