"""Doubles of the CTK widgets that a module's panel holds: the properties and signals that modules use, no more."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Property, QPoint, QSize, Signal
from PySide6.QtGui import QPaintEvent

from Testing.slicer_harness import qt_facade
from Testing.slicer_harness.ui_loader import custom_widget

qt: Any = qt_facade.install()

HEAD_HEIGHT = 24


@custom_widget("ctk")
class ctkCollapsibleButton(qt.QAbstractButton):
    """A headed section that folds."""

    contentsCollapsed = Signal(bool)

    def __init__(self, *text_and_parent: Any) -> None:
        text = next((a for a in text_and_parent if isinstance(a, str)), "")
        parent = next((a for a in text_and_parent if isinstance(a, qt.QWidget)), None)
        super().__init__(parent)
        self._hidden: list[Any] = []
        self.text = text
        self.checkable = True
        self.checked = True
        self.setContentsMargins(2, HEAD_HEIGHT, 2, 2)
        self.setSizePolicy(qt.QSizePolicy.Preferred, qt.QSizePolicy.Preferred)
        self.toggled.connect(lambda expanded: self._fold(not expanded))

    def _fold(self, folded: bool) -> None:
        widgets = [c for c in self.children() if isinstance(c, qt.QWidget)]
        if folded:
            self._hidden = [w for w in widgets if not w.isHidden()]
            for widget in self._hidden:
                widget.hide()
        else:
            for widget in self._hidden:
                widget.show()
        self.setMaximumHeight(HEAD_HEIGHT if folded else 16777215)
        self.contentsCollapsed.emit(folded)

    def _is_collapsed(self) -> bool:
        return not self.checked

    def _set_collapsed(self, collapsed: bool) -> None:
        self.checked = not collapsed

    collapsed = Property(bool, _is_collapsed, _set_collapsed)

    def hitButton(self, position: QPoint) -> bool:
        return position.y() < HEAD_HEIGHT

    def sizeHint(self) -> QSize:
        inside = self.layout().sizeHint() if self.layout() and self.checked else qt.QSize(0, HEAD_HEIGHT)
        return inside.expandedTo(qt.QSize(80, HEAD_HEIGHT))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = qt.QPainter(self)
        head = qt.QRect(0, 0, self.width, HEAD_HEIGHT - 2)
        painter.fillRect(head, qt.QColor("#d5dde9"))
        arrow = "▾" if self.checked else "▸"
        painter.drawText(head.adjusted(6, 0, 0, 0), qt.Qt.AlignVCenter, f"{arrow}  {self.text}")
        painter.end()


@custom_widget("ctk")
class ctkMenuButton(qt.QPushButton):
    """A button with a menu at its side."""


@custom_widget("ctk")
class ctkMessageBox(qt.QMessageBox):
    """A message box; ``slicer.util`` shows its messages in it."""
