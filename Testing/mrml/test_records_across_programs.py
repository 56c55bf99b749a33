"""Segments of the command line continued in Slicer, and back; files of release 0.1.0 are kept under ``fixtures``."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.commands.segment import result_tags, segment
from SegAnyPETLib.mrml.controller import Controller
from SegAnyPETLib.mrml.nodes.volumes import grid_of
from SegAnyPETLib.mrml.saved_prompts import read_prompts, referred_volume
from SegAnyPETLib.mrml.segment_jobs import ClickContext
from SegAnyPETLib.mrml.segments import read_mask
from SegAnyPETLib.prompts import MaskPrompt, Point
from SegAnyPETLib.session.fingerprint import fingerprint
from SegAnyPETLib.session.saved_prompts import TAG, SavedPrompts
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.io import write_volume
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.segmentation import Segment, read_segmentation, write_mask
from SegAnyPETLib.volume.volume import Volume
from Testing.session.hot_backend import HotBackend

FIXTURES = Path(__file__).parent / "fixtures"
SHAPE = (12, 14, 16)
#: Left-handed, so that Slicer loads the image with its slices reversed.
MATRIX = np.array([[-2.0, 0, 0, 5], [0, 2, 0, 6], [0, 0, 2, 7], [0, 0, 0, 1]])
#: Two hot boxes side by side in one look, by voxels (k, j, i).
ONE, TWO = np.s_[3:6, 3:6, 3:6], np.s_[3:6, 3:6, 6:9]
IN_ONE, IN_TWO = (4, 4, 3), (4, 4, 8)


def pet() -> Volume:
    array = np.ones(SHAPE, np.float32)
    array[ONE] = array[TWO] = 5.0
    return Volume(array, MATRIX)


def at(index_kji, positive=True) -> Point:
    return Point(tuple(pet().point_ras(index_kji)), positive)


def backend() -> HotBackend:
    hot = HotBackend(size=8, spacing_mm=(2.0,))
    hot.spec = replace(hot.spec, sha256="0" * 64)
    return hot


class InSlicer:
    """The PET and a segmentation of the command line, loaded by Slicer's own readers."""

    def __init__(self, make, folder: Path, segmentation: Path) -> None:
        write_volume(pet(), folder / "pet.nrrd")
        volume_node = slicer.modules.volumes.logic().AddArchetypeVolume(str(folder / "pet.nrrd"), "PET", 0)
        node = make.scene.AddNewNodeByClass("vtkMRMLSegmentationNode")
        self.storage = make.scene.AddNewNodeByClass("vtkMRMLSegmentationStorageNode")
        node.SetAndObserveStorageNodeID(self.storage.GetID())
        self.storage.SetFileName(str(segmentation))
        assert self.storage.ReadData(node)
        self.context = ClickContext(volume_node, node)
        self.segment_id = node.GetSegmentation().GetNthSegmentID(0)
        self.controller = Controller(make.editor())

    def click(self, point: Point) -> str | None:
        job = self.controller.click(self.context, self.segment_id, point, backend())
        job.run()
        assert self.controller.finish(job) == self.segment_id
        return job.note

    def points(self) -> tuple[Point, ...]:
        return self.controller.points(self.context, self.segment_id)

    def mask_kji(self):
        """The segment on the grid of the file, whose slices Slicer has reversed."""
        mask = read_mask(self.context.segmentation, self.segment_id, self.context.volume_node)
        return grid_of(self.context.volume_node).to(Grid.of(pet()), mask).to_array(SHAPE)

    def save(self, path: Path) -> Path:
        self.storage.SetFileName(str(path))
        assert self.storage.WriteData(self.context.segmentation)
        return path


def by_command_line(path: Path, points, mask_kji=None) -> InteractiveSession:
    """Segment and write as ``seganypet segment`` does."""
    session = segment(pet(), points, mask_kji, backend())
    write_mask(pet(), [Segment("Target", session.mask_kji, tags=result_tags(session))], path)
    return session


