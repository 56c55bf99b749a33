"""The time between two events, and what it counts as."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from SegAnyPETLib.study.log.event import Event

#: By so much the two clocks may disagree over one gap before it is doubted.
MAX_DISAGREEMENT_MS = 2000

#: What a gap counts as.
Kind = Literal["acting", "waiting", "paused", "away", "doubtful", "between_runs"]


@dataclass(frozen=True)
class Gap:
    """The time between two successive events of a log.

    Attributes:
        before: the event at its beginning.
        after: the event at its end.
        kind: what it counts as. `waiting`: a question to the model is open; `away`: another window had the focus;
            `doubtful`: the clocks disagree, because the machine slept or its clock was set; `between_runs`: the program
            ended or crashed.
        length_s: by the monotonic clock; 0 between runs, whose clocks cannot be compared.
        clocks_differ_s: by how much the wall clock advanced more than the monotonic one.
    """

    before: Event
    after: Event
    kind: Kind
    length_s: float
    clocks_differ_s: float


def gaps(events: Sequence[Event]) -> Iterator[Gap]:
    """Yield the gaps between the events of one log.

    A question to the model that is never answered does not count as waiting.
    """
    answered = {
        (event.run, event.data["request"]) for event in events if event.kind in ("model_answered", "model_failed")
    }
    paused = away = False
    asked: set[int] = set()
    for before, after in pairwise(events):
        if before.kind in ("resumed", "case_opened"):  # each begins with a clean slate
            paused = away = False
        if before.kind in ("paused", "unpaused"):
            paused = before.kind == "paused"
        elif before.kind in ("focus_lost", "focus_gained"):
            away = before.kind == "focus_lost"
        elif before.kind == "model_asked" and (before.run, before.data["request"]) in answered:
            asked.add(before.data["request"])
        elif before.kind in ("model_answered", "model_failed"):
            asked.discard(before.data["request"])
        if before.run != after.run:
            asked.clear()
            yield Gap(before, after, "between_runs", 0.0, 0.0)
            continue
        length_ms = after.mono_ms - before.mono_ms
        differ_ms = after.wall_ms - before.wall_ms - length_ms
        kind: Kind = "paused" if paused else "away" if away else "waiting" if asked else "acting"
        if abs(differ_ms) > MAX_DISAGREEMENT_MS:
            kind = "doubtful"
        yield Gap(before, after, kind, length_ms / 1000, differ_ms / 1000)
