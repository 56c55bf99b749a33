"""The page about the disease of a whole scan: projections, quantities, lesions, the change since an earlier scan."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from SegAnyPETLib.pet.burden.change import Fate
from SegAnyPETLib.pet.burden.lesions import Lesion
from SegAnyPETLib.reports.page import Page, Section, Table, render, svg_of
from SegAnyPETLib.reports.whole_body.burden_file import BurdenFields, ChangeFields, LesionFields, QuantityFields
from SegAnyPETLib.reports.whole_body.projections import Mark, projections
from SegAnyPETLib.volume.volume import Volume

#: Of the outlines; they tell neighbours apart and mean nothing else.
COLORS = ("#cf222e", "#0969da", "#1a7f37", "#8250df", "#bc4c00", "#bf3989")

#: Name, field of `QuantityFields`, factor, digits, unit.
QUANTITIES = (
    ("lesions", "lesions", 1.0, 0, ""),
    ("MTV", "mtv_ml", 1.0, 2, "ml"),
    ("TLG", "tlg", 1.0, 1, "g"),
    ("SUVmax", "suv_max", 1.0, 2, ""),
    ("SUVmean", "suv_mean", 1.0, 2, ""),
    ("SUVpeak, global", "suv_peak", 1.0, 2, ""),
    ("SUVpeak, local", "suv_peak_local", 1.0, 2, ""),
    ("Dmax", "dmax_mm", 0.1, 1, "cm"),
    ("spread", "spread_mm", 0.1, 1, "cm"),
    ("largest lesion", "largest_ml", 1.0, 2, "ml"),
)

METHOD_TEXT = (
    "Each lesion of the mask is segmented again by each threshold method from its hottest voxel; what lies more than "
    "15 mm outside the mask or nearer to another lesion does not count."
)
QUANTITY_TEXT = (
    "SUVpeak is the mean of a sphere of 1 ml, global: anywhere in a lesion, local: around its hottest voxel (IBSI). "
    "Dmax is the largest distance between the centres of two lesions, spread the sum over all pairs."
)
PART_TEXT = (
    "Parts of the body follow from the height above the shoulders, found in the PET alone; they are as rough as that."
)


def burden_page(fields: BurdenFields, volume: Volume, lesions: Sequence[Lesion]) -> str:
    """Return the page.

    Args:
        fields: what is measured.
        volume: the scan.
        lesions: of the scan.
    """
    marks = [Mark(str(one.number), one.region, COLORS[one.number % len(COLORS)]) for one in lesions]
    sections = [
        Section("Lesions in projection", (PART_TEXT,), figure=svg_of(projections(volume, marks))),
        Section("Quantities", (QUANTITY_TEXT,), _quantities(fields.quantities, fields.change, fields.scan.units)),
        *_change(fields.change, fields.scan.units),
        *_liver(fields),
        Section("Parts of the body", table=_parts(fields.quantities)),
        Section("MTV by method", (METHOD_TEXT,), _methods(fields.quantities)),
        Section("Lesions", table=_lesions(fields.lesions)),
        Section("What this rests on", tuple(_provenance(fields))),
    ]
    return render(Page("Disease of a whole scan", tuple(sections)))


def _quantities(now: QuantityFields, change: ChangeFields | None, suv: str) -> Table:
    rows = []
    for name, field, factor, digits, unit in QUANTITIES:
        value = factor * getattr(now, field)
        unit = suv if field.startswith("suv_") else unit
        cells = [f"{name} ({unit})" if unit else name, f"{value:.{digits}f}"]
        if change is not None:
            old = factor * getattr(change.before, field)
            cells += [f"{old:.{digits}f}", f"{100 * (value / old - 1):+.0f} %" if old else ""]
        rows.append(tuple(cells))
    return Table(("quantity", "value") + (() if change is None else ("before", "change")), tuple(rows))


def _change(change: ChangeFields | None, suv: str) -> Iterable[Section]:
    if change is None:
        return
    counts = {fate: sum(one.fate is fate for one in change.lesions) for fate in Fate}
    rows = tuple(
        (
            ", ".join(map(str, one.before)) or "-",
            ", ".join(map(str, one.after)) or "-",
            one.fate.value,
            *(f"{value:.2f}" for pair in (one.volume_ml, one.suv_peak) for value in pair),
            *(f"{value:.1f}" for value in one.tlg),
        )
        for one in change.lesions
    )
    columns = ("before", "now", "fate", "ml before", "ml now", "SUVpeak before", "now ", "TLG before", "now  ")
    texts = (
        f"PERCIST, research suggestion: {change.percist_suggestion.value} ({change.percist_reason}). PERCIST is "
        f"defined for SUL, SUVlbm, and applied to {suv} here. Whether a new lesion is disease, only a reader can say.",
        f"Lesions: {', '.join(f'{count} {fate}' for fate, count in counts.items())}. They are matched by overlap after "
        f"rigid alignment (overlap of the bodies {change.body_overlap:.2f}); grown and shrunk mean 35 % of volume and "
        "more.",
    )
    yield Section("Change", texts, Table(columns, rows))


def _liver(fields: BurdenFields) -> Iterable[Section]:
    liver = fields.liver
    if liver is None:
        return
    text = (
        f"Liver in a sphere of 3 cm: mean {liver.mean:.2f}, SD {liver.sd:.2f}. PERCIST measures lesions with a SUVpeak "
        f"of at least {liver.percist_minimum:.2f}: {liver.measurable} of {fields.quantities.lesions}."
    )
    yield Section("Measurable by PERCIST", (text,))


def _parts(now: QuantityFields) -> Table:
    rows = tuple((part.name, f"{part.lesions}", f"{part.mtv_ml:.2f}", f"{part.tlg:.1f}") for part in now.parts)
    return Table(("part", "lesions", "MTV (ml)", "TLG (g)"), rows)


def _methods(now: QuantityFields) -> Table:
    rows = (("the mask", f"{now.mtv_ml:.2f}"), *((name, f"{ml:.2f}") for name, ml in now.mtv_ml_by_method.items()))
    return Table(("method", "MTV (ml)"), rows)


def _lesions(lesions: Sequence[LesionFields]) -> Table:
    rows = tuple(
        (
            f"{one.number}",
            one.name,
            one.part,
            f"{one.volume_ml:.2f}",
            f"{one.suv_max:.2f}",
            f"{one.suv_peak:.2f}",
            f"{one.suv_mean:.2f}",
            f"{one.tlg:.1f}",
            {True: "yes", False: "no", None: ""}[one.measurable],
            ", ".join(f"{c:.0f}" for c in one.hottest_ras),
        )
        for one in lesions
    )
    columns = ("number", "segment", "part", "ml", "SUVmax", "SUVpeak", "SUVmean", "TLG", "measurable", "R,A,S")
    return Table(columns, rows)


def _provenance(fields: BurdenFields) -> Iterable[str]:
    scan = fields.scan
    size = " x ".join(str(n) for n in reversed(scan.shape_kji))
    spacing = " x ".join(f"{step:.2f}" for step in scan.spacing_mm)
    yield f"Scan: {size} voxels of {spacing} mm, {scan.units}. SegAnyPET {fields.program_version}."
    models = sorted({(one.model, one.weights_sha256) for one in fields.lesions if one.model})
    yield from (f"Masks by model {model}, weights {sha256 or 'without checksum'}." for model, sha256 in models)
    edited = [str(one.number) for one in fields.lesions if one.edited]
    unknown = sum(one.edited is None for one in fields.lesions)
    if edited:
        yield f"Edited by hand since: {', '.join(edited)}."
    if unknown:
        yield f"Of {unknown} of {len(fields.lesions)} lesions the file does not say how they were made or edited."
    yield from (f"Assumed: {each}." for each in scan.assumed)
    yield from (f"Note: {each}." for each in scan.notes)
