"""Segmentations as 3D Slicer keeps them: named segments on one grid, in a ``.seg.nrrd`` file.

The fields are those of Slicer's developer guide, "Segmentation labelmap file format (.seg.nrrd)". Segments that do not
overlap share one label map; each overlapping one goes to a further layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import overload

import numpy as np
import SimpleITK as sitk
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.volume.io import known_suffix, open_reader, read_pixels, write_image, write_volume
from SegAnyPETLib.volume.sitk_bridge import image_matrix, set_geometry
from SegAnyPETLib.volume.volume import Volume

#: Slicer's ``TerminologyEntry`` of a lesion: SNOMED CT codes of its "General Anatomy list".
LESION_TERMINOLOGY = (
    "Segmentation category and type - 3D Slicer General Anatomy list"
    "~SCT^49755003^Morphologically Altered Structure~SCT^4147007^Mass~^^"
    "~Anatomic codes - DICOM master list~^^~^^"
)

#: A segmentation of more is damaged, or a label map of something else than targets.
MAX_SEGMENTS = 1000

#: The extent that Slicer writes for a segment without a voxel.
EMPTY_EXTENT = "0 -1 0 -1 0 -1"


@dataclass(frozen=True, eq=False)
class Segment:
    """One named segment.

    Attributes:
        name: what Slicer shows.
        mask_kji: bool array on the segmentation's grid.
        color: red, green, blue, each 0 to 1.
        tags: further text by key, for example the model's checksum; ``TerminologyEntry`` says what the segment is.

    Raises:
        InputError: a name, key or value holds a character that the format uses as a separator.
    """

    name: str
    mask_kji: NDArray[np.bool_]
    color: tuple[float, float, float] = (0.9, 0.3, 0.2)
    tags: Mapping[str, str] = field(default_factory=lambda: {"TerminologyEntry": LESION_TERMINOLOGY})

    def __post_init__(self) -> None:
        texts = [self.name, *self.tags, *self.tags.values()]
        if any(mark in text for text in texts for mark in "|\n\r") or any(":" in key for key in self.tags):
            raise InputError(
                f"the segment '{self.name}' or its tags hold '|', a line break or a key with ':'; rename it"
            )


def write_segmentation(grid: Volume, segments: Sequence[Segment], path: str | Path) -> None:
    """Write segments to a ``.seg.nrrd`` file on the whole grid of a volume.

    The file appears whole or not at all; an existing one is replaced only by a complete one.

    Args:
        grid: the volume whose geometry the masks have; its voxels are not used.
        segments: at least one.
        path: a name that ends in ``.seg.nrrd``.

    Raises:
        InputError: a mask does not fit the grid, there is no segment, or the name ends in something else.
        SegAnyPETError: the file could not be written.
    """
    path = Path(path)
    if known_suffix(path) != ".seg.nrrd":
        raise InputError(f"{path.name} cannot hold a segmentation; use a name that ends in .seg.nrrd")
    if not segments:
        raise InputError("there is no segment to write")
    for segment in segments:
        if segment.mask_kji.shape != grid.shape_kji:
            raise InputError(f"the mask of '{segment.name}' does not fit the volume's grid")
    placed = _place(segments)
    layers = _paint(segments, placed, grid.shape_kji)
    overlapping = len(layers) > 1
    image = sitk.GetImageFromArray(np.stack(layers, axis=-1) if overlapping else layers[0], isVector=overlapping)
    set_geometry(image, grid)
    for key, value in _fields(segments, placed, layers).items():
        image.SetMetaData(key, value)
    write_image(image, path)


class SegmentsOfFile(Sequence[Segment]):
    """The segments of a file; the mask of one is made when it is asked for, since all at once may not fit in memory."""

    def __init__(self, layers_kjil: NDArray, described: Sequence[_Described]) -> None:
        self._layers_kjil = layers_kjil
        self._described = described

    def __len__(self) -> int:
        return len(self._described)

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> list[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | list[Segment]:
        if isinstance(index, slice):
            return [self._made(each) for each in self._described[index]]
        return self._made(self._described[index])

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the segments, in their order."""
        return tuple(each.name for each in self._described)

    def _made(self, each: _Described) -> Segment:
        return Segment(each.name, self._layers_kjil[..., each.layer] == each.value, each.color, each.tags)


@dataclass(frozen=True)
class _Described:
    """A segment as the header describes it: its mask are the voxels of its layer with its value."""

    name: str
    layer: int
    value: int
    color: tuple[float, float, float]
    tags: Mapping[str, str]


def read_segmentation(path: str | Path) -> tuple[Volume, SegmentsOfFile]:
    """Read a ``.seg.nrrd`` file.

    Returns:
        The first layer's labels (int32) with the geometry, and the segments.

    Raises:
        InputError: the file cannot be read, describes no segments, or more than `MAX_SEGMENTS`.
    """
    path = Path(path)
    with open_reader(path) as (reader, _):
        if reader.GetDimension() != 3:
            raise InputError(f"{path.name} is not a segmentation of Slicer; give a .seg.nrrd file")
        if reader.HasMetaDataKey(f"Segment{MAX_SEGMENTS}_ID"):
            raise InputError(f"{path.name} names more than {MAX_SEGMENTS} segments; split it into several files")
        image = read_pixels(reader, path)
    layers = sitk.GetArrayFromImage(image)
    layers = layers[..., None] if layers.ndim == 3 else layers
    grid = Volume(layers[..., 0].astype(np.int32), image_matrix(image))
    described: list[_Described] = []
    while image.HasMetaDataKey(f"Segment{len(described)}_ID"):
        described.append(_describe(image, len(described), layers.shape[3], path.name))
    if not described:
        raise InputError(f"{path.name} names no segments; give a .seg.nrrd file of Slicer")
    return grid, SegmentsOfFile(layers, described)


