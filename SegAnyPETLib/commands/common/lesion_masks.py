"""The lesions of a mask file, cropped one by one, with what the file says of how they were made."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.burden.lesions import regions_of
from SegAnyPETLib.pet.reading import PetScan
from SegAnyPETLib.reports.whole_body.burden_file import MadeBy
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.session.saved_prompts import TAG, SavedPrompts
from SegAnyPETLib.volume.dicom.file import is_dicom
from SegAnyPETLib.volume.dicom.reference.read import read_reference_regions
from SegAnyPETLib.volume.fitting import fitted
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.io import known_suffix, read_label_file
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.segmentation import Segment, read_segmentation
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True, eq=False)
class LesionMask:
    """A lesion of a file.

    Attributes:
        region: on the scan's grid.
        name: of its segment; "" if it has none.
        made: what the file says of how it was made.
    """

    region: MaskPatch
    name: str = ""
    made: MadeBy = field(default_factory=MadeBy)


def read_lesions(path: Path, scan: PetScan) -> tuple[tuple[LesionMask, ...], tuple[Note, ...]]:
    """Read the lesions of a mask; one that was saved turned or cropped is brought to the scan's grid.

    Args:
        path: a ``.seg.nrrd`` or DICOM file, each of whose segments is a lesion, or a label map, each of whose values is
            one; a file with a single one is split into its connected parts.
        scan: the PET.

    Returns:
        Lesions that do not overlap, none if the mask is empty; and what is doubtful about them.

    Raises:
        InputError: the file cannot be read or lies on another grid.
    """
    volume = scan.volume
    if is_dicom(path):
        regions, notes = read_reference_regions(path, volume, scan.files)
        lesions, shared = _lesions([LesionMask(MaskPatch.cropped(one.mask_kji()), one.name) for one in regions], volume)
        return lesions, (*notes, *shared)
    if known_suffix(path) != ".seg.nrrd":
        file = read_label_file(path)
        labels = fitted(file.volume, volume, "mask").array_kji
        if labels.dtype.kind in "if" and labels.min(initial=0) < 0:
            raise InputError(f"{path.name} holds negative labels; give a mask with 0 where there is no lesion")
        return tuple(LesionMask(region) for region in regions_of(labels)), file.notes
    grid, segments = read_segmentation(path)
    return _lesions([_of_segment(segment, grid, volume) for segment in segments], volume)


def _lesions(found: list[LesionMask], volume: Volume) -> tuple[tuple[LesionMask, ...], tuple[Note, ...]]:
    """Return the parts of a single segment, or segments without what they share."""
    if len(found) == 1:
        (one,) = found
        return tuple(LesionMask(region, one.name, one.made) for region in _parts(one.region)), ()
    return _disjoint(found, volume)


def _of_segment(segment: Segment, grid: Volume, volume: Volume) -> LesionMask:
    mask = fitted(grid.with_array(segment.mask_kji), volume, "mask")
    region = MaskPatch.cropped(mask.array_kji.astype(bool))
    return LesionMask(region, segment.name, _made_by(segment, region, volume))


def _made_by(segment: Segment, region: MaskPatch, volume: Volume) -> MadeBy:
    if TAG not in segment.tags:
        return MadeBy()
    try:
        saved = SavedPrompts.from_json(segment.tags[TAG])
    except InputError:
        return MadeBy()  # the mask counts, whatever became of the record beside it
    edited = fingerprint(region, Grid.of(volume)) != saved.mask_sha256 if saved.mask_sha256 else None
    return MadeBy(model=saved.model, weights_sha256=saved.weights_sha256, edited=edited)


def _parts(region: MaskPatch) -> list[MaskPatch]:
    low = region.offset_kji
    parts = regions_of(region.array_kji)
    return [
        MaskPatch(
            part.array_kji, (part.offset_kji[0] + low[0], part.offset_kji[1] + low[1], part.offset_kji[2] + low[2])
        )
        for part in parts
    ]


def _disjoint(lesions: list[LesionMask], volume: Volume) -> tuple[tuple[LesionMask, ...], tuple[Note, ...]]:
    """Return lesions with each voxel in the first that holds it, without empty ones; and what that changed."""
    taken = np.zeros(volume.shape_kji, bool)
    kept, shared, empty = [], 0, 0
    for lesion in lesions:
        free = lesion.region.array_kji & ~taken[lesion.region.slices]
        taken[lesion.region.slices] |= lesion.region.array_kji
        region = MaskPatch.cropped(free, lesion.region.offset_kji)
        shared += lesion.region.voxels - region.voxels
        empty += not region.voxels
        if region.voxels:
            kept.append(LesionMask(region, lesion.name, lesion.made))
    notes = []
    if shared:
        message = f"{shared} voxels belong to several segments; they count once, for the first of them"
        notes.append(Note(NoteKind.MASK, message))
    if empty:
        notes.append(Note(NoteKind.MASK, f"{empty} segments have no voxel of their own and are left out"))
    return tuple(kept), tuple(notes)
