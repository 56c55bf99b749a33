import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

import vtk

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.labelmaps import image_of
from SegAnyPETLib.mrml.nodes.terminology import LESION
from SegAnyPETLib.mrml.segmentations import add_segment, new_segmentation
from SegAnyPETLib.mrml.segments import read_mask, replace_mask
from SegAnyPETLib.volume.patch import MaskPatch

SHAPE = (8, 9, 10)
OBLIQUE = np.array([[0, -3, 0, 1], [2, 0, 0, 2], [0, 0, -4, 3], [0, 0, 0, 1]], dtype=float)
TURNED = np.array([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]], dtype=float)
LOGIC = slicer.vtkSlicerSegmentationsModuleLogic


def box(k: slice, j: slice, i: slice) -> np.ndarray:
    mask = np.zeros(SHAPE, bool)
    mask[k, j, i] = True
    return mask


def own_voxels(segmentation, segment_id: str) -> set[tuple[float, ...]]:
    """Centres of a segment's voxels in its own frame, on its own grid, rounded to 1 micrometre."""
    segment = segmentation.GetSegmentation().GetSegment(segment_id)
    image = segment.GetRepresentation("Binary labelmap")
    i0, i1, j0, j1, k0, k1 = image.GetExtent()
    matrix = vtk.vtkMatrix4x4()
    image.GetImageToWorldMatrix(matrix)
    return {
        tuple(round(c, 3) for c in matrix.MultiplyPoint((i, j, k, 1))[:3])
        for i in range(i0, i1 + 1)
        for j in range(j0, j1 + 1)
        for k in range(k0, k1 + 1)
        if image.GetScalarComponentAsDouble(i, j, k, 0) == segment.GetLabelValue()
    }


FIRST = box(slice(1, 4), slice(2, 5), slice(2, 5))
SECOND = box(slice(1, 4), slice(4, 7), slice(2, 5))  # overlaps the first in one plane
THIRD = box(slice(4, 6), slice(2, 7), slice(2, 5))  # touches both


@pytest.fixture
def pet(make):
    ramp = np.arange(np.prod(SHAPE), dtype=np.float32).reshape(SHAPE)
    return make.volume(ramp, OBLIQUE)


@pytest.fixture
def editor(make):
    return make.editor()


def read(segmentation, segment_id: str, pet) -> np.ndarray:
    return read_mask(segmentation, segment_id, pet).to_array(SHAPE)


def write(editor, segmentation, segment_id: str, mask: np.ndarray, pet) -> np.ndarray:
    return replace_mask(editor, segmentation, segment_id, MaskPatch.cropped(mask), pet).to_array(SHAPE)


def imported(make, masks: list[np.ndarray], matrix: np.ndarray, shared: bool = True):
    """A segmentation as an import makes it: label maps on a grid of their own, one layer for all."""
    node = make.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "imported")
    node.CreateDefaultDisplayNodes()
    segmentation = node.GetSegmentation()
    ids = []
    for n, mask in enumerate(masks):
        ids.append(segmentation.AddEmptySegment(f"s{n}", f"s{n}"))
        LOGIC.SetBinaryLabelmapToSegment(image_of(MaskPatch.cropped(mask), matrix), node, ids[-1], LOGIC.MODE_REPLACE)
    if shared:
        segmentation.CollapseBinaryLabelmaps(False)
        assert segmentation.GetNumberOfLayers() == 1
    return node, ids


def test_a_mask_is_read_as_it_was_written(make, pet, editor) -> None:
    segmentation = new_segmentation(make.scene, pet)
    segment_id = add_segment(segmentation, LESION)
    assert np.array_equal(write(editor, segmentation, segment_id, FIRST, pet), FIRST)
    assert np.array_equal(slicer.util.arrayFromSegmentBinaryLabelmap(segmentation, segment_id, pet), FIRST)


def test_an_empty_segment_has_no_voxel(make, pet) -> None:
    segmentation = new_segmentation(make.scene, pet)
    assert read_mask(segmentation, add_segment(segmentation, LESION), pet).voxels == 0


