"""``seganypet propose``: candidate lesions of a whole scan, and what somebody decides about them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import overload

from pydicom.uid import generate_uid
from tqdm import tqdm

from SegAnyPETLib import __version__
from SegAnyPETLib.commands.arguments.propose import ALL, ProposeOptions
from SegAnyPETLib.commands.common.backends import model_options, open_backend
from SegAnyPETLib.commands.common.colors import distinct_color
from SegAnyPETLib.commands.common.outputs import check_output
from SegAnyPETLib.commands.common.scans import scan_named
from SegAnyPETLib.commands.segment import OUTPUT_SUFFIXES, algorithm_of, print_notes, result_tags, source_of
from SegAnyPETLib.dicom_out.kinds import kind_of, with_segmentation
from SegAnyPETLib.dicom_out.source import SourceSeries
from SegAnyPETLib.dicom_out.target import THRESHOLDING, Algorithm, Target
from SegAnyPETLib.dicom_out.write import need_for, write_dicom
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.pet.proposals.criteria import cut_of
from SegAnyPETLib.pet.proposals.hotspots import MIN_VOLUME_ML, propose
from SegAnyPETLib.pet.proposals.liver import liver_reference
from SegAnyPETLib.pet.proposals.review import Review, State
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import PetScan
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.reports.whole_body.review_file import (
    Origin,
    ReviewFields,
    read_review,
    review_csv,
    review_fields,
    review_json,
)
from SegAnyPETLib.session.refinement import Refined, refine
from SegAnyPETLib.volume.atomic import replacing
from SegAnyPETLib.volume.segmentation import LESION_TERMINOLOGY, Segment, write_mask
from SegAnyPETLib.volume.volume import Volume

#: Proposals that are listed on the terminal.
MAX_LISTED = 30
#: Tag of a segment that was a proposal: criterion, number and score.
PROPOSAL_TAG = "SegAnyPET.Proposal"
REPORT_SUFFIXES = (".json", ".csv", ".html")


def run(options: ProposeOptions) -> None:
    """Find or read proposals, decide about them, write what is asked for.

    Raises:
        InputError: a file or a decision cannot be used, or there is nothing to propose or to write.
        SegAnyPETError: the model failed, or a file could not be written.
    """
    _check(options)
    need_for([kind_of(path) for path in options.output])
    scan = scan_named(options.pet, options.units, options.series)
    review, origin = _proposed(options, scan.volume)
    review = decided(review, options)
    fields = review_fields(review, origin, scan.volume)
    masks = with_segmentation([path for path in options.output if not _is_report(path)])
    source = source_of(scan, masks)
    if masks:
        _write_lesions(options, scan, source, review, origin, masks)
    for path in options.output:
        if _is_report(path):
            _write_report(path, fields, scan.volume)
    _tell(review, origin, fields, scan.volume.units or "SUV")
    if scan.assumed:
        print(f"assumed  {scan.assumption}")
    print_notes(scan.notes)
    print("note: the score sorts candidates by how much they look like disease; it is no diagnosis")
    print(NOTICE)


def decided(review: Review, options: ProposeOptions) -> Review:
    """Return the review after the decisions of the options: by score and kind what is open, then by number.

    Raises:
        InputError: a number or kind is not there, or a number is both accepted and rejected.
    """
    both = set(options.accept) & set(options.reject)
    if both:
        which = "all" if options.accept == ALL else f"proposal {min(both)}"
        raise InputError(f"{which} cannot be both accepted and rejected; leave out one")
    known = {proposal.kind for proposal in review.proposals}
    for kind in options.reject_kind:
        if kind not in known:
            raise InputError(f"no proposal looks like '{kind}'; there are: {', '.join(sorted(known))}")
    review = review.decide_open(lambda p: p.kind in options.reject_kind, State.REJECTED)
    below, least = options.reject_below, options.accept_from
    if below is not None:
        review = review.decide_open(lambda p: p.disease < below, State.REJECTED)
    if least is not None:
        review = review.decide_open(lambda p: p.disease >= least, State.ACCEPTED)
    by_number = ((options.accept, State.ACCEPTED), (options.reject, State.REJECTED))
    for numbers, state in sorted(by_number, key=lambda pair: pair[0] == ALL):
        review = review.decide(review.numbers(State.OPEN) if numbers == ALL else numbers, state)
    return review


def _check(options: ProposeOptions) -> None:
    for path in options.output:
        inputs = [options.pet] if options.review and path == options.review else [options.pet, options.review]
        check_output(path, (*REPORT_SUFFIXES, *OUTPUT_SUFFIXES), inputs)
    masks = [path for path in options.output if not _is_report(path)]
    if options.refine and not masks:
        raise InputError("--refine makes segments; add --output FILE.seg.nrrd, or leave it out")
    if options.min_volume_ml is not None and not 0 < options.min_volume_ml < 1e6:
        raise InputError(f"--min-volume-ml {options.min_volume_ml:g} is no volume; give one above 0, such as 0.5")


def _is_report(path: Path) -> bool:
    return path.suffix.lower() in REPORT_SUFFIXES


def _proposed(options: ProposeOptions, volume: Volume) -> tuple[Review, Origin]:
    if options.review is not None:
        return read_review(options.review, volume)
    liver = None if options.liver is None else liver_reference(volume, options.liver)
    cut = cut_of(options.criterion, liver)
    tracer = options.tracer or ("psma" if "psma" in options.criterion else "fdg")
    min_volume_ml = MIN_VOLUME_ML if options.min_volume_ml is None else options.min_volume_ml
    proposals = propose(volume, cut, tracer, min_volume_ml)
    if not proposals:
        raise InputError(
            f"no region of at least {min_volume_ml:g} ml is hot by the criterion {options.criterion} (SUV "
            f"{max(cut.floor, cut.min_max):.3g}), so there is nothing to propose; choose another criterion, as contrast"
        )
    return Review.of(proposals), Origin(options.criterion, cut.floor, tracer)


def _write_lesions(
    options: ProposeOptions,
    scan: PetScan,
    source: SourceSeries | None,
    review: Review,
    origin: Origin,
    paths: Sequence[Path],
) -> None:
    numbers = review.numbers(State.ACCEPTED)
    if not numbers:
        raise InputError(
            "nothing is accepted, and proposals are no segments until they are; add --accept 1,4-6 (or all, or "
            "--accept-from 0.9), or write the review (.json) first"
        )
    chosen = [review.proposals[n - 1].candidate for n in numbers]
    lesions = [(candidate.region, Point(candidate.hottest_ras)) for candidate in chosen]
    if options.refine:
        rejected = [Point(review.proposals[n - 1].candidate.hottest_ras) for n in review.numbers(State.REJECTED)]
        backend = open_backend(model_options(options.model))
        with tqdm(total=len(lesions), desc="refining", unit="lesion", disable=None, leave=False) as bar:
            refined = refine(scan.volume, backend, lesions, rejected, bar.update)
    else:
        refined = [Refined(None, region) for region, _ in lesions]
    for number, each in zip(numbers, refined, strict=True):
        if each.note:
            print(f"note: lesion {number} stays as proposed: {each.note}")
    segments = LesionSegments(scan, review, origin, numbers, refined)
    if source is not None:
        targets = LesionTargets(segments, scan.volume, [_algorithm(each, origin) for each in refined])
        remarks = [f"assumed: {each}" for each in scan.assumed] + [note.message for note in scan.notes]
        write_dicom(source, targets, [path for path in paths if kind_of(path)], remarks)
    for path in paths:
        if kind_of(path) is None:
            write_mask(scan.volume, segments, path)
        print(f"lesions  {path}   ({len(numbers)} accepted)")


class LesionSegments(Sequence[Segment]):
    """Accepted lesions as segments; a mask is made when it is asked for, since all at once may not fit in memory."""

    def __init__(
        self, scan: PetScan, review: Review, origin: Origin, numbers: Sequence[int], refined: Sequence[Refined]
    ) -> None:
        self._scan, self._review, self._origin = scan, review, origin
        self._numbers, self._refined = numbers, refined

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Segment: ...
    @overload
    def __getitem__(self, index: slice) -> list[Segment]: ...
    def __getitem__(self, index: int | slice) -> Segment | list[Segment]:
        if isinstance(index, slice):
            return [self._made(n) for n in range(len(self))[index]]
        return self._made(range(len(self))[index])

    def _made(self, n: int) -> Segment:
        number, refined = self._numbers[n], self._refined[n]
        score = self._review.proposals[number - 1].disease
        tags = {
            "TerminologyEntry": LESION_TERMINOLOGY,
            PROPOSAL_TAG: f"{self._origin.criterion}, proposal {number}, score {score:.2f}",
        }
        if refined.session is not None:
            tags |= result_tags(refined.session, self._scan.assumption)
        mask_kji = refined.mask.to_array(self._scan.volume.shape_kji)
        return Segment(f"Lesion {number}", mask_kji, distinct_color(n, len(self)), tags)


class LesionTargets(Sequence[Target]):
    """Accepted lesions as DICOM objects tell of them; a mask is made when it is asked for."""

    def __init__(self, segments: LesionSegments, volume: Volume, algorithms: Sequence[Algorithm]) -> None:
        self._segments = segments
        self._rest = [
            (quantities(volume, segment.mask_kji), algorithm, str(generate_uid(prefix=None)))
            for segment, algorithm in zip(segments, algorithms, strict=True)
        ]

    def __len__(self) -> int:
        return len(self._segments)

    @overload
    def __getitem__(self, index: int) -> Target: ...
    @overload
    def __getitem__(self, index: slice) -> list[Target]: ...
    def __getitem__(self, index: int | slice) -> Target | list[Target]:
        if isinstance(index, slice):
            return [self[n] for n in range(len(self))[index]]
        measured, algorithm, tracking_uid = self._rest[index]
        return Target(self._segments[index], measured, algorithm, tracking_uid=tracking_uid)


def _algorithm(refined: Refined, origin: Origin) -> Algorithm:
    if refined.session is not None:
        return algorithm_of(refined.session)
    return Algorithm(f"threshold {origin.criterion}", "", "cpu", __version__, THRESHOLDING)


def _write_report(path: Path, fields: ReviewFields, volume: Volume) -> None:
    suffix = path.suffix.lower()
    if suffix == ".html":
        from SegAnyPETLib.reports.whole_body.pages import review_page

        text = review_page(fields, volume)
    else:
        text = review_json(fields) if suffix == ".json" else review_csv(fields)
    with replacing(path, suffix) as temporary:
        temporary.write_text(text, encoding="utf-8")
    print(f"review   {path}")


def _tell(review: Review, origin: Origin, fields: ReviewFields, suv: str) -> None:
    counts = {state: len(review.numbers(state)) for state in State}
    listed = ", ".join(f"{count} {state}" for state, count in counts.items())
    print(f"criterion {origin.criterion}: {suv} {origin.floor:.3g}; {len(review.proposals)} proposals ({listed})")
    print(f"{'':>4} {'state':8} {'score':>5} {'ml':>8} {'SUVmax':>7} {'TLG':>8}  place")
    for each in fields.proposals[:MAX_LISTED]:
        print(
            f"{each.number:4} {each.state:8} {each.disease:5.2f} {each.volume_ml:8.2f} {each.suv_max:7.2f} "
            f"{each.tlg:8.1f}  {each.part}{'' if each.kind == 'lesion' else f' ({each.kind}?)'}"
        )
    if len(fields.proposals) > MAX_LISTED:
        print(f"... and {len(fields.proposals) - MAX_LISTED} more; --output FILE.csv lists all")
