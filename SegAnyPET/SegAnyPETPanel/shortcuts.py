"""Keys of the panel. Those of the Segment Editor below it stay as they are, with Z and Y for undo and redo."""

import qt
import slicer

#: Keys and the buttons that they press. The editor takes digits, Z, Y, Q, W, I, Esc and Space, its effects A and X.
KEYS = {"P": "positiveButton", "N": "negativeButton", "L": "nextButton", "C": "cancelButton"}


class Shortcuts:
    """Keys in Slicer's main window while the panel is open.

    Args:
        ui: the widgets by their names.
    """

    def __init__(self, ui):
        self._ui = ui
        self._made = []

    def install(self):
        """Take the keys; without a main window there are none."""
        window = slicer.util.mainWindow()
        if window is None or self._made:
            return
        for key, name in KEYS.items():
            shortcut = qt.QShortcut(qt.QKeySequence(key), window)
            shortcut.connect("activated()", getattr(self._ui, name).click)
            self._made.append(shortcut)

    def remove(self):
        """Give the keys back."""
        for shortcut in self._made:
            shortcut.setParent(None)
            shortcut.deleteLater()
        self._made = []
