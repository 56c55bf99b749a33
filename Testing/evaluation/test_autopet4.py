"""Clicks that are simulated before the model runs."""

import numpy as np
import pytest

from SegAnyPETLib.evaluation.autopet4 import autopet4_area, simulated_clicks
from SegAnyPETLib.volume.volume import Volume

GRID = np.diag([2.0, 3.0, 4.0, 1.0])


def scan() -> tuple[Volume, Volume]:
    """Two lesions of 27 and 8 voxels, and a bright organ of 125."""
    image, lesions = np.ones((40, 40, 40), np.float32), np.zeros((40, 40, 40), bool)
    lesions[2:4, 2:4, 2:4] = True
    lesions[10:13, 10:13, 10:13] = True
    image[lesions] = 5.0
    image[30:35, 30:35, 30:35] = 9.0
    return Volume(image, GRID), Volume(lesions, GRID)


def test_lesions_are_clicked_in_their_centres_and_then_on_their_boundary() -> None:
    image, reference = scan()
    clicks = simulated_clicks(image, reference, seed=3)
    found = [image.nearest_kji(point.ras) for point in clicks.tumour]
    assert found[0] == (11, 11, 11)
    assert all(index in (2, 3) for index in found[1])
    assert len(found) == len(set(found[2:])) + 2 == 10
    assert all(reference.array_kji[index] for index in found)
    assert (11, 11, 11) not in found[2:]
    assert all(point.positive for point in clicks.tumour)


def test_the_background_is_clicked_in_the_centres_of_what_is_bright_outside_the_lesions() -> None:
    image, reference = scan()
    clicks = simulated_clicks(image, reference)
    assert [(image.nearest_kji(point.ras), point.positive) for point in clicks.background] == [((32, 32, 32), False)]


def test_a_scan_without_lesions_has_background_clicks_alone() -> None:
    image, reference = scan()
    clicks = simulated_clicks(image, reference.with_array(np.zeros_like(reference.array_kji)))
    assert clicks.tumour == ()
    assert [image.nearest_kji(point.ras)[0] for point in clicks.background] == [32, 11, 2]


def test_a_step_adds_at_most_one_click_of_each_kind_and_equal_seeds_give_equal_clicks() -> None:
    image, reference = scan()
    clicks = simulated_clicks(image, reference, seed=1)
    assert clicks.of_step(1) == (clicks.tumour[0], clicks.background[0])
    assert clicks.of_step(2) == (clicks.tumour[1],)
    assert simulated_clicks(image, reference, seed=1) == clicks
    assert simulated_clicks(image, reference, seed=2) != clicks


def test_the_area_of_the_protocol_is_not_divided_by_the_number_of_steps() -> None:
    assert autopet4_area([1.0] * 11) == pytest.approx(10.0)
    assert autopet4_area([0.0] + [0.8] * 10) == pytest.approx(0.4 + 9 * 0.8)
