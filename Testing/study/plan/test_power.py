"""Power by simulation of the planned design."""

from dataclasses import replace

import pytest

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.study.plan.plan import Design, Expected
from SegAnyPETLib.study.plan.power import check_power, power_of
from Testing.study.studies import cases, crossover

ONE = replace(crossover(1), expected=Expected(simulations=1000))


def test_power_is_that_of_the_paired_t_test_where_one_reader_reads() -> None:
    """A ratio of 0.7 and a standard deviation of 0.45 of the difference of logarithms need 19 pairs for 90 %."""
    assert power_of(ONE, cases(20)).share == pytest.approx(0.90, abs=0.03)


def test_without_a_saving_one_is_claimed_in_a_fortieth_of_studies() -> None:
    assert power_of(ONE, cases(20), saving=0.0).share == pytest.approx(0.025, abs=0.012)


def test_a_crossover_needs_fewer_cases_than_parallel_groups() -> None:
    expected = Expected(simulations=200)
    crossed = power_of(crossover(expected=expected), cases(24)).share
    assert power_of(crossover(expected=expected, design=Design("parallel")), cases(24)).share < crossed


def test_a_study_too_small_is_refused_with_a_number_that_is_enough() -> None:
    with pytest.raises(
        InputError, match=r"1 reader and 6 cases a saving of 30 % .* less than the 80 %.*about \d+ cases"
    ):
        check_power(replace(ONE, expected=Expected(simulations=200)), cases(6))


def test_it_is_said_as_a_sentence_of_a_protocol() -> None:
    said = str(check_power(crossover(expected=Expected(simulations=200)), cases(24)))
    assert said.startswith("with 2 readers and 24 cases a saving of 30 % is shown with ")
