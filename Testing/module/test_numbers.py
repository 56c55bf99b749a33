"""The numbers in the panel: of every segment and of all, sorted, copied, exported, and never those of before."""

import threading

import numpy as np
import pytest

from Testing.module.held_backend import HeldBackend

#: A voxel (k, j, i) in the larger lesion of the small PET.
FIRST = (12, 12, 10)
#: One in the smaller lesion.
SECOND = (28, 22, 20)
HEADER = ["Name", "Volume (ml)", "SUVmax", "SUVmean", "SUVpeak", "TLG (g)"]


@pytest.fixture
def quick(unopened):
    """A model that answers at once, and a PET."""
    unopened.add_pet()
    unopened.use(HeldBackend(held=False))
    unopened.rest()
    return unopened


@pytest.fixture
def two(quick):
    """Two lesions, the first one larger."""
    quick.click(FIRST)
    quick.press("nextButton")
    quick.click(SECOND)
    return quick


def shown(user, column):
    """The numbers of a column, without the total."""
    return [float(row[column]) for row in user.rows()[:-1]]


def press_header(user, column):
    user.ui.targetTable.horizontalHeader().sectionClicked.emit(column)
    user.rest()


def test_the_columns_are_named(quick) -> None:
    quick.click(FIRST)
    items = [quick.ui.targetTable.horizontalHeaderItem(n) for n in range(8)]
    assert [item.text() for item in items] == ["Name", "", "ml", "SUVmax", "mean", "peak", "TLG", "Clicks"]
    assert [item.toolTip() for item in items[2:7]] == HEADER[1:]


def test_the_last_row_is_the_total(two) -> None:
    name, volume, hottest, mean, peak, tlg = two.rows()[-1]
    assert name == "Total of 2, hottest: Lesion 1"
    assert float(volume) == pytest.approx(sum(shown(two, 1)), abs=0.02)
    assert float(tlg) == pytest.approx(sum(shown(two, 5)), abs=0.02)
    assert float(mean) == pytest.approx(float(tlg) / float(volume), abs=0.01)
    assert (float(hottest), float(peak)) == (max(shown(two, 2)), max(shown(two, 4)))


def test_the_total_cannot_be_chosen(two) -> None:
    two.ui.targetTable.selectRow(2)
    two.rest()
    assert two.ui.targetLabel.text == "Clicks go to Lesion 2."


def test_a_click_on_a_column_sorts_by_it_and_the_total_stays_last(two) -> None:
    press_header(two, 2)
    assert two.names() == ["Lesion 1", "Lesion 2"]
    press_header(two, 2)
    assert two.names() == ["Lesion 2", "Lesion 1"]
    assert two.rows()[-1][0].startswith("Total of 2")
    two.select("Lesion 1")
    assert two.ui.targetLabel.text == "Clicks go to Lesion 1."
    press_header(two, 2)
    assert two.names() == ["Lesion 1", "Lesion 2"]
    press_header(two, 0)
    press_header(two, 0)
    assert two.names() == ["Lesion 2", "Lesion 1"]


def test_numbers_follow_undo_redo_and_an_edit(two) -> None:
    import slicer.util

    before = two.rows()
    two.press("undoButton")
    two.rest()
    assert two.rows()[:1] == before[:1]
    assert two.rows()[-1][0] == "Total of 1, hottest: Lesion 1"
    two.press("redoButton")
    two.rest()
    assert two.rows() == before
    mask = np.zeros((40, 36, 32), np.uint8)
    mask[12, 12, 10:12] = 1
    pet = two.panel.selection.volume
    slicer.util.updateSegmentBinaryLabelmapFromArray(mask, two.segmentation, two.panel.selection.segmentIds()[0], pet)
    two.rest()
    assert two.rows()[0][1:3] == ("0.13", "8.00")


def test_numbers_follow_the_voxels_of_the_volume(two) -> None:
    import slicer.util

    pet = two.panel.selection.volume
    slicer.util.updateVolumeFromArray(pet, slicer.util.arrayFromVolume(pet) * 2)
    two.rest()
    assert shown(two, 2) == [16.0, 16.0]


def test_a_number_that_is_being_measured_is_not_shown(two, monkeypatch) -> None:
    from SegAnyPETLib.mrml import target_rows

    measure, go = target_rows.Measurement.run, threading.Event()

    def wait(measurement) -> None:
        assert go.wait(30)
        measure(measurement)

    monkeypatch.setattr(target_rows.Measurement, "run", wait)
    image = two.segmentation.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap")
    image.Modified()
    two.panel.refresh()
    assert two.rows()[0][1:] == ("…",) * 5
    assert not two.rows()[-1][0].startswith("Total")
    assert not two.ui.exportButton.enabled
    go.set()
    two.rest()
    assert "…" not in two.rows()[0]
    assert two.ui.exportButton.enabled


def test_a_fault_while_measuring_is_shown_once_and_the_panel_goes_on(two, monkeypatch, uncaught) -> None:
    from SegAnyPETLib.mrml import target_rows

    with monkeypatch.context() as patch:
        patch.setattr(target_rows, "quantities", lambda *_: 1 / 0)
        two.segmentation.GetSegmentation().GetNthSegment(0).GetRepresentation("Binary labelmap").Modified()
        two.panel.refresh()
        two.rest()
        two.panel.refresh()
        two.rest()
    assert isinstance(uncaught.pop(), ZeroDivisionError)
    two.click((12, 12, 11))
    assert "…" not in two.rows()[0]


def test_an_empty_segment_has_no_values(two) -> None:
    two.segmentation.GetSegmentation().AddEmptySegment("empty", "empty")
    two.rest()
    assert two.rows()[2] == ("empty", "0.00", "", "", "", "")
    assert two.rows()[-1][0].startswith("Total of 2")


def test_the_numbers_are_copied_for_a_spreadsheet(two) -> None:
    import qt

    two.press("copyButton")
    lines = qt.QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == HEADER
    assert [line.split("\t")[0] for line in lines[1:3]] == ["Lesion 1", "Lesion 2"]
    assert lines[-1] == "Research use only, not a medical device."


def test_the_numbers_are_written_to_a_file(two, tmp_path) -> None:
    path = tmp_path / "numbers.csv"
    two.harness.dialogs.answers += [str(path)]
    two.press("exportButton")
    lines = path.read_text(encoding="utf-8-sig").splitlines()
    assert lines[0] == ",".join(HEADER)
    assert len(lines) == 5
    assert two.status == "The numbers were written to numbers.csv."


@pytest.mark.parametrize("file", ["", "no such folder/numbers.csv"])
def test_no_file_chosen_or_one_that_cannot_be_written_is_no_fault(two, tmp_path, file) -> None:
    two.harness.dialogs.answers += [file and str(tmp_path / file)]
    two.press("exportButton")
    assert ("cannot be written" in two.status) == bool(file)


def test_the_numbers_become_a_table_of_the_scene(two) -> None:
    two.press("tableButton")
    node = two.harness.scene.GetFirstNodeByClass("vtkMRMLTableNode")
    assert node.GetName() == "Lesions numbers"
    assert node.GetTable().GetNumberOfRows() == 3
    assert two.harness.app.applicationLogic().GetSelectionNode().GetActiveTableID() == node.GetID()


def test_without_segments_there_is_nothing_to_give_out(quick) -> None:
    assert not any(getattr(quick.ui, name).enabled for name in ("copyButton", "exportButton", "tableButton"))
