"""A segmented target as DICOM objects tell of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydicom.sr.coding import Code
from pydicom.uid import generate_uid

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.quantities import Quantities
from SegAnyPETLib.volume.segmentation import LESION_TERMINOLOGY, Segment
from SegAnyPETLib.volume.units import SUV_UNITS

#: A long string (VR LO) of DICOM has at most so many characters.
MAX_CHARACTERS = 64
#: Families of algorithms: networks, and thresholds of the values.
ARTIFICIAL_INTELLIGENCE = Code("123110", "DCM", "Artificial Intelligence")
THRESHOLDING = Code("123105", "DCM", "Histogram Analysis")


@dataclass(frozen=True)
class Algorithm:
    """What segmented a target.

    Attributes:
        model: its name.
        weights_sha256: checksum of its weights; "" if they have no file.
        device: where it ran.
        version: of this program.
        family: what kind of algorithm it is (DICOM PS3.16, CID 7162).
    """

    model: str
    weights_sha256: str
    device: str
    version: str
    family: Code = ARTIFICIAL_INTELLIGENCE

    @property
    def name(self) -> str:
        """Name of program and model."""
        return f"SegAnyPET {self.model}"[:MAX_CHARACTERS]

    @property
    def parameters(self) -> dict[str, str]:
        """What reproduces it, by name."""
        return {"Model": self.model, "WeightsSHA256": self.weights_sha256 or "none", "Device": self.device}


@dataclass(frozen=True, eq=False)
class Target:
    """A target, its quantities and what segmented it.

    Attributes:
        segment: name, mask on the PET's grid, colour and terminology.
        measured: quantities of the mask in the PET.
        algorithm: what segmented it.
        suv: name of the type of SUV of the quantities, "" if it is not known.
        tracking_uid: identifies the target in all objects that tell of it.
    """

    segment: Segment
    measured: Quantities
    algorithm: Algorithm
    suv: str = SUV_UNITS
    tracking_uid: str = field(default_factory=lambda: str(generate_uid(prefix=None)))

    @property
    def label(self) -> str:
        """The name, as long as DICOM allows."""
        return (self.segment.name.replace("\\", "/").strip() or "Target")[:MAX_CHARACTERS]


@dataclass(frozen=True)
class Terminology:
    """What a segment is.

    Attributes:
        category: for example a morphologically altered structure.
        kind: for example a mass.
    """

    category: Code
    kind: Code


def terminology_of(segment: Segment) -> Terminology:
    """Return the codes of a segment; those of a lesion if it has none.

    Raises:
        InputError: its ``TerminologyEntry`` is not one of Slicer's.
    """
    parts = segment.tags.get("TerminologyEntry", LESION_TERMINOLOGY).split("~")
    try:
        category, kind = (Code(value, scheme, meaning) for scheme, value, meaning in map(_triple, parts[1:3]))
    except ValueError as error:
        raise InputError(
            f"the terminology of the segment '{segment.name}' is damaged; choose one in Slicer's Segment Editor"
        ) from error
    return Terminology(category, kind)


def _triple(text: str) -> tuple[str, str, str]:
    scheme, value, meaning = text.split("^")
    if not (scheme and value and meaning):
        raise ValueError("a code has a scheme, a value and a meaning")
    return scheme, value, meaning
