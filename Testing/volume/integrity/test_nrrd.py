"""NRRD files that point elsewhere or claim what they do not hold are refused before memory is given to them."""

import gzip
import os

import numpy as np
import pytest

from SegAnyPETLib.volume.io import read_image, read_image_file
from SegAnyPETLib.volume.notes import NoteKind
from SegAnyPETLib.volume.segmentation import read_segmentation
from Testing.volume.files import counting, refusal, write


def _write(path, *fields, body=b"", sizes="4 3 2", kind="float", encoding="raw", directions=True):
    lines = ["NRRD0004", f"type: {kind}", "dimension: 3", f"sizes: {sizes}", "endian: little", f"encoding: {encoding}"]
    if directions:
        lines += ["space: left-posterior-superior", "space directions: (2,0,0) (0,2,0) (0,0,2)"]
    path.write_bytes("\n".join([*lines, *fields, "", ""]).encode() + body)
    return path


@pytest.mark.parametrize("spelling", ["data file", "datafile", "Data File", "DATAFILE", "data  file", "DataFile"])
@pytest.mark.parametrize("target", ["/etc/passwd", "secret.raw", "/dev/zero", "pipe", "LIST", "x%d.raw 1 2 1"])
@pytest.mark.parametrize("suffix", [".nrrd", ".seg.nrrd"])
def test_voxels_in_another_file_are_refused(tmp_path, suffix, spelling, target):
    (tmp_path / "secret.raw").write_bytes(counting().tobytes())
    os.mkfifo(tmp_path / "pipe")
    path = _write(tmp_path / f"image{suffix}", f"{spelling}: {target}", body=counting().tobytes())
    read = read_segmentation if suffix == ".seg.nrrd" else read_image
    assert "keeps its voxels in another file" in refusal(read, path)


@pytest.mark.parametrize("kind", ["float", "double", "signed char", "uint16", "long long int"])
def test_values_of_every_size_are_counted(tmp_path, kind):
    numpy_kind = {"float": "f4", "double": "f8", "signed char": "i1", "uint16": "u2", "long long int": "i8"}[kind]
    body = np.arange(24).astype(numpy_kind).tobytes()
    path = _write(tmp_path / "image.nrrd", kind=kind, body=body)
    assert np.array_equal(read_image(path).array_kji.ravel(), np.arange(24))
    path.write_bytes(path.read_bytes()[:-1])
    assert "damaged" in refusal(read_image, path)


def test_text_is_read(tmp_path):
    path = _write(tmp_path / "image.nrrd", encoding="ascii", body=" ".join(map(str, range(24))).encode())
    assert np.array_equal(read_image(path).array_kji.ravel(), np.arange(24))


def test_size_that_the_file_does_not_hold_is_refused(tmp_path):
    assert "damaged" in refusal(read_image, _write(tmp_path / "image.nrrd", sizes="300 300 300", body=bytes(100)))
    assert "as no scan" in refusal(read_image, _write(tmp_path / "image.nrrd", sizes="1024 1024 1024", body=bytes(100)))
    assert "voxels" in refusal(read_image, _write(tmp_path / "image.nrrd", sizes="9999 9999 9999", body=bytes(100)))


@pytest.mark.parametrize("sizes", ["4 3 0", "4 3 -2", "4 3 x", ""])
def test_sizes_that_cannot_be_are_refused(tmp_path, sizes):
    assert "damaged" in refusal(read_image, _write(tmp_path / "image.nrrd", sizes=sizes, body=bytes(96)))


def test_packed_voxels_that_are_too_few_are_refused(tmp_path):
    path = _write(tmp_path / "image.nrrd", encoding="gzip", body=gzip.compress(bytes(95)))
    assert "damaged" in refusal(read_image, path)


def test_packing_that_is_not_supported_is_named(tmp_path):
    assert "bzip2, which is not supported" in refusal(read_image, _write(tmp_path / "image.nrrd", encoding="bzip2"))


@pytest.mark.parametrize("line", ["#" + "x" * (20 << 20), "key:=" + "x" * (20 << 20)])
def test_header_without_end_is_refused(tmp_path, line):
    path = _write(tmp_path / "image.nrrd", line, body=counting().tobytes())
    assert "header of more than 16 MB" in refusal(read_image, path)


def test_file_without_a_voxel_size_is_noted(tmp_path):
    path = _write(tmp_path / "image.nrrd", body=counting().tobytes(), directions=False)
    (note,) = read_image_file(path).notes
    assert note.kind is NoteKind.GEOMETRY
    assert "1 mm is taken" in note.message
    _write(path, "spacings: 2 2 2", body=counting().tobytes(), directions=False)
    assert read_image_file(path).notes == ()


def test_meta_image_without_a_voxel_size_is_noted(tmp_path):
    path = write(tmp_path, ".mha", matrix=np.eye(4))
    assert read_image_file(path).notes == ()
    path.write_bytes(path.read_bytes().replace(b"ElementSpacing = 1 1 1\n", b""))
    assert [note.kind for note in read_image_file(path).notes] == [NoteKind.GEOMETRY]


@pytest.mark.parametrize("line", [b"ElementDataFile = /etc/passwd", b"ElementDataFile: /etc/passwd = LOCAL"])
def test_voxels_of_a_meta_image_in_another_file_are_refused(tmp_path, line):
    path = write(tmp_path, ".mha")
    path.write_bytes(path.read_bytes().replace(b"ElementDataFile = LOCAL", line + b"\nElementDataFile = LOCAL"))
    assert "another file" in refusal(read_image, path)


@pytest.mark.parametrize("sizes", [b"5000 5000 5000", b"600 600 600", b"4 3 -2", b"4 3 0"])
def test_sizes_of_a_meta_image_that_cannot_be_are_refused(tmp_path, sizes):
    path = write(tmp_path, ".mha")
    path.write_bytes(path.read_bytes().replace(b"DimSize = 4 3 2", b"DimSize = " + sizes))
    refusal(read_image, path)


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("pet.mhd", "single .mha file"),
        ("pet.nhdr", "single .nrrd file"),
        ("pet.hdr", "convert the pair to .nii.gz"),
        ("pet.img", "convert the pair to .nii.gz"),
        ("pet.mgz", "convert it to .nii.gz"),
        ("pet.nii.bz2", "unpack it first"),
        ("pet.zip", "unpack it"),
        ("pet.dcm", "give the folder"),
        ("IM0001", "or the folder of a DICOM series"),
    ],
)
def test_other_kinds_of_files_say_what_to_do(tmp_path, name, advice):
    (tmp_path / name).write_bytes(bytes(400))
    assert advice in refusal(read_image, tmp_path / name)
