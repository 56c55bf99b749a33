"""NIfTI files that contradict themselves are refused; what they leave open is noted."""

import gzip
import struct

import numpy as np
import pytest

from SegAnyPETLib.volume.io import read_image, read_image_file
from SegAnyPETLib.volume.notes import NoteKind
from Testing.volume.files import DATATYPE, OBLIQUE, QFORM_CODE, SFORM_FIRST_ROW, counting, grid_matrix, refusal, write

#: Further offsets in the NIfTI-1 header (nifti1.h).
DIM, BITPIX, PIXDIM, QOFFSET, MAGIC = 40, 72, 76, 268, 344


def _changed(path, *changes):
    """Overwrite fields of a header: offset, format of struct, values."""
    packed = path.name.endswith(".gz")
    content = bytearray(gzip.decompress(path.read_bytes()) if packed else path.read_bytes())
    for offset, kind, *values in changes:
        struct.pack_into("<" + kind, content, offset, *values)
    path.write_bytes(gzip.compress(bytes(content)) if packed else content)
    return path


@pytest.mark.parametrize(("bits", "keep"), [(8, 0.5), (16, 0.5), (64, 1.0), (0, 1.0)])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_size_of_a_voxel_that_contradicts_its_type_is_refused(tmp_path, suffix, bits, keep):
    path = _changed(write(tmp_path, suffix, np.ones((20, 20, 20), np.float32)), (BITPIX, "h", bits))
    if keep < 1 and suffix == ".nii":
        path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    assert "(bitpix) contradict each other" in refusal(read_image, path)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_orientations_that_place_a_file_differently_are_refused(tmp_path, axis):
    path = _changed(write(tmp_path, ".nii"), (QOFFSET + 4 * axis, "f", 500.0))
    assert "(qform and sform) place it differently" in refusal(read_image, path)


def test_orientation_that_is_mirrored_against_the_other_is_refused(tmp_path):
    path = write(tmp_path, ".nii.gz", matrix=np.diag([-4.0, -4, 3, 1]))
    # the quaternion of no rotation: the other side of the patient
    _changed(path, (256, "3f", 0.0, 0.0, 0.0), (QFORM_CODE, "2h", 1, 4))
    assert "place it differently" in refusal(read_image, path)


@pytest.mark.parametrize(("codes", "axis"), [((1, 1), 2), ((0, 1), 0), ((1, 0), 1)])
def test_voxel_size_below_zero_is_refused(tmp_path, codes, axis):
    path = write(tmp_path, ".nii", matrix=np.diag([-4.0, -4, 3, 1]))
    content = bytearray(path.read_bytes())
    (side,) = struct.unpack_from("<f", content, PIXDIM + 4 + 4 * axis)
    _changed(path, (PIXDIM + 4 + 4 * axis, "f", -side), (QFORM_CODE, "2h", *codes))
    assert "below zero" in refusal(read_image, path)


@pytest.mark.parametrize("codes", [(1, 0), (0, 1), (1, 2), (2, 4)])
def test_one_orientation_or_two_that_agree_are_taken(tmp_path, codes):
    path = _changed(write(tmp_path, ".nii"), (QFORM_CODE, "2h", *codes))
    file = read_image_file(path)
    assert file.notes == ()
    np.testing.assert_allclose(file.volume.ijk_to_ras, OBLIQUE, atol=1e-3)


@pytest.mark.parametrize("turn", [(0, 0, 0), (180, 0, 0), (0, 180, 0), (0, 0, 180), (90, 0, 90), (179.99, 0.01, 0)])
@pytest.mark.parametrize("flips", [(False, False, False), (True, True, False), (False, False, True)])
def test_rounding_of_the_quaternion_is_not_a_contradiction(tmp_path, turn, flips):
    matrix = grid_matrix(turn, (1.65, 1.65, 2.0), flips, (-300.0, 250.0, 1000.0))
    path = write(tmp_path, ".nii.gz", np.ones((400, 3, 440), np.uint8), matrix)
    np.testing.assert_allclose(read_image(path).ijk_to_ras, matrix, atol=1e-3)


def test_file_without_orientation_is_noted(tmp_path):
    path = _changed(write(tmp_path, ".nii"), (QFORM_CODE, "2h", 0, 0))
    (note,) = read_image_file(path).notes
    assert note.kind is NoteKind.GEOMETRY
    assert "left and right may be swapped" in note.message


def test_file_that_claims_more_voxels_than_can_be_read_is_refused(tmp_path):
    path = _changed(write(tmp_path, ".nii"), (DIM + 2, "3h", 2000, 2000, 2000))
    assert "claims 8e+09 voxels" in refusal(read_image, path)


def test_small_file_that_claims_a_large_image_is_refused(tmp_path):
    path = _changed(write(tmp_path, ".nii.gz"), (DIM + 2, "3h", 800, 800, 800))
    assert "as no scan is packed" in refusal(read_image, path)


@pytest.mark.parametrize("size", [0, -1])
def test_axis_without_a_voxel_is_refused(tmp_path, size):
    assert "damaged" in refusal(read_image, _changed(write(tmp_path, ".nii"), (DIM + 4, "h", size)))


def test_half_of_a_pair_of_files_is_refused(tmp_path):
    path = _changed(write(tmp_path, ".nii"), (MAGIC, "3s", b"ni1"))
    assert "keeps its voxels in another file" in refusal(read_image, path)


def test_name_that_lies_about_compression_says_how_to_rename(tmp_path):
    path = write(tmp_path, ".nii.gz")
    packed = path.rename(tmp_path / "packed.nii")
    assert "rename it to end in .nii.gz" in refusal(read_image, packed)
    plain = write(tmp_path, ".nii").rename(tmp_path / "plain.nii.gz")
    assert "rename it to end in .nii" in refusal(read_image, plain)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_nan_is_read_as_nan(tmp_path, suffix, kind):
    array = counting().astype(kind)
    array[1, 0, 2] = np.nan
    np.testing.assert_array_equal(read_image(write(tmp_path, suffix, array)).array_kji, array)


def test_datatype_of_integers_is_not_looked_at_for_nan(tmp_path):
    array = np.full((2, 3, 4), -1, np.int32)  # the bits of a NaN
    path = write(tmp_path, ".nii", array)
    assert struct.unpack_from("<h", path.read_bytes(), DATATYPE) == (8,)
    assert np.array_equal(read_image(path).array_kji, array)


@pytest.mark.parametrize("place", [1e7, 2e5])
def test_position_beyond_any_scanner_is_refused(tmp_path, place):
    path = write(tmp_path, ".nii")
    _changed(path, (QFORM_CODE, "2h", 0, 1), (SFORM_FIRST_ROW + 12, "f", place))
    assert "from the origin" in refusal(read_image, path)
