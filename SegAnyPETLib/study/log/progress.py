"""Where a reader is in his list, from his log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from SegAnyPETLib.study.log.event import Event

#: Period, position: what a reading of a reader is called in his log.
Place = tuple[int, int]


@dataclass(frozen=True)
class Progress:
    """What a reader has done.

    Attributes:
        finished: readings that were finished, as (period, position).
        open: the reading that was begun and not finished, as a crash leaves it; None if there is none.
        targets: targets of the open reading that were finished.
    """

    finished: frozenset[Place]
    open: Place | None
    targets: tuple[str, ...]


def progress(events: Sequence[Event]) -> Progress:
    """Read where a reader is."""
    finished: set[Place] = set()
    now: Place | None = None
    targets: list[str] = []
    for event in events:
        if event.kind == "case_opened":
            place = (event.data["period"], event.data["position"])
            targets = targets if place == now else []
            now = place
        elif event.kind == "target_finished":
            targets.append(event.data["target"])
        elif event.kind == "case_finished" and now is not None:
            finished.add(now)
            now, targets = None, []
        elif event.kind == "case_abandoned":
            now, targets = None, []
    return Progress(frozenset(finished), now, tuple(targets))
