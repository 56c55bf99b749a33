"""Keys of the panel; those of the Segment Editor below it stay as they are, with Z and Y for undo and redo."""

from __future__ import annotations

from typing import Any

import qt
import slicer
import slicer.util

#: Keys and the buttons that they press. The editor takes digits, Z, Y, Q, W, I, Esc and Space, its effects A and X.
KEYS = {
    "P": "positiveButton",
    "N": "negativeButton",
    "L": "nextButton",
    "C": "cancelButton",
    "S": "smallerButton",
    "D": "largerButton",
}
#: Keys of the editor that the panel's undo depends on.
UNDO_KEYS = ("Z", "Y", "Ctrl+Z", "Ctrl+Y", "Ctrl+Shift+Z")


class Shortcuts:
    """Keys in Slicer's main window while the panel is open.

    Args:
        ui: the widgets by name.
    """

    def __init__(self, ui: Any) -> None:
        self._ui = ui
        self._installed: list[Any] = []
        self._silenced: list[Any] = []

    def install(self) -> None:
        """Install the keys in the main window, if there is one; call it before those of the editor are installed.

        Modules that were open before may have left shortcuts of the same keys in the window. Qt would then activate
        neither, or them in turn, so theirs are disabled until `remove`.
        """
        window = slicer.util.mainWindow()
        if window is None or self._installed:
            return
        self._silence(window)
        for key, name in KEYS.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.setAutoRepeat(False)
            shortcut.connect("activated()", getattr(self._ui, name).click)
            self._installed.append(shortcut)

    def remove(self) -> None:
        """Remove the keys, and give those of other modules back."""
        for shortcut in self._installed:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._installed = []
        window = slicer.util.mainWindow()
        for child in () if window is None else window.children():  # one that was deleted meanwhile is not among them
            if child in self._silenced:
                child.enabled = True
        self._silenced = []

    def _silence(self, window: Any) -> None:
        taken = {*KEYS, *UNDO_KEYS}
        for child in window.children():
            if child.className() == "QShortcut" and child.enabled and child.key.toString() in taken:
                child.enabled = False
                self._silenced.append(child)
