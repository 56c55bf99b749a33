"""DICOM SR read back by pydicom, highdicom and dcmqi: the same numbers, coded, of the same segments."""

import json
import subprocess
import sys
from dataclasses import astuple, replace
from pathlib import Path

import highdicom
import numpy as np
import pydicom
import pytest

from SegAnyPETLib.dicom_out.report import report_of
from SegAnyPETLib.dicom_out.segmentation import segmentation_of
from SegAnyPETLib.dicom_out.source import SourceSeries, read_source
from SegAnyPETLib.dicom_out.target import Target
from SegAnyPETLib.dicom_out.write import write_dicom
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.volume.segmentation import Segment
from Testing.dicom_fixtures import PATIENT_ID
from Testing.dicom_out.conformance import lacking
from Testing.dicom_out.scans import ALGORITHM, SmallScan, block

SHAPE = (5, 6, 7)
LOW = block(SHAPE, (1, 4), (1, 5), (2, 6))
HIGH = block(SHAPE, (3, 5), (0, 2), (0, 2))

#: Name, derivation and method of each quantity, and its unit.
CODED = {
    "suv_max": ("126401", "56851009", "84IY", "g/ml{SUVbw}"),
    "suv_mean": ("126401", "373098007", "Q4LE", "g/ml{SUVbw}"),
    "suv_peak": ("126401", "126031", "0F91", "g/ml{SUVbw}"),
    "volume_ml": ("126032", None, "YEKZ", "ml"),
    "tlg": ("126033", None, None, "g"),
}


def written(small: SmallScan, folder: Path, *targets: Target, remarks: tuple[str, ...] = ()) -> Path:
    write_dicom(small.source, targets, [folder / "a.sr.dcm", folder / "a.dcm"], remarks)
    return folder / "a.sr.dcm"


def code_of(concept) -> str | None:
    return None if concept is None else concept.value


def test_every_quantity_comes_back_with_its_code_and_unit(small: SmallScan, tmp_path: Path) -> None:
    target = small.target(LOW)
    (group,) = highdicom.sr.srread(written(small, tmp_path, target)).content.get_volumetric_roi_measurement_groups()
    found = {
        (m.name.value, code_of(m.derivation), code_of(m.method), m.unit.value): m.value
        for m in group.get_measurements()
    }
    assert found == {CODED[name]: value for name, value in target.measured.__dict__.items()}


@pytest.mark.parametrize(
    ("suv", "concept", "unit", "tlg_unit"),
    [
        ("SUVlbm", "126405", "g/ml{SUVlbm(Janma)}", "g"),
        ("SUVibw", "126404", "g/ml{SUVibw}", "g"),
        ("SUVbsa", "126403", "cm2/ml{SUVbsa}", "cm2"),
    ],
)
def test_suv_of_another_type_is_coded_as_such(
    small: SmallScan, tmp_path: Path, suv: str, concept: str, unit: str, tlg_unit: str
) -> None:
    target = replace(small.target(LOW), suv=suv)
    (group,) = highdicom.sr.srread(written(small, tmp_path, target)).content.get_volumetric_roi_measurement_groups()
    found = [(m.name.value, m.unit.value) for m in group.get_measurements()]
    assert found == [(concept, unit)] * 3 + [("126032", "ml"), ("126033", tlg_unit)]


def test_a_group_belongs_to_its_segment(small: SmallScan, tmp_path: Path) -> None:
    targets = small.target(LOW, "Läsion 病変"), small.target(HIGH, "Node")
    report = highdicom.sr.srread(written(small, tmp_path, *targets))
    seg = pydicom.dcmread(tmp_path / "a.dcm")
    groups = report.content.get_volumetric_roi_measurement_groups()
    assert [group.tracking_identifier for group in groups] == ["Läsion 病変", "Node"]
    for number, (group, target) in enumerate(zip(groups, targets, strict=True), start=1):
        assert group.tracking_uid == target.tracking_uid == seg.SegmentSequence[number - 1].TrackingUID
        assert group.referenced_segment.referenced_sop_instance_uid == seg.SOPInstanceUID
        assert group.referenced_segment[0].referenced_segment_numbers == [number]


