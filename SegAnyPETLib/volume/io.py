"""Reading and writing volumes as NIfTI, NRRD and MetaImage files, and refusing what cannot be used."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import SimpleITK as sitk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.atomic import replacing
from SegAnyPETLib.volume.integrity.inspection import inspect_file
from SegAnyPETLib.volume.integrity.limits import damaged
from SegAnyPETLib.volume.integrity.nifti import FileFacts
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.sitk_bridge import from_image, image_matrix, to_image
from SegAnyPETLib.volume.volume import Volume

#: Endings of the file names that can be read and written, longest first.
SUFFIXES = (".seg.nrrd", ".nii.gz", ".nii", ".nrrd", ".mha")

#: ITK's readers by these endings. ITK itself would choose one by the name, and not know endings in capitals.
READERS = {
    ".seg.nrrd": "NrrdImageIO",
    ".nii.gz": "NiftiImageIO",
    ".nii": "NiftiImageIO",
    ".nrrd": "NrrdImageIO",
    ".mha": "MetaImageIO",
}

#: What to do about other files that hold an image, by their endings.
ADVICE = {
    ".mhd": "it keeps its voxels in another file; convert it to a single .mha file",
    ".nhdr": "it keeps its voxels in another file; convert it to a single .nrrd file",
    ".hdr": "it is half of a pair of files; convert the pair to .nii.gz",
    ".img": "it is half of a pair of files; convert the pair to .nii.gz",
    ".raw": "it says nothing of its geometry; export the image as .nii.gz or .nrrd",
    ".mgz": "convert it to .nii.gz",
    ".mgh": "convert it to .nii.gz",
    ".v": "convert it to .nii.gz",
    ".bz2": "unpack it first",
    ".xz": "unpack it first",
    ".zip": "unpack it and give the folder or the image in it",
    ".tar": "unpack it and give the folder or the image in it",
    ".gz": "unpack it first, or give a .nii.gz file",
    ".dcm": "it is a part of a DICOM series; give the folder that holds all of it",
    ".ima": "it is a part of a DICOM series; give the folder that holds all of it",
}

#: Voxels of a PET are millimetres wide; beyond these limits a file is in another unit.
MIN_VOXEL_MM = 0.4
MAX_VOXEL_MM = 100.0
#: No scanner places an image farther away from its own origin.
MAX_POSITION_MM = 1e5

#: Labels this close to a whole number were whole before resampling or rescaling.
LABEL_TOLERANCE = 0.01

#: SimpleITK's pixel types that hold one real number.
SCALAR_TYPES = (
    sitk.sitkUInt8,
    sitk.sitkInt8,
    sitk.sitkUInt16,
    sitk.sitkInt16,
    sitk.sitkUInt32,
    sitk.sitkInt32,
    sitk.sitkUInt64,
    sitk.sitkInt64,
    sitk.sitkFloat32,
    sitk.sitkFloat64,
)


@dataclass(frozen=True, eq=False)
class ImageFile:
    """What a file holds.

    Attributes:
        volume: the voxels with their geometry.
        notes: doubts about the file.
    """

    volume: Volume
    notes: tuple[Note, ...] = ()


def read_image(path: str | Path) -> Volume:
    """Read a scalar 3-D image; values are taken as they are, units are unknown.

    Args:
        path: a ``.nii``, ``.nii.gz``, ``.nrrd`` or ``.mha`` file. A fourth axis of length 1 is dropped.

    Returns:
        A volume with a float32 array, NaN where the file holds NaN.

    Raises:
        InputError: the file is missing, unknown, truncated, damaged, too large or contradicts itself, holds infinite
            values, or does not hold a scalar 3-D image with perpendicular axes.
    """
    return read_image_file(path).volume


def read_image_file(path: str | Path) -> ImageFile:
    """Read a scalar 3-D image as `read_image` does, with doubts about its geometry.

    Raises:
        InputError: as for `read_image`.
    """
    return _read(Path(path), sitk.sitkFloat32)


def read_labels(path: str | Path) -> Volume:
    """Read a label map or a mask.

    Args:
        path: as for `read_image`, or a ``.seg.nrrd`` file whose segments do not overlap.

    Returns:
        A volume with an int32 array.

    Raises:
        InputError: as for `read_image`, or the values are not whole numbers up to 0.01.
    """
    return read_label_file(path).volume


def read_label_file(path: str | Path) -> ImageFile:
    """Read a label map as `read_labels` does, with a note if its values were rounded.

    Raises:
        InputError: as for `read_labels`.
    """
    file = _read(Path(path), sitk.sitkUnknown)
    labels, name = file.volume.array_kji, Path(path).name
    limits = np.iinfo(np.int32)
    if not (np.isfinite(labels).all() and labels.min() >= limits.min and labels.max() <= limits.max):
        raise InputError(f"{name} holds values that are not labels; give a label map with whole numbers")
    whole = np.rint(labels).astype(np.int32)
    if np.array_equal(whole, labels):
        return ImageFile(file.volume.with_array(whole), file.notes)
    if np.abs(labels - whole).max() > LABEL_TOLERANCE:
        raise InputError(f"{name} holds fractions; give a label map with whole numbers")
    note = Note(NoteKind.LABELS, f"{name} holds labels that are not quite whole numbers; they were rounded")
    return ImageFile(file.volume.with_array(whole), (*file.notes, note))


def write_volume(volume: Volume, path: str | Path) -> None:
    """Write a volume; the format follows the ending of the name, and bool becomes 8-bit unsigned.

    The file appears whole or not at all; an existing one is replaced only by a complete one.

    Raises:
        InputError: the ending is unknown or the folder does not exist.
        SegAnyPETError: the file could not be written.
    """
    write_image(to_image(volume), Path(path))


def write_image(image: sitk.Image, path: Path) -> None:
    """Write a SimpleITK image as `write_volume` does."""
    suffix = known_suffix(path)
    with replacing(path, suffix) as temporary:
        with _written_by_itk(temporary, suffix) as name, quiet_itk():
            sitk.WriteImage(image, name, useCompression=suffix != ".nii")
        inspect_file(temporary, suffix, limits=False)


def check_image(volume: Volume) -> None:
    """Refuse an image in which nothing can be segmented.

    Raises:
        InputError: there are values that are not finite, none is above zero, or the voxel size cannot be in mm.
    """
    check_voxel_size(volume)
    if not np.isfinite(volume.array_kji).all():
        raise InputError(
            "the image holds values that are not numbers (NaN or infinity) within the body; set them to 0 and try again"
        )
    if not volume.array_kji.any():
        raise InputError("the image is zero everywhere; check that the export of the PET is complete")
    if volume.array_kji.max() <= 0:
        raise InputError("the image has no value above zero; give the PET in SUV or becquerels per millilitre")


def check_voxel_size(volume: Volume, what: str = "image") -> None:
    """Refuse a volume whose voxel size is in another unit than millimetres.

    Raises:
        InputError: the size is that of no PET.
    """
    if volume.spacing_mm.min() < MIN_VOXEL_MM or volume.spacing_mm.max() > MAX_VOXEL_MM:
        size = " x ".join(f"{side:g}" for side in volume.spacing_mm)
        raise InputError(f"the {what}'s voxels are {size} mm large, which no PET has; correct its voxel size")


def check_same_grid(labels: Volume, image: Volume, what: str = "label map") -> None:
    """Refuse labels that lie on another grid than the image.

    Raises:
        InputError: size or geometry differ.
    """
    if not labels.same_grid(image):
        raise InputError(f"the {what} lies on another grid than the image; resample it to the image's grid")


def check_mask(mask: Volume, image: Volume) -> None:
    """Refuse a mask that cannot be a prompt for the image.

    Raises:
        InputError: the mask lies on another grid or has no voxel.
    """
    check_same_grid(mask, image, "mask")
    if not mask.array_kji.any():
        raise InputError("the mask has no voxel; give a mask with at least one voxel that is not zero")


def known_suffix(path: Path) -> str:
    """Return the ending of a file name that says its format.

    Raises:
        InputError: it cannot be read and written, or the path has bytes that are not characters.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the path of {path.name!a} holds bytes that are not characters; rename it") from error
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    advice = ADVICE.get(path.suffix.lower())
    if advice is not None:
        raise InputError(f"{path.name} cannot be read: {advice} (known endings: {', '.join(SUFFIXES)})")
    raise InputError(
        f"{path.name or path} has an unknown ending; use one of {', '.join(SUFFIXES)}, or the folder of a DICOM series"
    )


