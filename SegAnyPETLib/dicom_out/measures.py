"""How quantities are coded: concepts of DICOM, definitions of IBSI as their methods.

Concepts, derivations and units are those of DICOM PS3.16: CID 7466 and 7469, CID 7464, CID 85.
Permanent identifiers of the Image Biomarker Standardisation Initiative: doi 10.1148/radiol.2020191145. Total lesion
glycolysis has none: IBSI's integrated intensity (99N0) takes the volume of a mesh.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from pydicom.sr.coding import Code

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.units import SUV_UNITS


@dataclass(frozen=True)
class Measure:
    """How one quantity is coded.

    Attributes:
        name: what is measured.
        unit: of the value, in UCUM.
        derivation: how one value is made of those of the voxels.
        method: IBSI's definition.
    """

    name: Code
    unit: Code
    derivation: Code | None = None
    method: Code | None = None


#: Concept and unit of each type of SUV, and the unit of SUV times volume.
SUV_CODES: Final = {
    "SUVbw": (
        Code("126401", "DCM", "SUVbw"),
        Code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight"),
        Code("g", "UCUM", "gram"),
    ),
    "SUVlbm": (
        Code("126405", "DCM", "SUVlbm(Janma)"),
        Code("g/ml{SUVlbm(Janma)}", "UCUM", "Standardized Uptake Value lean body mass (Janma)"),
        Code("g", "UCUM", "gram"),
    ),
    "SUVibw": (
        Code("126404", "DCM", "SUVibw"),
        Code("g/ml{SUVibw}", "UCUM", "Standardized Uptake Value ideal body weight"),
        Code("g", "UCUM", "gram"),
    ),
    "SUVbsa": (
        Code("126403", "DCM", "SUVbsa"),
        Code("cm2/ml{SUVbsa}", "UCUM", "Standardized Uptake Value body surface area"),
        Code("cm2", "UCUM", "Centimeter**2"),
    ),
}


def measures_of(suv: str) -> dict[str, Measure]:
    """Return how quantities are coded, in the order in which they are reported.

    Args:
        suv: name of the type of SUV, as in ``SUVbw``.

    Returns:
        By the name of the field in `SegAnyPETLib.pet.quantities.Quantities`.
    """
    concept, unit, tlg_unit = SUV_CODES[suv]
    return {
        "suv_max": Measure(
            concept, unit, Code("56851009", "SCT", "Maximum"), Code("84IY", "IBSI", "Maximum intensity")
        ),
        "suv_mean": Measure(concept, unit, Code("373098007", "SCT", "Mean"), Code("Q4LE", "IBSI", "Mean intensity")),
        "suv_peak": Measure(
            concept,
            unit,
            Code("126031", "DCM", "Peak Value Within ROI"),
            Code("0F91", "IBSI", "Global intensity peak"),
        ),
        "volume_ml": Measure(
            Code("126032", "DCM", "Metabolic Volume"),
            Code("ml", "UCUM", "milliliter"),
            method=Code("YEKZ", "IBSI", "Volume from Voxel Summation"),
        ),
        "tlg": Measure(Code("126033", "DCM", "Total Lesion Glycolysis"), tlg_unit),
    }


def check_units(units: str) -> None:
    """Refuse values that are not those that the codes name.

    Raises:
        InputError: the PET's values are not body-weight SUV.
    """
    if units != SUV_UNITS:
        raise InputError(
            "a DICOM report holds body-weight SUV, and the values of this PET are not known to be that; ask for "
            "another kind of output"
        )
