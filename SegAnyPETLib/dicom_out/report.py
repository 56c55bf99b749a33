"""DICOM SR: the quantities of targets as a measurement report that refers to their segments (PS3.16, TID 1500)."""

from __future__ import annotations

from collections.abc import Sequence

from highdicom import UID
from highdicom.seg import Segmentation
from highdicom.sr import (
    AlgorithmIdentification,
    ComprehensiveSR,
    DeviceObserverIdentifyingAttributes,
    Measurement,
    MeasurementReport,
    ObservationContext,
    ObserverContext,
    ReferencedSegment,
    RelationshipTypeValues,
    SourceSeriesForSegmentation,
    TextContentItem,
    TrackingIdentifier,
)
from highdicom.sr import VolumetricROIMeasurementsAndQualitativeEvaluations as VolumetricMeasurements
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from SegAnyPETLib.dicom_out.equipment import (
    DEVICE_UID,
    FOR_RESEARCH,
    MANUFACTURER,
    MODEL_NAME,
    QUALIFICATION,
    REPORT_SERIES,
    SERIAL_NUMBER,
)
from SegAnyPETLib.dicom_out.making import making
from SegAnyPETLib.dicom_out.measures import check_units, measures_of
from SegAnyPETLib.dicom_out.source import UTF8, SourceSeries
from SegAnyPETLib.dicom_out.target import Algorithm, Target, terminology_of
from SegAnyPETLib.notice import NOTICE

TITLE = Code("126003", "DCM", "PET Measurement Report")
PROCEDURE = Code("44136-0", "LN", "PET unspecified body region")


def report_of(
    source: SourceSeries, targets: Sequence[Target], segmentation: Segmentation, remarks: Sequence[str] = ()
) -> ComprehensiveSR:
    """Make a DICOM SR of what targets measure.

    Args:
        source: the PET.
        targets: as in the segmentation, in the same order.
        segmentation: the DICOM SEG of the targets, see `SegAnyPETLib.dicom_out.segmentation.segmentation_of`.
        remarks: doubts about the numbers, one line each; they become comments.

    Returns:
        The object, complete and not verified by anyone.

    Raises:
        InputError: the PET's values are not body-weight SUV, or the tags of the series do not allow it.
    """
    check_units(source.volume.units)
    with making("DICOM SR"):
        content = MeasurementReport(
            observation_context=ObservationContext(observer_device_context=_observer()),
            procedure_reported=PROCEDURE,
            title=TITLE,
            imaging_measurements=[_group(n, target, source, segmentation) for n, target in enumerate(targets, start=1)],
        )
        for text in (NOTICE, *remarks):
            content[0].ContentSequence.append(
                TextContentItem(codes.DCM.Comment, text, relationship_type=RelationshipTypeValues.CONTAINS)
            )
        return ComprehensiveSR(
            evidence=[*source.headers, segmentation],
            content=content,
            series_instance_uid=UID(),
            series_number=REPORT_SERIES,
            sop_instance_uid=UID(),
            instance_number=1,
            manufacturer=MANUFACTURER,
            manufacturer_model_name=MODEL_NAME,
            software_versions=targets[0].algorithm.version,
            device_serial_number=SERIAL_NUMBER,
            series_description=f"Quantities, {FOR_RESEARCH}",
            content_qualification=QUALIFICATION,
            specific_character_set=UTF8,
            is_complete=True,
        )


def _observer() -> ObserverContext:
    return ObserverContext(
        codes.DCM.Device,
        DeviceObserverIdentifyingAttributes(
            DEVICE_UID, name=f"{MODEL_NAME}. {NOTICE}", manufacturer_name=MANUFACTURER, model_name=MODEL_NAME
        ),
    )


def _group(number: int, target: Target, source: SourceSeries, segmentation: Segmentation) -> VolumetricMeasurements:
    terms = terminology_of(target.segment)
    return VolumetricMeasurements(
        tracking_identifier=TrackingIdentifier(target.tracking_uid, target.label),
        referenced_segment=_segment(number, source, segmentation),
        finding_category=terms.category,
        finding_type=terms.kind,
        algorithm_id=_algorithm(target.algorithm),
        measurements=[
            Measurement(
                measure.name,
                getattr(target.measured, field),
                measure.unit,
                derivation=measure.derivation,
                method=measure.method,
            )
            for field, measure in measures_of(target.suv).items()
        ],
    )


def _segment(number: int, source: SourceSeries, segmentation: Segmentation) -> ReferencedSegment:
    return ReferencedSegment(
        segmentation.SOPClassUID,
        segmentation.SOPInstanceUID,
        number,
        source_series=SourceSeriesForSegmentation(source.first.SeriesInstanceUID),
    )


def _algorithm(algorithm: Algorithm) -> AlgorithmIdentification:
    return AlgorithmIdentification(
        algorithm.name,
        algorithm.version,
        [",".join(f"{name}={text}" for name, text in algorithm.parameters.items())],
        algorithm.family,
        MANUFACTURER,
    )
