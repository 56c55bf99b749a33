"""A scanner that stores a known SUV image in any unit, correction, time rule and slope pattern seen in the wild.

It goes the way from the patient to the tags, without a line of the library's conversion: decay is integrated over the
frame, masses and surfaces are written out again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray
from pydicom.dataset import Dataset

from SegAnyPETLib.volume.dicom.header import GE, PHILIPS, SIEMENS
from Testing.dicom_fixtures import pet_slice
from Testing.pet.suv.headers import add_private, dose

#: Of `pet_slice`, with the slice distance of `images_of`: 5 x 4 x 3 mm.
VOXEL_ML = 0.06
SLICES_PER_BED = 2

UNITS = (
    "BQML",
    "GML BW",
    "GML LBM",
    "GML LBMJAMES128",
    "GML LBMJANMA",
    "GML IBW",
    "CM2ML BSA",
    "CNTS Philips SUV",
    "CNTS Philips activity",
    "CNTS DCAL",
    "CPS DCAL",
    "CPS",
)
CORRECTIONS = ("START", "ADMIN", "NONE")
TIME_RULES = ("series", "GE private", "Siemens private", "frames", "frames of GE")
SLOPES = ("one", "each slice", "some odd")
INJECTIONS = ("date-time", "time", "both")


@dataclass(frozen=True)
class Scan:
    """What a scanner is told and how it writes it.

    Attributes:
        weight_kg: of the patient.
        size_m: the same.
        sex: M, F or O.
        dose_bq: injected activity.
        half_life_s: of the nuclide.
        injected: when.
        uptake_s: from the injection to the start of the scan.
        frame_s: duration of each bed.
        units: one of `UNITS`.
        correction: one of `CORRECTIONS`.
        time_rule: one of `TIME_RULES`: which tag tells the start of the scan.
        slopes: one of `SLOPES`.
        injection: one of `INJECTIONS`.
        in_mbq: the dose is written in MBq.
        in_grams: the weight is written in g.
        with_owner: private elements have their owner's name.
    """

    weight_kg: float
    size_m: float
    sex: str
    dose_bq: float
    half_life_s: float
    injected: datetime
    uptake_s: float
    frame_s: float
    units: str
    correction: str
    time_rule: str
    slopes: str
    injection: str
    in_mbq: bool
    in_grams: bool
    with_owner: bool

    @property
    def start(self) -> datetime:
        """Start of the scan, which START refers to."""
        return self.injected + timedelta(seconds=self.uptake_s)

    @property
    def mean_share(self) -> float:
        """Mean activity over a frame, as a share of that at its begin."""
        times_s = (np.arange(20000) + 0.5) / 20000 * self.frame_s
        return float(np.mean(0.5 ** (times_s / self.half_life_s)))

    @property
    def mean_s(self) -> float:
        """Time into a frame at which the activity equals its mean."""
        return float(-self.half_life_s * np.log2(self.mean_share))

    def begin_s(self, k: int) -> float:
        """Seconds from the start of the scan to the begin of a slice's bed."""
        return (self.frame_s + 5.0) * (k // SLICES_PER_BED)


def related_to(kind: str, scan: Scan) -> float:
    """Mass in g, or surface in cm2, that a type of SUV relates the dose to."""
    w, h, bmi = scan.weight_kg, scan.size_m * 100, scan.weight_kg / scan.size_m**2
    men_women = {
        "BW": (w, w),
        "LBM": (1.10 * w - 120 * (w / h) ** 2, 1.07 * w - 148 * (w / h) ** 2),
        "LBMJAMES128": (1.10 * w - 128 * (w / h) ** 2, 1.07 * w - 148 * (w / h) ** 2),
        "LBMJANMA": (9270 * w / (6680 + 216 * bmi), 9270 * w / (8780 + 244 * bmi)),
        "IBW": (48.0 + 1.06 * (h - 152), 45.5 + 0.91 * (h - 152)),
        "BSA": (0.07184 * h**0.725 * w**0.425,) * 2,  # 1000 times 10 cm2
    }[kind]
    return 1000 * {"M": men_women[0], "F": men_women[1], "O": sum(men_women) / 2}[scan.sex]


def images_of(suv: NDArray, scan: Scan) -> list[Dataset]:
    """Write a body-weight SUV image (k, j, i) as slices of a series."""
    units, _, kind = scan.units.partition(" ")
    stored = [_stored_values(plane, k, scan) for k, plane in enumerate(suv)]
    highest = [float(values.max()) for values, _ in stored]
    images: list[Dataset] = []
    for k, (values, factor) in enumerate(stored):
        top = {"one": max(highest), "each slice": highest[k], "some odd": max(highest) * (1.2 if k == 2 else 1.0)}
        slope = f"{top[scan.slopes] / 30000:.9g}"
        image = pet_slice(np.rint(values / float(slope)), (0, 0, 3.0 * k))
        image.RescaleSlope, image.Units = slope, units
        if units in ("GML", "CM2ML") and kind not in ("BW", "BSA"):
            image.SUVType = kind
        _write_patient(image, scan)
        _write_times(image, k, scan)
        _write_calibration(image, kind, factor, scan)
        images.append(image)
    return images


def _stored_values(plane: NDArray, k: int, scan: Scan) -> tuple[NDArray, float]:
    """Values of a slice after its rescale, and the factor that another tag holds."""
    units, _, kind = scan.units.partition(" ")
    if units in ("GML", "CM2ML"):
        return plane * related_to(kind, scan) / (scan.weight_kg * 1000), 1.0
    if kind == "Philips SUV":
        return plane / (0.0005 * (1 + k)), 0.0005 * (1 + k)
    bqml = plane * scan.dose_bq / (scan.weight_kg * 1000)
    if scan.correction == "START":
        bqml = bqml * 0.5 ** (scan.uptake_s / scan.half_life_s)
    elif scan.correction == "NONE":
        bqml = bqml * 0.5 ** ((scan.uptake_s + scan.begin_s(k)) / scan.half_life_s) * scan.mean_share
    if kind == "Philips activity":
        return bqml / 2.5, 2.5
    if units == "BQML":
        return bqml, 1.0
    factor = 1.0 if kind == "DCAL" else 3.5
    return bqml * VOXEL_ML / factor * (scan.frame_s if units == "CNTS" else 1.0), factor


def _write_patient(image: Dataset, scan: Scan) -> None:
    image.PatientWeight = f"{scan.weight_kg * (1000 if scan.in_grams else 1):.8g}"
    image.PatientSize, image.PatientSex = f"{scan.size_m:.4g}", scan.sex
    item = dose(image)
    item.RadionuclideTotalDose = f"{scan.dose_bq / (1e6 if scan.in_mbq else 1):.9g}"
    item.RadionuclideHalfLife = f"{scan.half_life_s:.8g}"
    del item.RadiopharmaceuticalStartTime
    if scan.injection in ("date-time", "both"):
        item.RadiopharmaceuticalStartDateTime = f"{scan.injected:%Y%m%d%H%M%S}.00"
    if scan.injection in ("time", "both"):
        item.RadiopharmaceuticalStartTime = f"{scan.injected:%H%M%S}.00"


def _write_times(image: Dataset, k: int, scan: Scan) -> None:
    image.DecayCorrection = scan.correction
    image.CorrectedImage = ["ATTN", "SCAT", *(["DECY"] if scan.correction != "NONE" else [])]
    begin = scan.start + timedelta(seconds=scan.begin_s(k))
    series = scan.start if scan.time_rule == "series" else scan.start + timedelta(minutes=40)
    image.SeriesDate, image.SeriesTime = f"{series:%Y%m%d}", f"{series:%H%M%S.%f}"
    image.AcquisitionDate, image.AcquisitionTime = f"{begin:%Y%m%d}", f"{begin:%H%M%S.%f}"
    image.ActualFrameDuration = str(round(scan.frame_s * 1000))
    if scan.time_rule == "frames of GE":
        image.Manufacturer, image.FrameReferenceTime = "GE MEDICAL SYSTEMS", f"{scan.begin_s(k) * 1000:.9g}"
    if scan.time_rule == "frames":
        image.FrameReferenceTime = f"{(scan.begin_s(k) + scan.mean_s) * 1000:.9g}"
    for rule, owner, offset in (("GE private", GE, 0x0D), ("Siemens private", SIEMENS, 0x22)):
        if scan.time_rule == rule:
            _add(image, owner, offset, "DT", f"{scan.start:%Y%m%d%H%M%S.%f}", scan)


def _write_calibration(image: Dataset, kind: str, factor: float, scan: Scan) -> None:
    if kind == "DCAL":
        image.CorrectedImage = [*image.CorrectedImage, "DCAL"]
    if scan.units == "CPS":
        image.DoseCalibrationFactor = f"{factor:.8g}"
    if kind.startswith("Philips"):
        _add(image, PHILIPS, 0x00 if kind == "Philips SUV" else 0x09, "DS", f"{factor:.8g}", scan)


def _add(image: Dataset, owner: tuple[int, str], offset: int, vr: str, value: str, scan: Scan) -> None:
    if scan.with_owner:
        add_private(image, owner, offset, vr, value)
    else:
        image.add_new((owner[0], 0x1000 + offset), vr, value)
