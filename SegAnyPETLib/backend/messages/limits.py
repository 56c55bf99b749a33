"""What a server takes from its clients at most."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Caps; what lies beyond is refused before anything is computed.

    Attributes:
        body_bytes: of one request.
        targets: in one request.
        points: in one request, over all its targets.
        windows: whose embeddings are kept for one client; its oldest ones go first.
        queue: requests that wait; more are told to come again.
        deadline_s: no request waits or runs for longer.
        body_s: in which a request must have arrived.
    """

    body_bytes: int = 64 * 1024**2
    targets: int = 64
    points: int = 4096
    windows: int = 64
    queue: int = 64
    deadline_s: float = 120.0
    body_s: float = 60.0
