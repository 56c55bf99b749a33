import gzip
import os
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETLib.volume.io import (
    check_image,
    check_mask,
    check_same_grid,
    quiet_itk,
    read_image,
    read_labels,
    write_volume,
)
from SegAnyPETLib.volume.volume import Volume

FORMATS = (".nii", ".nii.gz", ".nrrd", ".mha")
#: Offsets in the NIfTI-1 header (nifti1.h).
DATATYPE, VOX_OFFSET, QFORM_CODE, SFORM_CODE, SFORM_FIRST_ROW = 70, 108, 252, 254, 280


def _array(shape=(2, 3, 4)):
    return np.arange(np.prod(shape), dtype=np.float32).reshape(shape) + 0.5


def _matrix(angles, spacing, flips, origin):
    matrix = np.eye(4)
    axes = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
    matrix[:3, :3] = axes * spacing * np.where(flips, -1, 1)
    matrix[:3, 3] = origin
    return matrix


OBLIQUE = _matrix((10, -20, 30), (2.0, 3.0, 4.5), (False, True, False), (100.0, -200.0, 300.0))

matrices = st.builds(
    _matrix,
    st.tuples(*[st.floats(-180, 180)] * 3),
    st.tuples(*[st.floats(0.5, 6)] * 3),
    st.tuples(*[st.booleans()] * 3),
    st.tuples(*[st.floats(-1000, 1000)] * 3),
)


def _write(folder, suffix, array=None, matrix=OBLIQUE):
    path = folder / f"image{suffix}"
    write_volume(Volume(_array() if array is None else array, matrix), path)
    return path


def _refusal(read, path):
    with pytest.raises(InputError) as caught:
        read(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    return message


@pytest.mark.parametrize("suffix", FORMATS)
@given(matrix=matrices)
def test_volume_comes_back_from_a_file_with_its_voxels_and_its_matrix(tmp_path_factory, suffix, matrix):
    path = _write(tmp_path_factory.mktemp("any"), suffix, matrix=matrix)
    volume = read_image(path)
    assert volume.array_kji.dtype == np.float32
    assert np.array_equal(volume.array_kji, _array())
    # NIfTI keeps its matrix in single precision.
    np.testing.assert_allclose(volume.ijk_to_ras, matrix, atol=2e-4 if "nii" in suffix else 1e-9)


@pytest.mark.parametrize("name", ["IMAGE.NII", "Image.NII.GZ", "IMAGE.NRRD", "image.MHA"])
def test_endings_in_capitals_are_as_good_as_others(tmp_path, name):
    write_volume(Volume(_array(), OBLIQUE), tmp_path / name)
    volume = read_image(tmp_path / name)
    assert np.array_equal(volume.array_kji, _array())
    np.testing.assert_allclose(volume.ijk_to_ras, OBLIQUE, atol=2e-4)


def test_ending_of_mixed_letters_is_refused_without_noise(tmp_path, capfd):
    write_volume(Volume(_array(), OBLIQUE), tmp_path / "image.Nii.gz")
    assert "rename it to end in .nii.gz" in _refusal(read_image, tmp_path / "image.Nii.gz")
    assert capfd.readouterr() == ("", "")


def test_path_that_itk_cannot_be_told_is_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"pet-\xe9.nii.gz")
    for work in (read_image, lambda path: write_volume(Volume(_array(), OBLIQUE), path)):
        with pytest.raises(InputError, match="no characters; rename it"):
            work(path)


@pytest.mark.parametrize("offset", [np.nan, np.inf, -1.0, 1e30])
def test_nifti_whose_voxels_begin_nowhere_is_refused(tmp_path, offset):
    path = _write(tmp_path, ".nii")
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<f4", 1, VOX_OFFSET)[:] = offset
    path.write_bytes(content)
    assert "damaged" in _refusal(read_image, path)


