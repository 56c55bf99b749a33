"""SUVpeak and total lesion glycolysis in Slicer's module Segment Statistics, with their DICOM codes."""

from __future__ import annotations

from typing import Any

import slicer
from SegmentStatisticsPlugins import SegmentStatisticsPluginBase

from SegAnyPETLib.mrml.nodes.volumes import VolumeCache, units_of
from SegAnyPETLib.mrml.segments import read_mask
from SegAnyPETLib.mrml.target_rows import numbers_of
from SegAnyPETLib.volume.units import SUV_UNITS

#: By key: name, description, units, and the codes of quantity, units and derivation; DICOM PS3.16, groups 85 and 7466.
MEASUREMENTS = {
    "suv_peak": (
        "SUVpeak",
        "Highest mean of 1 ml around a voxel of the segment",
        "g/ml",
        ("126401", "DCM", "SUVbw"),
        ("{SUVbw}g/ml", "UCUM", "Standardized Uptake Value body weight"),
        ("126031", "DCM", "Peak Value Within ROI"),
    ),
    "tlg": (
        "TLG",
        "Total lesion glycolysis: SUVmean times volume",
        "g",
        ("126033", "DCM", "Total Lesion Glycolysis"),
        ("g", "UCUM", "gram"),
        None,
    ),
}


class SegAnyPETSegmentStatisticsPlugin(SegmentStatisticsPluginBase):
    """Measures segments over a volume in SUV; over any other it measures nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.name = "SegAnyPET"
        self.keys = list(MEASUREMENTS)
        self.defaultKeys = self.keys

    def computeStatistics(self, segmentID: str) -> dict[str, float]:
        """Return the requested measurements of a segment, none for one without a voxel in the volume."""
        segmentation, volume = (self._node(name) for name in ("Segmentation", "ScalarVolume"))
        keys = self.getRequestedKeys()
        if not keys or segmentation is None or volume is None or units_of(volume) != SUV_UNITS:
            return {}
        numbers = numbers_of(VolumeCache().volume_of(volume), read_mask(segmentation, segmentID, volume))
        return {} if numbers is None else {key: getattr(numbers, key) for key in keys}

    def getMeasurementInfo(self, key: str) -> dict[str, Any] | None:
        """Return name, description, units and codes of a measurement."""
        if key not in MEASUREMENTS:
            return None
        name, description, units, quantity, unit, derivation = MEASUREMENTS[key]
        made = {"quantityDicomCode": quantity, "unitsDicomCode": unit, "derivationDicomCode": derivation}
        codes = {field: self.createCodedEntry(*code, True) for field, code in made.items() if code is not None}
        info: dict[str, Any] = self.createMeasurementInfo(name=name, description=description, units=units, **codes)
        return info

    def _node(self, parameter: str) -> Any | None:
        return slicer.mrmlScene.GetNodeByID(self.getParameterNode().GetParameter(parameter) or "")


def registerPlugin() -> None:
    """Add the measurements to Segment Statistics."""
    import SegmentStatistics

    SegmentStatistics.SegmentStatisticsLogic.registerPlugin(SegAnyPETSegmentStatisticsPlugin())
