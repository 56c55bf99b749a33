"""Uptake of tissues."""

import numpy as np
import pytest
from scipy import ndimage

from SegAnyPETLib.simulation.painting import paint
from SegAnyPETLib.simulation.tissues import UPTAKE_SUV, Tissue, draw_uptake


def test_uptake_stays_within_its_table():
    for tracer, table in UPTAKE_SUV.items():
        drawn = draw_uptake(tracer, np.random.default_rng(0))
        assert all(low <= drawn[tissue] <= high for tissue, (low, high) in table.items())
        assert drawn[Tissue.AIR] < 0.1


def test_every_organ_is_painted_with_its_uptake(anatomy):
    uptake = draw_uptake("fdg", np.random.default_rng(0))
    activity = paint(anatomy.tissues, uptake, anatomy.spacing_mm, np.random.default_rng(1))
    for organ in (Tissue.LIVER, Tissue.BRAIN, Tissue.LUNGS):
        assert activity[anatomy.tissues == organ].mean() == pytest.approx(uptake[organ], rel=0.15)


def test_the_myocardium_surrounds_blood(anatomy):
    uptake = draw_uptake("fdg", np.random.default_rng(0))
    uptake[Tissue.HEART], uptake[Tissue.BLOOD] = 10.0, 1.0
    activity = paint(anatomy.tissues, uptake, anatomy.spacing_mm, np.random.default_rng(1), myocardium=True)
    heart = anatomy.tissues == Tissue.HEART
    middle = np.rint(np.argwhere(heart).mean(0)).astype(int)
    wall = heart & ~ndimage.binary_erosion(heart)
    assert activity[tuple(middle)] < 2
    assert activity[wall].min() > 5


def test_the_texture_of_uptake_is_as_fine_in_millimetres_along_every_axis():
    uptake = np.ones(len(Tissue), np.float32)
    texture = np.log(paint(np.full((24, 96, 96), Tissue.LIVER), uptake, (8.0, 2.0, 2.0), np.random.default_rng(0)))
    near_k = np.corrcoef(texture[:-1].ravel(), texture[1:].ravel())[0, 1]  # 8 mm apart
    near_j = np.corrcoef(texture[:, :-4].ravel(), texture[:, 4:].ravel())[0, 1]
    assert near_k == pytest.approx(near_j, abs=0.15)
    assert abs(np.corrcoef(texture[:-7].ravel(), texture[7:].ravel())[0, 1]) < 0.25  # 56 mm apart
