"""All lesions of a scan from clicks that do not say which lesion they mean."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from SegAnyPETLib.evaluation.autopet4.whole_scan import ScanSession
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.volume.volume import Volume

IMAGE = Volume(np.ones((1, 1, 20), np.float32), np.eye(4))


def at(i: int, positive: bool = True) -> Point:
    return Point((float(i), 0.0, 0.0), positive)


class ReachSession:
    """The first click takes two voxels to either side; a negative one takes away its voxel and all beyond."""

    made: list[ReachSession]

    def __init__(self, volume: Volume) -> None:
        self.mask_kji: NDArray[np.bool_] = np.zeros(volume.shape_kji, bool)
        self.points: list[Point] = []
        self.made.append(self)

    def add_point(self, point: Point) -> None:
        self.points.append(point)
        i = round(point.ras[0])
        if point.positive:
            self.mask_kji[0, 0, max(0, i - 2) : i + 3] = True
        else:
            self.mask_kji[0, 0, i:] = False


def scan() -> ScanSession:
    ReachSession.made = []
    return ScanSession(IMAGE, ReachSession)


def shown(session: ScanSession) -> list[int]:
    return np.flatnonzero(session.mask_kji).tolist()


def test_a_tumour_click_begins_a_target_unless_a_mask_holds_it() -> None:
    session = scan()
    assert session.add(at(3), None) == (at(3),)
    assert session.add(at(5), None) == ()
    assert session.add(at(12), None) == (at(12),)
    assert [made.points for made in ReachSession.made] == [[at(3)], [at(12)]]
    assert shown(session) == [1, 2, 3, 4, 5, 10, 11, 12, 13, 14]


def test_a_background_click_goes_to_the_targets_that_hold_it_also_if_they_come_later() -> None:
    session = scan()
    assert session.add(None, at(5, False)) == ()
    assert shown(session) == []
    assert session.add(at(3), at(11, False)) == (at(3), at(5, False))
    assert shown(session) == [1, 2, 3, 4]
    assert session.add(at(10), None) == (at(10), at(11, False))
    assert shown(session) == [1, 2, 3, 4, 8, 9, 10]
    assert [len(made.points) for made in ReachSession.made] == [2, 2]
