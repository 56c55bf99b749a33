"""Reading and writing volumes as NIfTI, NRRD and MetaImage files, and refusing what cannot be used."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import SimpleITK as sitk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume import integrity
from SegAnyPETLib.volume.atomic import replacing
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

#: Voxels of a PET are millimetres wide; beyond these limits a file is in another unit.
MIN_VOXEL_MM = 0.4
MAX_VOXEL_MM = 100.0

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


def read_image(path: str | Path) -> Volume:
    """Read a scalar 3-D image; values are taken as they are, units are unknown.

    Args:
        path: a ``.nii``, ``.nii.gz``, ``.nrrd`` or ``.mha`` file. A fourth axis of length 1 is dropped.

    Returns:
        A volume with a float32 array.

    Raises:
        InputError: the file is missing, unknown, truncated or damaged, or holds no scalar 3-D image with
            perpendicular axes.
    """
    return from_image(_read(Path(path), sitk.sitkFloat32))


def read_labels(path: str | Path) -> Volume:
    """Read a label map or a mask.

    Args:
        path: as for `read_image`, or a ``.seg.nrrd`` file whose segments do not overlap.

    Returns:
        A volume with an int32 array.

    Raises:
        InputError: as for `read_image`, or the values are not whole numbers.
    """
    volume = from_image(_read(Path(path), sitk.sitkUnknown))
    labels = volume.array_kji
    limits = np.iinfo(np.int32)
    if not (np.isfinite(labels).all() and labels.min() >= limits.min and labels.max() <= limits.max):
        raise InputError(f"{Path(path).name} holds values that are no labels; give a label map with whole numbers")
    integers = labels.astype(np.int32)
    if not np.array_equal(integers, labels):
        raise InputError(f"{Path(path).name} holds fractions; give a label map with whole numbers")
    return volume.with_array(integers)


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
        with quiet_itk():
            sitk.WriteImage(image, str(temporary), useCompression=suffix != ".nii")
        integrity.check_complete(temporary, suffix)


def check_image(volume: Volume) -> None:
    """Refuse an image in which nothing can be segmented.

    Raises:
        InputError: there are values that are not finite, none is above zero, or the voxel size cannot be in mm.
    """
    check_voxel_size(volume)
    if not np.isfinite(volume.array_kji).all():
        raise InputError("the image holds values that are not numbers (NaN or infinity); replace them and try again")
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
    """The ending of a file name that says its format.

    Raises:
        InputError: it is none that can be read and written, or ITK cannot be told the path.
    """
    try:
        str(path).encode()
    except UnicodeEncodeError as error:
        raise InputError(f"the path of {path.name!a} holds bytes that are no characters; rename it") from error
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return suffix
    raise InputError(f"{path.name or path} has an unknown ending; use one of {', '.join(SUFFIXES)}")


@contextmanager
def quiet_itk() -> Iterator[None]:
    """Keep ITK's warnings off the terminal within the block."""
    before = sitk.ProcessObject.GetGlobalWarningDisplay()
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalWarningDisplay(before)


def open_reader(path: Path) -> sitk.ImageFileReader:
    """A reader that has read the header of an image file; the file is checked to be whole.

    Raises:
        InputError: the file is missing, unknown, truncated or damaged.
    """
    suffix = known_suffix(path)
    ending = path.name[-len(suffix) :]
    if not (ending.islower() or ending.isupper()):  # which ITK's reader of NIfTI does not take
        raise InputError(f"{path.name} ends in capital and small letters; rename it to end in {suffix}")
    if not path.is_file():
        raise InputError(f"{path.name} is not there; check the path of the file")
    try:
        integrity.check_complete(path, suffix, finite=True)
    except OSError as error:
        raise InputError(f"{path.name} cannot be opened; check your rights to the file") from error
    reader = sitk.ImageFileReader()
    reader.SetImageIO(READERS[suffix])
    reader.SetFileName(str(path))
    try:
        with quiet_itk():
            reader.ReadImageInformation()
    except RuntimeError as error:
        raise _unreadable(path, error) from error
    return reader


def read_pixels(reader: sitk.ImageFileReader) -> sitk.Image:
    """The image of an opened reader.

    Raises:
        InputError: the voxels are truncated or damaged.
    """
    try:
        with quiet_itk():
            return reader.Execute()
    except RuntimeError as error:
        raise _unreadable(Path(reader.GetFileName()), error) from error


def _unreadable(path: Path, error: RuntimeError) -> InputError:
    if "orthonormal" in str(error):
        return InputError(f"{path.name}: the axes are sheared; resample it to a grid with perpendicular axes")
    return integrity.damaged(path.name)


def _read(path: Path, pixel_type: int) -> sitk.Image:
    reader = open_reader(path)
    _check_header(reader, path.name)
    reader.SetOutputPixelType(pixel_type)
    image = read_pixels(reader)
    if image.GetDimension() == 4:
        image = sitk.Extract(
            image, (*image.GetSize()[:3], 0), (0, 0, 0, 0), sitk.ExtractImageFilter.DIRECTIONCOLLAPSETOSUBMATRIX
        )
    return image


def _check_header(reader: sitk.ImageFileReader, name: str) -> None:
    """Refuse everything but one scalar 3-D image with perpendicular axes, before its voxels are read."""
    dimension, size = reader.GetDimension(), reader.GetSize()
    if reader.GetNumberOfComponents() > 1 or reader.GetPixelID() not in SCALAR_TYPES:
        raise InputError(f"{name} holds several values per voxel; give an image with one value per voxel")
    if dimension > 3 and any(length > 1 for length in size[3:]):
        raise InputError(f"{name} has {dimension} dimensions; give a single 3-D image, one time frame of it")
    if dimension > 4:
        raise InputError(f"{name} has {dimension} dimensions; give a 3-D image")
    if dimension < 3 or min(size[:3]) < 2:
        raise InputError(f"{name} is a 2-D image; give a 3-D image with at least two voxels along each axis")
    try:
        Volume(np.zeros((1, 1, 1), np.float32), image_matrix(reader))
    except InputError as error:
        raise InputError(f"{name}: {error}") from error
