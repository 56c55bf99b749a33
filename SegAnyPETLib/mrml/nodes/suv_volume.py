"""SUV volumes made from the DICOM files of a volume node, and what was doubtful about them.

Slicer's own reader gives a PET in the units of its files, such as Bq/ml, and does not say which they are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import slicer
import vtk
from vtk.util.numpy_support import numpy_to_vtk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.frames import to_vtk
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.volume import Volume

#: The attribute that Slicer's DICOM reader gives to volumes: identifiers of the instances, separated by spaces.
INSTANCES = "DICOM.instanceUIDs"
#: The attribute with what was doubtful or assumed, saved with the scene.
NOTES = "SegAnyPET.Notes"
#: Unit and quantity of body-weight SUV: UCUM, and DICOM's context group 85.
SUV_CODE = ("{SUVbw}g/ml", "UCUM", "Standardized Uptake Value body weight")
SUV_QUANTITY = ("126401", "DCM", "SUVbw")


@dataclass(frozen=True)
class ReadingNotes:
    """What is doubtful about a volume's values.

    Attributes:
        notes: doubts of the reader.
        assumed: what had to be assumed, in a few words each.
    """

    notes: tuple[Note, ...] = ()
    assumed: tuple[str, ...] = ()


def dicom_files(node: Any, file_of: Callable[[str], str]) -> list[Path]:
    """Return the DICOM files that a volume node was read from; none if some of them are not known any more.

    Args:
        node: a vtkMRMLScalarVolumeNode.
        file_of: returns the path of an instance, "" if it does not know it: that of Slicer's DICOM database.
    """
    paths = [Path(file_of(uid) or "") for uid in (node.GetAttribute(INSTANCES) or "").split()]
    return paths if all(path.is_file() for path in paths) else []


def check_same_place(volume: Volume, grid: Grid) -> None:
    """Check that a scan is the one that a volume node shows; the order of its slices may differ.

    Args:
        volume: the scan, from its files.
        grid: of the node.

    Raises:
        InputError: the grids differ.
    """
    try:
        Grid.of(volume).check_same(grid)
    except InputError as error:
        raise InputError("these DICOM files are another scan; choose the folder of the series of this PET") from error


def image_of_volume(volume: Volume) -> vtk.vtkImageData:
    """Return a copy of a volume's voxels as VTK has them; may run in any thread."""
    k, j, i = volume.shape_kji
    image = vtk.vtkImageData()
    image.SetDimensions(i, j, k)
    image.GetPointData().SetScalars(numpy_to_vtk(volume.array_kji.ravel(), deep=True))
    return image


def add_suv_volume(scene: Any, volume: Volume, image: vtk.vtkImageData, found: ReadingNotes, original: Any) -> Any:
    """Add a vtkMRMLScalarVolumeNode with a scan in SUV, beside the one that was read from the same files.

    Args:
        scene: the MRML scene.
        volume: in body-weight SUV.
        image: its voxels, see `image_of_volume`.
        found: what was doubtful or assumed.
        original: the node that was read from the same files; the new one lies under its transform.
    """
    node = scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", scene.GenerateUniqueName(f"{original.GetName()} SUV"))
    node.SetIJKToRASMatrix(to_vtk(volume.ijk_to_ras))
    node.SetAndObserveImageData(image)
    node.SetVoxelValueUnits(_coded(*SUV_CODE))
    node.SetVoxelValueQuantity(_coded(*SUV_QUANTITY))
    node.SetAndObserveTransformNodeID(original.GetTransformNodeID())
    if original.GetAttribute(INSTANCES):
        node.SetAttribute(INSTANCES, original.GetAttribute(INSTANCES))
    write_notes(node, found)
    _put_beside(scene, node, original)
    return node


def write_notes(node: Any, found: ReadingNotes) -> None:
    """Keep with a volume node what is doubtful about its values."""
    content = {"notes": [[note.kind.value, note.message] for note in found.notes], "assumed": list(found.assumed)}
    node.SetAttribute(NOTES, json.dumps(content))


def notes_of(node: Any) -> ReadingNotes:
    """Return what is doubtful about a volume node's values; nothing if nothing was kept, or it is damaged."""
    try:
        content = json.loads(node.GetAttribute(NOTES) or "{}")
        notes = tuple(Note(NoteKind(kind), str(message)) for kind, message in content.get("notes", ()))
        return ReadingNotes(notes, tuple(map(str, content.get("assumed", ()))))
    except (ValueError, TypeError, AttributeError):
        return ReadingNotes()


def _coded(value: str, scheme: str, meaning: str) -> Any:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(value, scheme, meaning)
    return entry


def _put_beside(scene: Any, node: Any, original: Any) -> None:
    """Put a node into the folder or study of another one, where the scene has a subject hierarchy."""
    hierarchy = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    if hierarchy is None:
        return
    own, others = (hierarchy.GetItemByDataNode(n) for n in (node, original))
    invalid = hierarchy.GetInvalidItemID()
    if own != invalid and others != invalid:
        hierarchy.SetItemParent(own, hierarchy.GetItemParent(others))
