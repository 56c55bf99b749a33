"""Whether a whole image can be SUV: the activity in view against the dose, the body in view against the weight."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.pet.injection import MAX_WEIGHT_KG
from SegAnyPETLib.volume.notes import Note, NoteKind
from SegAnyPETLib.volume.volume import Volume

#: Share of the dose that is in view, decay taken into account: 0.66, 0.80 and 0.82 in three whole-body scans. More than
#: all of it cannot be, up to the calibration's error.
MAX_DOSE_SHARE = 1.1
#: Less is not in the trunk of a patient.
MIN_DOSE_SHARE = 0.02
#: Voxels above this share of the image's mean are the body: of a whole-body scan of 71 kg 60 of its litres, of a
#: phantom of 10 litres 10.2.
BODY_LEVEL = 0.3
#: The body in view weighs about 1 kg per litre; above this ratio to the patient's weight one of the two is wrong.
MAX_BODY_SHARE = 1.3
#: Mean SUV over the body in view: 0.8 in whole-body scans; less than this is not seen.
MIN_BODY_SUV = 0.15
#: About 4 of a head in FDG; more than this is not seen.
MAX_BODY_SUV = 8.0
#: A mean over the body in view that no tracer reaches, but Bq/ml exceed.
MAX_MEAN = 100.0
#: Scans with less body in view say little about its mean.
MIN_BODY_LITRES = 5.0
#: With most of a body in view its mean SUV is near the share of the dose that it holds.
WHOLE_BODY_LITRES = 25.0
MAX_WHOLE_BODY_SUV = 2.5

ASK_UNITS = "say what they are with --units"


@dataclass(frozen=True)
class Activity:
    """What an image holds in total.

    Attributes:
        total: sum of value times volume in ml (g for SUV, Bq for Bq/ml).
        body_litres: volume of the voxels that are the body.
        body_mean: mean value over them; 0 if there are none.
    """

    total: float
    body_litres: float
    body_mean: float

    def dose_share(self, weight_kg: float) -> float:
        """Return which share of the dose is in view, if the values are body-weight SUV."""
        return self.total / (1000.0 * weight_kg)


def activity_of(volume: Volume) -> Activity:
    """Sum up an image whose values are finite."""
    array = volume.array_kji
    mean = float(array.mean(dtype=np.float64))
    body = array > BODY_LEVEL * mean if mean > 0 else np.zeros(array.shape, bool)
    count = int(np.count_nonzero(body))
    body_mean = float(array.mean(dtype=np.float64, where=body)) if count else 0.0
    return Activity(mean * array.size * volume.voxel_ml, count * volume.voxel_ml / 1000.0, body_mean)


def check_suv(volume: Volume, weight_kg: float | None, source: str) -> tuple[Note, ...]:
    """Refuse SUV that would need more than the whole dose.

    Args:
        volume: values in body-weight SUV (g/ml).
        weight_kg: the patient's weight, None if it is not known; then that of the heaviest patient bounds the dose.
        source: where the factors come from, for messages.

    Returns:
        Notes if hardly any of the dose is in view, the body in view outweighs the patient, or its mean SUV is unusual.

    Raises:
        InputError: the activity in view exceeds the dose, or no body holds such a mean.
    """
    held = activity_of(volume)
    share = held.dose_share(MAX_WEIGHT_KG if weight_kg is None else weight_kg)
    if share > MAX_DOSE_SHARE or held.body_mean > MAX_MEAN:
        percent = (
            f"{100 * share:.0f} % of the dose" if share > MAX_DOSE_SHARE else f"a mean SUV of {held.body_mean:.0f}"
        )
        raise InputError(f"the scan would hold {percent}, which cannot be; check {source}")
    return (*_dose_notes(held, weight_kg, source), *_body_notes(held, weight_kg, source))


def check_unmarked(volume: Volume, name: str) -> tuple[Note, ...]:
    """Refuse the values of a file that does not say its units, if they cannot be SUV.

    Args:
        volume: values as the file holds them.
        name: of the file, for messages.

    Returns:
        Notes if the values are unusual for SUV.

    Raises:
        InputError: the values cannot be SUV of any patient.
    """
    held = activity_of(volume)
    if held.total <= 0:
        raise InputError(f"{name} is negative on the whole, which PET is not (CT?); give the PET")
    if held.body_mean > MAX_MEAN or held.dose_share(MAX_WEIGHT_KG) > MAX_DOSE_SHARE:
        raise InputError(
            f"{name} cannot be in SUV: the values of the body have a mean of {held.body_mean:.4g}; {ASK_UNITS} "
            "(bqml converts with weight, dose and times)"
        )
    return _body_notes(held, None, f"the units of {name}; {ASK_UNITS}")


def _dose_notes(held: Activity, weight_kg: float | None, source: str) -> tuple[Note, ...]:
    if weight_kg is None or held.dose_share(weight_kg) >= MIN_DOSE_SHARE:
        return ()
    percent = f"{100 * held.dose_share(weight_kg):.2g} %"
    return (
        Note(NoteKind.ACTIVITY, f"only {percent} of the dose is in view; check {source} unless it is a small part"),
    )


def _body_notes(held: Activity, weight_kg: float | None, source: str) -> tuple[Note, ...]:
    notes = []
    if weight_kg is not None and held.body_litres > MAX_BODY_SHARE * weight_kg:
        message = f"the body in view has {held.body_litres:.0f} l, too much for {weight_kg:g} kg; check the weight"
        notes.append(Note(NoteKind.BODY, message))
    whole = held.body_litres >= WHOLE_BODY_LITRES
    highest = MAX_WHOLE_BODY_SUV if whole else MAX_BODY_SUV
    if held.body_litres >= MIN_BODY_LITRES and not MIN_BODY_SUV <= held.body_mean <= highest:
        message = f"the mean SUV of the body in view would be {held.body_mean:.3g}, which is unusual; check {source}"
        notes.append(Note(NoteKind.ACTIVITY, message))
    return tuple(notes)
