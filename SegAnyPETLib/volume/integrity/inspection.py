"""Faults of image files that ITK reads over in silence; found before reading and after writing.

ITK also reports nothing when the disk is full while it writes NIfTI.
"""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.volume.integrity.meta_image import inspect_meta
from SegAnyPETLib.volume.integrity.nifti import FileFacts, inspect_nifti
from SegAnyPETLib.volume.integrity.nrrd import inspect_nrrd


def inspect_file(path: Path, suffix: str, limits: bool = True) -> FileFacts:
    """Refuse an image file that is truncated, corrupt, contradictory or too large, as far as ITK does not do it.

    Args:
        path: the file.
        suffix: the ending of its name that says the format.
        limits: whether its size is limited, as that of a file of unknown origin is.

    Raises:
        InputError: with the reason.
        OSError: the file cannot be opened.
    """
    if suffix in (".nii", ".nii.gz"):
        return inspect_nifti(path, limits)
    if suffix == ".mha":
        return FileFacts(inspect_meta(path, limits))
    return FileFacts(inspect_nrrd(path, limits))
