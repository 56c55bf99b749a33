"""A PET that Slicer's own DICOM reader gave becomes SUV in the panel, and says what was doubtful about it."""

import json

import numpy as np
import pytest

from Testing.dicom_fixtures import PATIENT_ID, SUV_FACTOR, write_series
from Testing.module.held_backend import HeldBackend

SHAPE_KJI = (8, 7, 6)


class Database:
    """Slicer's DICOM database, as far as it is asked."""

    def __init__(self, paths) -> None:
        self.isOpen = True
        self.paths = paths

    def fileForInstance(self, uid: str) -> str:
        return str(self.paths.get(uid, ""))


@pytest.fixture
def series(tmp_path):
    """Files of a series with a hot voxel, in order."""
    stored = np.full(SHAPE_KJI, 2000, np.int16)
    stored[4, 3, 2] = 30000
    return write_series(tmp_path / "PT", stored)


@pytest.fixture
def raw(unopened, series):
    """The PET as Slicer's own reader gives it: in Bq/ml, unmarked, its slices in the other order."""
    from SegAnyPETLib.volume.dicom.series import read_files

    volume = read_files(series).volume
    flip = np.diag([1.0, 1, -1, 1])
    flip[2, 3] = SHAPE_KJI[0] - 1
    return unopened.add_pet(suv=False, array=volume.array_kji[::-1].copy(), ijk_to_ras=volume.ijk_to_ras @ flip)


def known(raw, series, monkeypatch):
    """The DICOM database of Slicer knows the files that the volume was read from."""
    import slicer

    uids = [f"1.2.3.{number}" for number in range(len(series))]
    raw.SetAttribute("DICOM.instanceUIDs", " ".join(uids))
    database = Database(dict(zip(uids, series, strict=True)))
    monkeypatch.setattr(slicer, "dicomDatabase", database, raising=False)
    return database


def suv_at(node, ras):
    import slicer.util

    matrix = slicer.util.arrayFromVTKMatrix(ijk_to_ras(node))
    i, j, k = (round(n) for n in (np.linalg.inv(matrix) @ [*ras, 1])[:3])
    return float(slicer.util.arrayFromVolume(node)[k, j, i])


def ijk_to_ras(node):
    import vtk

    matrix = vtk.vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return matrix


def hot_ras():
    return (-(-10 + 2 * 5.0), -(-20 + 3 * 4.0), -30 + 4 * 3.0)


def test_the_chosen_pet_becomes_suv_from_the_files_that_slicer_knows(unopened, raw, series, monkeypatch) -> None:
    known(raw, series, monkeypatch)
    unopened.rest()
    assert unopened.ui.suvLabel.text.startswith("Caution")
    unopened.press("convertButton")
    unopened.rest()
    made = unopened.panel.selection.volume
    assert made is not raw
    assert made.GetName() == "PET SUV"
    assert made.GetVoxelValueUnits().GetCodeValue() == "{SUVbw}g/ml"
    assert made.GetVoxelValueQuantity().GetCodeValue() == "126401"
    assert suv_at(made, hot_ras()) == pytest.approx(30000 * SUV_FACTOR, rel=1e-5)
    assert suv_at(raw, hot_ras()) == 30000
    assert unopened.ui.suvLabel.text == "The values are SUV (body weight)."
    assert unopened.status == "PET SUV is in SUV (body weight)."
    assert not unopened.ui.convertButton.enabled
    assert made.GetDisplayNode().GetWindowLevelMax() == 6


def test_what_was_doubtful_or_assumed_is_shown_and_kept_with_the_scene(unopened, raw, series, monkeypatch) -> None:
    known(raw, series, monkeypatch)
    unopened.rest()
    assert not unopened.ui.notesLabel.visible
    unopened.press("convertButton")
    unopened.rest()
    shown = unopened.ui.notesLabel.text
    assert "Activity: only 0.018 % of the dose is in view" in shown
    assert "Assumed: reference time by SeriesTime" in shown
    assert unopened.ui.notesLabel.visible
    kept = unopened.panel.selection.volume.GetAttribute("SegAnyPET.Notes")
    assert {kind for kind, _ in json.loads(kept)["notes"]}
    assert PATIENT_ID not in kept
    unopened.ui.volumeSelector.setCurrentNode(raw)
    unopened.rest()
    assert not unopened.ui.notesLabel.visible


def test_a_folder_is_asked_for_where_slicer_knows_no_files(unopened, raw, series) -> None:
    unopened.rest()
    unopened.harness.dialogs.answers += [str(series[0].parent)]
    unopened.press("convertButton")
    unopened.rest()
    assert unopened.panel.selection.volume.GetName() == "PET SUV"


