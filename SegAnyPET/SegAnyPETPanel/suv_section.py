"""The button "Convert to SUV": a volume in SUV from the DICOM files of the PET that is chosen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import qt
import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.suv_volume import (
    ReadingNotes,
    add_suv_volume,
    check_same_place,
    dicom_files,
    image_of_volume,
)
from SegAnyPETLib.mrml.nodes.volumes import grid_of
from SegAnyPETPanel.actions.action_queue import ActionQueue
from SegAnyPETPanel.actions.errand import Errand, Tell
from SegAnyPETPanel.guard import guarded
from SegAnyPETPanel.selection import Selection

if TYPE_CHECKING:
    from SegAnyPETLib.volume.dicom.series import Series


class SuvSection:
    """Converts the chosen PET beside the GUI thread, and chooses the result.

    Args:
        ui: the widgets by name.
        selection: the chosen PET.
        queue: runs what takes long.
        setStatus: shows a sentence.
    """

    def __init__(self, ui: Any, selection: Selection, queue: ActionQueue, setStatus: Callable[[str], object]) -> None:
        self._selection = selection
        self._queue = queue
        self._setStatus = setStatus
        ui.convertButton.connect("clicked()", guarded(self.onConvert))

    def onConvert(self) -> None:
        """Convert from the files that Slicer read the PET from, or from a folder that the user points at."""
        node = self._selection.volume
        if node is None:
            return
        files = _knownFiles(node)
        if not files:
            folder = qt.QFileDialog.getExistingDirectory(
                slicer.util.mainWindow(), _("Folder with the DICOM files of {name}").format(name=node.GetName())
            )
            if not folder:
                return
            files = sorted(path for path in Path(folder).iterdir() if path.is_file())
        self._queue.push(lambda: self._convert(node, files), needsModel=False)

    def _convert(self, node: Any, files: list[Path]) -> Errand:
        read, grid = _reader(), grid_of(node)
        found: list[Any] = []

        def work(tell: Tell) -> None:
            from SegAnyPETLib.pet.reading import scan_of

            series = read(files, _("what was chosen"))
            check_same_place(series.volume, grid)
            tell(1, 2)
            scan = scan_of(series)
            found.extend((scan, image_of_volume(scan.volume)))

        def finish() -> None:
            if node.GetScene() is None or self._selection.volume is not node:
                self._setStatus(_("Another PET was chosen meanwhile; nothing was converted."))
                return
            scan, image = found
            made = add_suv_volume(slicer.mrmlScene, scan.volume, image, ReadingNotes(scan.notes, scan.assumed), node)
            self._selection.parameters.volume = made
            self._setStatus(_("{name} is in SUV (body weight).").format(name=made.GetName()))

        return Errand(work, finish, _("Converting to SUV ..."))


def _knownFiles(node: Any) -> list[Path]:
    """Return the files in Slicer's DICOM database, none if there is no database or it does not know them."""
    database = getattr(slicer, "dicomDatabase", None)
    return [] if database is None or not database.isOpen else dicom_files(node, database.fileForInstance)


def _reader() -> Callable[[list[Path], str], Series]:
    """Return what reads a series.

    Raises:
        InputError: Slicer's pydicom is too old for it.
    """
    try:
        from SegAnyPETLib.volume.dicom.series import read_files
    except ImportError as error:
        raise InputError(_("Slicer 5.12 or newer is needed to convert DICOM files.")) from error
    return read_files
