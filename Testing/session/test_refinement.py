import numpy as np
import pytest

from SegAnyPETLib.errors import Cancelled
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.refinement import refine
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.patch import MaskPatch
from SegAnyPETLib.volume.volume import Volume
from Testing.session.hot_backend import HotBackend, Index, at, pet


def proposed(volume: Volume, index_kji: Index) -> tuple[MaskPatch, Point]:
    """What is proposed for a lesion: one voxel of it."""
    return MaskPatch(np.ones((1, 1, 1), bool), index_kji), at(volume, index_kji)


def test_each_lesion_becomes_what_the_model_finds_at_its_click():
    volume = pet((16, 16, 16), ((2, 2, 2), (3, 3, 4)), ((11, 11, 11), (12, 13, 12)))
    done: list[int] = []
    lesions = [proposed(volume, (2, 2, 2)), proposed(volume, (11, 12, 11))]
    found = refine(volume, HotBackend(16, (1.0,)), lesions, done=lambda: done.append(1))
    for one, (_, click) in zip(found, lesions, strict=True):
        session = InteractiveSession(volume, HotBackend(16, (1.0,)))
        session.add_point(click)
        assert np.array_equal(one.mask.to_array(volume.shape_kji), session.mask_kji)
    assert all(one.session is not None and one.note == "" for one in found)
    assert len(done) == 2


def test_lesions_do_not_share_a_voxel_though_their_clicks_lie_in_one_spot():
    volume = pet((16, 16, 16), ((2, 2, 2), (4, 4, 9)))
    found = refine(volume, HotBackend(16, (1.0,)), [proposed(volume, (3, 3, 3)), proposed(volume, (3, 3, 8))])
    first, second = (one.mask.to_array(volume.shape_kji) for one in found)
    assert first[3, 3, 3]
    assert second[3, 3, 8]
    assert not (first & second).any()


def test_a_mask_that_runs_on_is_not_taken():
    volume = pet((30, 30, 30), ((2, 2, 2), (21, 21, 21)))
    region, click = proposed(volume, (10, 10, 10))
    (found,) = refine(volume, HotBackend(16, (1.0,)), [(region, click)])
    assert (found.session, found.mask.voxels) == (None, 1)
    assert "ran on" in found.note


def test_what_is_to_be_avoided_is_clicked_away():
    volume = pet((16, 16, 16), ((2, 2, 2), (3, 3, 6)))
    (found,) = refine(volume, HotBackend(16, (1.0,)), [proposed(volume, (2, 2, 2))], avoid=[at(volume, (2, 2, 6))])
    assert found.session is not None
    assert [point.positive for point in found.session.points] == [True, False]
    mask = found.mask.to_array(volume.shape_kji)
    assert mask[2, 2, 2]
    assert not mask[2, 2, 6]


def test_cancelling_leaves_nothing():
    volume, backend = pet((16, 16, 16), ((2, 2, 2), (3, 3, 4))), HotBackend(16, (1.0,))
    backend.fail(1, Cancelled())
    with pytest.raises(Cancelled):
        refine(volume, backend, [proposed(volume, (2, 2, 2))])