@pytest.mark.parametrize("new", [FIRST, SECOND, THIRD, np.zeros(SHAPE, bool), np.ones(SHAPE, bool)])
def test_a_new_mask_takes_the_place_of_the_old_one(make, pet, editor, new: np.ndarray) -> None:
    segmentation = new_segmentation(make.scene, pet)
    segment_id = add_segment(segmentation, LESION)
    write(editor, segmentation, segment_id, FIRST, pet)
    assert np.array_equal(write(editor, segmentation, segment_id, new, pet), new)


def test_by_default_neighbours_keep_every_voxel(make, pet, editor) -> None:
    segmentation = new_segmentation(make.scene, pet)
    ids = [add_segment(segmentation, LESION) for _ in range(3)]
    for segment_id, mask in zip(ids, (FIRST, SECOND, THIRD), strict=True):
        write(editor, segmentation, segment_id, mask, pet)
    write(editor, segmentation, ids[1], SECOND | FIRST, pet)
    for segment_id, mask in zip(ids, (FIRST, SECOND | FIRST, THIRD), strict=True):
        assert np.array_equal(read(segmentation, segment_id, pet), mask)


def test_neighbours_in_a_shared_label_map_keep_every_voxel(make, pet, editor) -> None:
    third = THIRD & ~SECOND
    segmentation, ids = imported(make, [FIRST, SECOND & ~FIRST, third], OBLIQUE)
    write(editor, segmentation, ids[1], SECOND | third, pet)
    assert np.array_equal(read(segmentation, ids[0], pet), FIRST)
    assert np.array_equal(read(segmentation, ids[1], pet), SECOND | third)
    assert np.array_equal(read(segmentation, ids[2], pet), third)


def test_neighbours_give_way_where_the_user_chose_so(make, pet, editor) -> None:
    segmentation = new_segmentation(make.scene, pet)
    first, second = (add_segment(segmentation, LESION) for _ in range(2))
    editor.node.SetOverwriteMode(editor.node.OverwriteAllSegments)
    write(editor, segmentation, first, FIRST, pet)
    write(editor, segmentation, second, SECOND, pet)
    assert np.array_equal(read(segmentation, first, pet), FIRST & ~SECOND)


def test_the_intensity_range_lets_nothing_else_change(make, pet, editor) -> None:
    segmentation = new_segmentation(make.scene, pet)
    segment_id = add_segment(segmentation, LESION)
    write(editor, segmentation, segment_id, FIRST, pet)
    values = slicer.util.arrayFromVolume(pet)
    low, high = np.quantile(values[THIRD | FIRST], [0.3, 0.8])
    editor.node.SetSourceVolumeIntensityMask(True)
    editor.node.SetSourceVolumeIntensityMaskRange(low, high)
    allowed = (values >= low) & (values <= high)
    assert (FIRST & allowed).any()
    assert (FIRST & ~allowed).any()
    assert np.array_equal(write(editor, segmentation, segment_id, THIRD, pet), (THIRD & allowed) | (FIRST & ~allowed))


def test_outside_of_other_segments_lets_the_segment_itself_change(make, pet, editor) -> None:
    segmentation = new_segmentation(make.scene, pet)
    first, second = (add_segment(segmentation, LESION) for _ in range(2))
    write(editor, segmentation, first, FIRST, pet)
    write(editor, segmentation, second, THIRD, pet)
    editor.node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedOutsideAllSegments)
    editor.node.SetSelectedSegmentID(first)
    assert np.array_equal(write(editor, segmentation, second, SECOND, pet), SECOND & ~FIRST)
    assert np.array_equal(read(segmentation, first, pet), FIRST)
    assert editor.node.GetSelectedSegmentID() == first


def test_inside_one_segment_takes_nothing_from_it_and_gives_nothing_to_it(make, pet, editor) -> None:
    segmentation = new_segmentation(make.scene, pet)
    first, second = (add_segment(segmentation, LESION) for _ in range(2))
    write(editor, segmentation, first, FIRST, pet)
    write(editor, segmentation, second, FIRST, pet)
    editor.node.SetMaskMode(slicer.vtkMRMLSegmentationNode.EditAllowedInsideSingleSegment)
    editor.node.SetMaskSegmentID(first)
    assert np.array_equal(write(editor, segmentation, second, SECOND, pet), SECOND & FIRST)
    assert np.array_equal(read(segmentation, first, pet), FIRST)


