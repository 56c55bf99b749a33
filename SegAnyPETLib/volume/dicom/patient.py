"""Whether two DICOM files are of one patient; the identifier itself goes nowhere."""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.volume.dicom.file import read_header, reading


def same_patient(first: Path, second: Path) -> bool | None:
    """Compare the patients' identifiers of two files.

    Returns:
        Whether Patient ID (0010,0020) is the same; None if a file has none, as after some anonymisers.

    Raises:
        InputError: a file is damaged.
    """
    one, other = _patient_id(first), _patient_id(second)
    return None if not one or not other else one == other


def _patient_id(path: Path) -> str:
    with reading(path):
        header = read_header(path)
        return "" if header is None else str(header.get("PatientID") or "").strip()
