from __future__ import annotations

import os

import numpy as np
import pytest
from pydicom.uid import (
    CTImageStorage,
    EnhancedPETImageStorage,
    EnhancedSRStorage,
    MediaStorageDirectoryStorage,
    SecondaryCaptureImageStorage,
)

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom import study as study_module
from SegAnyPETLib.volume.dicom.series import read_series
from SegAnyPETLib.volume.dicom.study import find_series
from Testing.dicom_fixtures import PATIENT_ID, PATIENT_NAME, counting_voxels, set_storage_class, write_series

VOXELS = counting_voxels()


def _edit(**tags):
    def edit(image, k):
        for keyword, value in tags.items():
            setattr(image, keyword, value)

    return edit


def _other(storage, modality):
    def edit(image, k):
        set_storage_class(image, storage)
        image.Modality = modality

    return edit


def _moving(kind, frames):
    """Edit slices to be frames of one place after the other."""

    def edit(image, k):
        image.SeriesType = [kind, "IMAGE"]
        image.ImagePositionPatient = [-10.0, -20.0, 3.0 * (k // frames)]

    return edit


def _refusal(study, wish=""):
    with pytest.raises(InputError) as caught:
        study.chosen(wish)
    message = str(caught.value)
    assert "\n" not in message
    assert PATIENT_NAME not in message
    assert PATIENT_ID not in message
    return message


@pytest.fixture
def clinic(tmp_path):
    """Write a study as scanners send it: corrected and uncorrected PET, CT, localiser, capture and dose report."""
    write_series(tmp_path / "A" / "1", 2 * VOXELS, series="nac", edit=_edit(CorrectedImage=["DECY"], SeriesTime="1101"))
    write_series(tmp_path / "A" / "2", VOXELS, series="ac", edit=_edit(SeriesDescription="PET WB AC"))
    write_series(tmp_path / "B", VOXELS, series="ct", edit=_other(CTImageStorage, "CT"))
    write_series(tmp_path / "B", VOXELS[:1], series="scout", edit=_other(CTImageStorage, "CT"))
    write_series(tmp_path / "C", VOXELS[:1], series="shot", edit=_other(SecondaryCaptureImageStorage, "OT"))
    write_series(tmp_path / "C", VOXELS[:1], series="dose", edit=_other(EnhancedSRStorage, "SR"))
    for path in list(tmp_path.rglob("*.dcm")):
        path.rename(path.with_suffix(""))
    (tmp_path / "README.TXT").write_text("viewer")
    return tmp_path


def test_corrected_series_of_a_study_with_subfolders_is_read(clinic):
    assert np.array_equal(read_series(clinic).volume.array_kji, VOXELS)


def test_series_are_listed_with_description_slices_correction_and_time(clinic):
    study = find_series(clinic)
    first, second = (series.line for series in study.series)
    assert first.startswith("PET WB AC, 4 slices, attenuation-corrected, 2020-01-02 11:00, UID ...")
    assert second.startswith("no description, 4 slices, not attenuation-corrected, 2020-01-02 11:01, UID ...")
    assert study.others == (("CT", 5), ("OT", 1), ("SR", 1))


def test_series_is_chosen_by_number_by_uid_and_by_its_end(clinic):
    study = find_series(clinic)
    for number, series in enumerate(study.series, start=1):
        assert study.chosen(str(number)) is study.chosen(series.uid) is study.chosen(series.uid[-8:]) is series
    assert np.array_equal(read_series(clinic, "2").volume.array_kji, 2 * VOXELS)


def test_whole_uid_is_meant_before_the_end_of_another(tmp_path):
    write_series(tmp_path, VOXELS, series="a", edit=_edit(SeriesInstanceUID="1.2.33"))
    write_series(tmp_path, VOXELS, series="b", edit=_edit(SeriesInstanceUID="1.2.33.1.2.33"))
    study = find_series(tmp_path)
    assert study.chosen("1.2.33").uid == "1.2.33"
    assert "2 PET series end with '.33'" in _refusal(study, ".33")


@pytest.mark.parametrize("wish", ["0", "3", "9.9.9", "\n" * 9])
def test_series_that_is_not_there_is_refused_with_the_list(clinic, wish):
    message = _refusal(find_series(clinic), wish)
    assert "no PET series ends with" in message
    assert "1: PET WB AC, 4 slices" in message


def test_corrected_series_of_most_slices_is_the_usual_one(tmp_path):
    write_series(tmp_path / "head", VOXELS[:3], series="head")
    write_series(tmp_path / "body", VOXELS, series="body")
    write_series(tmp_path / "raw", counting_voxels((6, 3, 2)), series="raw", edit=_edit(CorrectedImage=["DECY"]))
    assert find_series(tmp_path).chosen().slices == 4


def test_two_corrected_series_of_as_many_slices_are_refused_with_the_list(tmp_path):
    write_series(tmp_path, VOXELS, series="one", edit=_edit(SeriesDescription="EARL"))
    write_series(tmp_path, VOXELS, series="two", edit=_edit(SeriesDescription="TOF PSF"))
    message = _refusal(find_series(tmp_path))
    assert "holds 2 PET series; choose one by --series" in message
    assert "1: EARL, 4 slices" in message
    assert "2: TOF PSF, 4 slices" in message


def test_series_of_two_studies_are_refused_however_many_slices_they_have(tmp_path):
    write_series(tmp_path, VOXELS, series="may", edit=_edit(StudyInstanceUID="1.2.5"))
    write_series(tmp_path, VOXELS[:3], series="june", edit=_edit(StudyInstanceUID="1.2.6"))
    assert "2 PET series" in _refusal(find_series(tmp_path))


def test_several_series_without_correction_are_refused(tmp_path):
    for name, voxels in (("one", VOXELS), ("two", VOXELS[:3])):
        write_series(tmp_path, voxels, series=name, edit=_edit(CorrectedImage=["DECY"]))
    assert "2 PET series" in _refusal(find_series(tmp_path))


@pytest.mark.parametrize("corrections", ["DECY,ATTN", ["decy", "attn"], "DECY ATTN SCAT"])
def test_corrections_are_understood_however_they_are_joined(tmp_path, corrections):
    write_series(tmp_path, VOXELS[:2], edit=_edit(CorrectedImage=corrections))
    assert find_series(tmp_path).series[0].attenuation_corrected


@pytest.mark.parametrize(("kind", "word"), [("DYNAMIC", "dynamic"), ("GATED", "gated")])
def test_sum_of_a_moving_series_is_refused_in_words(tmp_path, kind, word):
    write_series(tmp_path, counting_voxels((6, 3, 2)), edit=_moving(kind, 3))
    message = _refusal(find_series(tmp_path))
    assert f"the PET series is {word}, with 3 frames of each place, which are not summed here" in message


def test_static_series_beside_a_larger_dynamic_one_is_the_usual_one(tmp_path):
    write_series(tmp_path, counting_voxels((6, 3, 2)), series="dynamic", edit=_moving("DYNAMIC", 3))
    write_series(tmp_path, VOXELS, series="static")
    study = find_series(tmp_path)
    assert study.chosen().slices == 4
    dynamic = next(series for series in study.series if series.moving)
    assert "dynamic, 3 frames" in dynamic.line
    assert "there are: 1:" in _refusal(study, dynamic.uid)


def test_single_frame_of_a_dynamic_series_is_read(tmp_path):
    write_series(tmp_path, VOXELS, edit=_edit(SeriesType=["DYNAMIC", "IMAGE"]))
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_enhanced_series_beside_a_usual_one_is_listed_and_not_taken(tmp_path):
    write_series(tmp_path, VOXELS[:1], series="enhanced", edit=_other(EnhancedPETImageStorage, "PT"))
    write_series(tmp_path, VOXELS, series="one")
    assert "1 files, attenuation-corrected, enhanced multi-frame" in find_series(tmp_path).listing
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_copies_in_another_subfolder_are_counted_and_read_once(tmp_path):
    for path in write_series(tmp_path / "a", VOXELS):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert find_series(tmp_path).series[0].slices == 4
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_missing_slice_of_the_chosen_series_is_told(clinic):
    sorted((clinic / "A" / "2").iterdir())[1].unlink()
    with pytest.raises(InputError, match="lacks a slice"):
        read_series(clinic, find_series(clinic).series[0].uid)


def test_dicomdir_beside_its_images_is_passed_over(tmp_path):
    write_series(tmp_path, VOXELS[:1], series="dir", edit=_other(MediaStorageDirectoryStorage, ""))
    write_series(tmp_path / "DICOM", VOXELS)
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_description_is_shown_short_and_printable(tmp_path):
    write_series(tmp_path, VOXELS[:2], edit=_edit(SeriesDescription="PET\x1b[31m" + "x" * 50))
    line = find_series(tmp_path).series[0].line
    assert line.isprintable()
    assert len(line.split(",")[0]) == 40


@pytest.mark.skipif(os.name != "posix", reason="links and pipes are made as POSIX does")
def test_links_in_circles_pipes_and_broken_links_do_no_harm(tmp_path):
    write_series(tmp_path / "a", VOXELS)
    (tmp_path / "a" / "again").symlink_to(tmp_path)
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    assert np.array_equal(read_series(tmp_path).volume.array_kji, VOXELS)


def test_more_files_than_any_study_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(study_module, "MAX_FILES", 3)
    write_series(tmp_path, VOXELS)
    with pytest.raises(InputError, match="more than 3 files; give the folder of one study"):
        find_series(tmp_path)
