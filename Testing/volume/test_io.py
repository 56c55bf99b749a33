"""Images and labels come back from files as they are, or are refused in one line."""

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.io import quiet_itk, read_image, read_label_file, read_labels, write_volume
from SegAnyPETLib.volume.notes import NoteKind
from SegAnyPETLib.volume.volume import Volume
from Testing.volume.files import FORMATS, OBLIQUE, QFORM_CODE, SFORM_FIRST_ROW, counting, grid_matrix, refusal, write

matrices = st.builds(
    grid_matrix,
    st.tuples(*[st.floats(-180, 180)] * 3),
    st.tuples(*[st.floats(0.5, 6)] * 3),
    st.tuples(*[st.booleans()] * 3),
    st.tuples(*[st.floats(-1000, 1000)] * 3),
)


@pytest.mark.slow
@pytest.mark.parametrize("suffix", FORMATS)
@given(matrix=matrices)
def test_volume_comes_back_from_a_file_with_its_voxels_and_its_matrix(tmp_path_factory, suffix, matrix):
    path = write(tmp_path_factory.mktemp("any"), suffix, matrix=matrix)
    volume = read_image(path)
    assert volume.array_kji.dtype == np.float32
    assert np.array_equal(volume.array_kji, counting())
    # NIfTI keeps its matrix in single precision.
    np.testing.assert_allclose(volume.ijk_to_ras, matrix, atol=2e-4 if "nii" in suffix else 1e-9)


@pytest.mark.parametrize("name", ["IMAGE.NII", "Image.NII.GZ", "IMAGE.NRRD", "image.MHA"])
def test_endings_in_capitals_are_as_good_as_others(tmp_path, name):
    write_volume(Volume(counting(), OBLIQUE), tmp_path / name)
    volume = read_image(tmp_path / name)
    assert np.array_equal(volume.array_kji, counting())
    np.testing.assert_allclose(volume.ijk_to_ras, OBLIQUE, atol=2e-4)


@pytest.mark.parametrize("name", ["image.Nii.gz", "image.nii.GZ", "image.Nrrd", "image.MhA"])
def test_ending_of_mixed_letters_is_as_good_as_another(tmp_path, capfd, name):
    write_volume(Volume(counting(), OBLIQUE), tmp_path / name)
    assert np.array_equal(read_image(tmp_path / name).array_kji, counting())
    assert capfd.readouterr() == ("", "")


def test_path_that_itk_cannot_be_told_is_refused(tmp_path):
    path = tmp_path / os.fsdecode(b"pet-\xe9.nii.gz")
    for work in (read_image, lambda path: write_volume(Volume(counting(), OBLIQUE), path)):
        with pytest.raises(InputError, match="not characters; rename it"):
            work(path)


def test_matrix_of_nifti_is_taken_in_its_own_frame_which_is_ras(tmp_path):
    path = write(tmp_path, ".nii")
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<i2", 2, QFORM_CODE)[:] = (0, 1)
    np.frombuffer(content, "<f4", 12, SFORM_FIRST_ROW)[:] = (2, 0, 0, -10, 0, 0, 4.5, -20, 0, 3, 0, 30)
    path.write_bytes(content)
    expected = [[2, 0, 0, -10], [0, 0, 4.5, -20], [0, 3, 0, 30], [0, 0, 0, 1]]
    np.testing.assert_allclose(read_image(path).ijk_to_ras, expected, atol=1e-6)


@pytest.mark.parametrize("suffix", FORMATS)
def test_labels_come_back_as_integers(tmp_path, suffix):
    labels = np.array([[[0, 1], [2, 300]], [[0, 0], [7, 1]]], np.int16)
    path = write(tmp_path, suffix, labels)
    assert read_labels(path).array_kji.dtype == np.int32
    assert np.array_equal(read_labels(path).array_kji, labels)


def test_mask_is_written_as_zero_and_one(tmp_path):
    path = write(tmp_path, ".nii.gz", counting() > 5)
    assert np.array_equal(read_labels(path).array_kji, (counting() > 5).astype(int))
    assert sitk.ReadImage(path).GetPixelID() == sitk.sitkUInt8


