"""Finished targets are shown to the model as not belonging to the one that is clicked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.session.target_list import TargetList
from SegAnyPETLib.volume.box import Box
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from Testing.session.hot_backend import HotBackend, at, pet

#: Two hot boxes with a gap of one voxel, and one out of a window's reach.
ONE, TWO, FAR = ((2, 2, 2), (4, 4, 4)), ((2, 2, 6), (4, 4, 8)), ((2, 2, 40), (4, 4, 42))


@pytest.fixture
def volume() -> Volume:
    return pet((8, 8, 48), ONE, TWO, FAR)


def patch(limits: tuple[tuple[int, int, int], tuple[int, int, int]]) -> MaskPatch:
    low, high = limits
    shape = Box(low, (high[0] + 1, high[1] + 1, high[2] + 1)).shape_kji
    return MaskPatch(np.ones(shape, dtype=bool), low)


def session_with(volume: Volume, *neighbours: MaskPatch) -> tuple[InteractiveSession, HotBackend]:
    backend = HotBackend(size=16, spacing_mm=(1.0,))
    session = InteractiveSession(volume, backend)
    session.neighbours = neighbours
    return session, backend


def shown(backend: HotBackend) -> int | None:
    """Voxels of what the model was shown last as something else."""
    not_target = backend.asked[-1][1].not_target_kji
    return None if not_target is None else int(not_target.sum())


def test_a_neighbour_in_the_window_is_shown_where_it_lies(volume: Volume) -> None:
    session, backend = session_with(volume, patch(TWO), patch(FAR))
    session.add_point(at(volume, (3, 3, 3)))
    image, prompts = backend.asked[-1]
    assert prompts.not_target_kji is not None
    assert prompts.not_target_kji.shape == image.array_kji.shape
    assert shown(backend) == 27
    assert (image.array_kji[prompts.not_target_kji > 0] == 5.0).all()


def test_without_a_neighbour_in_the_window_nothing_is_shown(volume: Volume) -> None:
    session, backend = session_with(volume, patch(FAR), MaskPatch.empty())
    session.add_point(at(volume, (3, 3, 3)))
    assert shown(backend) is None


def test_a_neighbour_that_is_clicked_belongs_to_the_target(volume: Volume) -> None:
    session, backend = session_with(volume, patch(TWO))
    session.add_point(at(volume, (3, 3, 7)))
    assert shown(backend) is None


def test_what_the_target_holds_already_is_not_shown_as_something_else(volume: Volume) -> None:
    session, backend = session_with(volume)
    session.set_mask(patch(ONE))
    session.neighbours = [replace(patch(ONE), offset_kji=(2, 2, 4))]  # shares a third with the mask
    session.add_point(at(volume, (2, 2, 2)))
    assert shown(backend) == 18


def test_targets_of_a_list_are_neighbours_of_those_after_them(volume: Volume) -> None:
    backend = HotBackend(size=16, spacing_mm=(1.0,))
    targets = TargetList(volume, backend)
    targets.add_each([at(volume, (3, 3, 3))])
    targets.add_each([at(volume, (3, 3, 40))])
    assert shown(backend) is None
    first = targets.sessions[0].mask
    assert targets.sessions[1].neighbours == (first,)
