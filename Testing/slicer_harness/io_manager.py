"""Double of ``slicer.app.coreIOManager()``: reads and writes through the real logics and storage nodes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from Testing.slicer_harness.core import SlicerCore

FILE_TYPES = {
    ".seg.nrrd": "SegmentationFile",
    ".mrk.json": "MarkupsFile",
    ".tfm": "TransformFile",
    ".h5": "TransformFile",
    ".mrml": "SceneFile",
    ".mrb": "SceneFile",
}


class CoreIOManager:
    """What ``slicer.util`` asks of it to load and save volumes, segmentations, markups, transforms and scenes."""

    def __init__(self, core: SlicerCore) -> None:
        self._core = core

    def fileType(self, filename: str) -> str:
        endings = (kind for ending, kind in FILE_TYPES.items() if filename.lower().endswith(ending))
        return next(endings, "VolumeFile")

    def loadNodes(self, filetype: str, properties: dict, nodes: Any = None, messages: Any = None) -> bool:
        path = str(properties["fileName"])
        name = properties.get("name") or Path(path).name.split(".")[0]
        if filetype == "SceneFile":
            return self._load_scene(path, properties.get("clear", True))
        node = self._load_node(filetype, path, name, properties)
        if node is not None and nodes is not None:
            nodes.AddItem(node)
        return node is not None

    def _load_node(self, filetype: str, path: str, name: str, properties: dict) -> Any:
        logics, scene = self._core.logics, self._core.scene
        if filetype == "VolumeFile":
            return logics["volumes"].AddArchetypeVolume(path, name, int(properties.get("labelmap", False)))
        if filetype == "SegmentationFile":
            return logics["segmentations"].LoadSegmentationFromFile(path, True, name)
        if filetype == "MarkupsFile":
            return scene.GetNodeByID(logics["markups"].LoadMarkups(path, name).split(",")[0])
        if filetype == "TransformFile":
            return logics["transforms"].AddTransform(path, scene)
        raise NotImplementedError(f"the harness loads no {filetype}")

    def _load_scene(self, path: str, clear: bool) -> bool:
        scene = self._core.scene
        if path.endswith(".mrb"):
            return bool(scene.ReadFromMRB(path, clear))
        scene.SetURL(path)
        return bool(scene.Connect() if clear else scene.Import())

    def fileWriterFileType(self, node: Any) -> str:
        return "NodeFile"

    def saveNodes(self, filetype: str, properties: dict, messages: Any = None) -> bool:
        path = str(properties["fileName"])
        if filetype == "SceneFile":
            return self._save_scene(path)
        node = self._core.scene.GetNodeByID(properties["nodeID"])
        if node.GetStorageNode() is None:
            node.AddDefaultStorageNode()
        storage = node.GetStorageNode()
        storage.SetFileName(path)
        storage.SetUseCompression(int(properties.get("useCompression", True)))
        return bool(storage.WriteData(node))

    def _save_scene(self, path: str) -> bool:
        scene = self._core.scene
        scene.SetURL(path)
        scene.SetRootDirectory(str(Path(path).parent))
        return bool(scene.WriteToMRB(path) if path.endswith(".mrb") else scene.Commit())
