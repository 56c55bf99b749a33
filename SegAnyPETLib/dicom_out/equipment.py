"""Which program wrote an object, and that it is for research."""

from __future__ import annotations

from typing import Final

from pydicom.uid import generate_uid

from SegAnyPETLib import __version__

MANUFACTURER: Final = "SegAnyPET contributors"
MODEL_NAME: Final = "SegAnyPET"
#: A program has no serial number, and DICOM wants one.
SERIAL_NUMBER: Final = "none"
#: Identifies this version of the program as an observer.
DEVICE_UID: Final = str(generate_uid(prefix=None, entropy_srcs=[MODEL_NAME, __version__]))
#: ContentQualification (0018,9004) of everything that is written.
QUALIFICATION: Final = "RESEARCH"
#: SeriesDescription of everything that is written, behind what it is.
FOR_RESEARCH: Final = "SegAnyPET, research use only"

#: Numbers of the series that are written: behind those of scanners, one for each kind of object.
SEGMENTATION_SERIES: Final = 9001
REPORT_SERIES: Final = 9002
CONTOUR_SERIES: Final = 9003
