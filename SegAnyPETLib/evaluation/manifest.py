"""The list of cases to evaluate on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.units import NOTHING_STATED, StatedUnits, units_from_json


@dataclass(frozen=True)
class Case:
    """An image and its reference label map.

    Attributes:
        id: name of the case in reports.
        image: image file or DICOM folder.
        label: label map on the image's grid, DICOM SEG or RTSTRUCT; every positive value or region is one target.
        units: what the manifest states of the values of an image file.
        segment: name of the segment or region to take as the only target; None for all.
    """

    id: str
    image: Path
    label: Path
    units: StatedUnits = NOTHING_STATED
    segment: str | None = None


def read_manifest(path: str | Path) -> tuple[Case, ...]:
    """Read ``{"cases": [{"id": "...", "image": "path or DICOM folder", "label": "path"}]}``.

    A case may state the values of an image file, see `SegAnyPETLib.pet.units.units_from_json`, and name the one segment
    to take of a label file with names (``"label_segment"``).

    Args:
        path: the JSON file; relative paths in it are relative to its folder.

    Returns:
        The cases, at least one, in their order.

    Raises:
        InputError: the file is missing or is no such list, an id occurs twice, or a file of a case is missing.
    """
    path = Path(path)
    items = read_cases(path, '"id", "image", "label"')
    cases = tuple(_read_case(item, number, path) for number, item in enumerate(items, start=1))
    check_unique([case.id for case in cases], path)
    return cases


def read_cases(path: Path, keys: str) -> list[Any]:
    """Read what a JSON file has under ``"cases"``, at least one item.

    Args:
        path: the file.
        keys: of a case, for the message.

    Raises:
        InputError: the file is missing or holds no such list.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
        json.dumps(content, ensure_ascii=False).encode()  # half a pair of surrogates is valid JSON, but no text
    except OSError as error:
        raise InputError(f"the manifest {path.name} cannot be read; check its path") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"the manifest {path.name} is not valid JSON: {error}") from error
    items = content.get("cases") if isinstance(content, dict) else None
    if not isinstance(items, list) or not items:
        raise InputError(f'the manifest {path.name} needs a list of cases: {{"cases": [{{{keys}}}]}}')
    return items


def _read_case(item: Any, number: int, manifest: Path) -> Case:
    fields = [item.get(key) for key in ("id", "image", "label")] if isinstance(item, dict) else []
    texts = [field for field in fields if isinstance(field, str) and field]
    if len(texts) != 3:
        raise InputError(f'case {number} of the manifest {manifest.name} needs the texts "id", "image" and "label"')
    name, image, label = texts
    try:
        units = units_from_json(item)
    except InputError as error:
        raise InputError(f"case {name}: {error}") from error
    segment = item.get("label_segment")
    if not (segment is None or isinstance(segment, str)):
        raise InputError(f'case {name}: "label_segment" must be the name of a segment of its "label"')
    case = Case(name, manifest.parent / image, manifest.parent / label, units, segment)
    if not case.image.exists():
        raise InputError(f"case {name}: there is no image {image}; paths are relative to the manifest's folder")
    if not case.label.is_file():
        raise InputError(f"case {name}: there is no label file {label}; paths are relative to the manifest's folder")
    return case


def check_unique(ids: Sequence[str], manifest: Path) -> None:
    """Refuse ids of which one occurs twice.

    Raises:
        InputError: with that id.
    """
    for name in ids:
        if ids.count(name) > 1:
            raise InputError(f"the id {name} occurs twice in the manifest {manifest.name}; give each case its own")
