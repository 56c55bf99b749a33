"""Files that are damaged, or that contradict themselves, are refused in one line and without noise."""

import gzip
import zlib

import numpy as np
import pytest
import SimpleITK as sitk
from hypothesis import given
from hypothesis import strategies as st

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.io import read_image
from Testing.volume.files import (
    DATATYPE,
    FORMATS,
    QFORM_CODE,
    SFORM_FIRST_ROW,
    VOX_OFFSET,
    counting,
    refusal,
    write,
)


@pytest.mark.parametrize("offset", [np.nan, np.inf, -1.0, 1e30])
def test_nifti_whose_voxels_begin_nowhere_is_refused(tmp_path, offset):
    path = write(tmp_path, ".nii")
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<f4", 1, VOX_OFFSET)[:] = offset
    path.write_bytes(content)
    assert "damaged" in refusal(read_image, path)


def test_nifti_of_an_unknown_datatype_is_refused_without_noise(tmp_path, capfd):
    path = write(tmp_path, ".nii")
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<i2", 1, DATATYPE)[:] = 7
    path.write_bytes(content)
    assert "damaged" in refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


def test_nifti_whose_sform_and_voxel_size_differ_is_refused(tmp_path):
    path = write(tmp_path, ".nii", matrix=np.diag([2.0, 3, 4, 1]))
    content = bytearray(path.read_bytes())
    np.frombuffer(content, "<f4", 12, SFORM_FIRST_ROW)[:] = (2, 0, 0, 0, 0, 3, 0, 0, 0, 0, 4.1, 0)
    path.write_bytes(content)
    assert "contradict each other" in refusal(read_image, path)


@pytest.mark.parametrize("qform_code", [0, 1])
@pytest.mark.parametrize("shear", [0.01, 1.0])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_sheared_sform_is_refused_with_and_without_a_qform(tmp_path, suffix, shear, qform_code):
    path = write(tmp_path, suffix)
    content = bytearray(gzip.decompress(path.read_bytes()) if suffix == ".nii.gz" else path.read_bytes())
    np.frombuffer(content, "<i2", 2, QFORM_CODE)[:] = (qform_code, 1)
    np.frombuffer(content, "<f4", 12, SFORM_FIRST_ROW)[1] += shear
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    assert "sheared" in refusal(read_image, path)


@pytest.mark.parametrize(
    ("suffix", "before", "after"),
    [
        (".nrrd", b"(0,3,0)", b"(1,3,0)"),
        (".mha", b"TransformMatrix = 1 0 0 0 1 0", b"TransformMatrix = 1 0 0 0.3 1 0"),
    ],
)
def test_sheared_axes_of_other_formats_are_refused(tmp_path, suffix, before, after):
    path = write(tmp_path, suffix, matrix=np.diag([-2.0, -3, 4, 1]))
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))
    assert "sheared" in refusal(read_image, path)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.9, 0.999])
def test_truncated_file_is_refused_and_nothing_else_is_printed(tmp_path, capfd, suffix, share):
    noise = np.random.default_rng(0).normal(size=(8, 9, 10)).astype(np.float32)
    path = write(tmp_path, suffix, noise)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("suffix", FORMATS)
def test_truncated_uncompressed_file_is_refused_and_nothing_else_is_printed(tmp_path, capfd, suffix):
    path = tmp_path / f"image{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(counting()), path, useCompression=False)
    path.write_bytes(path.read_bytes()[:-1])
    refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
@given(where=st.floats(0.7, 0.95), bit=st.integers(0, 7))
def test_flipped_bit_in_compressed_voxels_is_refused_or_changes_none(tmp_path_factory, suffix, where, bit):
    noise = np.random.default_rng(0).integers(0, 5, (20, 20, 20)).astype(np.float32)
    path = write(tmp_path_factory.mktemp("flip"), suffix, noise)
    content = bytearray(path.read_bytes())
    content[int(where * len(content))] ^= 1 << bit
    path.write_bytes(content)
    try:
        voxels = read_image(path).array_kji
    except InputError:
        return
    # Deflate can say the same in two ways, for example by a copy from another place; the checksum of zlib (Adler-32),
    # unlike that of gzip, misses some changes.
    alike = np.array_equal(voxels, noise)
    assert alike or (suffix == ".mha" and zlib.adler32(voxels.tobytes()) == zlib.adler32(noise.tobytes()))


@pytest.mark.parametrize("suffix", FORMATS)
def test_text_under_an_image_name_is_refused(tmp_path, capfd, suffix):
    path = tmp_path / f"image{suffix}"
    path.write_text("patient list\n" * 100)
    refusal(read_image, path)
    assert capfd.readouterr() == ("", "")


def test_nifti_of_the_second_version_is_refused_by_name(tmp_path):
    path = tmp_path / "image.nii"
    path.write_bytes(np.array([540], "<i4").tobytes() + bytes(600))
    assert "NIfTI-2" in refusal(read_image, path)


def test_detached_voxels_of_metaimage_are_refused(tmp_path):
    path = write(tmp_path, ".mha")
    path.write_bytes(path.read_bytes().replace(b"= LOCAL", b"= other.raw"))
    assert "another file" in refusal(read_image, path)
