import json
import os

import numpy as np
import pytest
import SimpleITK as sitk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.io import read_labels
from SegAnyPETLib.volume.segmentation import (
    LESION_TERMINOLOGY,
    Segment,
    read_segment,
    read_segmentation,
    write_mask,
    write_segmentation,
)
from SegAnyPETLib.volume.volume import Volume

MATRIX = np.array([[-1.6, -1.8, 0, 100], [1.2, -2.4, 0, -50], [0, 0, 4, 30], [0, 0, 0, 1.0]])
GRID = Volume(np.zeros((4, 5, 6), np.float32), MATRIX)


def _mask(k, j, i):
    mask = np.zeros(GRID.shape_kji, bool)
    mask[k, j, i] = True
    return mask


FIRST = _mask(slice(1, 3), slice(1, 3), slice(2, 5))
SECOND = _mask(0, 4, 5)
OVER_FIRST = _mask(2, slice(0, 5), 3)


def _header(path):
    reader = sitk.ImageFileReader()
    reader.SetFileName(path)
    reader.ReadImageInformation()
    return reader


def _there_and_back(folder, segments):
    path = folder / "lesions.seg.nrrd"
    write_segmentation(GRID, segments, path)
    assert os.listdir(folder) == [path.name]
    grid, found = read_segmentation(path)
    assert grid.same_grid(GRID, 1e-6)
    assert len(found) == len(segments)
    for before, after in zip(segments, found, strict=True):
        assert np.array_equal(before.mask_kji, after.mask_kji)
        assert (before.name, before.color, before.tags) == (after.name, after.color, after.tags)
    return path


def test_segment_comes_back_with_name_colour_and_tags(tmp_path):
    prompts = json.dumps([{"ras": [1.5, -2, 3e-05], "note": 'a "b" \\ ä:c'}])
    tags = {"TerminologyEntry": LESION_TERMINOLOGY, "SegAnyPET.Prompts": prompts, "SegAnyPET.Model": "lite 0f3c"}
    _there_and_back(tmp_path, [Segment("Läsion 1", FIRST, (0.25, 0.5, 1.0), tags)])


def test_segments_apart_share_one_label_map(tmp_path):
    path = _there_and_back(tmp_path, [Segment("one", FIRST), Segment("two", SECOND)])
    assert _header(path).GetNumberOfComponents() == 1
    assert np.array_equal(read_labels(path).array_kji, FIRST + 2 * SECOND.astype(int))


def test_overlapping_segments_lie_in_layers(tmp_path):
    path = _there_and_back(tmp_path, [Segment("a", FIRST), Segment("b", OVER_FIRST), Segment("c", SECOND)])
    reader = _header(path)
    assert reader.GetNumberOfComponents() == 2
    assert [reader.GetMetaData(f"Segment{n}_Layer") for n in range(3)] == ["0", "1", "0"]
    assert [reader.GetMetaData(f"Segment{n}_LabelValue") for n in range(3)] == ["1", "1", "2"]


def test_segment_without_a_voxel_comes_back_empty(tmp_path):
    _there_and_back(tmp_path, [Segment("nothing", np.zeros(GRID.shape_kji, bool))])


def test_three_hundred_segments_keep_their_label_values(tmp_path):
    grid = Volume(np.zeros((3, 10, 10), np.float32), np.eye(4))
    masks = np.eye(300, dtype=bool).reshape(300, 3, 10, 10)
    path = tmp_path / "many.seg.nrrd"
    write_segmentation(grid, [Segment(f"s{n}", mask) for n, mask in enumerate(masks)], path)
    assert np.array_equal(read_segmentation(path)[1][299].mask_kji, masks[299])


