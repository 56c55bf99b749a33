"""The numbers of segments as a table: for a file, the clipboard and Slicer's Tables module."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import vtk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.target_rows import TargetRow
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.quantities import Quantities

#: Column names, by the field of `Quantities`; with SUV, and with any other values.
SUV_COLUMNS = {
    "volume_ml": "Volume (ml)",
    "suv_max": "SUVmax",
    "suv_mean": "SUVmean",
    "suv_peak": "SUVpeak",
    "tlg": "TLG (g)",
}
OTHER_COLUMNS = {
    "volume_ml": "Volume (ml)",
    "suv_max": "Maximum",
    "suv_mean": "Mean",
    "suv_peak": "Peak (1 ml)",
    "tlg": "Mean x ml",
}


@dataclass(frozen=True)
class Total:
    """All segments together; voxels that several segments share count in each.

    Attributes:
        count: number of segments with voxels.
        hottest: name of the one with the largest value.
        numbers: sums of volume and TLG, the mean over the whole volume, the largest of the others.
    """

    count: int
    hottest: str
    numbers: Quantities


def total_of(rows: Sequence[TargetRow]) -> Total | None:
    """Return the total of rows, None if no segment has voxels or one is not measured yet."""
    filled = [(row.name, row.numbers) for row in rows if row.numbers is not None]
    if not filled or not all(row.measured for row in rows):
        return None
    hottest, _ = max(filled, key=lambda pair: pair[1].suv_max)
    numbers = [n for _, n in filled]
    volume_ml, tlg = sum(n.volume_ml for n in numbers), sum(n.tlg for n in numbers)
    largest = max(n.suv_max for n in numbers), tlg / volume_ml, max(n.suv_peak for n in numbers)
    return Total(len(numbers), hottest, Quantities(volume_ml, *largest, tlg))


def records_of(rows: Sequence[TargetRow], suv: bool) -> list[list[str | float | None]]:
    """Return the column names, a record for each segment, and the total.

    Raises:
        InputError: there is no segment, or one is not measured yet.
    """
    if not rows:
        raise InputError("there is no segment yet; click in a lesion first")
    if not all(row.measured for row in rows):
        raise InputError("the numbers are still being measured; try again in a moment")
    columns = SUV_COLUMNS if suv else OTHER_COLUMNS
    records: list[list[str | float | None]] = [["Name", *columns.values()]]
    records += [[row.name, *_values(row.numbers, list(columns))] for row in rows]
    total = total_of(rows)
    if total is not None:
        records.append([f"Total of {total.count}, hottest: {total.hottest}", *_values(total.numbers, list(columns))])
    return records


def text_of(records: Sequence[Sequence[str | float | None]], delimiter: str = ",") -> str:
    """Return records as lines of text, with the research notice as the last one."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, lineterminator="\n")
    writer.writerows(records)
    writer.writerow([NOTICE])
    return text.getvalue()


def add_table(scene: Any, name: str, records: Sequence[Sequence[str | float | None]]) -> Any:
    """Add a vtkMRMLTableNode with records to a scene and return it; empty cells are NaN."""
    head, *lines = records
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", scene.GenerateUniqueName(name))
    names = vtk.vtkStringArray()
    names.SetName(str(head[0]))
    for line in lines:
        names.InsertNextValue(str(line[0]))
    node.AddColumn(names)
    for column in range(1, len(head)):
        values = vtk.vtkDoubleArray()
        values.SetName(str(head[column]))
        for line in lines:
            value = line[column]
            values.InsertNextValue(float("nan") if value is None else float(value))
        node.AddColumn(values)
    node.SetDescription(NOTICE)
    return node


def _values(numbers: Quantities | None, fields: Sequence[str]) -> list[str | float | None]:
    if numbers is None:
        return [0.0 if name == "volume_ml" else None for name in fields]
    return [float(f"{getattr(numbers, name):.6g}") for name in fields]