def test_a_segment_of_the_command_line_goes_on_in_slicer_and_its_record_is_read_again(make, tmp_path) -> None:
    session = by_command_line(tmp_path / "mask.seg.nrrd", [at(IN_ONE)])
    scene = InSlicer(make, tmp_path, tmp_path / "mask.seg.nrrd")
    assert scene.points() == (at(IN_ONE),)
    assert np.array_equal(scene.mask_kji(), session.mask_kji)
    assert scene.click(at(IN_TWO, positive=False)) == ""
    _, (found,) = read_segmentation(scene.save(tmp_path / "later.seg.nrrd"))
    saved = SavedPrompts.from_json(found.tags[TAG])
    prompts = saved.on(Grid.of(pet()))
    assert prompts == (at(IN_ONE), at(IN_TWO, positive=False))
    assert saved.weights_sha256 == "0" * 64
    both = segment(pet(), prompts, None, backend())
    assert np.array_equal(scene.mask_kji(), both.mask_kji)
    assert saved.mask_sha256 == fingerprint(both.mask, Grid.of(pet()))


def test_a_mask_given_to_the_command_line_is_a_prompt_in_slicer(make, tmp_path) -> None:
    given = np.zeros(SHAPE, bool)
    given[ONE] = True
    session = by_command_line(tmp_path / "mask.seg.nrrd", [at(IN_TWO, positive=False)], given)
    scene = InSlicer(make, tmp_path, tmp_path / "mask.seg.nrrd")
    scene.click(at(IN_ONE))
    saved = read_prompts(scene.context.segmentation, scene.segment_id)
    prompt, *points = saved.on(Grid.of(pet()))
    assert isinstance(prompt, MaskPrompt)
    assert prompt.refine
    assert np.array_equal(prompt.mask.to_array(SHAPE), given)
    assert tuple(points) == (*session.points, at(IN_ONE))


def test_a_segment_painted_between_the_programs_is_a_mask_drawn_by_hand(make, tmp_path) -> None:
    session = segment(pet(), [at(IN_ONE)], None, backend())
    painted = session.mask_kji
    painted[8, 8, 8] = True
    write_mask(pet(), [Segment("Target", painted, tags=result_tags(session))], tmp_path / "mask.seg.nrrd")
    scene = InSlicer(make, tmp_path, tmp_path / "mask.seg.nrrd")
    scene.click(at(IN_TWO, positive=False))
    saved = read_prompts(scene.context.segmentation, scene.segment_id)
    drawn = [prompt for prompt in saved.on(Grid.of(pet())) if isinstance(prompt, MaskPrompt)]
    assert np.array_equal(drawn[0].mask.to_array(SHAPE), painted)
    assert scene.mask_kji()[8, 8, 8]


def test_a_segment_written_by_release_0_1_0_goes_on(make, tmp_path) -> None:
    scene = InSlicer(make, tmp_path, FIXTURES / "command_line_0_1_0.seg.nrrd")
    before = scene.mask_kji()
    assert scene.points() == (at(IN_ONE), at(IN_TWO, positive=False))
    assert scene.click(at((4, 4, 5))) == ""
    assert before[IN_ONE]
    assert not before[IN_TWO]
    assert not (before & ~scene.mask_kji()).any()
    assert scene.points() == (at(IN_ONE), at(IN_TWO, positive=False), at((4, 4, 5)))


def test_a_scene_saved_by_release_0_1_0_goes_on(make) -> None:
    assert make.scene.ReadFromMRB(str(FIXTURES / "scene_0_1_0.mrb"), False)
    (segmentation,) = slicer.util.getNodesByClass("vtkMRMLSegmentationNode")
    data = segmentation.GetSegmentation()
    first, second = (data.GetNthSegmentID(n) for n in range(2))
    saved = read_prompts(segmentation, first)
    context = ClickContext(referred_volume(segmentation, saved), segmentation)
    controller = Controller(make.editor())
    assert controller.points(context, first) == (at(IN_ONE), at(IN_TWO, positive=False))
    assert controller.points(context, second) == (at(IN_TWO),)
    mask = read_mask(segmentation, second, context.volume_node)
    assert read_prompts(segmentation, second).mask_sha256 == fingerprint(mask, grid_of(context.volume_node))
    job = controller.click(context, second, at((4, 4, 7)), backend())
    job.run()
    assert controller.finish(job) == second
    assert job.session.prompts == (at(IN_TWO), at((4, 4, 7)))
    painted = controller.click(context, first, at((4, 4, 4)), backend())  # it was painted after its clicks
    assert any(isinstance(prompt, MaskPrompt) for prompt in painted.session.prompts)
    assert isinstance(painted.session.mask, MaskPatch)
