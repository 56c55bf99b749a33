"""``seganypet burden``: the quantities of a patient, and the change since an earlier scan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from SegAnyPETLib import __version__
from SegAnyPETLib.commands.arguments.burden import BurdenOptions
from SegAnyPETLib.commands.common.lesion_masks import LesionMask, read_lesions
from SegAnyPETLib.commands.common.outputs import check_output
from SegAnyPETLib.commands.common.scans import scan_shown
from SegAnyPETLib.commands.segment import print_notes
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.burden.alignment import align
from SegAnyPETLib.pet.burden.change import Fate, Timepoint, changes, check_same_patient
from SegAnyPETLib.pet.burden.lesions import Lesion, measured_lesions
from SegAnyPETLib.pet.burden.methods import mtv_by_method
from SegAnyPETLib.pet.burden.patient import burden_of
from SegAnyPETLib.pet.burden.percist import measurable, response
from SegAnyPETLib.pet.proposals.frame import BodyFrame, body_frame
from SegAnyPETLib.pet.proposals.hotspots import check_suv_units
from SegAnyPETLib.pet.proposals.liver import liver_reference
from SegAnyPETLib.pet.reading import PetScan
from SegAnyPETLib.pet.suv.suv_type import SuvScale
from SegAnyPETLib.reports.whole_body.burden_file import (
    BurdenFields,
    ChangeFields,
    MadeBy,
    QuantityFields,
    ScanFields,
    burden_csv,
    burden_json,
    change_fields,
    lesion_fields,
    liver_fields,
    quantity_fields,
)
from SegAnyPETLib.volume.atomic import replacing
from SegAnyPETLib.volume.dicom.patient import same_patient
from SegAnyPETLib.volume.notes import Note

OUTPUT_SUFFIXES = (".json", ".csv", ".html")
#: Lesions that are listed on the terminal.
MAX_LISTED = 30


def run(options: BurdenOptions) -> None:
    """Measure, compare, print and write.

    Raises:
        InputError: a file cannot be used, there is no lesion, or the scans are of different patients.
        SegAnyPETError: the scans cannot be aligned, or a file could not be written.
    """
    _check(options)
    now = _Scan.read(options.pet, options.mask, options, options.series)
    if not now.lesions and options.before is None:
        raise InputError(f"{options.mask.name} has no voxel, so there is no lesion to measure; give a mask with one")
    earlier = None
    if options.before is not None and options.before_mask is not None:
        earlier = _Scan.read(options.before, options.before_mask, options, options.before_series)
    fields = _fields(options, now, earlier)
    for path in options.output:
        _write(path, fields, now)
    _tell(fields)
    print_notes([*now.scan.notes, *now.notes, *(earlier.notes if earlier else ())])
    print(NOTICE)


@dataclass(frozen=True, eq=False)
class _Scan:
    """A scan with its lesions, measured.

    Attributes:
        scan: the PET, in SUV by body weight.
        scale: how SUV is shown.
        by_weight: the lesions by their numbers, in SUV by body weight.
        made: how each was made.
        frame: landmarks of the body.
        notes: what is doubtful about the mask.
    """

    scan: PetScan
    scale: SuvScale
    by_weight: tuple[Lesion, ...]
    made: tuple[MadeBy, ...]
    frame: BodyFrame
    notes: tuple[Note, ...]

    @classmethod
    def read(cls, pet: Path, mask: Path, options: BurdenOptions, series: str) -> _Scan:
        scan, scale = scan_shown(pet, options.units, options.suv_type, series)
        check_suv_units(scan.volume)
        masks, notes = read_lesions(mask, scan)
        masks = tuple(sorted(masks, key=lambda one: -one.region.voxels))
        made = tuple(one.made for one in masks)
        return cls(scan, scale, _measured(scan, masks), made, body_frame(scan.volume), notes)

    @property
    def lesions(self) -> tuple[Lesion, ...]:
        """The lesions as they are shown."""
        return tuple(lesion.times(self.scale.per_body_weight) for lesion in self.by_weight)

    @property
    def timepoint(self) -> Timepoint:
        """The scan as it is compared."""
        return Timepoint(self.scan.volume, self.lesions)

    def quantities(self) -> QuantityFields:
        """Measure all lesions together."""
        if not self.lesions:
            return NO_DISEASE
        return quantity_fields(burden_of(self.lesions, self.frame), mtv_by_method(self.scan.volume, self.by_weight))


#: What a scan without a lesion has.
NO_DISEASE = QuantityFields(
    lesions=0,
    mtv_ml=0,
    tlg=0,
    suv_max=0,
    suv_mean=0,
    suv_peak=0,
    suv_peak_local=0,
    dmax_mm=0,
    spread_mm=0,
    largest_ml=0,
    parts=(),
    mtv_ml_by_method={},
)


def _measured(scan: PetScan, masks: tuple[LesionMask, ...]) -> tuple[Lesion, ...]:
    if not masks:
        return ()
    return measured_lesions(scan.volume, [one.region for one in masks], [one.name for one in masks])


def _check(options: BurdenOptions) -> None:
    if (options.before is None) != (options.before_mask is None):
        raise InputError("a change needs --before and --before-mask; give both")
    if options.before_series and options.before is None:
        raise InputError("--before-series is about an earlier scan; give --before and --before-mask, or leave it out")
    if options.force and options.before is None:
        raise InputError("--force is about an earlier scan; give --before and --before-mask, or leave it out")
    for path in options.output:
        check_output(path, OUTPUT_SUFFIXES, [options.pet, options.mask, options.before, options.before_mask])


def _fields(options: BurdenOptions, now: _Scan, earlier: _Scan | None) -> BurdenFields:
    volume = now.scan.volume
    liver = None if options.liver is None else liver_reference(volume, options.liver).times(now.scale.per_body_weight)
    i, j, k = (float(step) for step in volume.spacing_mm)
    notes = (*now.scan.notes, *now.notes)
    return BurdenFields(
        program_version=__version__,
        scan=ScanFields(
            shape_kji=volume.shape_kji,
            spacing_mm=(i, j, k),
            units=now.scale.name,
            assumed=now.scan.assumed,
            notes=tuple(note.message for note in notes),
        ),
        quantities=now.quantities(),
        liver=None if liver is None else liver_fields(liver, len(measurable(now.lesions, liver))),
        lesions=tuple(
            lesion_fields(lesion, now.frame, liver, made) for lesion, made in zip(now.lesions, now.made, strict=True)
        ),
        change=None if earlier is None else _change(earlier, now, options.force),
    )


def _change(earlier: _Scan, now: _Scan, force: bool) -> ChangeFields:
    if not earlier.lesions:
        raise InputError("the mask of the earlier scan has no voxel, so there is no change to measure; check it")
    files = (*earlier.scan.files[:1], *now.scan.files[:1])
    if len(files) == 2 and not force and same_patient(*files) is False:
        raise InputError("the two scans are of different patients, by their Patient ID; check them, or add --force")
    alignment = align(earlier.scan.volume, now.scan.volume)
    if not force:
        check_same_patient(alignment)
    found = changes(earlier.timepoint, now.timepoint, alignment)
    new = sum(len(change.after) for change in found if change.fate is Fate.NEW)
    suggested = response(earlier.lesions, now.lesions, new)
    return change_fields(earlier.quantities(), found, suggested, alignment.overlap)


def _write(path: Path, fields: BurdenFields, now: _Scan) -> None:
    suffix = path.suffix.lower()
    if suffix == ".html":
        from SegAnyPETLib.reports.whole_body.burden_page import burden_page

        text = burden_page(fields, now.scan.volume, now.lesions)
    else:
        text = burden_json(fields) if suffix == ".json" else burden_csv(fields)
    with replacing(path, suffix) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(f"written  {path}")


def _tell(fields: BurdenFields) -> None:
    whole = fields.quantities
    rows = [
        ("lesions", f"{whole.lesions}"),
        ("SUV", fields.scan.units),
        ("MTV", f"{whole.mtv_ml:.2f} ml"),
        ("TLG", f"{whole.tlg:.1f} g"),
        ("SUVmax", f"{whole.suv_max:.2f}"),
        ("SUVmean", f"{whole.suv_mean:.2f}"),
        ("SUVpeak", f"{whole.suv_peak:.2f} (at the hottest voxel {whole.suv_peak_local:.2f})"),
        ("Dmax", f"{whole.dmax_mm / 10:.1f} cm"),
        ("spread", f"{whole.spread_mm / 10:.1f} cm"),
    ]
    rows += [(f"in {part.name}", f"{part.lesions}, {part.mtv_ml:.2f} ml, TLG {part.tlg:.1f} g") for part in whole.parts]
    rows += [(f"MTV by {name}", f"{volume_ml:.2f} ml") for name, volume_ml in whole.mtv_ml_by_method.items()]
    if fields.liver is not None:
        least, count = fields.liver.percist_minimum, fields.liver.measurable
        rows.append(("measurable", f"{count} of {whole.lesions} (SUVpeak of at least {least:.2f}, PERCIST)"))
    if fields.scan.assumed:
        rows.append(("assumed", "; ".join(fields.scan.assumed)))
    for name, text in rows:
        print(f"{name:16} {text}")
    for lesion in fields.lesions[:MAX_LISTED]:
        name = f" {lesion.name}" if lesion.name else ""
        print(
            f"{lesion.number:4}{name}: {lesion.volume_ml:.2f} ml, SUVmax {lesion.suv_max:.2f}, "
            f"SUVpeak {lesion.suv_peak:.2f}, TLG {lesion.tlg:.1f} g, {lesion.part}"
        )
    if len(fields.lesions) > MAX_LISTED:
        print(f"... and {len(fields.lesions) - MAX_LISTED} more; --output FILE.csv lists all")
    if fields.change is not None:
        _tell_change(fields.change, whole, fields.scan.units)


def _tell_change(change: ChangeFields, now: QuantityFields, suv: str) -> None:
    before = change.before
    print(f"{'change':16} MTV {before.mtv_ml:.2f} to {now.mtv_ml:.2f} ml, TLG {before.tlg:.1f} to {now.tlg:.1f} g")
    counts = {fate: sum(one.fate is fate for one in change.lesions) for fate in Fate}
    print(f"{'fates':16} {', '.join(f'{count} {fate}' for fate, count in counts.items())}")
    print(f"{'PERCIST':16} {change.percist_suggestion} ({change.percist_reason}); a research suggestion from {suv}")
