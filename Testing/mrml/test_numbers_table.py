import math

import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.numbers_table import add_table, records_of, text_of, total_of
from SegAnyPETLib.mrml.target_rows import TargetRow
from SegAnyPETLib.pet.quantities import Quantities

RED = (1.0, 0.0, 0.0)
SMALL = TargetRow("a", "small, hot", RED, True, Quantities(2.0, 9.0, 6.0, 7.0, 12.0))
LARGE = TargetRow("b", "large", RED, True, Quantities(10.0, 5.0, 3.0, 4.0, 30.0))
EMPTY = TargetRow("c", "empty", RED, True, None)
WAITING = TargetRow("d", "waiting", RED, False, None)


def test_the_total_adds_volumes_and_tlg_and_names_the_hottest():
    total = total_of([LARGE, SMALL, EMPTY])
    assert (total.count, total.hottest) == (2, "small, hot")
    assert total.numbers == Quantities(12.0, 9.0, 3.5, 7.0, 42.0)


@pytest.mark.parametrize("rows", [[], [EMPTY], [SMALL, WAITING]])
def test_there_is_no_total_of_nothing_or_of_what_is_not_measured(rows):
    assert total_of(rows) is None


def test_records_name_their_units_and_end_with_the_total():
    records = records_of([SMALL, EMPTY], suv=True)
    assert records[0] == ["Name", "Volume (ml)", "SUVmax", "SUVmean", "SUVpeak", "TLG (g)"]
    assert records[1] == ["small, hot", 2.0, 9.0, 6.0, 7.0, 12.0]
    assert records[2] == ["empty", 0.0, None, None, None, None]
    assert records[3] == ["Total of 1, hottest: small, hot", 2.0, 9.0, 6.0, 7.0, 12.0]


def test_values_that_are_not_suv_are_not_called_suv():
    assert not any("SUV" in str(name) or "TLG" in str(name) for name in records_of([SMALL], suv=False)[0])


def test_a_file_can_be_read_by_spreadsheets_and_says_what_it_is_for():
    lines = text_of(records_of([SMALL], suv=True)).splitlines()
    assert lines[1] == '"small, hot",2.0,9.0,6.0,7.0,12.0'
    assert lines[-1] == '"Research use only, not a medical device."'


@pytest.mark.parametrize(("rows", "why"), [([], "no segment"), ([WAITING], "still being measured")])
def test_what_is_not_measured_is_not_given_out(rows, why):
    with pytest.raises(InputError, match=why):
        records_of(rows, suv=True)


def test_a_table_of_slicer_has_a_column_for_each_number(make):
    node = add_table(make.scene, "Lesions numbers", records_of([SMALL, EMPTY], suv=True))
    table = node.GetTable()
    assert table.GetNumberOfRows() == 3
    assert node.GetColumnName(1) == "Volume (ml)"
    assert table.GetValueByName(0, "SUVpeak").ToDouble() == 7.0
    assert math.isnan(table.GetValueByName(1, "SUVmax").ToDouble())
    assert table.GetValue(2, 0).ToString() == "Total of 1, hottest: small, hot"
