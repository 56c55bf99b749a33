"""Curves over clicks: areas, drops, intervals, and which targets count where."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from SegAnyPETLib.evaluation.curves import curve_area, describe, largest_drop, summarise


def target(case: str, volume_ml: float, dice: list[float], hd95: list[float] | None = None) -> dict[str, Any]:
    same = dict.fromkeys(("dice", "nsd_2mm", "nsd_4mm", "fpv_ml", "fnv_ml"), dice)
    return {"case": case, "volume_ml": volume_ml, **same, "hd95_mm": hd95 or [1.0] * len(dice)}


def test_area_is_the_trapezoid_over_the_width() -> None:
    assert curve_area([0.0, 1.0]) == 0.5
    assert curve_area([0.0, 1.0, 1.0]) == 0.75
    assert curve_area([0.4] * 7) == pytest.approx(0.4)
    assert curve_area([0.3]) == 0.3


def test_largest_drop_looks_at_successive_clicks_only() -> None:
    assert largest_drop([0.5, 0.8, 0.6, 0.7, 0.65]) == pytest.approx(0.2)
    assert largest_drop([0.1, 0.2, 0.3]) == 0.0
    assert largest_drop([0.7]) == 0.0


def test_what_a_report_calls_none_is_undefined() -> None:
    errors = [{"tlg": -0.5}, {"tlg": None}, {"tlg": 0.25}]
    targets = [target("a", 1.0, [0.5]) | {"relative_error": error} for error in errors]
    described = summarise(targets)["all"]["absolute_relative_error"]["tlg"]
    assert described["defined"] == 2
    assert described["mean"] == pytest.approx(0.375)


def test_describe_leaves_out_what_is_undefined_and_counts_the_rest() -> None:
    described = describe([1.0, math.nan, 2.0, 6.0])
    assert described["mean"] == 3.0
    assert described["median"] == 2.0
    assert described["defined"] == 3
    low, high = described["ci95"]
    assert 1.0 <= low < 3.0 < high <= 6.0
    nothing = describe([math.nan])
    assert nothing["defined"] == 0
    assert math.isnan(nothing["mean"])


def test_describe_of_a_table_goes_click_by_click() -> None:
    described = describe([[0.0, 1.0], [0.5, 1.0]])
    assert described["mean"] == [0.25, 1.0]
    assert described["ci95"][1] == [1.0, 1.0]
    assert described["defined"] == [2, 2]


def test_the_interval_covers_the_mean_about_as_often_as_it_says() -> None:
    random = np.random.default_rng(0)
    intervals = [describe(random.normal(size=40), seed)["ci95"] for seed in range(200)]
    covered = np.mean([low <= 0.0 <= high for low, high in intervals])
    assert 0.88 <= covered <= 0.99


def test_equal_seeds_give_equal_intervals() -> None:
    values = np.random.default_rng(1).random(30)
    assert describe(values, 3) == describe(values, 3)
    assert describe(values, 3)["ci95"] != describe(values, 4)["ci95"]


def test_small_lesions_are_apart_and_cases_count_once() -> None:
    targets = [
        target("a", 1.0, [0.0, 0.2]),
        target("a", 5.0, [0.4, 0.6]),
        target("b", 50.0, [0.8, 1.0], [math.nan, 1.0]),
    ]
    summary = summarise(targets)
    assert summary["small"]["count"] == 1
    assert summary["small"]["dice"]["mean"] == [0.0, 0.2]
    assert summary["large"]["count"] == 2
    assert summary["all"]["dice"]["mean"] == pytest.approx([0.4, 0.6])
    assert summary["cases"]["count"] == 2
    assert summary["cases"]["dice"]["mean"] == pytest.approx([0.5, 0.7])
    assert summary["all"]["hd95_mm"]["defined"] == [2, 3]
    assert summary["all"]["dice_area"]["mean"] == pytest.approx(0.5)


def test_a_group_without_targets_is_none() -> None:
    summary = summarise([target("a", 9.0, [0.5])])
    assert summary["small"] is None
    assert summary["large"]["count"] == 1


def test_magnitudes_of_relative_errors_are_described_where_there_are_any() -> None:
    targets = [target("a", 9.0, [0.5]) | {"relative_error": {"mtv": e}} for e in (-0.5, 0.1, 0.2)]
    assert summarise(targets)["all"]["absolute_relative_error"]["mtv"]["median"] == 0.2
    assert "absolute_relative_error" not in summarise([target("a", 9.0, [0.5])])["all"]
