"""Pages about a whole scan that open without a network; no identifier of a patient stands in them."""

from __future__ import annotations

from collections import Counter

from SegAnyPETLib.pet.proposals.review import State
from SegAnyPETLib.prompts import mask_from_fields
from SegAnyPETLib.reports.page import Page, Section, Table, render, svg_of
from SegAnyPETLib.reports.whole_body.projections import Mark, projections
from SegAnyPETLib.reports.whole_body.review_file import ReviewFields
from SegAnyPETLib.volume.grid import Grid
from SegAnyPETLib.volume.volume import Volume

COLORS = {State.OPEN: "#bf8700", State.ACCEPTED: "#cf222e", State.REJECTED: "#8c959f"}
COLOR_NAMES = "amber: open, red: accepted, grey: rejected"

SCORE_TEXT = (
    "The score says how much place, size, symmetry and uptake of a candidate look like disease in simulated scans. It "
    "sorts candidates and is no diagnosis; disease in or beside an organ may look like the organ."
)


def review_page(fields: ReviewFields, volume: Volume) -> str:
    """Return the page of a review: projections with the numbered candidates, and their table.

    Args:
        fields: of the review.
        volume: the scan.
    """
    grid = Grid(fields.shape_kji, fields.ijk_to_ras)
    marks = [
        Mark(str(p.number), grid.to(Grid.of(volume), mask_from_fields(p.mask.model_dump())), COLORS[p.state])
        for p in fields.proposals
    ]
    counts = Counter(p.state for p in fields.proposals)
    counted = ", ".join(f"{counts[state]} {state}" for state in State)
    rows = tuple(
        (
            f"{p.number}",
            p.state.value,
            f"{p.disease:.2f}",
            "" if p.kind == "lesion" else f"{p.kind}?",
            p.part,
            f"{p.volume_ml:.2f}",
            f"{p.suv_max:.2f}",
            f"{p.suv_peak:.2f}",
            f"{p.suv_mean:.2f}",
            f"{p.tlg:.1f}",
            ", ".join(f"{c:.0f}" for c in p.hottest_ras),
        )
        for p in fields.proposals
    )
    columns = ("number", "state", "score", "looks like", "part", "ml", "SUVmax", "SUVpeak", "SUVmean", "TLG", "R,A,S")
    criterion = f"Criterion {fields.criterion}: SUV {fields.floor:.3g}; {len(fields.proposals)} candidates ({counted})."
    return render(
        Page(
            "Candidate lesions of a whole scan",
            (
                Section(
                    "Candidates", (criterion, f"Colours: {COLOR_NAMES}."), figure=svg_of(projections(volume, marks))
                ),
                Section("Table", (SCORE_TEXT,), Table(columns, rows)),
            ),
        )
    )