def read_segment(path: str | Path, name: str | None = None) -> Volume:
    """Read the mask of one segment.

    Args:
        path: a ``.seg.nrrd`` file.
        name: of the segment; None if the file holds only one.

    Returns:
        A bool volume on the segmentation's grid.

    Raises:
        InputError: the file cannot be read, has no such segment, or has several and none is named.
    """
    grid, segments = read_segmentation(path)
    names = segments.names
    listed = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
    if name is None and len(names) > 1:
        raise InputError(
            f"{Path(path).name} holds {len(names)} segments ({listed}); name the one to take (--mask-segment)"
        )
    if name is not None and names.count(name) != 1:
        how = "no" if name not in names else "several"
        raise InputError(f"{Path(path).name} holds {how} segments named {name}; it holds {listed}")
    return grid.with_array(segments[0 if name is None else names.index(name)].mask_kji)


def write_mask(grid: Volume, segments: Sequence[Segment], path: str | Path) -> None:
    """Write segments in the format that the ending of the name says.

    ``.seg.nrrd`` keeps names, colours and tags; any other format gets a label map with 1, 2, ... in the order of the
    segments; a later segment wins.

    Raises:
        InputError: as for `write_segmentation`, or the ending is unknown.
        SegAnyPETError: the file could not be written.
    """
    path = Path(path)
    if known_suffix(path) == ".seg.nrrd":
        write_segmentation(grid, segments, path)
        return
    labels = np.zeros(grid.shape_kji, np.uint8 if len(segments) < 256 else np.uint16)
    for value, segment in enumerate(segments, start=1):
        labels[segment.mask_kji] = value
    write_volume(grid.with_array(labels), path)


def _place(segments: Sequence[Segment]) -> list[tuple[int, int]]:
    """Layer and label value of each segment: the first layer in which it overlaps none."""
    taken: list[NDArray[np.bool_]] = []
    counts: list[int] = []
    placed = []
    for segment in segments:
        free = (n for n, layer in enumerate(taken) if not (layer & segment.mask_kji).any())
        layer = next(free, len(taken))
        if layer == len(taken):
            taken.append(np.zeros_like(segment.mask_kji, dtype=bool))
            counts.append(0)
        taken[layer] |= segment.mask_kji
        counts[layer] += 1
        placed.append((layer, counts[layer]))
    return placed


def _paint(
    segments: Sequence[Segment], placed: Sequence[tuple[int, int]], shape: tuple[int, int, int]
) -> list[NDArray]:
    kind = np.uint8 if max(value for _, value in placed) < 256 else np.uint16
    layers = [np.zeros(shape, kind) for _ in range(1 + max(layer for layer, _ in placed))]
    for segment, (layer, value) in zip(segments, placed, strict=True):
        layers[layer][segment.mask_kji] = value
    return layers


def _fields(
    segments: Sequence[Segment], placed: Sequence[tuple[int, int]], layers: Sequence[NDArray]
) -> dict[str, str]:
    """Read the key-value pairs of the header.

    Slicer crops a whole layer to the extent of its first segment, so every segment gets the extent of its layer.
    """
    extents = [_extent(layer) for layer in layers]
    fields = {
        "Segmentation_ContainedRepresentationNames": "Binary labelmap|",
        "Segmentation_ReferenceImageExtentOffset": "0 0 0",
        "Segmentation_SourceRepresentation": "Binary labelmap",
    }
    for n, (segment, (layer, value)) in enumerate(zip(segments, placed, strict=True)):
        fields |= {
            f"Segment{n}_ID": f"Segment_{n + 1}",
            f"Segment{n}_Name": segment.name,
            f"Segment{n}_NameAutoGenerated": "0",
            f"Segment{n}_Color": " ".join(f"{part:.6g}" for part in segment.color),
            f"Segment{n}_ColorAutoGenerated": "0",
            f"Segment{n}_Extent": extents[layer],
            f"Segment{n}_LabelValue": str(value),
            f"Segment{n}_Layer": str(layer),
            f"Segment{n}_Tags": "".join(f"{key}:{text}|" for key, text in segment.tags.items()),
        }
    return fields


def _extent(layer: NDArray) -> str:
    """First and last voxel along i, j and k of what is not zero."""
    ranges = []
    for axis in (2, 1, 0):
        used = np.flatnonzero(layer.any(axis=tuple({0, 1, 2} - {axis})))
        if not used.size:
            return EMPTY_EXTENT
        ranges += [int(used[0]), int(used[-1])]
    return " ".join(map(str, ranges))


def _describe(image: sitk.Image, n: int, layers: int, name: str) -> _Described:
    def text(key: str, default: str) -> str:
        full = f"Segment{n}_{key}"
        return image.GetMetaData(full) if image.HasMetaDataKey(full) else default

    try:
        layer, value = int(text("Layer", str(n))), int(text("LabelValue", "1"))
        red, green, blue = (float(part) for part in text("Color", "0.5 0.5 0.5").split())
    except ValueError as error:
        raise _described_wrongly(name, n) from error
    if not 0 <= layer < layers:
        raise _described_wrongly(name, n)
    pairs = (pair.partition(":") for pair in text("Tags", "").split("|") if ":" in pair)
    tags = {key: content for key, _, content in pairs}
    return _Described(text("Name", text("ID", "")), layer, value, (red, green, blue), tags)


def _described_wrongly(name: str, n: int) -> InputError:
    return InputError(f"{name} describes its segment {n} wrongly; save it again in Slicer")
