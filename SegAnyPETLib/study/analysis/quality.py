"""What the masks of a study are worth against their references."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.evaluation.metrics import score
from SegAnyPETLib.pet.quantities import quantities
from SegAnyPETLib.pet.reading import read_scan
from SegAnyPETLib.study.analysis.non_inferiority import SHALL_AGREE, Comparison, compare_quality
from SegAnyPETLib.study.masks import mask_path, mask_sha256
from SegAnyPETLib.study.plan.folder import Study
from SegAnyPETLib.study.plan.plan import Quality, StudyCase
from SegAnyPETLib.study.times.collected import Collected, Timed
from SegAnyPETLib.volume.io import read_labels
from SegAnyPETLib.volume.volume import Volume


@dataclass(frozen=True)
class QualityRow:
    """All targets of a reading together.

    Attributes:
        reader: code.
        case: code.
        arm: code.
        values: by quantity; NaN where it is not defined, as Dice without a reference.
    """

    reader: str
    case: str
    arm: str
    values: dict[Quality, float]


def quality_rows(study: Study, collected: Collected) -> tuple[tuple[QualityRow, ...], tuple[str, ...]]:
    """Measure the masks of all readings that have a time.

    Returns:
        The rows, and of each reading without one the reason.

    Raises:
        InputError: a scan cannot be read.
    """
    rows: list[QualityRow] = []
    left: list[str] = []
    for case in study.manifest.analysed:
        readings = [one for one in collected.timed if one.planned.case == case.id]
        readings = [one for one in readings if _there(study, one, left)]
        if not readings:
            continue
        image = read_scan(study.cases_folder / case.image).volume
        reference = _reference(study, case)
        for one in readings:
            labels = read_labels(_path(study, one))
            if mask_sha256(labels.array_kji) != one.time.mask_sha256:
                left.append(f"{_name(one)}: the mask is not the one that the log tells of")
            else:
                rows.append(_row(one, image, labels, reference))
    return tuple(rows), tuple(left)


def comparisons(study: Study, rows: Sequence[QualityRow]) -> tuple[tuple[Comparison, ...], tuple[str, ...]]:
    """Compare quality between arms as the plan says; of each case the mean over its readers.

    Returns:
        The comparisons, and of each that is not possible the reason.
    """
    found: list[Comparison] = []
    left: list[str] = []
    for wanted in study.plan.quality:
        reference = _case_means(rows, study.plan.reference.name, wanted.quantity)
        for arm in study.plan.tested:
            values = _case_means(rows, arm.name, wanted.quantity)
            try:
                found.append(compare_quality(wanted.quantity, arm.name, values, reference, wanted.margin))
            except InputError as error:
                left.append(str(error))
    return tuple(found), tuple(left)


def _case_means(rows: Sequence[QualityRow], arm: str, quantity: Quality) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for row in rows:
        value = row.values[quantity]
        if row.arm == arm and math.isfinite(value):
            logs = quantity in SHALL_AGREE
            if not logs or value > 0:
                values.setdefault(row.case, []).append(math.log(value) if logs else value)
    return {case: math.fsum(found) / len(found) for case, found in values.items()}


def _there(study: Study, one: Timed, left: list[str]) -> bool:
    if _path(study, one).is_file():
        return True
    left.append(f"{_name(one)}: there is no mask")
    return False


def _path(study: Study, one: Timed) -> Path:
    return mask_path(study, one.planned.reader, one.planned.arm, one.planned.case)


def _name(one: Timed) -> str:
    return f"{one.planned.reader}, {one.planned.case}, {one.planned.arm}"


def _reference(study: Study, case: StudyCase) -> Volume | None:
    if not case.reference:
        return None
    labels = read_labels(study.cases_folder / case.reference)
    return labels.with_array(labels.array_kji > 0)


def _row(one: Timed, image: Volume, labels: Volume, reference: Volume | None) -> QualityRow:
    mask_kji = labels.array_kji > 0
    values: dict[Quality, float] = dict.fromkeys(get_args(Quality), math.nan)
    if reference is not None:
        scores = score(mask_kji, reference)
        values["dice"], values["surface_dice_2mm"], values["hd95_mm"] = scores.dice, scores.nsd_2mm, scores.hd95_mm
    values["volume_ml"] = values["tlg_g"] = 0.0
    if np.any(mask_kji):
        measured = quantities(image, mask_kji)
        values["volume_ml"], values["tlg_g"] = measured.volume_ml, measured.tlg
        values["suv_max"], values["suv_mean"] = measured.suv_max, measured.suv_mean
    return QualityRow(one.planned.reader, one.planned.case, one.planned.arm, values)