def test_whole_numbers_stored_as_floats_are_labels(tmp_path):
    path = write(tmp_path, ".nrrd", np.floor(counting()))
    assert np.array_equal(read_labels(path).array_kji, np.floor(counting()))


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("value", [0.9999, 1.0099])
def test_labels_that_are_almost_whole_are_rounded_with_a_note(tmp_path, suffix, value):
    path = write(tmp_path, suffix, np.array([[[0, 1], [2, 3]], [[0, 0], [7, 1]]], np.float32) * np.float32(value))
    if value > 1:
        assert "fractions" in refusal(read_labels, path)  # 7 * 1.0099 is 7.07
        return
    file = read_label_file(path)
    assert np.array_equal(file.volume.array_kji, [[[0, 1], [2, 3]], [[0, 0], [7, 1]]])
    assert [note.kind for note in file.notes] == [NoteKind.LABELS]


#: Reads a file and writes a copy beside it; names its file names' encoding.
COPIER = """
import sys
from SegAnyPETLib.volume.io import read_image, write_volume
write_volume(read_image(sys.argv[1]), sys.argv[1].replace("image", "copy"))
print(sys.getfilesystemencoding())
"""


@pytest.mark.slow
def test_umlaut_in_a_name_is_read_and_written_in_a_locale_of_another_encoding(tmp_path):
    locale = "en_US.ISO-8859-1"
    if shutil.which("localedef") is None:
        pytest.skip("localedef is not installed")
    made = subprocess.run(["localedef", "-i", "en_US", "-f", "ISO-8859-1", tmp_path / locale], capture_output=True)
    if made.returncode:
        pytest.skip("the sources of locales are not installed")
    folder = tmp_path / "ü"
    folder.mkdir()
    path = write(folder, ".nii.gz")
    environment = {**os.environ, "PYTHONUTF8": "0", "LOCPATH": str(tmp_path), "LC_ALL": locale}
    done = subprocess.run([sys.executable, "-c", COPIER, path], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "iso8859-1"
    assert np.array_equal(read_image(folder / "copy.nii.gz").array_kji, counting())


@pytest.mark.parametrize(("value", "reason"), [(0.25, "fractions"), (np.nan, "not labels"), (1e12, "not labels")])
def test_labels_that_are_not_whole_numbers_are_refused(tmp_path, value, reason):
    array = np.zeros((2, 2, 2), np.float64)
    array[1, 0, 1] = value
    assert reason in refusal(read_labels, write(tmp_path, ".nrrd", array))


def test_rescaled_integers_of_nifti_are_read_as_values(tmp_path):
    path = write(tmp_path, ".nii", np.arange(24, dtype=np.int16).reshape(2, 3, 4))
    content = bytearray(path.read_bytes())
    content[112:120] = np.array([0.5, 10], "<f4").tobytes()
    path.write_bytes(content)
    assert np.array_equal(read_image(path).array_kji.ravel(), np.arange(24) * 0.5 + 10)


@pytest.mark.parametrize("suffix", FORMATS)
def test_fourth_axis_of_one_is_dropped(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(counting()[None], isVector=False), path)
    assert np.array_equal(read_image(path).array_kji, counting())


@pytest.mark.parametrize("suffix", FORMATS)
def test_two_time_frames_are_refused(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 2, 3, 4), np.float32), isVector=False), path)
    assert "4 dimensions" in refusal(read_image, path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("shape", [(3, 4), (1, 3, 4), (3, 1, 4)])
def test_flat_image_is_refused(tmp_path, suffix, shape):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros(shape, np.float32), isVector=False), path)
    assert "2-D image" in refusal(read_image, path)


@pytest.mark.parametrize("suffix", FORMATS)
def test_several_values_per_voxel_are_refused(tmp_path, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(np.zeros((2, 3, 4, 3), np.float32), isVector=True), path)
    assert "several values per voxel" in refusal(read_image, path)


@pytest.mark.parametrize("name", ["image.dcm", "image", "image.nii.bz2", "nii.gz"])
def test_unknown_ending_is_refused_naming_the_known_ones(tmp_path, name):
    assert ".nii.gz" in refusal(read_image, tmp_path / name)


def test_missing_file_is_refused(tmp_path):
    assert "is not there" in refusal(read_image, tmp_path / "absent.nii.gz")


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
