"""Kinds of segments with SNOMED CT codes, as Slicer writes them."""

from __future__ import annotations

from dataclasses import dataclass

from SegAnyPETLib.volume.segmentation import LESION_TERMINOLOGY

_DICOM_MASTER = "Segmentation category and type - DICOM master list"
_GENERAL_ANATOMY = "Segmentation category and type - 3D Slicer General Anatomy list"
_NO_REGION = "Anatomic codes - DICOM master list~^^~^^"


@dataclass(frozen=True)
class SegmentKind:
    """A kind of segment.

    Attributes:
        name: of new segments, followed by a number.
        terminology: Slicer's serialised terminology entry, as in the segment's tag ``TerminologyEntry``.
    """

    name: str
    terminology: str


def _neoplasm(code: str, meaning: str) -> str:
    category = "SCT^49755003^Morphologically Altered Structure"
    return f"{_DICOM_MASTER}~{category}~SCT^{code}^{meaning}~^^~{_NO_REGION}"


LESION = SegmentKind("Lesion", LESION_TERMINOLOGY)
PRIMARY = SegmentKind("Primary tumor", _neoplasm("86049000", "Neoplasm, Primary"))
METASTASIS = SegmentKind("Metastasis", _neoplasm("14799000", "Neoplasm, Secondary"))
ORGAN = SegmentKind("Organ", f"{_GENERAL_ANATOMY}~SCT^85756007^Tissue~SCT^113343008^Organ~^^~{_NO_REGION}")

#: In the order in which the panel offers them.
KINDS = (LESION, PRIMARY, METASTASIS, ORGAN)