def test_the_segment_follows_its_volume_under_a_transform(make, pet, editor) -> None:
    pet.SetAndObserveTransformNodeID(make.transform(TURNED).GetID())
    segmentation = new_segmentation(make.scene, pet)
    segment_id = add_segment(segmentation, LESION)
    one = box(slice(2, 3), slice(3, 4), slice(4, 5))
    write(editor, segmentation, segment_id, one, pet)
    assert segmentation.GetSegmentCenterRAS(segment_id) == pytest.approx((TURNED @ OBLIQUE @ [4, 3, 2, 1])[:3], abs=0.6)
    assert np.array_equal(read(segmentation, segment_id, pet), one)


def test_a_segment_that_stays_in_the_world_is_read_and_written_where_it_is_seen(make, pet, editor) -> None:
    segmentation, (segment_id,) = imported(make, [FIRST], TURNED @ OBLIQUE)
    pet.SetAndObserveTransformNodeID(make.transform(TURNED).GetID())
    assert np.array_equal(read(segmentation, segment_id, pet), FIRST)
    assert np.array_equal(write(editor, segmentation, segment_id, THIRD, pet), THIRD)
    assert segmentation.GetTransformNodeID() is None


@pytest.mark.parametrize("times", [2, 5])
def test_a_segment_on_a_finer_grid_is_read_and_written_on_its_own_grid(make, pet, editor, times: int) -> None:
    first = (1 / times - 1) / 2  # the first fine voxel's centre, in voxels of the volume
    scale = np.diag([1 / times, 1 / times, 1 / times, 1])
    scale[:3, 3] = first
    fine = OBLIQUE @ scale
    blocks = np.kron(FIRST, np.ones((times, times, times), bool))
    segmentation, (segment_id,) = imported(make, [blocks], fine)
    assert np.array_equal(read(segmentation, segment_id, pet), FIRST)
    assert np.array_equal(write(editor, segmentation, segment_id, THIRD, pet), THIRD)
    assert len(own_voxels(segmentation, segment_id)) == THIRD.sum() * times**3


def test_the_intensity_range_holds_beyond_the_grid_of_an_imported_segmentation(make, pet, editor) -> None:
    segmentation, (segment_id,) = imported(make, [FIRST], OBLIQUE)
    values = slicer.util.arrayFromVolume(pet)
    middle = float(np.median(values[THIRD]))
    editor.node.SetSourceVolumeIntensityMask(True)
    editor.node.SetSourceVolumeIntensityMaskRange(middle, 1e9)
    assert values[FIRST].max() < middle
    assert np.array_equal(write(editor, segmentation, segment_id, THIRD, pet), (THIRD & (values >= middle)) | FIRST)


def test_masking_keeps_what_a_segment_had_in_a_shared_label_map(make, pet, editor) -> None:
    segmentation, (first, second) = imported(make, [FIRST, SECOND & ~FIRST], OBLIQUE)
    editor.node.SetSourceVolumeIntensityMask(True)
    editor.node.SetSourceVolumeIntensityMaskRange(1e8, 1e9)  # of no voxel
    assert np.array_equal(write(editor, segmentation, second, THIRD, pet), SECOND & ~FIRST)
    assert np.array_equal(read(segmentation, first, pet), FIRST)