def test_nifti_of_an_unknown_datatype_is_refused_without_noise(tmp_path, capfd):
    path = _write(tmp_path, ".nii")
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<i2", 1, DATATYPE)[:] = 7
    path.write_bytes(content)
    assert "damaged" in _refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


def test_matrix_of_nifti_is_taken_in_its_own_frame_which_is_ras(tmp_path):
    path = _write(tmp_path, ".nii")
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<i2", 2, QFORM_CODE)[:] = (0, 1)
    np.frombuffer(content, "<f4", 12, SFORM_FIRST_ROW)[:] = (2, 0, 0, -10, 0, 0, 4.5, -20, 0, 3, 0, 30)
    path.write_bytes(content)
    expected = [[2, 0, 0, -10], [0, 0, 4.5, -20], [0, 3, 0, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(read_image(path).ijk_to_ras, expected, atol=1e-6)


def test_nifti_whose_sform_and_voxel_size_differ_is_refused(tmp_path):
    path = _write(tmp_path, ".nii", matrix=np.diag([2.0, 3, 4, 1]))
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<f4", 12, SFORM_FIRST_ROW)[:] = (2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4.1, 0)
    path.write_bytes(content)
    assert "contradict each other" in _refusal(read_image, path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_labels_come_back_as_integers(tmp_path, suffix):
    labels = np.array([[[0, 1], [2, 300]], [[0, 0], [7, 1]]], np.int16)
    path = _write(tmp_path, suffix, labels)
    assert read_labels(path).array_kji.dtype == np.int32
    assert np.array_equal(read_labels(path).array_kji, labels)


def test_mask_is_written_as_zero_and_one(tmp_path):
    path = _write(tmp_path, ".nii.gz", _array() > 5)
    assert np.array_equal(read_labels(path).array_kji, (_array() > 5).astype(int))
    assert sitk.ReadImage(path).GetPixelID() == sitk.sitkUInt8


def test_whole_numbers_stored_as_floats_are_labels(tmp_path):
    path = _write(tmp_path, ".nrrd", np.floor(_array()))
    assert np.array_equal(read_labels(path).array_kji, np.floor(_array()))


@pytest.mark.parametrize(("value", "reason"), [(0.25, "fractions"), (np.nan, "no labels"), (1e12, "no labels")])
def test_labels_that_are_no_whole_numbers_are_refused(tmp_path, value, reason):
    array = np.zeros((2, 2, 2), np.float64)
    array[1, 0, 1] = value
    assert reason in _refusal(read_labels, _write(tmp_path, ".nrrd", array))


def test_rescaled_integers_of_nifti_are_read_as_values(tmp_path):
    path = _write(tmp_path, ".nii", np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([0.5, 10], "<f4").tobytes()
    path.write_bytes(content)
    assert np.array_equal(read_image(path).array_kji.ravel(), np.arange(24) * 0.5 + 10)


@pytest.mark.parametrize("suffix", FORMATS)
def test_fourth_axis_of_one_is_dropped(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(_array()[None], isVector=False), path)
    assert np.array_equal(read_image(path).array_kji, _array())


@pytest.mark.parametrize("suffix", FORMATS)
def test_two_time_frames_are_refused(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 2, 3, 4), np.float32), isVector=False), path)
    assert "4 dimensions" in _refusal(read_image, path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 4), (3, 1, 4)])
def test_flat_image_is_refused(tmp_path, suffix, shape):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros(shape, np.float32), isVector=False), path)
    assert "2-D image" in _refusal(read_image, path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_several_values_per_voxel_are_refused(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 4, 3), np.float32), isVector=True), path)
    assert "several values per voxel" in _refusal(read_image, path)


