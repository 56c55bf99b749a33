"""What may be written into a log: kinds of events and their fields.

Every field is a number, a truth value, a checksum or a code; there is no field for text, so no name of a patient, no
path and no note can get into a log.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from SegAnyPETLib.errors import InputError

#: Version of the form of a log.
VERSION = 1

Check = Callable[[Any], bool]

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.+-]{0,63}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def is_number(value: object) -> bool:
    """Say whether it is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def is_count(value: object) -> bool:
    """Say whether it is a whole number, zero or more."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_code(value: object) -> bool:
    """Say whether it is a code: letters, digits and a few marks, no spaces."""
    return isinstance(value, str) and _CODE.fullmatch(value) is not None


def is_sha256(value: object) -> bool:
    """Say whether it is a SHA-256 in hexadecimal digits."""
    return isinstance(value, str) and _SHA256.fullmatch(value) is not None


def is_flag(value: object) -> bool:
    """Say whether it is a truth value."""
    return isinstance(value, bool)


def is_point(value: object) -> bool:
    """Say whether it is a point, RAS mm."""
    return isinstance(value, list | tuple) and len(value) == 3 and all(is_number(part) for part in value)


_READING: dict[str, Check] = {
    "case": is_code,
    "arm": is_code,
    "period": is_count,
    "position": is_count,
    "training": is_flag,
}
_TARGET: dict[str, Check] = {"target": is_code}
_POINT: dict[str, Check] = {**_TARGET, "point_ras": is_point, "positive": is_flag}

#: Kind of event: its fields, all of which it has.
KINDS: dict[str, dict[str, Check]] = {
    "log_opened": {"plan_sha256": is_sha256, "software": is_code},
    "resumed": {"crashed": is_flag, "torn_bytes": is_count},
    "log_closed": {},
    "case_opened": _READING,
    "case_finished": {"case": is_code, "mask_sha256": is_sha256},
    "case_abandoned": {"case": is_code},
    "target_begun": _TARGET,
    "target_finished": {**_TARGET, "mask_sha256": is_sha256, "volume_ml": is_number},
    "view_moved": {"view": is_code},
    "point_placed": _POINT,
    "point_moved": _POINT,
    "point_removed": _TARGET,
    "model_asked": {"request": is_count},
    "model_answered": {"request": is_count, "latency_ms": is_number},
    "model_failed": {"request": is_count},
    "alternative_chosen": {**_TARGET, "number": is_count},
    "effect_active": {"effect": is_code},
    "stroke": {**_TARGET, "effect": is_code},
    "undo": _TARGET,
    "redo": _TARGET,
    "note_written": {"characters": is_count},
    "paused": {},
    "unpaused": {},
    "focus_lost": {},
    "focus_gained": {},
}

#: Acts of the reader's hand on a target.
INTERACTIONS = (
    "point_placed",
    "point_moved",
    "point_removed",
    "alternative_chosen",
    "stroke",
    "undo",
    "redo",
)


def check_event(kind: str, data: Mapping[str, Any]) -> None:
    """Refuse what has no place in a log.

    Raises:
        InputError: the kind is not known, or a field is missing, not known or of another kind.
    """
    if kind not in KINDS:
        raise InputError(f"there is no event {kind!r} in a log of version {VERSION}; use one of its kinds")
    fields = KINDS[kind]
    if set(data) != set(fields):
        raise InputError(f"the event {kind} has the fields {', '.join(fields) or 'none'}; give these and no others")
    for name, check in fields.items():
        if not check(data[name]):
            raise InputError(
                f"the event {kind}: {name} must be what {check.__name__[3:]} means here; codes hold no text"
            )
