"""The list of targets: one row per segment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from SegAnyPETLib.mrml.target_rows import TargetRow

ID_ROLE = 256  # Qt.UserRole


def setUpTable(table: Any, suv: bool) -> None:
    """Name the columns; the last one is SUVmax only if the values are SUV."""
    table.setHorizontalHeaderLabels([_("Name"), "", _("Volume (ml)"), _("SUVmax") if suv else _("Maximum")])
    table.verticalHeader().visible = False
    header = table.horizontalHeader()
    header.setSectionResizeMode(0, qt.QHeaderView.Stretch)
    for column in (1, 2, 3):
        header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)


def fillTable(table: Any, rows: Sequence[TargetRow], selected: str | None) -> None:
    """Show rows, and select the row of a segment.

    Args:
        table: a QTableWidget with four columns.
        rows: one for each segment.
        selected: id of a segment, or None to select no row.
    """
    blocked = table.blockSignals(True)
    try:
        table.setRowCount(len(rows))
        table.clearSelection()
        table.setCurrentCell(-1, -1)
        for number, row in enumerate(rows):
            maximum = "" if row.suv_max is None else f"{row.suv_max:.2f}"
            for column, text in enumerate((row.name, "", f"{row.volume_ml:.2f}", maximum)):
                item = qt.QTableWidgetItem(text)
                item.setData(ID_ROLE, row.segment_id)
                table.setItem(number, column, item)
            # A square of the colour, which the row's selection does not paint over.
            table.item(number, 1).setData(qt.Qt.DecorationRole, qt.QColor.fromRgbF(*row.color))
            if row.segment_id == selected:
                table.selectRow(number)
    finally:
        table.blockSignals(blocked)


def selectedId(table: Any) -> str | None:
    """Return the id of the segment whose row is selected, or None."""
    row = table.currentRow()
    item = table.item(row, 0) if row >= 0 else None
    return None if item is None else item.data(ID_ROLE)
