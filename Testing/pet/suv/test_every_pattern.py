"""A known SUV image comes back through every unit, correction, time rule and pattern of slopes."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from SegAnyPETLib.pet.reading import PetScan, scan_of
from SegAnyPETLib.volume.notes import NoteKind
from Testing.pet.series import as_read
from Testing.pet.suv.scanner import CORRECTIONS, INJECTIONS, SLOPES, TIME_RULES, UNITS, Scan, images_of

#: 0.5 to 8: stored values keep 0.1 % of each.
SUV = 0.5 * np.exp2(np.arange(4 * 2 * 3).reshape(4, 2, 3) % 5)

F18 = Scan(
    weight_kg=72.5,
    size_m=1.78,
    sex="F",
    dose_bq=251e6,
    half_life_s=6586.2,
    injected=datetime(2020, 1, 2, 10),
    uptake_s=3700,
    frame_s=120.0,
    units="BQML",
    correction="START",
    time_rule="series",
    slopes="each slice",
    injection="both",
    in_mbq=False,
    in_grams=False,
    with_owner=True,
)

SCANS = st.builds(
    Scan,
    weight_kg=st.floats(40, 140).map(lambda x: round(x, 1)),
    size_m=st.floats(1.45, 2.0).map(lambda x: round(x, 2)),
    sex=st.sampled_from("MFO"),
    dose_bq=st.floats(30e6, 900e6).map(lambda x: round(x, -3)),
    half_life_s=st.sampled_from([6586.2, 4070.7, 1221.8, 45721.0, 282276.0]),
    injected=st.datetimes(datetime(2015, 1, 1), datetime(2026, 1, 1)).map(lambda t: t.replace(microsecond=0)),
    uptake_s=st.integers(20 * 60, 75 * 60),
    frame_s=st.sampled_from([60.0, 120.0, 181.5, 600.0]),
    units=st.sampled_from(UNITS),
    correction=st.sampled_from(CORRECTIONS),
    time_rule=st.sampled_from(TIME_RULES),
    slopes=st.sampled_from(SLOPES),
    injection=st.sampled_from(INJECTIONS),
    in_mbq=st.booleans(),
    in_grams=st.booleans(),
    with_owner=st.booleans(),
)


def _read(scan: Scan) -> PetScan:
    return scan_of(as_read(images_of(SUV, scan)))


def _check(scan: Scan) -> None:
    found = _read(scan)
    np.testing.assert_allclose(found.volume.array_kji, SUV, rtol=1e-3)
    doubts = [note for note in found.notes if note.kind is not NoteKind.ACTIVITY]  # of a few millilitres of the body
    assert {note.kind for note in doubts} <= {NoteKind.TIMES, NoteKind.WEIGHT, NoteKind.CORRECTION}, doubts
    by_tags = not scan.units.startswith(("GML", "CM2ML", "CNTS Philips SUV"))
    assert ("MBq" in found.assumption) == (by_tags and scan.in_mbq)
    assert ("in grams" in found.assumption) == scan.in_grams
    by_sex = scan.units.startswith(("GML LBM", "GML IBW"))
    assert ("mean of men and women" in found.assumption) == (by_sex and scan.sex == "O")
    assert ("turned back" in found.assumption) == (by_sex or scan.units == "CM2ML BSA")
    assert ("without their owner's name" in found.assumption) == (
        scan.units.startswith("CNTS Philips") and not scan.with_owner
    )
    assert ("reference time by" in found.assumption) == (by_tags and scan.correction != "ADMIN")


@pytest.mark.parametrize(("units", "correction"), list(product(UNITS, CORRECTIONS)))
def test_suv_comes_back_through_every_unit_and_correction(units, correction):
    _check(replace(F18, units=units, correction=correction))


@pytest.mark.parametrize(("rule", "injection"), list(product(TIME_RULES, INJECTIONS)))
def test_suv_comes_back_through_every_way_to_the_times(rule, injection):
    scan = replace(F18, time_rule=rule, injection=injection)
    _check(scan)
    way = {"series": "SeriesTime", "GE private": "(0009,100d)", "Siemens private": "(0071,1022)"}
    assert way.get(rule, "computation back from FrameReferenceTime") in _read(scan).assumption


@pytest.mark.parametrize(("rule", "injection"), list(product(TIME_RULES, INJECTIONS)))
def test_suv_comes_back_over_midnight(rule, injection):
    scan = replace(F18, injected=datetime(2019, 12, 31, 23, 30), time_rule=rule, injection=injection)
    _check(scan)
    assert ("day before" in _read(scan).assumption) == (injection == "time")


@pytest.mark.parametrize("slopes", SLOPES)
def test_suv_comes_back_through_every_pattern_of_slopes(slopes):
    _check(replace(F18, slopes=slopes))
    _check(replace(F18, slopes=slopes, units="GML LBMJANMA"))


def test_suv_comes_back_from_mbq_and_grams():
    _check(replace(F18, in_mbq=True, in_grams=True))
    _check(replace(F18, in_mbq=True, units="GML LBM", in_grams=True, sex="O"))


def test_long_frames_of_a_short_lived_nuclide_come_back():
    scan = replace(F18, half_life_s=122.24, uptake_s=320, frame_s=240.0, correction="NONE")
    images = images_of(SUV[:2], scan)  # one bed, the next would be more than four half-lives after the injection
    np.testing.assert_allclose(scan_of(as_read(images)).volume.array_kji, SUV[:2], rtol=1e-3)


def test_nuclide_of_days_comes_back_with_the_day_of_its_injection():
    scan = replace(F18, half_life_s=282276.0, injected=datetime(2020, 1, 1, 9), uptake_s=3 * 86400, injection="both")
    _check(scan)
    _check(replace(scan, injection="date-time", correction="NONE"))


@pytest.mark.slow
@settings(max_examples=150)
@given(SCANS)
def test_suv_comes_back_through_any_mixture(scan):
    if scan.half_life_s > 40000 and scan.injection == "time":
        scan = replace(scan, injection="both")  # without the day such a nuclide is refused
    if scan.half_life_s < 2000:
        scan = replace(scan, uptake_s=scan.uptake_s / 3)  # 4 half-lives are too long
    _check(scan)


@pytest.mark.slow
@settings(max_examples=60)
@given(SCANS, st.integers(120, 840))
def test_two_ways_that_disagree_are_told_with_both_values(scan, off_s):
    scan = replace(
        scan, half_life_s=6586.2, units="BQML", correction="START", time_rule="frames", slopes="one", injection="both"
    )
    images = images_of(SUV, scan)
    start = scan.start - timedelta(seconds=off_s)  # a series time before the frames' start of the scan
    for image in images:
        image.SeriesDate, image.SeriesTime = f"{start:%Y%m%d}", f"{start:%H%M%S}"
    found = scan_of(as_read(images))
    ratio = 0.5 ** (off_s / 6586.2)
    np.testing.assert_allclose(found.volume.array_kji, SUV * ratio, rtol=1e-3)
    (note,) = [note for note in found.notes if note.message.startswith("two ways")]
    assert f"{(scan.uptake_s - off_s) / 60:.1f} min after the injection, which counts" in note.message
    assert f"it is {scan.uptake_s / 60:.1f} min, and SUV would be {1 / ratio:.3g} times as large" in note.message