@contextmanager
def quiet_itk() -> Iterator[None]:
    """Keep ITK's warnings off the terminal within the block."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


@contextmanager
def open_reader(path: Path) -> Iterator[tuple[sitk.ImageFileReader, FileFacts]]:
    """Open an image file within the block: a reader that has read its header; the file is checked to be whole.

    Raises:
        InputError: the file is missing, unknown, truncated, damaged, too large or contradicts itself.
    """
    suffix = known_suffix(path)
    if not path.is_file():
        raise InputError(f"{path.name} is not there; check the path of the file")
    try:
        facts = inspect_file(path, suffix)
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened; check your rights to the file") from error
    reader = sitk.ImageFileReader()
    reader.SetImageIO(READERS[suffix])
    with _named_for_itk(path, suffix) as name:
        reader.SetFileName(name)
        try:
            with quiet_itk():
                reader.ReadImageInformation()
        except RuntimeError as error:
            raise damaged(path.name) from error
        yield reader, facts


def read_pixels(reader: sitk.ImageFileReader, path: Path) -> sitk.Image:
    """Read the image of an opened reader.

    Raises:
        InputError: the voxels are truncated or damaged.
    """
    try:
        with quiet_itk():
            return reader.Execute()
    except RuntimeError as error:
        raise damaged(path.name) from error


@contextmanager
def _named_for_itk(path: Path, suffix: str) -> Iterator[str]:
    """Name an existing file so that ITK finds it: in UTF-8, with an ending in small or in capital letters."""
    ending = path.name[-len(suffix) :]
    if _is_utf8(path) and (ending.islower() or ending.isupper()):
        yield str(path)
        return
    with TemporaryDirectory() as folder:
        other = Path(folder) / f"image{suffix}"
        try:
            other.symlink_to(path.absolute())
        except OSError:  # on Windows only administrators may
            shutil.copyfile(path, other)
        yield str(other)


@contextmanager
def _written_by_itk(path: Path, suffix: str) -> Iterator[str]:
    """Name a file to be written so that ITK writes it there, whatever the encoding of the system's file names."""
    if _is_utf8(path):
        yield str(path)
        return
    with TemporaryDirectory() as folder:
        other = Path(folder) / f"image{suffix}"
        yield str(other)
        shutil.copyfile(other, path)


