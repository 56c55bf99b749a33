"""Legs, trunk, neck and head around organs."""

import numpy as np
import pytest

from SegAnyPETLib.simulation.body_outline import body_outlines
from SegAnyPETLib.simulation.tissues import Tissue

SPACING = (10.0, 5.0, 4.0)


@pytest.fixture
def labels():
    """A liver around r = 200 mm, a = 100 mm and 300 to 400 mm up; a brain 20 mm before it, 600 to 700 mm up."""
    labels = np.zeros((90, 60, 100), np.uint8)
    labels[30:41, 16:25, 10:91] = Tissue.LIVER
    labels[60:71, 20:29, 46:55] = Tissue.BRAIN
    return labels


@pytest.fixture
def outlines(labels):
    return body_outlines(labels, SPACING, np.random.default_rng(0))


def test_the_trunk_surrounds_the_organs_from_below_to_above_them(outlines):
    for k in (26, 30, 40, 41):
        (trunk,) = outlines[k]
        assert trunk.trunk
        assert (trunk.r, trunk.a) == (200, 100)
        assert trunk.half_r > 160
        assert trunk.half_a > 20


def test_legs_stand_beside_each_other_and_grow_thinner_downwards(outlines):
    left, right = outlines[25]
    assert left.r < 200 < right.r
    assert left.r + right.r == pytest.approx(400)
    assert left.half_r < right.r - left.r
    assert outlines[10][0].half_r == pytest.approx(left.half_r - 0.06 * 150)


def test_the_neck_leads_from_the_trunk_to_the_head(outlines):
    necks = [outlines[k][0] for k in range(42, 52)]
    assert not any(neck.trunk for neck in necks)
    places = np.array([(neck.r, neck.a) for neck in necks])
    assert (places[:, 0] == 200).all()
    assert (np.diff(places[:, 1]) > 0).all()
    assert 100 < places[0, 1] < places[-1, 1] < 120
    widths = [neck.half_r for neck in necks]
    assert outlines[40][0].half_r > widths[0] > widths[1] > widths[-1] == 62  # shoulders become a neck


def test_the_head_closes_over_the_brain_and_nothing_is_above_it(outlines):
    heads = [outlines[k][0] for k in (60, 66, 70)]
    assert all((head.r, head.a) == (200, 120) for head in heads)
    assert heads[0].half_r > heads[1].half_r > heads[2].half_r > 0
    assert outlines[73] == []


def test_a_scan_that_ends_in_the_head_shows_it_to_the_end(labels):
    assert body_outlines(labels[:66], SPACING, np.random.default_rng(0))[-1] != []


def test_without_a_brain_there_is_a_neck_and_no_end(labels):
    labels[labels == Tissue.BRAIN] = 0
    (neck,) = body_outlines(labels, SPACING, np.random.default_rng(0))[-1]
    assert not neck.trunk
    assert (neck.r, neck.a) == (200, 100)
