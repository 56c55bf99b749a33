"""Agreement against published worked examples."""

import numpy as np
import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.analysis.agreement import agreement, bland_altman, consensus

#: Six subjects, four judges: Shrout & Fleiss 1979, table 2.
SHROUT_FLEISS = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]
#: Peak expiratory flow, first readings of two meters: Bland & Altman 1986, table 1.
WRIGHT = [494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427]
MINI = [512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451]


def test_icc_is_that_of_shrout_and_fleiss() -> None:
    """ICC(2,1) = 0.29; 0.2898 with its interval 0.0188 to 0.7611 by ICC of R's psych."""
    found = agreement(SHROUT_FLEISS)
    assert found.icc == pytest.approx(0.2898, abs=5e-5)
    assert (found.low, found.high) == pytest.approx((0.0188, 0.7611), abs=5e-5)
    assert (found.cases, found.readers) == (6, 4)


def test_an_icc_of_logarithms_does_not_change_with_the_unit() -> None:
    table = np.array(SHROUT_FLEISS, dtype=float)
    assert agreement(table, log=True).icc == pytest.approx(agreement(table * 1000, log=True).icc)


def test_incomplete_cases_are_left_out_and_not_counted() -> None:
    table = np.array([*SHROUT_FLEISS, [1, 1, 1, np.nan]])
    assert agreement(table) == agreement(SHROUT_FLEISS)


def test_the_coefficient_of_variation_is_that_of_each_case() -> None:
    assert agreement([[9, 11], [90, 110], [1, 1]]).cov == pytest.approx(np.sqrt(2) * 0.1 * 2 / 3)


def test_limits_are_those_of_bland_and_altman() -> None:
    """Paper: mean difference -2.1 l/min, standard deviation 38.8, interval of the bias -22.0 to 17.8."""
    found = bland_altman(MINI, WRIGHT)
    assert found.bias == pytest.approx(-2.1176, abs=5e-5)
    assert (found.upper - found.lower) / (2 * 1.96) == pytest.approx(38.7651, abs=5e-5)
    assert found.bias_interval == pytest.approx((-22.0, 17.8), abs=0.06)
    assert found.pairs == 17


def test_intervals_of_the_limits_are_those_of_bland_and_altman_1999() -> None:
    """Standard error of a limit: sd * sqrt(1 / n + 1.96**2 / (2 (n - 1))), with Student's t of 4 degrees of freedom."""
    found = bland_altman([10, 12, 15, 20, 24], [11, 12, 14, 22, 25])
    assert (found.bias, found.lower, found.upper) == pytest.approx((0.6, -1.6347, 2.8347), abs=5e-5)
    error = 1.140175 * np.sqrt(1 / 5 + 1.96**2 / 8)
    assert found.upper_interval == pytest.approx((2.8347 - 2.776445 * error, 2.8347 + 2.776445 * error), abs=1e-4)


def test_a_consensus_of_three_squares_is_the_one_that_two_share() -> None:
    """Three squares on 10 x 10: 6 x 6, one row less, one row more; STAPLE keeps the 36 of the first."""
    masks = [np.zeros((1, 10, 10), bool) for _ in range(3)]
    for mask, rows in zip(masks, (6, 5, 7), strict=True):
        mask[0, 2 : 2 + rows, 2:8] = True
    assert np.array_equal(consensus(masks), masks[0])


def test_a_consensus_of_nothing_is_empty() -> None:
    assert not consensus([np.zeros((2, 2, 2), bool)] * 2).any()


def test_too_little_is_refused() -> None:
    with pytest.raises(InputError, match="three cases"):
        agreement(SHROUT_FLEISS[:2])
    with pytest.raises(InputError, match="three pairs"):
        bland_altman([1, 2], [1, 2])
    with pytest.raises(InputError, match="two masks"):
        consensus([np.ones((1, 1, 1), bool)])
