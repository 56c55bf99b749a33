import pytest

from SegAnyPETLib.pet.burden.percist import Category, measurable, response
from SegAnyPETLib.pet.proposals.liver import LiverReference
from Testing.pet.burden.lesion_fixtures import scan_of


def lesions(*suvs: float, side: int = 1):
    return scan_of(*(((4 * n, 1, 1), side, suv) for n, suv in enumerate(suvs)))[1]


def test_a_lesion_is_measurable_from_one_and_a_half_times_the_mean_and_two_sd_of_the_liver():
    liver = LiverReference(mean=2.0, sd=0.25, maximum=2.5)
    assert [lesion.measured.suv_peak for lesion in measurable(lesions(3.5, 3.4, 9.0), liver)] == [3.5, 9.0]


@pytest.mark.parametrize(
    ("before", "after", "new", "category"),
    [
        ((10.0,), (), 0, Category.COMPLETE),
        ((10.0,), (6.9,), 0, Category.PARTIAL),
        ((10.0,), (7.1,), 0, Category.STABLE),
        ((10.0,), (13.1,), 0, Category.PROGRESSIVE),
        ((10.0,), (2.0, 2.0), 1, Category.PROGRESSIVE),
        ((2.0,), (1.3,), 0, Category.STABLE),  # 35 %, but 0.7 units only
        ((2.0,), (2.7,), 0, Category.STABLE),
        ((10.0, 4.0), (5.0, 6.0), 0, Category.PARTIAL),  # the hottest need not be the same lesion
    ],
)
def test_the_category_follows_the_hottest_lesion(before, after, new: int, category: Category):
    assert response(lesions(*before), lesions(*after), new).category == category


def test_growth_of_total_glycolysis_by_more_than_three_quarters_is_progression():
    found = response(lesions(10.0), lesions(10.0, side=2), 0)
    assert found.category == Category.PROGRESSIVE
    assert "glycolysis grew by 700 %" in found.reason
