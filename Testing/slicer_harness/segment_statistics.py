"""Doubles of the module ``SegmentStatistics`` and of the base class of its plugins, after Slicer's sources (5.11).

Left out are the widgets of the plugins and the export to tables.
"""

from __future__ import annotations

import logging
from types import ModuleType
from typing import Any

import slicer

from Testing.slicer_harness.installers import module


class SegmentStatisticsPluginBase:
    """What a plugin inherits."""

    def __init__(self) -> None:
        self.name = ""
        self.keys: list[str] = []
        self.defaultKeys: list[str] = []
        self.parameterNode: Any = None

    @staticmethod
    def createCodedEntry(codeValue: str, codingScheme: str, codeMeaning: str, returnAsString: bool = False) -> Any:
        entry = slicer.vtkCodedEntry()
        entry.SetValueSchemeMeaning(codeValue, codingScheme, codeMeaning)
        return entry.GetAsString() if returnAsString else entry

    @staticmethod
    def createMeasurementInfo(
        name: str,
        description: str,
        units: str,
        quantityDicomCode: str | None = None,
        unitsDicomCode: str | None = None,
        measurementMethodDicomCode: str | None = None,
        derivationDicomCode: str | None = None,
        componentNames: Any = None,
    ) -> dict[str, Any]:
        codes = {
            "DICOM.QuantityCode": quantityDicomCode,
            "DICOM.UnitsCode": unitsDicomCode,
            "DICOM.MeasurementMethodCode": measurementMethodDicomCode,
            "DICOM.DerivationCode": derivationDicomCode,
        }
        info = {"name": name, "description": description, "units": units}
        return info | {key: code for key, code in codes.items() if code}

    def toLongKey(self, key: str) -> str:
        return f"{type(self).__name__}.{key}"

    def setParameterNode(self, parameterNode: Any) -> None:
        self.parameterNode = parameterNode
        for key in self.keys:
            parameterNode.SetParameter(f"{self.toLongKey(key)}.enabled", str(key in self.defaultKeys))

    def getParameterNode(self) -> Any:
        return self.parameterNode

    def getRequestedKeys(self) -> list[str]:
        return [k for k in self.keys if self.parameterNode.GetParameter(f"{self.toLongKey(k)}.enabled") == "True"]


class SegmentStatisticsLogic:
    """Runs the registered plugins over the visible segments."""

    registeredPlugins: list[type]

    @staticmethod
    def registerPlugin(plugin: Any) -> None:
        if not isinstance(plugin, SegmentStatisticsPluginBase):
            return
        if type(plugin) in SegmentStatisticsLogic.registeredPlugins:
            logging.warning("another plugin with the same name has already been registered")
            return
        SegmentStatisticsLogic.registeredPlugins.append(type(plugin))

    def __init__(self) -> None:
        self.plugins = [plugin() for plugin in self.registeredPlugins]
        self._node = slicer.vtkMRMLScriptedModuleNode()
        self._statistics: dict[Any, Any] = {"SegmentIDs": [], "MeasurementInfo": {}}
        for plugin in self.plugins:
            plugin.setParameterNode(self._node)

    def getParameterNode(self) -> Any:
        return self._node

    def getStatistics(self) -> dict[Any, Any]:
        return self._statistics

    def computeStatistics(self) -> None:
        segmentation = slicer.mrmlScene.GetNodeByID(self._node.GetParameter("Segmentation"))
        for segment_id in segmentation.GetDisplayNode().GetVisibleSegmentIDs():
            self._statistics["SegmentIDs"].append(segment_id)
            for plugin in self.plugins:
                for key, value in plugin.computeStatistics(segment_id).items():
                    self._statistics[segment_id, plugin.toLongKey(key)] = value
                    self._statistics["MeasurementInfo"][plugin.toLongKey(key)] = plugin.getMeasurementInfo(key)


def statistics_modules() -> list[ModuleType]:
    """The modules, without plugins."""
    SegmentStatisticsLogic.registeredPlugins = []
    return [
        module("SegmentStatisticsPlugins", SegmentStatisticsPluginBase=SegmentStatisticsPluginBase),
        module("SegmentStatistics", SegmentStatisticsLogic=SegmentStatisticsLogic),
    ]