def _is_utf8(path: Path) -> bool:
    """Whether ITK, which takes names in UTF-8, names the same file as the system; not in a locale of ISO-8859-1."""
    return os.fsencode(path.absolute()) == str(path.absolute()).encode()


def _read(path: Path, pixel_type: int) -> ImageFile:
    with open_reader(path) as (reader, facts):
        _check_header(reader, path)
        reader.SetOutputPixelType(pixel_type)
        image = read_pixels(reader, path)
    if image.GetDimension() == 4:
        image = sitk.Extract(
            image, (*image.GetSize()[:3], 0), (0, 0, 0, 0), sitk.ExtractImageFilter.DIRECTIONCOLLAPSETOSUBMATRIX
        )
    volume = from_image(image)
    if facts.nan is not None:
        volume.array_kji[facts.nan.reshape(volume.shape_kji)] = np.nan
    return ImageFile(volume, facts.notes)


def _check_header(reader: sitk.ImageFileReader, path: Path) -> None:
    """Refuse everything but one scalar 3-D image with perpendicular axes, before its voxels are read."""
    name = path.name
    dimension, size = reader.GetDimension(), reader.GetSize()
    if reader.GetNumberOfComponents() > 1 and known_suffix(path) == ".seg.nrrd":
        raise InputError(f"{name} holds segments that overlap; name the one to take (--mask-segment)")
    if reader.GetNumberOfComponents() > 1 or reader.GetPixelID() not in SCALAR_TYPES:
        raise InputError(f"{name} holds several values per voxel; give an image with one value per voxel")
    if dimension > 3 and any(length > 1 for length in size[3:]):
        raise InputError(f"{name} has {dimension} dimensions; give a single 3-D image, one time frame of it")
    if dimension > 4:
        raise InputError(f"{name} has {dimension} dimensions; give a 3-D image")
    if dimension < 3 or min(size[:3]) < 2:
        raise InputError(f"{name} is a 2-D image; give a 3-D image with at least two voxels along each axis")
    matrix = image_matrix(reader)
    if not np.abs(matrix[:3, 3]).max() <= MAX_POSITION_MM:
        raise InputError(f"{name} lies {np.abs(matrix[:3, 3]).max():.3g} mm from the origin; correct its position")
    try:
        Volume(np.zeros((1, 1, 1), np.float32), matrix)
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