def test_header_has_the_fields_that_slicer_reads(tmp_path):
    path = tmp_path / "lesion.seg.nrrd"
    write_segmentation(GRID, [Segment("Lesion", FIRST, (1.0, 0.5, 0.0))], path)
    text = path.read_bytes().split(b"\n\n")[0].decode()
    for line in (
        "space: left-posterior-superior",
        "encoding: gzip",
        "type: unsigned char",
        "sizes: 6 5 4",
        "Segmentation_ContainedRepresentationNames:=Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset:=0 0 0",
        "Segmentation_SourceRepresentation:=Binary labelmap",
        "Segment0_ID:=Segment_1",
        "Segment0_Name:=Lesion",
        "Segment0_Color:=1 0.5 0",
        "Segment0_Extent:=2 4 1 2 1 2",
        "Segment0_LabelValue:=1",
        "Segment0_Layer:=0",
    ):
        assert line in text.splitlines()
    assert (
        "Segment0_Tags:=TerminologyEntry:Segmentation category and type - 3D Slicer General Anatomy list~SCT^" in text
    )


def test_extent_of_every_segment_covers_its_layer_since_slicer_crops_to_the_first(tmp_path):
    path = tmp_path / "lesions.seg.nrrd"
    write_segmentation(GRID, [Segment("one", FIRST), Segment("two", SECOND)], path)
    assert [_header(path).GetMetaData(f"Segment{n}_Extent") for n in (0, 1)] == ["2 5 1 4 0 2"] * 2


@pytest.mark.parametrize("text", ["a|b", "a\nb"])
def test_separators_in_names_and_tags_are_refused(text):
    with pytest.raises(InputError, match="hold"):
        Segment(text, FIRST)
    with pytest.raises(InputError, match="hold"):
        Segment("lesion", FIRST, tags={"key": text})


def test_colon_in_a_tag_key_is_refused():
    with pytest.raises(InputError, match="key with ':'"):
        Segment("lesion", FIRST, tags={"a:b": "c"})


def test_mask_of_another_shape_is_refused(tmp_path):
    with pytest.raises(InputError, match="does not fit"):
        write_segmentation(GRID, [Segment("lesion", np.ones((2, 2, 2), bool))], tmp_path / "a.seg.nrrd")
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("name", ["a.nrrd", "a.nii.gz", "a.txt"])
def test_other_endings_hold_no_segmentation(tmp_path, name):
    with pytest.raises(InputError, match=name):
        write_segmentation(GRID, [Segment("lesion", FIRST)], tmp_path / name)


def test_one_of_overlapping_segments_is_read_by_its_name(tmp_path):
    path = _there_and_back(tmp_path, [Segment("a", FIRST), Segment("b", OVER_FIRST)])
    mask = read_segment(path, "b")
    assert mask.same_grid(GRID)
    assert np.array_equal(mask.array_kji, OVER_FIRST)
    for name, reason in ((None, "2 segments (a, b); name the one"), ("c", "no segments named c; it holds a, b")):
        with pytest.raises(InputError) as caught:
            read_segment(path, name)
        assert reason in str(caught.value)


def test_segments_of_one_name_cannot_be_told_apart(tmp_path):
    path = _there_and_back(tmp_path, [Segment("a", FIRST), Segment("a", SECOND)])
    with pytest.raises(InputError, match="several segments named a"):
        read_segment(path, "a")


def test_a_lone_segment_needs_no_name(tmp_path):
    path = _there_and_back(tmp_path, [Segment("a", FIRST)])
    assert np.array_equal(read_segment(path).array_kji, FIRST)


def test_overlapping_segments_are_not_a_label_map(tmp_path):
    path = _there_and_back(tmp_path, [Segment("a", FIRST), Segment("b", OVER_FIRST)])
    with pytest.raises(InputError, match="segments that overlap; name the one to take"):
        read_labels(path)


def test_segments_are_a_sequence_whose_masks_are_made_when_asked_for(tmp_path):
    path = _there_and_back(tmp_path, [Segment("a", FIRST), Segment("b", SECOND)])
    _, segments = read_segmentation(path)
    assert segments.names == ("a", "b")
    assert segments[-1].name == "b"
    assert [segment.name for segment in segments[:1]] == ["a"]
    assert segments[0].mask_kji is not segments[0].mask_kji


