"""What the user does with a segment as a whole, and how a PET that is chosen is shown."""

import numpy as np
import pytest

from Testing.module.held_backend import HeldBackend

#: A voxel (k, j, i) in the larger lesion of the small PET.
FIRST = (12, 12, 10)
#: One in the smaller lesion.
SECOND = (28, 22, 20)


@pytest.fixture
def two(unopened):
    """Two lesions; the first one is selected."""
    unopened.add_pet()
    unopened.use(HeldBackend(held=False))
    unopened.rest()
    unopened.click(FIRST)
    unopened.press("nextButton")
    unopened.click(SECOND)
    unopened.select("Lesion 1")
    return unopened


def press(user, name):
    user.press(name)
    user.rest()


def visible(user):
    display = user.segmentation.GetDisplayNode()
    return [bool(display.GetSegmentVisibility(segment_id)) for segment_id in user.panel.selection.segmentIds()]


def test_nothing_can_be_done_without_a_segment(unopened) -> None:
    unopened.add_pet()
    unopened.rest()
    names = ("lookButton", "hideOthersButton", "resetButton", "renameButton", "lockButton", "deleteButton")
    assert not any(getattr(unopened.ui, name).enabled for name in names)


def test_a_reset_removes_clicks_and_mask_in_one_step_and_keeps_the_segment(two) -> None:
    before = two.mask()
    press(two, "resetButton")
    assert two.names() == ["Lesion 1", "Lesion 2"]
    assert not two.mask().any()
    assert two.points() == []
    assert two.panel.markups.positive.GetNumberOfControlPoints() == 0
    press(two, "undoButton")
    assert (two.mask() == before).all()
    assert len(two.points()) == 1


def test_clicks_go_on_in_a_segment_that_was_reset(two) -> None:
    press(two, "resetButton")
    two.click(FIRST)
    assert two.names() == ["Lesion 1", "Lesion 2"]
    assert two.mask()[FIRST]
    assert len(two.points()) == 1


def test_a_deleted_segment_comes_back_by_undo(two) -> None:
    press(two, "deleteButton")
    assert two.names() == ["Lesion 2"]
    assert two.ui.targetLabel.text == "The next click begins a new segment."
    press(two, "undoButton")
    assert sorted(two.names()) == ["Lesion 1", "Lesion 2"]
    assert two.ui.targetLabel.text == "Clicks go to Lesion 1."


def test_a_locked_segment_is_not_changed_by_clicks_reset_or_deletion(two) -> None:
    before = two.mask()
    press(two, "lockButton")
    assert two.names()[0] == "Lesion 1 (locked)"
    assert two.ui.lockButton.text == "Unlock"
    two.click((12, 12, 11))
    assert two.status == "Lesion 1 is locked; unlock it to change it."
    for name in ("refineButton", "resetButton", "deleteButton"):
        press(two, name)
        assert two.status == "Lesion 1 is locked; unlock it to change it."
    assert (two.mask() == before).all()
    press(two, "lockButton")
    two.click((12, 12, 11))
    assert len(two.points()) == 2


def test_a_segment_is_renamed(two) -> None:
    two.harness.dialogs.answers += ["Node, left"]
    press(two, "renameButton")
    assert two.names() == ["Node, left", "Lesion 2"]
    press(two, "undoButton")
    assert two.names() == ["Lesion 1", "Lesion 2"]


@pytest.mark.parametrize(("name", "kept"), [("", True), ("   ", False)])
def test_a_name_that_is_none_is_not_taken(two, name, kept) -> None:
    two.harness.dialogs.answers += [name]
    press(two, "renameButton")
    assert two.names() == ["Lesion 1", "Lesion 2"]
    assert kept or two.status == "A segment needs a name; enter one."


def test_the_others_are_hidden_and_shown_again(two) -> None:
    press(two, "hideOthersButton")
    assert visible(two) == [True, False]
    assert two.ui.hideOthersButton.text == "Show all"
    press(two, "hideOthersButton")
    assert visible(two) == [True, True]
    assert two.ui.hideOthersButton.text == "Hide others"


def test_the_views_look_at_the_segment(two, slicer_views) -> None:
    press(two, "lookButton")
    matrix = slicer_views["Red"].node.GetSliceToRAS()
    assert matrix.GetElement(2, 3) == pytest.approx(12 * 4.0, abs=4.0)


def test_each_row_tells_how_many_clicks_are_its_own(two) -> None:
    two.click((12, 12, 16), positive=False)
    table = two.ui.targetTable
    assert table.horizontalHeaderItem(7).text() == "Clicks"
    assert [table.item(row, 7).text() for row in range(3)] == ["1 + 1 −", "1 +", ""]
    two.click((12, 12, 9))
    two.click((12, 12, 17), positive=False)
    assert table.item(0, 7).text() == "2 + 2 −"


def test_keys_reset_and_hide(slicer_harness) -> None:
    from Testing.module.conftest import MODULE, ModuleUser

    slicer_harness.open_main_window()
    user = ModuleUser(slicer_harness, slicer_harness.load("SegAnyPET", MODULE))
    user.loaded.enter()
    user.add_pet()
    user.use(HeldBackend(held=False))
    user.click(FIRST)
    user.press("nextButton")
    user.click(SECOND)
    user.key("H")
    assert visible(user) == [False, True]
    user.key("E")
    user.rest()
    assert not user.mask(1).any()


def test_a_pet_that_is_chosen_is_shown_dark_where_it_is_hot_in_all_views(slicer_views, unopened) -> None:
    pet = unopened.add_pet()
    unopened.rest()
    for view in slicer_views.values():
        assert view.logic.GetSliceCompositeNode().GetBackgroundVolumeID() == pet.GetID()
    display = pet.GetDisplayNode()
    assert (display.GetWindowLevelMin(), display.GetWindowLevelMax()) == (0, 6)


def test_a_window_that_the_user_has_set_and_a_view_that_shows_the_pet_stay(slicer_views, unopened) -> None:
    pet = unopened.add_pet()
    unopened.rest()
    pet.GetDisplayNode().AutoWindowLevelOff()
    pet.GetDisplayNode().SetWindowLevelMinMax(0, 20)
    other = unopened.add_pet(array=np.ones((8, 8, 8), np.float32))
    unopened.rest()
    slicer_views["Red"].logic.GetSliceCompositeNode().SetBackgroundVolumeID(pet.GetID())
    unopened.ui.volumeSelector.setCurrentNode(pet)
    unopened.rest()
    assert pet.GetDisplayNode().GetWindowLevelMax() == 20
    assert slicer_views["Green"].logic.GetSliceCompositeNode().GetBackgroundVolumeID() == other.GetID()
