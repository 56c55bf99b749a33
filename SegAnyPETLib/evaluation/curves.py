"""Quality over clicks: areas under the curves, swings, and their statistics over targets."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: Metrics of a target that have one value after each click.
CURVES = ("dice", "nsd_2mm", "nsd_4mm", "hd95_mm", "fpv_ml", "fnv_ml")

#: Lesions below this volume are reported apart.
SMALL_ML = 5.0

BOOTSTRAP_RESAMPLES = 2000
CONFIDENCE = 0.95

Target = Mapping[str, Any]


def curve_area(values: ArrayLike) -> float:
    """Area under a curve over clicks (trapezoid), divided by its width, so that a constant curve has its own value.

    Args:
        values: one value after each click; a single one is its own area.
    """
    curve = np.asarray(values, dtype=np.float64)
    return float(np.trapezoid(curve) / (curve.size - 1)) if curve.size > 1 else float(curve[0])


def largest_drop(values: ArrayLike) -> float:
    """How much the curve falls from one click to the next at worst; 0 where it never falls."""
    curve = np.asarray(values, dtype=np.float64)
    return float(max(0.0, -np.diff(curve).min())) if curve.size > 1 else 0.0


def describe(values: ArrayLike, seed: int = 0) -> dict[str, Any]:
    """Mean, median and a bootstrap interval of the mean over targets.

    Args:
        values: array (targets,) or (targets, clicks); NaN marks what is undefined and is left out.
        seed: of the bootstrap.

    Returns:
        ``{"mean", "median", "ci95": [low, high], "defined"}``, each a number for (targets,) and a list over clicks for
        (targets, clicks). The interval is the percentile interval of the mean of resampled targets; it is NaN where
        fewer than two values are defined.
    """
    table = np.asarray(values, dtype=np.float64)
    columns = [_describe_column(column, seed) for column in np.atleast_2d(table.T)]
    if table.ndim == 1:
        return columns[0]
    return {key: [column[key] for column in columns] for key in ("mean", "median", "ci95", "defined")}


def _describe_column(column: NDArray, seed: int) -> dict[str, Any]:
    defined = column[np.isfinite(column)]
    if defined.size == 0:
        return {"mean": math.nan, "median": math.nan, "ci95": [math.nan, math.nan], "defined": 0}
    interval = [math.nan, math.nan]
    if defined.size > 1:
        picks = np.random.default_rng(seed).integers(defined.size, size=(BOOTSTRAP_RESAMPLES, defined.size))
        tail = 50 * (1 - CONFIDENCE)
        interval = [float(p) for p in np.percentile(defined[picks].mean(axis=1), [tail, 100 - tail])]
    return {
        "mean": float(defined.mean()),
        "median": float(np.median(defined)),
        "ci95": interval,
        "defined": int(defined.size),
    }


def summarise(targets: Sequence[Target], seed: int = 0) -> dict[str, Any]:
    """Statistics of the curves of many targets.

    Args:
        targets: results with ``case``, ``volume_ml`` and a list over clicks for each of `CURVES`; what is undefined is
            NaN, or None as in a report.
        seed: of the bootstrap.

    Returns:
        ``{"all": ..., "small": ..., "large": ..., "cases": ...}``: all targets, those below 5 ml, the others, and the
        means over the targets of each case, so that a case with many lesions counts once. Each is None where it has no
        member, else ``{"count", "dice": {"mean": [...], ...}, ..., "dice_area": {...}, "nsd_2mm_area": {...},
        "fpv_ml_area": {...}, "fnv_ml_area": {...}, "dice_largest_drop": {...}}``. Where targets have a
        ``relative_error``, its magnitude is described under ``"absolute_relative_error"`` for each quantity.
    """
    small = [t for t in targets if t["volume_ml"] < SMALL_ML]
    large = [t for t in targets if t["volume_ml"] >= SMALL_ML]
    return {
        "all": _summarise_group(targets, seed),
        "small": _summarise_group(small, seed),
        "large": _summarise_group(large, seed),
        "cases": _summarise_group(_case_means(targets), seed),
    }


def _summarise_group(targets: Sequence[Target], seed: int) -> dict[str, Any] | None:
    if not targets:
        return None
    tables = {name: np.array([t[name] for t in targets], dtype=np.float64) for name in CURVES}
    summary: dict[str, Any] = {"count": len(targets)}
    summary |= {name: describe(table, seed) for name, table in tables.items()}
    for name in ("dice", "nsd_2mm", "fpv_ml", "fnv_ml"):
        summary[f"{name}_area"] = describe([curve_area(curve) for curve in tables[name]], seed)
    summary["dice_largest_drop"] = describe([largest_drop(curve) for curve in tables["dice"]], seed)
    if all("relative_error" in t for t in targets):
        summary["absolute_relative_error"] = {
            name: describe(np.abs(np.array([t["relative_error"][name] for t in targets], dtype=np.float64)), seed)
            for name in targets[0]["relative_error"]
        }
    return summary


def _case_means(targets: Sequence[Target]) -> list[Target]:
    """One curve per case: the mean over its targets, NaN where it is undefined for all of them."""
    cases: dict[str, list[Target]] = {}
    for target in targets:
        cases.setdefault(target["case"], []).append(target)
    return [{name: describe([m[name] for m in members])["mean"] for name in CURVES} for members in cases.values()]
