import numpy as np
import pytest

pytest.importorskip("slicer", reason="needs Slicer's libraries: pip install slicer-core (Python 3.10 to 3.12)")

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.mrml.nodes.frames import between, world_to

ROTATED = [[0, -1, 0, 5], [1, 0, 0, 6], [0, 0, 1, 7], [0, 0, 0, 1]]
SHIFTED = [[1, 0, 0, 10], [0, 1, 0, 20], [0, 0, 1, 30], [0, 0, 0, 1]]


def test_a_chain_of_transforms_is_undone_from_the_outside_inwards(make) -> None:
    outer = make.transform(ROTATED)
    node = make.volume(np.zeros((2, 2, 2)), parent=make.transform(SHIFTED, parent=outer))
    assert np.allclose(world_to(node), np.linalg.inv(np.array(ROTATED) @ SHIFTED))


def test_nodes_that_move_together_have_one_frame(make) -> None:
    transform = make.transform(ROTATED)
    first, second = (make.volume(np.zeros((2, 2, 2)), parent=transform) for _ in range(2))
    assert np.array_equal(between(first, second), np.eye(4))


def test_between_two_transforms_the_way_leads_through_the_world(make) -> None:
    first = make.volume(np.zeros((2, 2, 2)), parent=make.transform(ROTATED))
    second = make.volume(np.zeros((2, 2, 2)), parent=make.transform(SHIFTED))
    assert np.allclose(between(first, second), np.linalg.inv(SHIFTED) @ ROTATED)


def test_a_warping_transform_is_refused(make) -> None:
    node = make.volume(np.zeros((2, 2, 2)), parent=make.warp())
    with pytest.raises(InputError, match="warping"):
        world_to(node)


def test_a_warping_transform_further_up_is_refused(make) -> None:
    inner = make.transform(SHIFTED, parent=make.warp())
    with pytest.raises(InputError, match="warping"):
        world_to(make.volume(np.zeros((2, 2, 2)), parent=inner))