def test_it_refers_to_the_images_of_the_pet(small: SmallScan, tmp_path: Path) -> None:
    report, image = pydicom.dcmread(written(small, tmp_path, small.target(LOW))), pydicom.dcmread(small.paths[0])
    assert (report.PatientID, report.StudyInstanceUID) == (PATIENT_ID, image.StudyInstanceUID)
    (study,) = report.CurrentRequestedProcedureEvidenceSequence
    referenced = {
        series.SeriesInstanceUID: len(series.ReferencedSOPSequence) for series in study.ReferencedSeriesSequence
    }
    assert referenced[image.SeriesInstanceUID] == 5


def test_it_says_what_measured_and_that_it_is_for_research(small: SmallScan, tmp_path: Path) -> None:
    report = highdicom.sr.srread(written(small, tmp_path, small.target(LOW), remarks=("the dose is doubtful",)))
    (observer,) = report.content.get_observer_contexts()
    device = observer.observer_identifying_attributes
    assert device.name == "SegAnyPET. Research use only, not a medical device."
    texts = [item.TextValue for item in report.content[0].ContentSequence if item.name.value == "121106"]
    assert texts == ["Research use only, not a medical device.", "the dose is doubtful"]
    assert (report.ContentQualification, report.VerificationFlag) == ("RESEARCH", "UNVERIFIED")
    assert report.SeriesDescription == "Quantities, SegAnyPET, research use only"


def test_dcmqi_reads_the_same_numbers_and_the_checksum(small: SmallScan, tmp_path: Path) -> None:
    target = small.target(LOW)
    path = written(small, tmp_path, target)
    command = [Path(sys.executable).with_name("tid1500reader"), "--inputDICOM", path]
    subprocess.run([*command, "--outputMetadata", tmp_path / "a.json"], check=True, capture_output=True)
    (group,) = json.loads((tmp_path / "a.json").read_text())["Measurements"]
    by_code = {
        (item["quantity"]["CodeValue"], item.get("derivationModifier", {}).get("CodeValue")): float(item["value"])
        for item in group["measurementItems"]
    }
    for name, (code, derivation, _, _) in CODED.items():
        assert by_code[code, derivation] == pytest.approx(getattr(target.measured, name), rel=1e-12)
    assert (
        f"WeightsSHA256={ALGORITHM.weights_sha256}"
        in group["measurementAlgorithmIdentification"]["AlgorithmParameters"][0]
    )


def test_it_has_what_the_standard_asks_of_a_report(small: SmallScan, tmp_path: Path) -> None:
    assert lacking(pydicom.dcmread(written(small, tmp_path, small.target(LOW), small.target(HIGH)))) == []


def test_values_that_are_not_suv_are_not_reported(small: SmallScan) -> None:
    source = SourceSeries(replace(small.scan.volume, units=""), small.source.headers)
    segmentation = segmentation_of(source, [small.target(LOW)])
    with pytest.raises(InputError, match="holds body-weight SUV"):
        report_of(source, [small.target(LOW)], segmentation)


def test_a_real_series_gives_back_the_same_numbers(shared_data: Path, tmp_path: Path) -> None:
    scan = read_scan(shared_data / "wholebody_fdg_dicom")
    small = SmallScan(scan.files, scan, read_source(scan.volume, scan.files))
    hot = scan.volume.array_kji > 5
    target = Target(Segment("Hot", hot), quantities(scan.volume, hot), ALGORITHM)
    path = written(small, tmp_path, target)
    (group,) = highdicom.sr.srread(path).content.get_volumetric_roi_measurement_groups()
    order = ["volume_ml", "suv_max", "suv_mean", "suv_peak", "tlg"]
    found = {(m.name.value, code_of(m.derivation)): m.value for m in group.get_measurements()}
    assert np.allclose([found[CODED[name][:2]] for name in order], astuple(target.measured), rtol=1e-12)
    assert lacking(pydicom.dcmread(path)) == []
