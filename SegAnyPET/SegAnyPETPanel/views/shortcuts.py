"""Keys of the panel; those of the Segment Editor below it stay as they are but Esc, with Z and Y for undo and redo."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import qt
import slicer
import slicer.util

from SegAnyPETPanel.guard import guarded

#: Keys and the buttons that they press. The editor takes digits, Z, Y, Q, W, I and Space, its effects A and X.
KEYS = {
    "P": "positiveButton",
    "N": "negativeButton",
    "L": "nextButton",
    "C": "cancelButton",
    "S": "smallerButton",
    "D": "largerButton",
    "E": "resetButton",
    "H": "hideOthersButton",
}
#: Ends placing; the editor's own Esc only leaves its effect.
ESCAPE = "Esc"
#: Keys of the editor that the panel's undo depends on.
UNDO_KEYS = ("Z", "Y", "Ctrl+Z", "Ctrl+Y", "Ctrl+Shift+Z")


class Shortcuts:
    """Keys in Slicer's main window while the panel is open.

    Args:
        ui: the widgets by name.
        onEscape: called for Esc.
    """

    def __init__(self, ui: Any, onEscape: Callable[[], object]) -> None:
        self._ui = ui
        self._onEscape = guarded(onEscape)
        self._installed: list[Any] = []
        self._silenced: list[Any] = []

    def install(self) -> None:
        """Install the keys in the main window, if there is one; call `silence` and install the editor's before.

        The editor's own Esc is disabled until `remove`.
        """
        window = slicer.util.mainWindow()
        if window is None or self._installed:
            return
        self._disable(window, {ESCAPE})
        slots = {key: getattr(self._ui, name).click for key, name in KEYS.items()}
        for key, slot in {**slots, ESCAPE: self._onEscape}.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.setAutoRepeat(False)
            shortcut.connect("activated()", slot)
            self._installed.append(shortcut)

    def silence(self) -> None:
        """Disable shortcuts of the same keys that other modules have left in the window, until `remove`.

        Qt would otherwise activate neither, or them in turn.
        """
        window = slicer.util.mainWindow()
        if window is not None and not self._installed:
            self._disable(window, {*KEYS, *UNDO_KEYS, ESCAPE})

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

    def _disable(self, window: Any, taken: set[str]) -> None:
        for child in window.children():
            if child.className() == "QShortcut" and child.enabled and child.key.toString() in taken:
                child.enabled = False
                self._silenced.append(child)
