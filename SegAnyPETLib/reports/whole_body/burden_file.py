"""The quantities of a patient as JSON with a schema, and as a table of its lesions."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.burden.change import Fate, LesionChange
from SegAnyPETLib.pet.burden.lesions import Lesion
from SegAnyPETLib.pet.burden.patient import Burden, part_name
from SegAnyPETLib.pet.burden.percist import Category, Response
from SegAnyPETLib.pet.proposals.frame import BodyFrame
from SegAnyPETLib.pet.proposals.liver import LiverReference

Triple = tuple[float, float, float]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class LesionFields(_Fields):
    """One lesion."""

    number: int = Field(ge=1)
    name: str = Field(description="of the segment that it comes from, empty if it has none")
    part: str = Field(description="of the body, by height above the shoulders; as rough as that")
    volume_ml: float = Field(ge=0)
    suv_max: float
    suv_mean: float
    suv_peak: float = Field(description="highest mean of a 1 ml sphere centred in the lesion (IBSI: global)")
    suv_peak_local: float = Field(description="mean of the 1 ml sphere at the hottest voxel (IBSI: local)")
    tlg: float
    center_ras: Triple
    hottest_ras: Triple
    measurable: bool | None = Field(description="by PERCIST's minimum; null without a liver")
    model: str = Field(default="", description="that made the mask, empty if its file does not say")
    weights_sha256: str = ""
    edited: bool | None = Field(default=None, description="by hand since; null if its file does not say")


class PartFields(_Fields):
    """The disease in a part of the body."""

    name: str
    lesions: int
    mtv_ml: float
    tlg: float


class QuantityFields(_Fields):
    """All lesions together."""

    lesions: int
    mtv_ml: float
    tlg: float
    suv_max: float
    suv_mean: float
    suv_peak: float
    suv_peak_local: float
    dmax_mm: float = Field(description="largest distance between two lesions' centres")
    spread_mm: float = Field(description="sum of the distances between the centres of all pairs")
    largest_ml: float
    parts: tuple[PartFields, ...]
    mtv_ml_by_method: dict[str, float]


class LiverFields(_Fields):
    """The liver in a sphere of 3 cm, and what PERCIST makes of it."""

    mean: float
    sd: float
    maximum: float
    percist_minimum: float
    measurable: int = Field(description="number of lesions whose SUVpeak reaches the minimum")


class LesionChangeFields(_Fields):
    """What became of lesions; pairs are the first scan's and the second's."""

    before: tuple[int, ...]
    after: tuple[int, ...]
    fate: Fate
    volume_ml: tuple[float, float]
    suv_peak: tuple[float, float]
    tlg: tuple[float, float]


class ChangeFields(_Fields):
    """The change since an earlier scan."""

    before: QuantityFields
    lesions: tuple[LesionChangeFields, ...]
    percist_suggestion: Category = Field(description="research suggestion from the scan's SUV; no clinical category")
    percist_reason: str
    body_overlap: float = Field(description="Dice of the bodies after rigid alignment")


class ScanFields(_Fields):
    """The scan."""

    shape_kji: tuple[int, int, int]
    spacing_mm: Triple
    units: str = Field(description="type of SUV of all quantities: SUVbw by body weight, SUVlbm by lean body mass")
    assumed: tuple[str, ...] = Field(description="what had to be assumed to get SUV")
    notes: tuple[str, ...]


class BurdenFields(_Fields):
    """The file."""

    format: Literal["seganypet-burden"] = "seganypet-burden"
    version: Literal[1] = 1
    notice: str = NOTICE
    program_version: str
    scan: ScanFields
    quantities: QuantityFields
    liver: LiverFields | None
    lesions: tuple[LesionFields, ...]
    change: ChangeFields | None


class MadeBy(_Fields):
    """What the file of a mask says of how it was made."""

    model: str = ""
    weights_sha256: str = ""
    edited: bool | None = None


def quantity_fields(burden: Burden, mtv_by_method: Mapping[str, float]) -> QuantityFields:
    """Return the fields of all lesions together."""
    parts = tuple(PartFields.model_validate(part, from_attributes=True) for part in burden.parts)
    values = {name: getattr(burden, name) for name in QuantityFields.model_fields if hasattr(burden, name)}
    return QuantityFields(**(values | {"parts": parts, "mtv_ml_by_method": dict(mtv_by_method)}))


def lesion_fields(
    lesion: Lesion, frame: BodyFrame, liver: LiverReference | None, made: MadeBy | None = None
) -> LesionFields:
    """Return the fields of a lesion."""
    return LesionFields(
        number=lesion.number,
        name=lesion.name,
        part=part_name(frame.place(lesion.center_ras)),
        volume_ml=lesion.measured.volume_ml,
        suv_max=lesion.measured.suv_max,
        suv_mean=lesion.measured.suv_mean,
        suv_peak=lesion.measured.suv_peak,
        suv_peak_local=lesion.suv_peak_local,
        tlg=lesion.measured.tlg,
        center_ras=lesion.center_ras,
        hottest_ras=lesion.hottest_ras,
        measurable=None if liver is None else lesion.measured.suv_peak >= liver.percist_minimum,
        **(made or MadeBy()).model_dump(),
    )


def liver_fields(liver: LiverReference, measurable: int) -> LiverFields:
    """Return the fields of the liver."""
    return LiverFields(
        mean=liver.mean,
        sd=liver.sd,
        maximum=liver.maximum,
        percist_minimum=liver.percist_minimum,
        measurable=measurable,
    )


def change_fields(
    before: QuantityFields, found: Sequence[LesionChange], response: Response, overlap: float
) -> ChangeFields:
    """Return the fields of the change since an earlier scan."""
    return ChangeFields(
        before=before,
        lesions=tuple(LesionChangeFields.model_validate(change, from_attributes=True) for change in found),
        percist_suggestion=response.category,
        percist_reason=response.reason,
        body_overlap=overlap,
    )


def burden_json(fields: BurdenFields) -> str:
    """Return the text of the file."""
    return fields.model_dump_json(indent=1) + "\n"


def burden_csv(fields: BurdenFields) -> str:
    """Return a table: one line per lesion, and the first line for all of them."""
    columns = [name for name in LesionFields.model_fields if not name.endswith("_ras")]
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*columns, "hottest_r", "hottest_a", "hottest_s"])
    whole = fields.quantities
    total = {"number": "all", "name": f"{whole.lesions} lesions", "volume_ml": whole.mtv_ml}
    total |= {name: getattr(whole, name) for name in columns if name in QuantityFields.model_fields}
    writer.writerow([*(_cell(total.get(name)) for name in columns), "", "", ""])
    for lesion in fields.lesions:
        cells = [getattr(lesion, name) for name in columns]
        writer.writerow([_cell(cell) for cell in (*cells, *lesion.hottest_ras)])
    return stream.getvalue()


def _cell(value: object) -> object:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "" if value is None else value
