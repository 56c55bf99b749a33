"""A clinician's session from the first click to the next day, with the bundled model."""

import numpy as np
import pytest

from SegAnyPETLib.prompts import MaskPrompt, Point

FIRST, BESIDE, AGAIN, SECOND = (12, 12, 10), (12, 12, 14), (12, 16, 10), (28, 22, 20)
#: What the user paints: voxels (k, j, i) at the side of the first lesion.
PAINTED = np.s_[11:14, 15:19, 9:12]


def ras(index_kji):
    k, j, i = index_kji
    return (4.0 * i, 4.0 * j, 4.0 * k)


def prompts(user, number=0):
    from SegAnyPETLib.mrml.saved_prompts import read_prompts

    segment_id = user.segmentation.GetSegmentation().GetNthSegmentID(number)
    return read_prompts(user.segmentation, segment_id).prompts


def paint(user, number=0):
    """What the effect Paint does: an undo step, and voxels added to the selected segment."""
    import slicer

    from SegAnyPETLib.mrml.nodes.labelmaps import image_of
    from SegAnyPETLib.mrml.nodes.volumes import ijk_to_ras
    from SegAnyPETLib.volume.patch import MaskPatch

    array = np.zeros((40, 36, 32), bool)
    array[PAINTED] = True
    modifier = image_of(MaskPatch.cropped(array, (0, 0, 0)), ijk_to_ras(user.panel.selection.volume))
    user.panel.editorWidget.saveStateForUndo()
    logic = user.panel.controller.editor.logic
    segment_id = user.segmentation.GetSegmentation().GetNthSegmentID(number)
    logic.ModifySegmentByLabelmap(user.segmentation, segment_id, modifier, logic.ModificationModeAdd, False, False)
    assert isinstance(modifier, slicer.vtkOrientedImageData)
    user.rest()


@pytest.mark.slow
def test_a_session_from_the_first_click_to_the_next_day(user, slicer_harness, tmp_path) -> None:
    import slicer

    user.click(FIRST)
    clicked = user.mask()
    assert clicked[FIRST]
    assert not clicked[SECOND]
    assert 20 < clicked.sum() < 400
    assert prompts(user) == (Point(ras(FIRST)),)

    user.click(BESIDE, positive=False)
    refined = user.mask()
    assert not refined[BESIDE]
    assert prompts(user) == (Point(ras(FIRST)), Point(ras(BESIDE), False))

    paint(user)
    painted = user.mask()
    assert painted[PAINTED].all()
    assert (painted == (refined | painted_only())).all()
    assert prompts(user) == (Point(ras(FIRST)), Point(ras(BESIDE), False))

    user.click(AGAIN)
    again = user.mask()
    assert again[AGAIN]
    mask_prompt = prompts(user)[-2]
    assert isinstance(mask_prompt, MaskPrompt)
    assert (mask_prompt.mask.to_array(painted.shape) == painted).all()
    assert prompts(user)[-1] == Point(ras(AGAIN))

    user.press("nextButton")
    user.click(SECOND)
    assert user.names() == ["Lesion 1", "Lesion 2"]
    assert user.mask(1)[SECOND]
    assert (user.mask(0) == again).all()
    assert prompts(user, 1) == (Point(ras(SECOND)),)

    user.press("undoButton")
    user.rest()
    assert user.names() == ["Lesion 1"]
    assert (user.mask() == again).all()
    user.press("undoButton")
    user.rest()
    assert (user.mask() == painted).all()
    assert prompts(user) == (Point(ras(FIRST)), Point(ras(BESIDE), False))

    user.press("redoButton")
    user.rest()
    assert (user.mask() == again).all()
    assert prompts(user)[-1] == Point(ras(AGAIN))

    assert slicer.util.saveScene(str(tmp_path / "day.mrb"))
    slicer_harness.scene.Clear(0)
    user.rest()
    assert user.names() == []
    slicer.util.loadScene(str(tmp_path / "day.mrb"))
    user.rest()
    assert user.names() == ["Lesion 1"]
    assert (user.mask() == again).all()

    user.select("Lesion 1")
    shown = [node.GetNumberOfControlPoints() for node in (user.panel.markups.positive, user.panel.markups.negative)]
    points = [p for p in prompts(user) if isinstance(p, Point)]
    assert shown == [sum(p.positive for p in points), sum(not p.positive for p in points)]
    user.click(BESIDE, positive=False)
    assert not user.mask()[BESIDE]
    assert prompts(user)[-1] == Point(ras(BESIDE), False)
    user.press("undoButton")
    user.rest()
    assert (user.mask() == again).all()


def painted_only():
    array = np.zeros((40, 36, 32), bool)
    array[PAINTED] = True
    return array
