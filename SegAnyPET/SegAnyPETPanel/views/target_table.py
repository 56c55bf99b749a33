"""The list of targets: one row per segment, sorted by the column that the user chose, and a row for all together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import qt
from slicer.i18n import tr as _

from SegAnyPETLib.mrml.numbers_table import OTHER_COLUMNS, SUV_COLUMNS, total_of
from SegAnyPETLib.mrml.target_rows import TargetRow
from SegAnyPETLib.pet.quantities import Quantities
from SegAnyPETPanel.guard import guarded

ID_ROLE = 256  # Qt.UserRole
#: Column of the segment's name.
NAME = 0
#: Column of its colour.
COLOR = 1
#: First column of its numbers.
FIRST_NUMBER = 2
#: Fields of `Quantities`, in the order of their columns.
FIELDS = tuple(SUV_COLUMNS)
#: Column of the number of clicks, in the segment and beside it.
CLICKS = FIRST_NUMBER + len(FIELDS)
#: Short names of these columns, for values in SUV and others; the full ones are shown under the mouse.
SUV_LABELS = ("ml", "SUVmax", "mean", "peak", "TLG")
OTHER_LABELS = ("ml", "Maximum", "mean", "peak", "mean x ml")
#: Of the column with the names, in pixels, and of the one with the clicks, at least; the others fit their content.
NAME_WIDTH = 120
CLICKS_WIDTH = 60
#: Of numbers in their cells.
ALIGNMENT = qt.Qt.AlignRight | qt.Qt.AlignVCenter
#: In place of a number that is being measured.
PENDING = "…"


class TargetTable:
    """Shows rows in a QTableWidget.

    Args:
        table: the widget.
        onSorted: called when the user chose another order.
    """

    def __init__(self, table: Any, onSorted: Callable[[], object]) -> None:
        self._table = table
        self._onSorted = onSorted
        self._column: int | None = None
        self._descending = False
        self._written: list[tuple[Any, ...]] = []
        table.verticalHeader().visible = False
        header = table.horizontalHeader()
        header.setSectionsClickable(True)
        header.setStretchLastSection(True)
        header.setSectionResizeMode(NAME, qt.QHeaderView.Interactive)
        table.setColumnWidth(NAME, NAME_WIDTH)
        table.setColumnWidth(CLICKS, CLICKS_WIDTH)
        for column in range(COLOR, CLICKS):
            header.setSectionResizeMode(column, qt.QHeaderView.ResizeToContents)
        header.connect("sectionClicked(int)", guarded(self.onHeader))

    def onHeader(self, column: int) -> None:
        """Sort by a column: numbers from the largest down first, then the other way, then as in the segmentation."""
        first = column >= FIRST_NUMBER
        if column in (COLOR, CLICKS) or (self._column == column and self._descending != first):
            self._column = None
        else:
            self._descending = first if self._column != column else not first
            self._column = column
        self._onSorted()

    def show(self, rows: Sequence[TargetRow], selected: str | None, suv: bool) -> None:
        """Show rows, and select the row of a segment.

        Args:
            rows: one for each segment.
            selected: id of a segment, or None to select no row.
            suv: whether the values are SUV.
        """
        table = self._table
        self._label(suv)
        self._showOrder()
        blocked = table.blockSignals(True)
        table.setUpdatesEnabled(False)
        try:
            self._fill(self._sorted(rows), selected)
        finally:
            table.setUpdatesEnabled(True)
            table.blockSignals(blocked)

    def _label(self, suv: bool) -> None:
        labels, names = (SUV_LABELS, SUV_COLUMNS) if suv else (OTHER_LABELS, OTHER_COLUMNS)
        self._table.setHorizontalHeaderLabels([_("Name"), "", *map(_, labels), _("Clicks")])
        for column, name in enumerate(names.values(), start=FIRST_NUMBER):
            self._table.horizontalHeaderItem(column).setToolTip(_(name))

    def _fill(self, rows: Sequence[TargetRow], selected: str | None) -> None:
        table, total = self._table, total_of(rows)
        lines: list[tuple[Any, ...]] = [
            (row.segment_id, _name(row), row.color, *_texts(row), _clicks(row)) for row in rows
        ]
        if total is not None:
            name = _("Total of {count}, hottest: {name}").format(count=total.count, name=total.hottest)
            lines.append((None, name, None, *_numberTexts(total.numbers), ""))
        table.setRowCount(len(lines))
        table.clearSelection()
        table.setCurrentCell(-1, -1)
        for number, line in enumerate(lines):
            if self._written[number : number + 1] != [line]:
                self._write(number, *line)
            if selected is not None and line[0] == selected:
                table.selectRow(number)
        if total is not None:
            table.resizeRowToContents(len(rows))  # its text has two lines
        self._written = lines

    def _write(self, number: int, segmentId: str | None, name: str, color: Any, *texts: str) -> None:
        for column, text in enumerate((name, "", *texts)):
            item = qt.QTableWidgetItem(text)
            item.setData(ID_ROLE, segmentId)
            if column >= FIRST_NUMBER:
                item.setTextAlignment(ALIGNMENT)
            if segmentId is None:
                item.setFlags(qt.Qt.ItemIsEnabled)
                font = item.font()
                font.setBold(True)
                item.setFont(font)
            elif column == COLOR:  # a square, which the row's selection does not paint over
                item.setData(qt.Qt.DecorationRole, qt.QColor.fromRgbF(*color))
            self._table.setItem(number, column, item)

    def _sorted(self, rows: Sequence[TargetRow]) -> list[TargetRow]:
        """Return rows in the chosen order; those without numbers come last."""
        if self._column is None:
            return list(rows)
        if self._column == NAME:
            return sorted(rows, key=lambda row: row.name.casefold(), reverse=self._descending)
        field = FIELDS[self._column - FIRST_NUMBER]
        filled = [row for row in rows if row.numbers is not None]
        filled.sort(key=lambda row: float(getattr(row.numbers, field)), reverse=self._descending)
        return filled + [row for row in rows if row.numbers is None]

    def _showOrder(self) -> None:
        header = self._table.horizontalHeader()
        header.setSortIndicatorShown(self._column is not None)
        if self._column is not None:
            order = qt.Qt.DescendingOrder if self._descending else qt.Qt.AscendingOrder
            header.setSortIndicator(self._column, order)


def selectedId(table: Any) -> str | None:
    """Return the id of the segment whose row is selected, or None."""
    row = table.currentRow()
    item = table.item(row, NAME) if row >= 0 else None
    return None if item is None else item.data(ID_ROLE)


def segmentCount(table: Any) -> int:
    """Return how many segments are shown."""
    items = [table.item(row, NAME) for row in range(table.rowCount)]
    return sum(item is not None and item.data(ID_ROLE) is not None for item in items)


def _name(row: TargetRow) -> str:
    return _("{name} (locked)").format(name=row.name) if row.locked else row.name


def _clicks(row: TargetRow) -> str:
    inside, beside = row.clicks
    return " ".join(f"{count} {sign}" for count, sign in ((inside, "+"), (beside, "−")) if count)


def _texts(row: TargetRow) -> list[str]:
    if row.numbers is not None:
        return _numberTexts(row.numbers)
    if not row.measured:
        return [PENDING] * len(FIELDS)
    return ["0.00"] + [""] * (len(FIELDS) - 1)


def _numberTexts(numbers: Quantities) -> list[str]:
    return [f"{getattr(numbers, field):.2f}" for field in FIELDS]
