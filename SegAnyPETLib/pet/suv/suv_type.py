"""SUV by lean body mass, ideal weight or body surface, from SUV by body weight.

Lean body mass is that of Janmahasatian 2005, which the manual of the Image Biomarker Standardisation Initiative
recommends (M. Vacha et al. 2026, oncoray/suv_computation); PERCIST (Wahl et al. 2009) counts in it, as SUL.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.suv.body import Body, related_to
from SegAnyPETLib.volume.units import SUV_UNITS


class SuvType(StrEnum):
    """What SUV relates the dose to, as the user says."""

    BODY_WEIGHT = "bw"
    LEAN_BODY_MASS = "lbm"
    IDEAL_WEIGHT = "ibw"
    BODY_SURFACE = "bsa"


@dataclass(frozen=True)
class SuvScale:
    """How SUV is shown.

    Attributes:
        name: of the type, as in ``SUVlbm``; "" if the values are not known to be SUV.
        by: what the dose is related to, in words.
        unit: of SUV.
        tlg_unit: of SUV times volume.
        per_body_weight: what multiplies SUV by body weight.
        assumed: what had to be assumed, in a few words each.
    """

    name: str
    by: str
    unit: str = "g/ml"
    tlg_unit: str = "g"
    per_body_weight: float = 1.0
    assumed: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Name the type for a table."""
        return f"{self.name}, by {self.by}, in {self.unit}" if self.name else self.by


BODY_WEIGHT = SuvScale(SUV_UNITS, "body weight")
UNKNOWN = SuvScale("", "not known to be SUV")
#: What a type other than by body weight is called, and its type as SUVType (0054,1006) names it.
OTHERS = {
    SuvType.LEAN_BODY_MASS: (SuvScale("SUVlbm", "lean body mass (Janmahasatian)"), "LBMJANMA"),
    SuvType.IDEAL_WEIGHT: (SuvScale("SUVibw", "ideal body weight"), "IBW"),
    SuvType.BODY_SURFACE: (SuvScale("SUVbsa", "body surface (Du Bois)", "cm2/ml", "cm2"), "BSA"),
}


def suv_scale(suv_type: SuvType, units: str, body: Body | None) -> SuvScale:
    """Return how SUV of a volume is shown.

    Args:
        suv_type: what is asked for.
        units: of the volume's values.
        body: the patient's, None if it is not known.

    Raises:
        InputError: another type than by body weight is asked for, and the values are not body-weight SUV, or weight,
            size or sex are not known or cannot be right.
    """
    if suv_type is SuvType.BODY_WEIGHT:
        return BODY_WEIGHT if units == SUV_UNITS else UNKNOWN
    shown, kind = OTHERS[suv_type]
    if units != SUV_UNITS or body is None:
        raise InputError(
            f"{shown.name} needs the patient's weight, size and sex, which DICOM tags hold and this PET does not; "
            "leave --suv-type out"
        )
    mass = related_to(kind, body)
    factor = mass.value / (body.weight_kg * 1000.0)
    return SuvScale(shown.name, shown.by, shown.unit, shown.tlg_unit, factor, mass.assumed)
