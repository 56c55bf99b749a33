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


SUV: Final = Code("126401", "DCM", "SUVbw")
SUV_UNIT: Final = Code("g/ml{SUVbw}", "UCUM", "Standardized Uptake Value body weight")

#: By the name of the field in `SegAnyPETLib.pet.quantities.Quantities`, in the order in which they are reported.
MEASURES: Final = {
    "suv_max": Measure(SUV, SUV_UNIT, Code("56851009", "SCT", "Maximum"), Code("84IY", "IBSI", "Maximum intensity")),
    "suv_mean": Measure(SUV, SUV_UNIT, Code("373098007", "SCT", "Mean"), Code("Q4LE", "IBSI", "Mean intensity")),
    "suv_peak": Measure(
        SUV,
        SUV_UNIT,
        Code("126031", "DCM", "Peak Value Within ROI"),
        Code("0F91", "IBSI", "Global intensity peak"),
    ),
    "volume_ml": Measure(
        Code("126032", "DCM", "Metabolic Volume"),
        Code("ml", "UCUM", "milliliter"),
        method=Code("YEKZ", "IBSI", "Volume from Voxel Summation"),
    ),
    "tlg": Measure(Code("126033", "DCM", "Total Lesion Glycolysis"), Code("g", "UCUM", "gram")),
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
