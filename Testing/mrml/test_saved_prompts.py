import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.terminology import LESION
from SegAnyPETLib.mrml.nodes.volumes import grid_of
from SegAnyPETLib.mrml.saved_prompts import (
    read_prompts,
    refer_to_volume,
    referred_volume,
    write_prompts,
)
from SegAnyPETLib.mrml.segmentations import add_segment, new_segmentation
from SegAnyPETLib.mrml.segments import read_mask, replace_mask
from SegAnyPETLib.prompts import MaskPrompt, Point
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.session.saved_prompts import TAG, SavedPrompts
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.patch import MaskPatch

SHAPE = (6, 7, 8)
OBLIQUE = np.array([[0, -3, 0, 1], [2, 0, 0, 2], [0, 0, -4, 3], [0, 0, 0, 1]], dtype=float)
MASKS = [MaskPatch(np.ones((n, 2, 3), bool), (1, 2, 3)) for n in (1, 2, 3)]
GRID = Grid(SHAPE, tuple(map(tuple, OBLIQUE.tolist())))
CLICKS = (Point((1, 2, 3)), Point((4.25, -5.5, 1e-3), False, (4, -5, 0)), MaskPrompt(MASKS[2]))


def prompts_after(clicks: int, role: str = "segAnyPETVolume1") -> SavedPrompts:
    return SavedPrompts(CLICKS[:clicks], "lite", "0" * 64, fingerprint(MASKS[clicks - 1], GRID), GRID, role)


class Clicked:
    """A segment that three clicks led to, each an undo step of its own."""

    def __init__(self, make) -> None:
        self.editor = make.editor()
        self.pet = make.volume(np.zeros(SHAPE, np.float32), OBLIQUE)
        self.segmentation = new_segmentation(make.scene, self.pet)
        self.role = refer_to_volume(self.segmentation, self.pet)
        self.editor.select(self.segmentation, self.pet)
        self.editor.history.save()
        self.segment_id = add_segment(self.segmentation, LESION)
        for clicks in (1, 2, 3):
            if clicks > 1:
                self.editor.history.save()
            replace_mask(self.editor, self.segmentation, self.segment_id, MASKS[clicks - 1], self.pet)
            write_prompts(self.segmentation, self.segment_id, prompts_after(clicks, self.role))

    def stands_after(self, clicks: int) -> bool:
        mask = read_mask(self.segmentation, self.segment_id, self.pet)
        same = np.array_equal(mask.to_array(SHAPE), MASKS[clicks - 1].to_array(SHAPE))
        saved = read_prompts(self.segmentation, self.segment_id)
        return same and saved.to_json() == prompts_after(clicks, self.role).to_json()


def test_undo_and_redo_bring_mask_and_prompts_back_together(make) -> None:
    clicked = Clicked(make)
    history = clicked.editor.history
    assert clicked.stands_after(3)
    history.undo()
    assert clicked.stands_after(2)
    history.undo()
    assert clicked.stands_after(1)
    history.redo()
    history.redo()
    assert clicked.stands_after(3)


def test_undo_of_the_first_click_takes_the_segment_away_and_redo_brings_all_back(make) -> None:
    clicked = Clicked(make)
    for _ in range(3):
        clicked.editor.history.undo()
    assert clicked.segmentation.GetSegmentation().GetNumberOfSegments() == 0
    for _ in range(3):
        clicked.editor.history.redo()
    assert clicked.stands_after(3)


def test_mask_and_prompts_survive_a_segmentation_file(make, tmp_path) -> None:
    clicked = Clicked(make)
    storage = clicked.segmentation.CreateDefaultStorageNode()
    make.scene.AddNode(storage)
    clicked.segmentation.SetAndObserveStorageNodeID(storage.GetID())
    storage.SetFileName(str(tmp_path / "lesions.seg.nrrd"))
    assert storage.WriteData(clicked.segmentation)
    loaded = make.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
    assert storage.ReadData(loaded)
    mask = read_mask(loaded, clicked.segment_id, clicked.pet)
    assert np.array_equal(mask.to_array(SHAPE), MASKS[2].to_array(SHAPE))
    prompts = read_prompts(loaded, clicked.segment_id)
    assert prompts.to_json() == prompts_after(3).to_json()
    assert fingerprint(mask, GRID) == prompts.mask_sha256
    assert referred_volume(loaded, prompts) is None


def test_mask_prompts_and_volume_survive_a_scene_beside_another_one(make, tmp_path) -> None:
    clicked = Clicked(make)
    transform = make.transform([[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]])
    for node in (clicked.pet, clicked.segmentation):
        node.SetAndObserveTransformNodeID(transform.GetID())
    archive = str(tmp_path / "scene.mrb")
    assert make.scene.WriteToMRB(archive)
    make.scene.Clear(0)
    occupant = make.volume(np.ones((2, 2, 2), np.float32))  # takes the id that the saved volume had
    assert make.scene.ReadFromMRB(archive, False)
    (segmentation,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    prompts = read_prompts(segmentation, clicked.segment_id)
    pet = referred_volume(segmentation, prompts)
    assert pet is not None
    assert pet is not occupant
    grid = grid_of(pet)
    assert not grid.left_handed  # Slicer has reversed the slices
    assert GRID.left_handed
    mask = read_mask(segmentation, clicked.segment_id, pet)
    assert np.array_equal(mask.to_array(SHAPE)[::-1], MASKS[2].to_array(SHAPE))
    assert fingerprint(mask, grid) == prompts.mask_sha256
    points, drawn = prompts.on(grid)[:2], prompts.on(grid)[2]
    assert points == CLICKS[:2]
    assert np.array_equal(drawn.mask.to_array(SHAPE), mask.to_array(SHAPE))


def test_each_volume_has_a_reference_of_its_own(make) -> None:
    first, second = (make.volume(np.zeros(SHAPE, np.float32)) for _ in range(2))
    segmentation = new_segmentation(make.scene, first)
    roles = [refer_to_volume(segmentation, node) for node in (first, second, first, second)]
    assert roles[0] == roles[2] != roles[1] == roles[3]
    make.scene.RemoveNode(first)
    gone, kept = (SavedPrompts((), "lite", "0" * 64, "0" * 64, GRID, role) for role in roles[:2])
    assert referred_volume(segmentation, gone) is None
    assert referred_volume(segmentation, kept) is second


def test_a_segment_made_otherwise_has_no_prompts(make) -> None:
    segmentation = new_segmentation(make.scene, make.volume(np.zeros(SHAPE, np.float32)))
    assert read_prompts(segmentation, add_segment(segmentation, LESION)) is None


def test_a_damaged_record_is_refused_in_one_line(make) -> None:
    segmentation = new_segmentation(make.scene, make.volume(np.zeros(SHAPE, np.float32)))
    segment_id = add_segment(segmentation, LESION)
    segmentation.GetSegmentation().GetSegment(segment_id).SetTag(TAG, "{")
    with pytest.raises(InputError, match="damaged"):
        read_prompts(segmentation, segment_id)
