"""A review of proposals as a JSON file, which holds all that is needed to go on with it."""

from __future__ import annotations

import csv
import zlib
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.burden.patient import part_name
from SegAnyPETLib.pet.proposals.frame import body_frame
from SegAnyPETLib.pet.proposals.hotspots import Proposal
from SegAnyPETLib.pet.proposals.proposal import candidate_of
from SegAnyPETLib.pet.proposals.review import Review, State
from SegAnyPETLib.prompts import mask_from_fields, mask_to_fields
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.volume import Volume

#: A review of more bytes is damaged: 60 MB hold tens of thousands of proposals.
MAX_BYTES = 256 * 2**20
#: How far SUVmax of a proposal may differ from the scan's before the review is of another scan.
SUV_TOLERANCE = 0.01

Triple = tuple[float, float, float]


class _Fields(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class MaskFields(_Fields):
    """Voxels of a proposal, as `prompts.mask_to_fields` writes them."""

    offset_kji: tuple[int, int, int]
    shape_kji: tuple[int, int, int]
    bits: str


class ProposalFields(_Fields):
    """A proposal; lengths in mm (RAS), volumes in ml, SUV in g/ml."""

    number: int = Field(ge=1)
    state: State
    disease: float = Field(ge=0, le=1, description="sorts proposals; it is no diagnosis")
    kind: str
    part: str
    volume_ml: float
    suv_max: float
    suv_mean: float
    suv_peak: float
    tlg: float
    hottest_ras: Triple
    center_ras: Triple
    mask: MaskFields


class ReviewFields(_Fields):
    """The file."""

    format: Literal["seganypet-review"] = "seganypet-review"
    version: Literal[1] = 1
    notice: str = NOTICE
    criterion: str
    floor: float = Field(description="threshold that the criterion gave")
    tracer: Literal["fdg", "psma"]
    shape_kji: tuple[int, int, int]
    ijk_to_ras: tuple[tuple[float, float, float, float], ...]
    proposals: tuple[ProposalFields, ...]


@dataclass(frozen=True)
class Origin:
    """Where the proposals of a review come from.

    Attributes:
        criterion: its name.
        floor: the threshold that it gave.
        tracer: "fdg" or "psma".
    """

    criterion: str
    floor: float
    tracer: Literal["fdg", "psma"]


def review_fields(review: Review, origin: Origin, volume: Volume) -> ReviewFields:
    """Return what the file of a review holds.

    Args:
        review: proposals of the volume, with what was decided.
        origin: where they come from.
        volume: the scan.
    """
    grid = Grid.of(volume)
    rows = zip(review.proposals, review.states, strict=True)
    return ReviewFields(
        criterion=origin.criterion,
        floor=origin.floor,
        tracer=origin.tracer,
        shape_kji=grid.shape_kji,
        ijk_to_ras=tuple((a, b, c, d) for a, b, c, d in grid.ijk_to_ras),
        proposals=tuple(_proposal_fields(n, proposal, state) for n, (proposal, state) in enumerate(rows, start=1)),
    )


def review_json(fields: ReviewFields) -> str:
    """Return the text of the file."""
    return fields.model_dump_json(indent=1) + "\n"


def read_review(path: Path, volume: Volume) -> tuple[Review, Origin]:
    """Read a review of a scan.

    Args:
        path: of the JSON file.
        volume: the scan that the proposals were made in.

    Raises:
        InputError: the file is missing, is no review, or is one of another scan.
    """
    fields = _read(path)
    grid = Grid(fields.shape_kji, fields.ijk_to_ras)
    try:
        grid.check_same(Grid.of(volume))
    except InputError:
        raise _another_scan(path) from None
    frame = body_frame(volume)
    proposals = []
    for each in fields.proposals:
        low, shape = each.mask.offset_kji, each.mask.shape_kji
        if min(low) < 0 or any(a + n > size for a, n, size in zip(low, shape, grid.shape_kji, strict=True)):
            raise InputError(f"{path.name} is damaged: proposal {each.number} lies outside the scan; write it again")
        try:
            mask = grid.to(Grid.of(volume), mask_from_fields(each.mask.model_dump()))
        except (ValueError, zlib.error) as error:
            raise InputError(f"{path.name} is damaged at proposal {each.number}: {error}; write it again") from None
        if not mask.voxels:
            raise InputError(f"{path.name} is damaged: proposal {each.number} has no voxel; write it again")
        candidate = candidate_of(volume, mask, frame)
        if abs(candidate.suv_max - each.suv_max) > SUV_TOLERANCE * abs(each.suv_max):
            raise _another_scan(path)
        proposals.append(Proposal(candidate, each.disease, each.kind))
    states = tuple(each.state for each in fields.proposals)
    return Review(tuple(proposals), states), Origin(fields.criterion, fields.floor, fields.tracer)


def review_csv(fields: ReviewFields) -> str:
    """Return the table of a review, one line per proposal."""
    columns = [name for name in ProposalFields.model_fields if name not in ("mask", "hottest_ras", "center_ras")]
    stream = StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*columns, "hottest_r", "hottest_a", "hottest_s"])
    for each in fields.proposals:
        cells = [getattr(each, name) for name in columns]
        writer.writerow([f"{c:.6g}" if isinstance(c, float) else c for c in (*cells, *each.hottest_ras)])
    return stream.getvalue()


def _proposal_fields(number: int, proposal: Proposal, state: State) -> ProposalFields:
    candidate = proposal.candidate
    return ProposalFields(
        number=number,
        state=state,
        disease=proposal.disease,
        kind=proposal.kind,
        part=part_name(candidate.place),
        volume_ml=candidate.volume_ml,
        suv_max=candidate.suv_max,
        suv_mean=candidate.suv_mean,
        suv_peak=candidate.suv_peak,
        tlg=candidate.tlg,
        hottest_ras=candidate.hottest_ras,
        center_ras=candidate.center_ras,
        mask=MaskFields(**mask_to_fields(candidate.region)),
    )


def _read(path: Path) -> ReviewFields:
    if not path.is_file():
        raise InputError(f"{path.name} is not there; check the path of the review")
    if path.stat().st_size > MAX_BYTES:
        raise InputError(f"{path.name} is too large for a review; give the .json file that propose wrote")
    try:
        fields = ReviewFields.model_validate_json(path.read_bytes())
    except ValidationError as error:
        first = error.errors(include_url=False, include_context=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"]) or "its text"
        raise InputError(f"{path.name} is no review: {place}: {first['msg']}; give what propose wrote") from None
    if [each.number for each in fields.proposals] != list(range(1, len(fields.proposals) + 1)):
        raise InputError(f"{path.name} is damaged: its proposals are not numbered from 1 on; write it again")
    return fields


def _another_scan(path: Path) -> InputError:
    return InputError(f"{path.name} is a review of another scan; give the scan that its proposals were made in")
