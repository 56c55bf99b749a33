"""The list of cases to segment from clicks."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.manifest import check_unique, read_cases
from SegAnyPETLib.prompts import Point

#: Ids become names of files on any system: no separators, no leading or closing dot.
SAFE_ID = re.compile(r"\w([\w .-]{0,98}\w)?")

#: Names that Windows keeps for devices, whatever ending they have.
DEVICE_NAME = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)


@dataclass(frozen=True)
class ClickTarget:
    """What is to be segmented.

    Attributes:
        name: of its segment.
        points: clicks in their order.
        mask: file of a mask on the image's grid to start from, or None.
        segment: name of the segment to take of that file, None for the only one.
    """

    name: str
    points: tuple[Point, ...]
    mask: Path | None
    segment: str | None = None


@dataclass(frozen=True)
class ClickCase:
    """An image and its targets, as they are listed.

    Attributes:
        id: a name that files can have.
        fields: what is listed.
        folder: to which paths are relative.
    """

    id: str
    fields: dict[str, Any]
    folder: Path

    @property
    def image(self) -> Path:
        """Image file or DICOM folder.

        Raises:
            InputError: none is listed.
        """
        image = self.fields.get("image")
        if not isinstance(image, str) or not image:
            raise InputError('it needs an "image"')
        return self.folder / image

    @property
    def series(self) -> str:
        """Which PET series of a DICOM folder, "" for the usual one.

        Raises:
            InputError: it is listed wrongly.
        """
        series = self.fields.get("series", "")
        if not isinstance(series, (str, int)) or isinstance(series, bool):
            raise InputError('its "series" must be the number or the UID of a series')
        return str(series)

    @property
    def targets(self) -> tuple[ClickTarget, ...]:
        """At least one, whose names differ.

        Raises:
            InputError: there is none, or one is listed wrongly.
        """
        return _targets(self.fields, self.folder)


def read_click_manifest(path: Path) -> tuple[ClickCase, ...]:
    """Read ``{"cases": [{"id", "image", "clicks": [{"ras": [r, a, s], "positive": true}], "mask"}]}``.

    ``"mask_segment"`` names the segment to take of a mask in a ``.seg.nrrd`` file. A case may state the values of an
    image file, see `SegAnyPETLib.pet.units.units_from_json`. ``"series"`` names the PET series of a DICOM folder by its
    number or UID.

    Instead of clicks and mask, a case may have ``"targets": [{"name", "clicks", "mask"}]``. A target has clicks, or the
    file of a mask, or both. Relative paths are relative to the list's folder.

    Returns:
        The cases in their order, at least one, whose ids differ. What else is wrong with one shows when it is used.

    Raises:
        InputError: the file is missing or is not such a list, or a case's id cannot be a file name.
    """
    items = read_cases(path, '"id", "image", "clicks"')
    ids = [_id(item, number, path) for number, item in enumerate(items, start=1)]
    check_unique([name.lower() for name in ids], path)  # some file systems know one case of letters only
    return tuple(ClickCase(name, item, path.parent) for name, item in zip(ids, items, strict=True))


def _id(item: Any, number: int, manifest: Path) -> str:
    name = item.get("id") if isinstance(item, dict) else None
    if not isinstance(name, str) or not SAFE_ID.fullmatch(name) or DEVICE_NAME.fullmatch(name):
        raise InputError(
            f'case {number} of the manifest {manifest.name} needs an "id" that can be the name of a file: '
            "up to 100 letters, digits, spaces, - _ or ., of which the first and last is a letter or digit"
        )
    return name


def _targets(case: dict[str, Any], folder: Path) -> tuple[ClickTarget, ...]:
    items = case.get("targets")
    if items is None:
        return (_target("Target", case, folder),)
    if not isinstance(items, list) or not items or "clicks" in case or "mask" in case:
        raise InputError('it needs either "clicks" or a list of "targets", each with its own clicks')
    targets = tuple(_target(_name(item, n), item, folder) for n, item in enumerate(items, start=1))
    if len({target.name for target in targets}) < len(targets):
        raise InputError("two of its targets have the same name")
    return targets


def _name(item: Any, number: int) -> str:
    name = item.get("name", f"Target {number}") if isinstance(item, dict) else None
    if not isinstance(name, str) or not 1 <= len(name) <= 200 or not name.isprintable() or "|" in name:
        raise InputError(f"its target {number} needs a name of up to 200 characters without |")
    return name


def _target(name: str, item: dict[str, Any], folder: Path) -> ClickTarget:
    clicks, mask, segment = item.get("clicks", []), item.get("mask"), item.get("mask_segment")
    if segment is not None and (mask is None or not isinstance(segment, str)):
        raise InputError(f'the "mask_segment" of {name} must be the name of a segment of its "mask"')
    if not isinstance(clicks, list) or not (mask is None or (isinstance(mask, str) and mask)):
        raise InputError(f'the "clicks" of {name} must be a list, and its "mask" a file')
    points = tuple(_point(click, name) for click in clicks)
    if mask is None and not any(point.positive for point in points):
        raise InputError(f"nothing says where {name} is: it needs a positive click or a mask")
    return ClickTarget(name, points, None if mask is None else folder / mask, segment)


def _point(click: Any, name: str) -> Point:
    ras, positive = (click.get("ras"), click.get("positive", True)) if isinstance(click, dict) else (None, None)
    if not isinstance(ras, list) or not all(type(c) in (int, float) for c in ras) or not isinstance(positive, bool):
        raise InputError(f'a click of {name} must be of the form {{"ras": [12.5, -40, 310], "positive": true}}')
    return Point(tuple(ras), positive)
