"""Limits for the requests of clients."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Limits; a request beyond them is refused before anything is computed.

    Attributes:
        body_bytes: size of one request.
        targets: number of targets in one request.
        points: number of points in one request, over all its targets.
        windows: number of windows whose embeddings are kept for one client; the least recently used are dropped first.
        queue: number of requests that wait; more are refused as busy.
        deadline_s: seconds that a request may wait and run.
        body_s: seconds in which the body of a request must have arrived.
    """

    body_bytes: int = 64 * 1024**2
    targets: int = 64
    points: int = 4096
    windows: int = 64
    queue: int = 64
    deadline_s: float = 120.0
    body_s: float = 60.0
