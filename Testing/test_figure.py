"""The picture shows the patient as radiologists do, whatever the orientation of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure
from numpy.typing import NDArray

from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.figure import draw, write_figure
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

AXIAL, CORONAL, SAGITTAL, PROJECTION = range(4)


@pytest.fixture
def patient() -> tuple[Volume, NDArray[np.bool_], Point]:
    """A volume whose axes run right, anterior and superior, with one hot voxel far right, anterior and superior."""
    array = np.ones((20, 16, 12), np.float32)
    array[17, 13, 10] = 50.0
    mask = array > 10
    volume = Volume(array, np.diag([4.0, 5.0, 6.0, 1.0]), "SUVbw")
    r, a, s = volume.point_ras((17, 13, 10))
    return volume, mask, Point((r, a, s))


def pixels(figure: Figure) -> NDArray[np.uint8]:
    figure.canvas.draw()
    return np.asarray(figure.canvas.buffer_rgba())


def place(figure: Figure, panel: int) -> NDArray:
    """Where a panel shows its hottest voxel: fractions of its width and height, from the lower left corner."""
    figure.canvas.draw()
    axes = figure.axes[panel]
    (shown,) = axes.images
    image = shown.get_array()
    row, column = np.unravel_index(int(np.argmax(image)), image.shape)
    left, right, bottom, top = shown.get_extent()
    x = left + (column + 0.5) / image.shape[1] * (right - left)
    y = bottom + (row + 0.5) / image.shape[0] * (top - bottom)
    return axes.transAxes.inverted().transform(axes.transData.transform((x, y)))


@pytest.mark.slow
@pytest.mark.parametrize("panel", [AXIAL, CORONAL, SAGITTAL, PROJECTION])
def test_right_and_anterior_are_left_and_superior_and_anterior_are_up(
    panel: int, patient: tuple[Volume, NDArray[np.bool_], Point]
) -> None:
    volume, mask, point = patient
    x, y = place(draw(volume, mask, [point], "title"), panel)
    assert x < 0.5
    assert y > 0.5


@pytest.mark.slow
def test_the_orientation_of_the_file_does_not_show(patient: tuple[Volume, NDArray[np.bool_], Point]) -> None:
    volume, mask, point = patient
    # The same patient with axes that run superior, left and posterior.
    array = np.flip(np.transpose(volume.array_kji, (1, 2, 0)), (0, 1))
    turned = np.zeros((4, 4))
    turned[2, 0], turned[0, 1], turned[1, 2] = 6.0, -4.0, -5.0
    turned[:3, 3] = 4.0 * 11, 5.0 * 15, 0.0
    turned[3, 3] = 1.0
    other = Volume(np.ascontiguousarray(array), turned, "SUVbw")
    assert other.array_kji[other.nearest_kji(point.ras)] == 50.0
    other_mask = other.array_kji > 10
    assert np.array_equal(pixels(draw(volume, mask, [point], "t")), pixels(draw(other, other_mask, [point], "t")))


def test_clicks_are_drawn_where_they_are(patient: tuple[Volume, NDArray[np.bool_], Point]) -> None:
    volume, mask, point = patient
    figure = draw(volume, mask, [point], "title")
    for axes in figure.axes[:4]:
        (click,) = axes.lines
        ((x,), (y,)) = click.get_data()
        (shown,) = axes.images
        image = shown.get_array()
        row, column = np.unravel_index(int(np.argmax(image)), image.shape)
        left, right, bottom, top = shown.get_extent()
        assert x == pytest.approx(left + (column + 0.5) * (right - left) / image.shape[1])
        assert y == pytest.approx(bottom + (row + 0.5) * (top - bottom) / image.shape[0])


def test_a_far_click_is_drawn_on_the_projection_only(patient: tuple[Volume, NDArray[np.bool_], Point]) -> None:
    volume, mask, point = patient
    far = Point((0.0, 0.0, 0.0), positive=False)
    figure = draw(volume, mask, [point, far], "title")
    assert [len(axes.lines) for axes in figure.axes[:4]] == [1, 1, 1, 2]


def test_suv_has_a_fixed_grey_scale_and_other_values_their_own(
    patient: tuple[Volume, NDArray[np.bool_], Point],
) -> None:
    volume, mask, point = patient
    suv = draw(volume, mask, [point], "t").axes[AXIAL].images[0]
    counts = draw(volume.with_array(1000 * volume.array_kji), mask, [point], "t").axes[AXIAL].images[0]
    assert suv.get_clim() == (0, 6.0)
    assert counts.get_clim()[1] == pytest.approx(1000.0, rel=0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("matrix", [np.diag([20.0, 20, 1, 1]), np.diag([1.0, 1, 40, 1]), np.diag([1.0, 40, 1, 1])])
def test_flat_and_slim_volumes_have_a_picture_of_sane_size(matrix: NDArray) -> None:
    array = np.ones((4, 4, 40), np.float32) if matrix[0, 0] > 1 else np.ones((40, 4, 4), np.float32)
    array[1, 1, 1] = 9.0
    shown = pixels(draw(Volume(array, matrix), array > 5, [Point(tuple(matrix[:3, :3] @ (1, 1, 1)))], "flat"))
    assert max(shown.shape) < 12000


@pytest.mark.slow
@pytest.mark.filterwarnings("error")
def test_values_below_zero_do_not_upset_the_grey_scale() -> None:
    array = np.full((6, 6, 6), -1.0, np.float32)
    array[1, 1, 1] = 1e-3
    assert pixels(draw(Volume(array, np.diag([4.0, 4, 4, 1])), array > 0, [], "cold")).size


def test_the_notice_stands_on_the_picture(patient: tuple[Volume, NDArray[np.bool_], Point]) -> None:
    volume, mask, point = patient
    assert "Research use only" in draw(volume, mask, [point], "12 ml").get_suptitle()


def test_a_picture_is_not_left_behind_by_a_failure(
    patient: tuple[Volume, NDArray[np.bool_], Point], tmp_path: Path
) -> None:
    volume, mask, point = patient
    with pytest.raises(SegAnyPETError), write_figure(volume, mask, [point], tmp_path / "f.png", "t"):
        raise SegAnyPETError("later")
    assert list(tmp_path.iterdir()) == []