@pytest.mark.parametrize(("count", "reason"), [(1001, "more than 1000 segments"), (20_000, "more than 12000 lines")])
def test_too_many_segments_are_refused(tmp_path, count, reason):
    path = tmp_path / "many.seg.nrrd"
    write_segmentation(GRID, [Segment("a", FIRST)], path)
    head, body = path.read_bytes().split(b"\n\n", 1)
    more = [f"Segment{n}_ID:=Segment_{n}\nSegment{n}_LabelValue:=1\nSegment{n}_Layer:=0" for n in range(1, count)]
    path.write_bytes(head + b"\n" + "\n".join(more).encode() + b"\n\n" + body)
    with pytest.raises(InputError, match=reason):
        read_segmentation(path)


def test_segmentation_without_segments_is_refused(tmp_path):
    with pytest.raises(InputError, match="no segment"):
        write_segmentation(GRID, [], tmp_path / "a.seg.nrrd")


def test_plain_label_map_is_no_segmentation(tmp_path):
    write_mask(GRID, [Segment("lesion", FIRST)], tmp_path / "a.nrrd")
    with pytest.raises(InputError, match="names no segments"):
        read_segmentation(tmp_path / "a.nrrd")


@pytest.mark.parametrize(
    ("before", "after"),
    [(b"Layer:=0", b"Layer:=5"), (b"LabelValue:=1", b"LabelValue:=x"), (b"Color:=1 0 0", b"Color:=1 0")],
)
def test_wrong_description_of_a_segment_is_refused(tmp_path, before, after):
    path = tmp_path / "a.seg.nrrd"
    write_segmentation(GRID, [Segment("lesion", FIRST, (1.0, 0.0, 0.0))], path)
    content = path.read_bytes()
    assert before in content
    path.write_bytes(content.replace(before, after))
    with pytest.raises(InputError, match="segment 0 wrongly"):
        read_segmentation(path)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".nrrd", ".mha"])
def test_mask_file_of_other_formats_is_a_label_map_in_the_order_of_the_segments(tmp_path, suffix):
    path = tmp_path / f"mask{suffix}"
    write_mask(GRID, [Segment("a", FIRST), Segment("b", OVER_FIRST)], path)
    labels = read_labels(path)
    assert labels.same_grid(GRID)
    assert np.array_equal(labels.array_kji, np.where(OVER_FIRST, 2, FIRST))


def test_mask_file_with_segment_names_keeps_them(tmp_path):
    write_mask(GRID, [Segment("Lesion 7", FIRST)], tmp_path / "mask.seg.nrrd")
    assert read_segmentation(tmp_path / "mask.seg.nrrd")[1][0].name == "Lesion 7"


def test_slicer_opens_the_segmentation_with_names_and_voxels(tmp_path):
    pytest.importorskip("slicer", reason="the libraries of 3D Slicer (slicer-core) are not installed")
    import slicer
    import vtk
    from vtk.util.numpy_support import vtk_to_numpy

    path = tmp_path / "lesions.seg.nrrd"
    masks = {"one": FIRST, "two": SECOND, "three": OVER_FIRST}
    write_segmentation(GRID, [Segment(name, mask) for name, mask in masks.items()], path)

    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerSegmentationsModuleLogic()
    logic.SetMRMLScene(scene)
    node = logic.LoadSegmentationFromFile(str(path), True)
    segmentation = node.GetSegmentation()
    for n, (name, mask) in enumerate(masks.items()):
        identifier = segmentation.GetNthSegmentID(n)
        assert segmentation.GetSegment(identifier).GetName() == name
        labels = slicer.vtkOrientedImageData()
        node.GetBinaryLabelmapRepresentation(identifier, labels)
        i0, i1, j0, j1, k0, k1 = labels.GetExtent()
        voxels = vtk_to_numpy(labels.GetPointData().GetScalars()).reshape(k1 - k0 + 1, j1 - j0 + 1, i1 - i0 + 1)
        matrix = vtk.vtkMatrix4x4()
        labels.GetImageToWorldMatrix(matrix)
        to_ras = np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])
        np.testing.assert_allclose(to_ras, MATRIX, atol=1e-9)
        found = np.zeros_like(mask)
        found[k0 : k1 + 1, j0 : j1 + 1, i0 : i1 + 1] = voxels > 0
        assert np.array_equal(found, mask)
