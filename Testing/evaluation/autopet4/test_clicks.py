"""Clicks that are simulated before the model runs."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from SegAnyPETLib.evaluation.autopet4.clicks import autopet4_area, scan_clicks
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

GRID = np.diag([2.0, 3.0, 4.0, 1.0])

#: What the published code (with scipy's distances) answers for `scan`, as (i, j, k).
PUBLISHED_TUMOUR = [
    (11, 11, 11),
    (2, 2, 2),
    (12, 10, 12),
    (3, 2, 2),
    (11, 12, 10),
    (2, 3, 2),
    (10, 12, 11),
    (3, 2, 2),
    (12, 11, 10),
    (3, 3, 2),
]
#: Its later ones lie in turn in the larger organ and, by an oversight, anywhere outside the organ of one voxel.
PUBLISHED_BACKGROUND = [(12, 22, 32), (1, 1, 38), (13, 21, 32)]


def scan() -> tuple[Volume, NDArray[np.bool_]]:
    """Two lesions of 8 and 27 voxels, and two bright organs of 125 and 1 voxels."""
    image, lesions = np.ones((40, 40, 40), np.float32), np.zeros((40, 40, 40), bool)
    lesions[2:4, 2:4, 2:4] = True
    lesions[10:13, 10:13, 10:13] = True
    image[lesions] = 20.0
    image[30:35, 20:25, 10:15] = 9.0
    image[38, 1, 1] = 9.0
    return Volume(image, GRID), lesions


def indices(image: Volume, points: tuple[Point, ...]) -> list[tuple[int, int, int]]:
    return [image.nearest_kji(point.ras) for point in points]


def test_lesions_are_clicked_in_their_centres_and_then_on_their_surfaces_in_turn() -> None:
    image, lesions = scan()
    clicks = scan_clicks(image, lesions)
    found = indices(image, clicks.tumour)
    assert all(point.positive for point in clicks.tumour)
    assert set(found[:2]) == {(2, 2, 2), (11, 11, 11)}
    first = 0 if found[0] == (11, 11, 11) else 1
    assert len(found) == 10
    for number, index in enumerate(found[2:]):
        large = number % 2 == first
        low = 10 if large else 2
        assert all(low <= n <= low + (2 if large else 1) for n in index)
        assert index != (11, 11, 11)


def test_the_background_is_clicked_in_what_is_bright_outside_the_lesions() -> None:
    image, lesions = scan()
    clicks = scan_clicks(image, lesions)
    found = indices(image, clicks.background)
    assert not any(point.positive for point in clicks.background)
    assert set(found[:2]) == {(32, 22, 12), (38, 1, 1)}
    assert len(found) == 10
    assert all(image.array_kji[index] == 9.0 for index in found)
    # Later ones lie anywhere in the two organs, in turn.
    assert [index == (38, 1, 1) for index in found[2::2]] == [found[0] == (38, 1, 1)] * 4


def test_of_more_than_ten_lesions_ten_are_drawn() -> None:
    lesions = np.zeros((6, 6, 30), bool)
    lesions[2, 2, 1::2] = True
    image = Volume(np.where(lesions, 5.0, 1.0).astype(np.float32), GRID)
    found = indices(image, scan_clicks(image, lesions).tumour)
    assert len(set(found)) == 10
    assert all(lesions[index] for index in found)


def test_a_scan_without_lesions_has_background_clicks_only() -> None:
    image, lesions = scan()
    clicks = scan_clicks(image, np.zeros_like(lesions))
    assert clicks.tumour == ()
    assert len(clicks.background) == 10
    assert clicks.of_step(1) == (None, clicks.background[0])


def test_a_step_adds_one_click_of_each_kind_and_equal_seeds_give_equal_clicks() -> None:
    image, lesions = scan()
    clicks = scan_clicks(image, lesions, seed=1)
    assert clicks.of_step(3) == (clicks.tumour[2], clicks.background[2])
    assert scan_clicks(image, lesions, seed=1) == clicks
    assert scan_clicks(image, lesions, seed=2) != clicks


def test_draws_are_those_of_the_published_code() -> None:
    image, lesions = scan()
    clicks = scan_clicks(image, lesions)
    assert [index[::-1] for index in indices(image, clicks.tumour)] == PUBLISHED_TUMOUR
    assert [index[::-1] for index in indices(image, clicks.background)][:3] == PUBLISHED_BACKGROUND


def test_the_area_of_the_protocol_is_not_divided_by_the_number_of_steps() -> None:
    assert autopet4_area([1.0] * 11) == pytest.approx(10.0)
    assert autopet4_area([0.0] + [0.8] * 10) == pytest.approx(0.4 + 9 * 0.8)
