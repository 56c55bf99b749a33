import numpy as np
import pytest

slicer = pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.mrml.nodes.prompt_markups import NEGATIVE, PromptMarkups, index_of
from SegAnyPETLib.prompts import Point

TURNED = np.array([[0.0, -1, 0, 10], [1, 0, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]])
POINTS = (Point((1, 2, 3)), Point((4, 5, 6), False), Point((7, 8, 9)))


def test_points_are_shown_in_the_world_by_their_sign(make):
    pet = make.volume(np.zeros((4, 4, 4), np.float32), parent=make.transform(TURNED))
    markups = PromptMarkups(make.scene)
    markups.show(pet, POINTS)
    assert [markups.positive.GetNumberOfControlPoints(), markups.negative.GetNumberOfControlPoints()] == [2, 1]
    assert markups.positive.GetNthControlPointPositionWorld(0) == pytest.approx((8, 21, 33))
    assert markups.collect_changes(pet) == []
    markups.show(pet, POINTS[:1])
    assert markups.negative.GetNumberOfControlPoints() == 0


def test_what_the_user_does_to_points_is_told_in_the_volumes_frame(make):
    pet = make.volume(np.zeros((4, 4, 4), np.float32), parent=make.transform(TURNED))
    markups = PromptMarkups(make.scene)
    markups.show(pet, POINTS)
    markups.negative.AddControlPointWorld(10, 20, 30)
    markups.positive.SetNthControlPointPositionWorld(1, 10, 21, 30)
    markups.positive.RemoveNthControlPoint(0)
    removed, moved, added = markups.collect_changes(pet)
    assert (removed.was, removed.now) == (POINTS[0], None)
    assert (moved.was, moved.now.positive) == (POINTS[2], True)
    assert moved.now.ras == pytest.approx((1, 0, 0))
    assert (added.was, added.now.positive) == (None, False)
    assert added.now.ras == pytest.approx((0, 0, 0))
    assert markups.collect_changes(pet) == []


def test_a_point_stays_the_same_control_point_while_it_is_shown(make):
    pet = make.volume(np.zeros((4, 4, 4), np.float32))
    markups = PromptMarkups(make.scene)
    markups.positive.AddControlPointWorld(1, 2, 3)
    markups.positive.AddControlPointWorld(3, 3, 3)
    kept = markups.positive.GetNthControlPointID(0)
    markups.show(pet, POINTS[:2])
    assert [markups.positive.GetNthControlPointID(n) for n in range(1)] == [kept]
    assert markups.positive.GetNumberOfControlPoints() == 1


def test_a_snapped_point_is_known_by_its_click_too():
    points = (POINTS[0], Point((7, 8, 9), clicked_ras=(7, 7, 7)))
    assert index_of(Point((7, 7, 7)), points) == index_of(points[1], points) == 1
    assert index_of(Point((7, 7, 7), False), points) is None


def test_a_point_that_is_being_placed_does_not_count(make):
    pet = make.volume(np.zeros((4, 4, 4), np.float32))
    markups = PromptMarkups(make.scene)
    markups.show(pet, ())
    markups.positive.SetControlPointPlacementStartIndex(0)
    index = markups.positive.AddControlPoint(1, 1, 1)
    markups.positive.SetNthControlPointPosition(index, 1, 1, 1, markups.positive.PositionPreview)
    assert markups.collect_changes(pet) == []


def test_the_nodes_are_the_same_ones_and_are_not_saved_with_the_scene(make):
    first, second = PromptMarkups(make.scene), PromptMarkups(make.scene)
    assert first.positive is second.positive
    assert not first.positive.GetSaveWithScene()


def test_the_nodes_are_as_they_were_after_a_scene_was_closed(make):
    markups = PromptMarkups(make.scene)
    markups.negative.AddControlPointWorld(1, 2, 3)
    make.scene.Clear(0)
    node = markups.negative
    assert node.GetNumberOfControlPoints() == 0
    assert (node.GetName(), node.GetSaveWithScene(), node.GetHideFromEditors()) == (NEGATIVE[0], False, True)
    display = node.GetDisplayNode()
    assert display.GetActiveColor() == display.GetSelectedColor() == NEGATIVE[2]
    assert not display.GetSaveWithScene()


def test_a_point_keeps_its_saved_coordinates_under_a_transform(scene, make) -> None:
    """Saved points are found by their exact coordinates, which a rotation there and back would round."""
    turn = np.eye(4)
    turn[:2, :2] = [[0.8, -0.6], [0.6, 0.8]]
    turn[:3, 3] = 0.1, 0.2, 0.3
    pet = make.volume(np.zeros((4, 4, 4), np.float32), parent=make.transform(turn))
    markups, saved = PromptMarkups(scene), Point((0.1, 0.7, 1.3))
    markups.show(pet, [saved])
    assert markups.collect_changes(pet) == []
    markups.positive.RemoveAllControlPoints()
    (removed,) = markups.collect_changes(pet)
    assert removed.was == saved
    assert index_of(removed.was, [saved]) == 0
