"""Which targets count where, and what is said of them."""

from __future__ import annotations

import json
import math

import pytest

from SegAnyPETLib.evaluation.results import RelativeErrors
from SegAnyPETLib.evaluation.statistics.intervals import Statistics
from SegAnyPETLib.evaluation.statistics.summary import summarise
from Testing.evaluation.statistics.measured import measured


def means(curve: tuple[Statistics, ...]) -> list[float]:
    return [step.mean for step in curve]


def test_small_lesions_are_apart_and_cases_count_once() -> None:
    summary = summarise(
        [
            measured("a", [0.0, 0.2], 1.0),
            measured("a", [0.4, 0.6], 5.0),
            measured("b", [0.8, 1.0], 50.0, [math.nan, 1.0]),
        ]
    )
    assert summary.small is not None
    assert summary.large is not None
    assert summary.all is not None
    assert summary.per_case is not None
    assert (summary.small.count, summary.large.count) == (1, 2)
    assert means(summary.small.curves["dice"]) == [0.0, 0.2]
    assert means(summary.all.curves["dice"]) == pytest.approx([0.4, 0.6])
    assert (summary.all.count, summary.all.cases) == (3, 2)
    assert (summary.per_case.count, summary.per_case.cases) == (2, 2)
    assert means(summary.per_case.curves["dice"]) == pytest.approx([0.5, 0.7])
    assert [step.defined for step in summary.all.curves["hd95_mm"]] == [2, 3]
    assert summary.all.areas["dice"].mean == pytest.approx(0.5)


def test_a_case_without_a_lesion_has_no_falsely_found_volume_and_no_dice() -> None:
    per_case = summarise([measured("a", [0.5])], ["healthy"]).per_case
    assert per_case is not None
    assert per_case.count == 2
    assert per_case.curves["fpv_ml"][0].mean == 0.25
    assert (per_case.curves["fpv_ml"][0].defined, per_case.curves["dice"][0].defined) == (2, 1)
    assert per_case.curves["dice"][0].mean == 0.5
    assert summarise([], ["healthy"]).per_case is None


def test_the_share_of_clicks_that_make_it_worse_counts_the_clicks_that_were_made() -> None:
    results = [measured("a", [0.5, 0.45, 0.445, 0.6]), measured("b", [0.5, 0.2, 0.2, 0.2], steps=2)]
    found = summarise(results).all
    assert found is not None
    assert found.worse_share.mean == pytest.approx(2 / 4)
    assert found.worst_drop == pytest.approx(0.3)
    assert found.largest_drop.mean == pytest.approx((0.3 + 0.05) / 2)
    single = summarise([measured("a", [0.5])]).all
    assert single is not None
    assert math.isnan(single.worse_share.mean)


def test_magnitudes_of_relative_errors_are_described() -> None:
    errors = [RelativeErrors(math.nan, 0.0, 0.0, e, 0.0) for e in (-0.5, 0.1, 0.2)]
    found = summarise([measured("a", [0.5], error=error) for error in errors]).all
    assert found is not None
    assert found.absolute_relative_error["mtv"].median == 0.2
    assert found.absolute_relative_error["mtv"].mean == pytest.approx(0.8 / 3)
    assert found.absolute_relative_error["suv_max"].defined == 0


def test_every_target_is_in_one_stratum_of_each_kind() -> None:
    results = [
        measured("a", [0.1], 0.99, contrast=1.9),
        measured("b", [0.2], 1.0, contrast=2.0, touching=True),
        measured("c", [0.3], 2.0, contrast=4.0),
        measured("d", [0.4], 5.0, contrast=4.1),
        measured("e", [0.5], 20.0, contrast=math.inf),
    ]
    found = {stratum.name: group for stratum, group in summarise(results).strata}
    assert {name: round(group.curves["dice"][0].mean, 6) for name, group in found.items() if group} == {
        "< 1 ml": 0.1,
        "1 to 2 ml": 0.2,
        "2 to 5 ml": 0.3,
        "5 to 20 ml": 0.4,
        "≥ 20 ml": 0.5,
        "touching another target": 0.2,
        "touching none": 0.325,
        "contrast < 2": 0.1,
        "contrast 2 to 4": 0.25,
        "contrast > 4": 0.45,
    }


def test_a_group_without_targets_is_none_and_all_of_it_is_json() -> None:
    summary = summarise([measured("a", [0.5], 9.0)])
    assert summary.small is None
    assert summary.large is not None
    plain = json.loads(json.dumps(summary.to_json(), allow_nan=False))
    assert plain["small"] is None
    assert plain["strata"]["volume"]["< 1 ml"] is None
    assert plain["strata"]["volume"]["5 to 20 ml"]["dice"]["mean"] == [0.5]
    assert plain["all"]["worse_share"]["mean"] is None
    assert summarise([]).all is None