def test_no_folder_chosen_changes_nothing(unopened, raw) -> None:
    unopened.rest()
    unopened.harness.dialogs.answers += [""]
    unopened.press("convertButton")
    unopened.rest()
    assert unopened.panel.selection.volume is raw


def test_files_that_are_gone_from_the_disk_are_asked_for(unopened, raw, series, monkeypatch) -> None:
    database = known(raw, series, monkeypatch)
    database.paths["1.2.3.0"] = series[0].parent / "gone.dcm"
    unopened.rest()
    unopened.harness.dialogs.answers += [str(series[0].parent)]
    unopened.press("convertButton")
    unopened.rest()
    assert unopened.panel.selection.volume.GetName() == "PET SUV"


def test_another_scan_is_refused(unopened, raw, tmp_path) -> None:
    write_series(tmp_path / "other", np.full((5, 7, 6), 2000, np.int16))
    unopened.rest()
    unopened.harness.dialogs.answers += [str(tmp_path / "other")]
    unopened.press("convertButton")
    unopened.rest()
    assert unopened.status.startswith("These DICOM files are another scan")
    assert unopened.panel.selection.volume is raw


def test_a_folder_without_a_pet_is_a_sentence(unopened, raw, tmp_path) -> None:
    (tmp_path / "empty").mkdir()
    unopened.rest()
    unopened.harness.dialogs.answers += [str(tmp_path / "empty")]
    unopened.press("convertButton")
    unopened.rest()
    assert "no DICOM PET images" in unopened.status


def test_the_result_lies_under_the_transform_of_the_pet_and_can_be_clicked(unopened, raw, series, monkeypatch) -> None:
    known(raw, series, monkeypatch)
    transform = unopened.harness.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    raw.SetAndObserveTransformNodeID(transform.GetID())
    unopened.use(HeldBackend(held=False))
    unopened.rest()
    unopened.press("convertButton")
    unopened.rest()
    assert unopened.panel.selection.volume.GetTransformNodeID() == transform.GetID()
    unopened.panel.markups.positive.AddControlPointWorld(*hot_ras())
    unopened.rest()
    assert unopened.names() == ["Lesion 1"]
    assert unopened.rows()[0][2] == f"{30000 * SUV_FACTOR:.2f}"


def test_a_pet_that_was_chosen_meanwhile_stays_chosen(unopened, raw, series, monkeypatch) -> None:
    known(raw, series, monkeypatch)
    unopened.rest()
    unopened.ui.convertButton.click()
    other = unopened.add_pet()
    unopened.rest()
    assert unopened.panel.selection.volume is other
    assert unopened.harness.scene.GetNumberOfNodesByClass("vtkMRMLScalarVolumeNode") == 2


@pytest.mark.parametrize(
    ("code", "kind"), [("{SUVlbm}g/ml", "lean body mass"), ("{SUVbsa}cm2/ml", "body surface area")]
)
def test_other_kinds_of_suv_are_named(unopened, raw, code, kind) -> None:
    import slicer

    units = slicer.vtkCodedEntry()
    units.SetValueSchemeMeaning(code, "UCUM", "SUV")
    raw.SetVoxelValueUnits(units)
    unopened.rest()
    assert unopened.ui.suvLabel.text == f"Caution: the values are SUV by {kind}. The model expects SUV by body weight."
    assert unopened.ui.convertButton.enabled


def test_damaged_notes_of_a_scene_are_no_fault(unopened, raw) -> None:
    from SegAnyPETLib.mrml.nodes.suv_volume import ReadingNotes, notes_of

    for text in ("", "{", "[]", '{"notes": [["unheard of", "x"]]}', '{"notes": 3}'):
        raw.SetAttribute("SegAnyPET.Notes", text)
        assert notes_of(raw) == ReadingNotes()


@pytest.mark.slow
def test_a_real_series_becomes_suv(unopened, shared_data, monkeypatch) -> None:
    from SegAnyPETLib.pet.reading import read_pet
    from SegAnyPETLib.volume.dicom.series import read_series

    series = read_series(shared_data / "wholebody_fdg_dicom")
    raw = unopened.add_pet(suv=False, array=series.volume.array_kji, ijk_to_ras=series.volume.ijk_to_ras)
    known(raw, series.files, monkeypatch)
    unopened.rest()
    unopened.press("convertButton")
    unopened.rest()
    import slicer.util

    found = slicer.util.arrayFromVolume(unopened.panel.selection.volume)
    np.testing.assert_array_equal(found, read_pet(shared_data / "wholebody_fdg_dicom").array_kji)
