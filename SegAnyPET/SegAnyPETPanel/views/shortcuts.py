"""Keys of the panel; those of the Segment Editor below it stay as they are, with Z and Y for undo and redo."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import slicer.util

#: Keys and the buttons that they press. The editor takes digits, Z, Y, Q, W, I, Esc and Space, its effects A and X.
KEYS = {"P": "positiveButton", "N": "negativeButton", "L": "nextButton", "C": "cancelButton"}


class Shortcuts:
    """Keys in Slicer's main window while the panel is open.

    Args:
        ui: the widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._installed: list[Any] = []

    def install(self) -> None:
        """Install the keys in the main window, if there is one."""
        window = slicer.util.mainWindow()
        if window is None or self._installed:
            return
        for key, name in KEYS.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.connect("activated()", getattr(self._ui, name).click)
            self._installed.append(shortcut)

    def remove(self) -> None:
        """Remove the keys."""
        for shortcut in self._installed:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._installed = []
