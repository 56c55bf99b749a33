import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.mrml import fingerprint as module
from SegAnyPETLib.mrml.fingerprint import SegmentFingerprints
from SegAnyPETLib.mrml.nodes.labelmaps import image_of
from SegAnyPETLib.mrml.nodes.terminology import LESION
from SegAnyPETLib.mrml.nodes.volumes import ijk_to_ras
from SegAnyPETLib.mrml.segmentations import add_segment, new_segmentation
from SegAnyPETLib.mrml.segments import read_mask, replace_mask
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.patch import MaskPatch

GRID = Grid((6, 6, 6), tuple(map(tuple, np.eye(4).tolist())))
MASK = MaskPatch(np.ones((2, 2, 2), bool), (1, 1, 1))


class Painted:
    """A segment with a mask, and the editor that wrote it."""

    def __init__(self, make) -> None:
        self.editor = make.editor()
        self.pet = make.volume(np.zeros((6, 6, 6), np.float32))
        self.segmentation = new_segmentation(make.scene, self.pet)
        self.editor.select(self.segmentation, self.pet)
        self.segment_id = add_segment(self.segmentation, LESION)
        self.other_id = add_segment(self.segmentation, LESION)
        replace_mask(self.editor, self.segmentation, self.segment_id, MASK, self.pet)

    def paint(self, mask: MaskPatch, segment_id: str | None = None) -> None:
        """As the Paint effect does."""
        self.editor.history.save()
        logic, image = self.editor.logic, image_of(mask, ijk_to_ras(self.pet))
        segment_id = segment_id or self.segment_id
        logic.ModifySegmentByLabelmap(self.segmentation, segment_id, image, logic.ModificationModeAdd, False, False)

    def of(self, fingerprints: SegmentFingerprints) -> str:
        return fingerprints.of(self.segmentation, self.segment_id, self.pet)


@pytest.fixture
def painted(make) -> Painted:
    return Painted(make)


def test_painting_is_noticed_and_its_undo_too(painted: Painted) -> None:
    fingerprints = SegmentFingerprints()
    assert painted.of(fingerprints) == fingerprint(MASK, GRID)
    painted.paint(MaskPatch(np.ones((1, 1, 1), bool), (4, 4, 4)))
    assert painted.of(fingerprints) != fingerprint(MASK, GRID)
    painted.editor.history.undo()
    assert painted.of(fingerprints) == fingerprint(MASK, GRID)


def test_painting_over_voxels_that_are_set_is_no_edit(painted: Painted) -> None:
    fingerprints = SegmentFingerprints()
    painted.of(fingerprints)
    painted.paint(MASK)
    assert painted.of(fingerprints) == fingerprint(MASK, GRID)


def test_painting_a_neighbour_is_no_edit_also_in_a_shared_label_map(painted: Painted) -> None:
    fingerprints = SegmentFingerprints()
    painted.segmentation.GetSegmentation().CollapseBinaryLabelmaps(False)
    painted.paint(MaskPatch(np.ones((1, 1, 1), bool), (4, 4, 4)), painted.other_id)
    assert painted.of(fingerprints) == fingerprint(MASK, GRID)


def test_nothing_is_read_again_while_nothing_changes(painted: Painted, monkeypatch) -> None:
    reads = []

    def counted(*arguments):
        reads.append(arguments)
        return read_mask(*arguments)

    monkeypatch.setattr(module, "read_mask", counted)
    fingerprints = SegmentFingerprints()
    for _ in range(3):
        painted.of(fingerprints)
    assert len(reads) == 1
    painted.pet.SetOrigin(1, 0, 0)
    painted.of(fingerprints)
    assert len(reads) == 2
    fingerprints.forget()
    painted.of(fingerprints)
    assert len(reads) == 3


def test_a_segment_drawn_again_under_its_old_id_is_another_one(painted: Painted) -> None:
    fingerprints = SegmentFingerprints()
    painted.of(fingerprints)
    data = painted.segmentation.GetSegmentation()
    data.RemoveSegment(painted.segment_id)
    data.AddEmptySegment(painted.segment_id)
    assert painted.of(fingerprints) == fingerprint(MaskPatch.empty(), GRID)