def test_neighbours_on_another_grid_than_the_segmentation_keep_theirs(make, pet, editor) -> None:
    shifted = OBLIQUE @ np.array([[1, 0, 0, 0.4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    segmentation, (first, second) = imported(make, [FIRST, SECOND & ~FIRST], shifted)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(pet)
    before = own_voxels(segmentation, first)
    write(editor, segmentation, second, THIRD, pet)
    assert np.array_equal(read(segmentation, second, pet), THIRD)
    assert own_voxels(segmentation, first) == before


def test_masking_holds_for_a_segment_on_another_grid(make, pet, editor) -> None:
    shifted = OBLIQUE @ np.array([[1, 0, 0, 0.4], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    segmentation, (first,) = imported(make, [FIRST], shifted)
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(pet)
    values = slicer.util.arrayFromVolume(pet)
    middle = float(np.median(values[FIRST]))
    editor.node.SetSourceVolumeIntensityMask(True)
    editor.node.SetSourceVolumeIntensityMaskRange(middle, 1e9)
    expected = np.where(values >= middle, THIRD, read(segmentation, first, pet))
    assert np.array_equal(write(editor, segmentation, first, THIRD, pet), expected)


def test_what_lies_beyond_the_volume_is_not_read(make, pet) -> None:
    beyond = OBLIQUE @ np.array([[1, 0, 0, -3], [0, 1, 0, 0], [0, 0, 1, 5], [0, 0, 0, 1]])
    segmentation, (segment_id,) = imported(make, [FIRST], beyond)
    expected = np.zeros(SHAPE, bool)
    expected[6:8, 2:5, 0:2] = True
    assert np.array_equal(read(segmentation, segment_id, pet), expected)


@pytest.mark.parametrize("offset", [(-1, -1, -1), (6, 7, 8), (0, 0, 8), (100, 0, 0), (0, -100, 0)])
def test_a_segment_on_the_same_grid_is_cut_off_at_its_ends(make, pet, offset: tuple[int, int, int]) -> None:
    node = make.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "wide")
    segment_id = node.GetSegmentation().AddEmptySegment("wide")
    image = image_of(MaskPatch(np.ones((3, 3, 3), bool), offset), OBLIQUE)
    LOGIC.SetBinaryLabelmapToSegment(image, node, segment_id, LOGIC.MODE_REPLACE)
    expected = np.zeros(SHAPE, bool)
    expected[tuple(slice(max(o, 0), max(o + 3, 0)) for o in offset)] = True
    assert np.array_equal(read(node, segment_id, pet), expected)


def test_a_segment_wholly_beyond_the_volume_is_empty(make, pet) -> None:
    for step in ([100, 0, 0], [100.5, 0, 0], [0, -100.3, 7]):
        beyond = OBLIQUE.copy()
        beyond[:3, 3] += step
        segmentation, (segment_id,) = imported(make, [FIRST], beyond)
        assert read_mask(segmentation, segment_id, pet).voxels == 0


def sphere_segmentation(make):
    """A segmentation whose source is a closed surface: a sphere of 6 mm radius."""
    sphere = vtk.vtkSphereSource()
    sphere.SetRadius(6)
    sphere.SetCenter(-10, 10, -10)
    sphere.SetThetaResolution(30)
    sphere.SetPhiResolution(30)
    sphere.Update()
    node = make.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "surface")
    node.GetSegmentation().SetSourceRepresentationName("Closed surface")
    node.AddSegmentFromClosedSurfaceRepresentation(sphere.GetOutput(), "ball", (1, 0, 0), "ball")
    return node


def test_a_surface_is_filled_for_reading_and_stays_a_surface(make, pet) -> None:
    node = sphere_segmentation(make)
    index = np.stack(np.meshgrid(*map(np.arange, SHAPE), indexing="ij"), -1)[..., ::-1]
    centers = index @ OBLIQUE[:3, :3].T + OBLIQUE[:3, 3]
    distance = np.linalg.norm(centers - [-10, 10, -10], axis=-1)
    mask = read(node, "ball", pet)
    assert mask[distance < 5].all()
    assert not mask[distance > 7].any()
    assert node.GetSegmentation().GetSourceRepresentationName() == "Closed surface"


def test_a_surface_is_not_written_to(make, pet, editor) -> None:
    with pytest.raises(InputError, match="surfaces"):
        write(editor, sphere_segmentation(make), "ball", FIRST, pet)


def test_what_cannot_be_done_is_refused_before_anything_changes(make, pet, editor) -> None:
    segmentation = new_segmentation(make.scene, pet)
    segment_id = add_segment(segmentation, LESION)
    with pytest.raises(InputError, match="no longer there"):
        read_mask(segmentation, "gone", pet)
    with pytest.raises(InputError, match="no longer there"):
        write(editor, segmentation, "gone", FIRST, pet)
    write(editor, segmentation, segment_id, FIRST, pet)
    segmentation.SetAndObserveTransformNodeID(make.warp().GetID())
    with pytest.raises(InputError, match="warping"):
        write(editor, segmentation, segment_id, THIRD, pet)
    with pytest.raises(InputError, match="warping"):
        read_mask(segmentation, segment_id, pet)
    segmentation.SetAndObserveTransformNodeID(None)
    assert np.array_equal(read(segmentation, segment_id, pet), FIRST)