@pytest.mark.parametrize("qform_code", [0, 1])
@pytest.mark.parametrize("shear", [0.01, 1.0])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_sheared_sform_is_refused_with_and_without_a_qform(tmp_path, suffix, shear, qform_code):
    path = _write(tmp_path, suffix)
    content = bytearray(gzip.decompress(path.read_bytes()) if suffix == ".nii.gz" else path.read_bytes())
    np.frombuffer(content, "<i2", 2, QFORM_CODE)[:] = (qform_code, 1)
    np.frombuffer(content, "<f4", 12, SFORM_FIRST_ROW)[1] += shear
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    assert "sheared" in _refusal(read_image, path)


@pytest.mark.parametrize(
    ("suffix", "before", "after"),
    [
        (".nrrd", b"(0,3,0)", b"(1,3,0)"),
        (".mha", b"TransformMatrix = 1 0 0 0 1 0", b"TransformMatrix = 1 0 0 0.3 1 0"),
    ],
)
def test_sheared_axes_of_other_formats_are_refused(tmp_path, suffix, before, after):
    path = _write(tmp_path, suffix, matrix=np.diag([-2.0, -3, 4, 1]))
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))
    assert "sheared" in _refusal(read_image, path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused_and_nothing_else_is_printed(tmp_path, capfd, suffix, share):
    noise = np.random.default_rng(0).normal(size=(8, 9, 10)).astype(np.float32)
    path = _write(tmp_path, suffix, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    _refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", FORMATS)
def test_truncated_uncompressed_file_is_refused_and_nothing_else_is_printed(tmp_path, capfd, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(_array()), path, useCompression=False)
    path.write_bytes(path.read_bytes()[:-1])
    _refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@given(where=st.floats(0.7, 0.95), bit=st.integers(0, 7))
def test_flipped_bit_in_compressed_voxels_is_refused_or_changes_none(tmp_path_factory, suffix, where, bit):
    noise = np.random.default_rng(0).integers(0, 5, (20, 20, 20)).astype(np.float32)
    path = _write(tmp_path_factory.mktemp("flip"), suffix, noise)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    try:
        voxels = read_image(path).array_kji
    except InputError:
        return
    # Deflate can say the same in two ways, for example by a copy from another place.
    assert np.array_equal(voxels, noise)


@pytest.mark.parametrize("suffix", FORMATS)
def test_text_under_an_image_name_is_refused(tmp_path, capfd, suffix):
    path = tmp_path / f"image{suffix}"
    path.write_text("patient list\n" * 100)
    _refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


def test_nifti_of_the_second_version_is_refused_by_name(tmp_path):
    path = tmp_path / "image.nii"
    path.write_bytes(np.array([540], "<i4").tobytes() + bytes(600))
    assert "NIfTI-2" in _refusal(read_image, path)


def test_detached_voxels_of_metaimage_are_refused(tmp_path):
    path = _write(tmp_path, ".mha")
    path.write_bytes(path.read_bytes().replace(b"= LOCAL", b"= other.raw"))
    assert "another file" in _refusal(read_image, path)


@pytest.mark.parametrize("name", ["image.dcm", "image", "image.nii.bz2", "nii.gz"])
def test_unknown_ending_is_refused_naming_the_known_ones(tmp_path, name):
    assert ".nii.gz" in _refusal(read_image, tmp_path / name)


def test_missing_file_is_refused(tmp_path):
    assert "is not there" in _refusal(read_image, tmp_path / "absent.nii.gz")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_image_with_a_value_that_is_not_finite_is_refused(value):
    array = _array()
    array[1, 2, 3] = value
    with pytest.raises(InputError, match="not numbers"):
        check_image(Volume(array, np.eye(4)))


def test_image_of_zeros_is_refused():
    with pytest.raises(InputError, match="zero everywhere"):
        check_image(Volume(np.zeros((2, 2, 2), np.float32), np.eye(4)))


def test_image_without_a_value_above_zero_is_refused():
    with pytest.raises(InputError, match="no value above zero"):
        check_image(Volume(-_array(), OBLIQUE))


@pytest.mark.parametrize("side_mm", [0.004, 4000.0])
def test_voxels_in_another_unit_than_millimetres_are_refused(side_mm):
    with pytest.raises(InputError, match="correct its voxel size"):
        check_image(Volume(_array(), np.diag([4.0, 4.0, side_mm, 1.0])))


def test_image_with_one_voxel_above_zero_is_accepted():
    array = np.zeros((2, 2, 2), np.float32)
    array[0, 1, 0] = 1e-6
    check_image(Volume(array, np.eye(4)))


@pytest.mark.parametrize("other", [np.zeros((2, 2, 3), int), np.zeros((2, 2, 2), int)])
def test_labels_on_another_grid_are_refused(other):
    image = Volume(np.ones((2, 2, 2), np.float32), np.eye(4))
    with pytest.raises(InputError, match="label map lies on another grid"):
        check_same_grid(Volume(other, np.diag([1, 1, 1.1, 1])), image)


def test_mask_on_the_grid_with_a_voxel_is_accepted_and_without_one_refused():
    image = Volume(np.ones((2, 2, 2), np.float32), OBLIQUE)
    mask = np.zeros((2, 2, 2), int)
    with pytest.raises(InputError, match="mask has no voxel"):
        check_mask(image.with_array(mask), image)
    mask[1, 1, 1] = 1
    check_mask(image.with_array(mask), image)


@pytest.mark.parametrize("suffix", FORMATS)
def test_writing_replaces_a_file_and_leaves_nothing_else(tmp_path, suffix):
    _write(tmp_path, suffix, np.zeros((2, 2, 2), np.float32))
    path = _write(tmp_path, suffix)
    assert os.listdir(tmp_path) == [path.name]
    assert np.array_equal(read_image(path).array_kji, _array())


@pytest.mark.parametrize("suffix", FORMATS)
def test_writing_that_fails_leaves_the_existing_file_and_nothing_else(tmp_path, suffix):
    path = _write(tmp_path, suffix)
    before = path.read_bytes()
    # A full disk, as far as a process can have its own: no file may grow beyond 4000 bytes.
    program = """
import resource, signal, sys
import numpy as np
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.volume import Volume
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000))
noise = np.random.default_rng(0).normal(size=(20, 20, 20)).astype(np.float32)
try:
    write_volume(Volume(noise, np.eye(4)), sys.argv[1])
except SegAnyPETError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, check=True)
    assert "cannot be written; check the free space" in done.stdout
    assert path.read_bytes() == before
    assert os.listdir(tmp_path) == [path.name]


def test_writing_to_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="folder does not exist"):
        write_volume(Volume(_array(), np.eye(4)), tmp_path / "absent" / "image.nii.gz")


def test_writing_over_a_folder_is_refused(tmp_path):
    (tmp_path / "image.nii.gz").mkdir()
    with pytest.raises(InputError, match="is a folder"):
        write_volume(Volume(_array(), np.eye(4)), tmp_path / "image.nii.gz")


def test_writing_under_an_unknown_ending_is_refused(tmp_path):
    with pytest.raises(InputError, match="unknown ending"):
        write_volume(Volume(_array(), np.eye(4)), tmp_path / "image.png")
    assert os.listdir(tmp_path) == []


def test_failure_in_the_writer_is_told_in_one_line(tmp_path):
    with pytest.raises(SegAnyPETError, match="cannot be written"):
        # NIfTI holds at most 32767 voxels along an axis.
        write_volume(Volume(np.zeros((2, 2, 40000), np.uint8), np.eye(4)), tmp_path / "image.nii")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("shown", [True, False])
def test_warnings_of_itk_are_as_before_after_quiet_work(shown):
    process = sitk.ProcessObject
    before = process.GetGlobalWarningDisplay()
    process.SetGlobalWarningDisplay(shown)
    with quiet_itk():
        assert not process.GetGlobalWarningDisplay()
    after = process.GetGlobalWarningDisplay()
    process.SetGlobalWarningDisplay(before)
    assert after == shown
