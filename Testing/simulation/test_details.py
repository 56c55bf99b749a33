"""Cortex, renal pelvis, ureters and hot spots of the neck."""

import numpy as np
import pytest

from SegAnyPETLib.simulation.analytic_organs import analytic_organs
from SegAnyPETLib.simulation.anatomy import anatomy_from_organs
from SegAnyPETLib.simulation.details import Detail, detail_uptake, organ_mask, with_details
from SegAnyPETLib.simulation.tissues import Tissue, draw_uptake


@pytest.fixture(scope="module")
def plain():
    rng = np.random.default_rng(0)
    return anatomy_from_organs(analytic_organs(rng, 6.0), rng)


@pytest.fixture(scope="module")
def detailed(plain):
    return with_details(plain, np.random.default_rng(0))


@pytest.mark.parametrize("organ", [Tissue.BRAIN, Tissue.KIDNEYS, Tissue.HEART, Tissue.LIVER])
def test_an_organ_with_its_details_is_the_organ_as_it_was(plain, detailed, organ):
    assert np.array_equal(organ_mask(detailed.tissues, organ), plain.tissues == organ)


@pytest.mark.parametrize(
    ("detail", "organ"),
    [(Detail.WHITE_MATTER, Tissue.BRAIN), (Detail.CAVITY, Tissue.HEART), (Detail.RENAL_PELVIS, Tissue.KIDNEYS)],
)
def test_the_inside_of_an_organ_lies_below_a_wall(plain, detailed, detail, organ):
    inner = np.argwhere(detailed.tissues == detail)
    assert len(inner)
    for step in (-1, 1):
        for axis in range(3):
            beside = inner.copy()
            beside[:, axis] += step
            assert (plain.tissues[tuple(beside.T)] == organ).all()


def test_ureters_lie_between_kidneys_and_bladder_and_neck_spots_below_the_brain(plain, detailed):
    bladder, kidneys = (np.argwhere(plain.tissues == t)[:, 0] for t in (Tissue.BLADDER, Tissue.KIDNEYS))
    ureter = np.argwhere(detailed.tissues == Detail.URETER)[:, 0]
    assert bladder.min() <= ureter.min()
    assert ureter.max() <= kidneys.max()
    assert (
        np.argwhere(detailed.tissues == Detail.NECK_SPOT)[:, 0].max()
        < np.argwhere(plain.tissues == Tissue.BRAIN)[:, 0].min()
    )


@pytest.mark.parametrize("tracer", ["fdg", "psma"])
def test_white_matter_takes_up_less_than_cortex_and_organs_keep_their_uptake(tracer):
    rng = np.random.default_rng(1)
    uptake = draw_uptake(tracer, rng)
    table = detail_uptake(uptake, tracer, rng)
    assert np.array_equal(table[: len(uptake)], uptake)
    assert 0 < table[Detail.VENTRICLES] < table[Detail.WHITE_MATTER] < table[Tissue.BRAIN]
