"""Reading a mask or labels from a DICOM RTSTRUCT or SEG."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pydicom.uid import UID, RTStructureSetStorage, SegmentationStorage

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.dicom.file import read_header, read_object, reading, storage_class
from SegAnyPETLib.volume.dicom.reference.frames import segments_of
from SegAnyPETLib.volume.dicom.reference.region import Region, Regions
from SegAnyPETLib.volume.dicom.reference.structure_set import regions_of
from SegAnyPETLib.volume.io import ImageFile
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.volume import Volume

#: "Label Map Segmentation Storage", which pydicom 3.0 does not know.
LABEL_MAP_STORAGE = UID("1.2.840.10008.5.1.4.1.1.66.7")
#: More names than a message can hold.
MAX_NAMES = 10


def read_reference_mask(path: Path, image: Volume, name: str | None = None, files: Sequence[Path] = ()) -> ImageFile:
    """Read the mask of one region.

    Args:
        path: an RTSTRUCT or SEG file.
        image: the PET.
        name: of the region or segment; None for the only one.
        files: of the PET's series, whose frame of reference is compared; empty for an image file.

    Returns:
        A bool volume on the image's grid, with doubts about the file.

    Raises:
        InputError: the file is no such object, lies elsewhere, has no such region, or has several and none is named.
    """
    regions, notes = read_reference_regions(path, image, files)
    region = _named(regions, name, path.name)
    mask_kji = region.mask_kji()
    if not mask_kji.any():
        raise InputError(f"{region.name} of {path.name} holds no voxel of the image; give a region of this image")
    return ImageFile(image.with_array(mask_kji), notes)


def read_reference_labels(path: Path, image: Volume, files: Sequence[Path] = ()) -> ImageFile:
    """Read all regions as a label map: 1, 2, ... in the order of the file.

    Args:
        path: an RTSTRUCT or SEG file.
        image: the PET.
        files: as for `read_reference_mask`.

    Returns:
        An int32 volume on the image's grid, with doubts about the file.

    Raises:
        InputError: the file is no such object, lies elsewhere, or its regions overlap.
    """
    regions, notes = read_reference_regions(path, image, files)
    labels = np.zeros(image.shape_kji, np.int32)
    for value, region in enumerate(regions, start=1):
        mask_kji = region.mask_kji()
        if labels[mask_kji].any():
            other = regions[int(labels[mask_kji].max()) - 1].name
            raise InputError(f'{region.name} of {path.name} overlaps {other}; name the one to take ("label_segment")')
        labels[mask_kji] = value
    return ImageFile(image.with_array(labels), notes)


def read_reference_regions(
    path: Path, image: Volume, files: Sequence[Path] = ()
) -> tuple[tuple[Region, ...], tuple[Note, ...]]:
    """Read what regions there are; the mask of each is made when it is asked for, and they may overlap.

    Args:
        path: an RTSTRUCT or SEG file.
        image: the PET.
        files: as for `read_reference_mask`.

    Returns:
        The regions in the order of the file, and doubts about it.

    Raises:
        InputError: the file is no such object or lies elsewhere.
    """
    found, notes = _read(path, image, files)
    return tuple(replace(region, mask_kji=partial(_made, region, path)) for region in found.regions), notes


def _made(region: Region, path: Path) -> NDArray[np.bool_]:
    with reading(path):
        return region.mask_kji()


def _read(path: Path, image: Volume, files: Sequence[Path]) -> tuple[Regions, tuple[Note, ...]]:
    dataset = read_object(path)
    with reading(path):
        kind = storage_class(dataset)
        if kind == RTStructureSetStorage:
            found = regions_of(dataset, image)
        elif kind in (SegmentationStorage, LABEL_MAP_STORAGE):
            found = segments_of(dataset, image, path.name)
        else:
            raise InputError(
                f"{path.name} holds neither segments nor contours; give a DICOM SEG or RTSTRUCT, or the folder of a "
                "series where an image is wanted"
            )
    return found, (*found.notes, *_check_frame(found.frame_of_reference, files, path.name))


def _check_frame(frame_of_reference: str, files: Sequence[Path], name: str) -> tuple[Note, ...]:
    """Refuse coordinates of another frame of reference; say so where frames cannot be compared."""
    header = read_header(files[0]) if files else None
    of_image = "" if header is None else str(header.get("FrameOfReferenceUID", ""))
    if not (of_image and frame_of_reference):
        message = f"{name} and the PET do not both say their frame of reference; check that the mask lies at its place"
        return (Note(NoteKind.GEOMETRY, message),)
    if of_image != frame_of_reference:
        raise InputError(
            f"{name} was drawn in another frame of reference than the PET's; register the images and export it for "
            "this PET"
        )
    return ()


def _named(regions: Sequence[Region], name: str | None, file: str) -> Region:
    names = [region.name for region in regions]
    listed = ", ".join(names[:MAX_NAMES]) + (", ..." if len(names) > MAX_NAMES else "")
    if name is None and len(names) > 1:
        raise InputError(f"{file} holds {len(names)} segments ({listed}); name the one to take (--mask-segment)")
    if name is not None and names.count(name) != 1:
        how = "no" if name not in names else "several"
        raise InputError(f"{file} holds {how} segments named {name}; it holds {listed}")
    return regions[0 if name is None else names.index(name)]
