"""No corruption of tags and units gives a wrong SUV without a refusal or a note that names its cause."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import numpy as np
import pytest
from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.reading import PetScan, scan_of
from SegAnyPETLib.volume.notes import NoteKind
from Testing.pet.series import SUV, as_read, slices

Change = Callable[[Dataset, int], None]
#: What a corruption does, and the kinds of notes that name its cause; a refusal names it by a word of its message.
Corruption = tuple[Change, tuple[NoteKind, ...], tuple[str, ...]]

DOSE = ("RadionuclideTotalDose", "dose")
TIMES = ("RadiopharmaceuticalStart", "times", "Time", "Date", "dose")
UNITS = ("Units", "units", "dose", "SUV")


def _item(image: Dataset) -> Dataset:
    return image.RadiopharmaceuticalInformationSequence[0]


def _scaled(keyword: str, factor: float) -> Change:
    def change(image: Dataset, k: int) -> None:
        holder = image if keyword in image else _item(image)
        setattr(holder, keyword, f"{float(holder[keyword].value) * factor:.8g}")

    return change


def _set(keyword: str, value: object, only: int | None = None) -> Change:
    def change(image: Dataset, k: int) -> None:
        if only is None or k == only:
            setattr(_item(image) if keyword.startswith("Radio") else image, keyword, value)

    return change


def _all(*changes: Change) -> Change:
    def change(image: Dataset, k: int) -> None:
        for each in changes:
            each(image, k)

    return change


def _dose_unit(rng: np.random.Generator) -> Corruption:
    factor = rng.choice([1e-9, 1e-6, 1e-3, 1e3, 1e6, 1 / 37e6, 1 / 37e3, 0.1, 10.0])
    return _scaled("RadionuclideTotalDose", factor), (NoteKind.ACTIVITY, NoteKind.DOSE), DOSE


def _weight_unit(rng: np.random.Generator) -> Corruption:
    factor = rng.choice([1e-3, 1e-2, 0.1, 10.0, 100.0, 1e3])
    return _scaled("PatientWeight", factor), (NoteKind.WEIGHT, NoteKind.BODY), ("PatientWeight", "weight")


def _weight_is_size(rng: np.random.Generator) -> Corruption:
    change = _all(_set("PatientWeight", "1.75"), _set("PatientSize", "70"))
    return change, (NoteKind.WEIGHT,), ("PatientWeight",)


def _half_life(rng: np.random.Generator) -> Corruption:
    value = rng.choice(["109.8", "1.83", "6588000", "0.07625", "4080", "1223", "122.24", "76.4", "45720"])
    return _set("RadionuclideHalfLife", value), (NoteKind.DOSE,), ("RadionuclideHalfLife",)


def _values_unit(rng: np.random.Generator) -> Corruption:
    factor = rng.choice([1e-6, 1e-3, 1e3, 1e6, 37.0, 1 / 37.0])
    return _scaled("RescaleSlope", factor), (NoteKind.ACTIVITY,), ("rescale", "dose")


def _units(rng: np.random.Generator) -> Corruption:
    units = rng.choice(["GML", "CNTS", "PROPCPS", "CPS", "PCNT", "CM2ML", "NONE", "KBQML", ""])
    return _set("Units", units), (NoteKind.UNITS, NoteKind.ACTIVITY), UNITS


def _suv_type(rng: np.random.Generator) -> Corruption:
    kind = rng.choice(["LBM", "BSA", "IBW", "LBMJANMA", "BW"])
    return _all(_set("Units", "GML"), _set("SUVType", kind)), (NoteKind.UNITS, NoteKind.ACTIVITY), UNITS


def _time_of_injection(rng: np.random.Generator) -> Corruption:
    """One of the two tags is wrong by some hours, as of a wrong zone, a wrong half of the day, or a slip."""
    minutes = int(rng.integers(12, 14 * 60)) * int(rng.choice([-1, 1]))
    moved = datetime(2020, 1, 2, 10) + timedelta(minutes=minutes)
    if rng.random() < 0.5:
        return _set("RadiopharmaceuticalStartTime", f"{moved:%H%M%S}"), (NoteKind.TIMES,), TIMES
    return _set("RadiopharmaceuticalStartDateTime", f"{moved:%Y%m%d%H%M%S}"), (NoteKind.TIMES,), TIMES


def _zone(rng: np.random.Generator) -> Corruption:
    hours = int(rng.choice([-10, -8, -5, 1, 2, 5, 9]))
    there = datetime(2020, 1, 2, 10) - timedelta(hours=int(rng.choice([0, hours])))
    text = f"{there:%Y%m%d%H%M%S}+{0:04d}" if rng.random() < 0.5 else f"{there:%Y%m%d%H%M%S}{hours:+03d}00"
    changes = [_set("RadiopharmaceuticalStartDateTime", text)]
    if rng.random() < 0.5:
        changes.append(_set("RadiopharmaceuticalStartTime", ""))
    return _all(*changes), (NoteKind.TIMES,), TIMES


def _date_only(rng: np.random.Generator) -> Corruption:
    text = rng.choice(["20200102", "202001", "2020"])
    changes = [_set("RadiopharmaceuticalStartDateTime", text)]
    if rng.random() < 0.3:
        changes.append(_set("RadiopharmaceuticalStartTime", ""))
    return _all(*changes), (NoteKind.TIMES,), TIMES


def _half_of_the_day(rng: np.random.Generator) -> Corruption:
    changes = [
        _set("RadiopharmaceuticalStartTime", "220000"),
        _set("RadiopharmaceuticalStartDateTime", rng.choice(["20200102220000", "20200101220000", ""])),
    ]
    return _all(*changes), (NoteKind.TIMES,), TIMES


def _zero_times(rng: np.random.Generator) -> Corruption:
    zeros = [_set(keyword, "000000") for keyword in ("SeriesTime", "AcquisitionTime", "RadiopharmaceuticalStartTime")]
    return _all(*zeros, _set("RadiopharmaceuticalStartDateTime", "20200102000000")), (NoteKind.TIMES,), TIMES


def _dates(rng: np.random.Generator) -> Corruption:
    days = int(rng.integers(1, 4000)) * int(rng.choice([-1, 1]))
    moved = f"{datetime(2020, 1, 2) + timedelta(days=days):%Y%m%d}"
    keywords = [("SeriesDate",), ("AcquisitionDate",), ("SeriesDate", "AcquisitionDate")][int(rng.integers(3))]
    return _all(*[_set(keyword, moved) for keyword in keywords]), (NoteKind.TIMES,), TIMES


def _scan_times(rng: np.random.Generator) -> Corruption:
    minutes = int(rng.integers(20, 600)) * int(rng.choice([-1, 1]))
    moved = f"{datetime(2020, 1, 2, 11) + timedelta(minutes=minutes):%H%M%S}"
    return _set(str(rng.choice(["SeriesTime", "AcquisitionTime"])), moved), (NoteKind.TIMES,), TIMES


def _differs(rng: np.random.Generator) -> Corruption:
    keyword, value = [
        ("RadionuclideTotalDose", "175000000"),
        ("RadionuclideHalfLife", "4080"),
        ("RadiopharmaceuticalStartTime", "090000"),
        ("RadiopharmaceuticalStartDateTime", "20200102090000"),
        ("PatientWeight", "35"),
        ("SeriesTime", "100500"),
        ("SeriesDate", "20200101"),
        ("Units", "GML"),
        ("DecayCorrection", "ADMIN"),
    ][int(rng.integers(9))]
    return _set(keyword, value, int(rng.integers(len(SUV)))), (), ("differ in " + keyword,)


def _absent(rng: np.random.Generator) -> Corruption:
    keyword = str(
        rng.choice(
            [
                "Units",
                "DecayCorrection",
                "PatientWeight",
                "SeriesTime",
                "SeriesDate",
                "AcquisitionTime",
                "RadionuclideTotalDose",
                "RadionuclideHalfLife",
                "RadiopharmaceuticalStartTime",
                "RadiopharmaceuticalStartDateTime",
                "CorrectedImage",
            ]
        )
    )
    return _set(keyword, rng.choice(["", None])), (), (keyword,)


def _correction(rng: np.random.Generator) -> Corruption:
    changes = [_set("DecayCorrection", str(rng.choice(["ADMIN", "NONE"])))]
    # Scanners say by how much they corrected; without it nothing tells the two corrections apart.
    changes.append(_set("DecayFactor", "1.0095"))
    return _all(*changes), (NoteKind.CORRECTION,), ("DecayCorrection",)


def _start_for_admin(rng: np.random.Generator) -> Corruption:
    """Values that were corrected to the injection, DecayFactor says so, but DecayCorrection says START."""
    to_injection = 2 ** (3600 / 6588)
    changes = [_scaled("RescaleSlope", to_injection), _set("DecayFactor", f"{1.0095 * to_injection:.6g}")]
    return _all(*changes), (NoteKind.CORRECTION,), ("DecayCorrection", "dose")


def _intercept(rng: np.random.Generator) -> Corruption:
    value = f"{rng.uniform(-3000, 3000):.6g}"
    return _set("RescaleIntercept", value), (NoteKind.VALUES,), ("RescaleIntercept", "rescale", "dose")


CORRUPTIONS = (
    _dose_unit,
    _weight_unit,
    _weight_is_size,
    _half_life,
    _values_unit,
    _units,
    _suv_type,
    _time_of_injection,
    _zone,
    _date_only,
    _half_of_the_day,
    _zero_times,
    _dates,
    _scan_times,
    _differs,
    _absent,
    _correction,
    _start_for_admin,
    _intercept,
)


def test_series_without_corruption_has_its_suv_and_raises_no_doubt():
    scan = scan_of(as_read(slices()))
    assert scan.notes == ()
    np.testing.assert_allclose(scan.volume.array_kji, SUV, atol=2e-3)


def _scan(change: Change) -> tuple[PetScan | None, str]:
    """The scan that is read, or why it is refused."""
    try:
        return scan_of(as_read(slices(), change)), ""
    except InputError as error:
        return None, str(error)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::UserWarning")  # pydicom's, of values that are against the standard
@pytest.mark.parametrize("corrupt", CORRUPTIONS)
def test_corruption_is_refused_or_doubted_by_its_cause_or_does_no_harm(corrupt):
    noticed = 0
    for seed in range(27):
        change, kinds, words = corrupt(np.random.default_rng(seed))
        scan, refusal = _scan(change)
        if scan is None:
            assert "\n" not in refusal
            assert any(word in refusal for word in words), f"seed {seed}: {refusal}"
            noticed += 1
            continue
        worst = np.abs(scan.volume.array_kji[SUV > 0] / SUV[SUV > 0] - 1).max()
        told = bool({note.kind for note in scan.notes} & set(kinds))
        assert told or worst <= 0.1, f"seed {seed}: {worst:.2f} off, {scan.notes}"
        noticed += told
    assert noticed, "no corruption was noticed at all, so that nothing was tested"
