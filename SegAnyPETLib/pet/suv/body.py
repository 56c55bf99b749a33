"""What a dose is related to: the patient's weight, lean body mass, ideal weight or body surface.

The formulas are those of the manual for SUV computation of the Image Biomarker Standardisation Initiative (M. Vacha et
al. 2026, oncoray/suv_computation), named as DICOM names them in SUVType (0054,1006), PS3.3, C.8.9.1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pydicom.dataset import Dataset

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.dose_tags import Tagged, weight_of
from SegAnyPETLib.volume.dicom.header import required_number, tag_name

#: No patient is smaller; less is in another unit than metres.
MIN_SIZE_M = 0.3
#: Above the tallest person on record.
MAX_SIZE_M = 2.8

#: Mass in kg by weight in kg and size in cm.
Mass = Callable[[float, float], float]

#: For men and for women; that of the sex "other" is the mean of both.
MASSES: dict[str, tuple[Mass, Mass]] = {
    # Morgan 1994, which scanners used under this name.
    "LBM": (
        lambda w, h: 1.10 * w - 120.0 * (w / h) ** 2,
        lambda w, h: 1.07 * w - 148.0 * (w / h) ** 2,
    ),
    # James 1976: 128 for men.
    "LBMJAMES128": (
        lambda w, h: 1.10 * w - 128.0 * (w / h) ** 2,
        lambda w, h: 1.07 * w - 148.0 * (w / h) ** 2,
    ),
    # Janmahasatian 2005, doi 10.2165/00003088-200544100-00004, by the body mass index.
    "LBMJANMA": (
        lambda w, h: 9270.0 * w / (6680.0 + 216.0 * w / (h / 100.0) ** 2),
        lambda w, h: 9270.0 * w / (8780.0 + 244.0 * w / (h / 100.0) ** 2),
    ),
    # Sugawara 1999, by the size alone.
    "IBW": (
        lambda w, h: 48.0 + 1.06 * (h - 152.0),
        lambda w, h: 45.5 + 0.91 * (h - 152.0),
    ),
}


@dataclass(frozen=True)
class Body:
    """What the tags say of the patient's body.

    Attributes:
        weight_kg: the weight.
        size_m: the size, None if it is missing.
        sex: as DICOM writes it, "M", "F" or "O"; "" if it is missing.
    """

    weight_kg: float
    size_m: float | None = None
    sex: str = ""


def surface_cm2(weight_kg: float, size_cm: float) -> float:
    """Return the body surface by Du Bois 1916, in cm2."""
    return 0.007184 * weight_kg**0.425 * size_cm**0.725 * 1e4


def body_of(header: Dataset) -> tuple[Body, Tagged]:
    """Return the patient's body, and how its weight was read.

    Raises:
        InputError: the weight is missing, or it or the size cannot be right.
    """
    weight = weight_of(header)
    size_m = required_number(header, "PatientSize") if header.get("PatientSize") else None
    return Body(weight.value, size_m, str(header.get("PatientSex") or "").strip().upper()), weight


def related_to(kind: str, body: Body) -> Tagged:
    """Return what SUV of a kind relates the dose to, in g, or in cm2 for the body surface.

    Args:
        kind: as SUVType (0054,1006) names it: BW, LBM, LBMJAMES128, LBMJANMA, IBW or BSA.
        body: of the patient.

    Raises:
        InputError: the kind is not known, or size or sex are missing or cannot be right.
    """
    if kind == "BW":
        return Tagged(body.weight_kg * 1000.0)
    size_cm = _size_cm(kind, body)
    if kind == "BSA":
        return Tagged(surface_cm2(body.weight_kg, size_cm))
    if kind not in MASSES:
        raise InputError(f"SUV of type {kind} is not known; use body-weight SUV or BQML")
    men, women = (mass(body.weight_kg, size_cm) for mass in MASSES[kind])
    assumed: tuple[str, ...] = ()
    if body.sex == "O":
        assumed = (f"{tag_name('PatientSex')} O: the mean of men and women",)
    elif body.sex not in ("M", "F"):
        raise InputError(
            f"SUV of type {kind} needs {tag_name('PatientSex')} M, F or O, which the series lacks; use body-weight SUV"
        )
    mass_kg = {"M": men, "F": women}.get(body.sex, (men + women) / 2)
    if mass_kg <= 0:
        raise InputError(
            f"SUV of type {kind} has no meaning at {body.weight_kg:g} kg and {size_cm:g} cm; check "
            f"{tag_name('PatientWeight')} and {tag_name('PatientSize')}, or use body-weight SUV"
        )
    return Tagged(mass_kg * 1000.0, (), assumed)


def _size_cm(kind: str, body: Body) -> float:
    if not body.size_m:
        raise InputError(f"SUV of type {kind} needs {tag_name('PatientSize')}, which the series lacks; add it")
    if not MIN_SIZE_M <= body.size_m <= MAX_SIZE_M:
        guess = " (it looks like centimetres)" if MIN_SIZE_M <= body.size_m / 100.0 <= MAX_SIZE_M else ""
        raise InputError(f"{tag_name('PatientSize')} of {body.size_m:g} m cannot be right{guess}; correct it")
    return body.size_m * 100.0
