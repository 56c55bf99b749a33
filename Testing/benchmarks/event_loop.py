"""Longest pause of Qt's event loop while the panel segments a lesion, by the place where the model runs.

    python -m Testing.benchmarks.event_loop [--clicks 4]

A timer beats every 5 ms; a pause is the time between two beats, from a click until its segment is in the list. The
volume has 400 x 400 x 326 voxels, the model is Lite on the CPU. Views are not drawn.
"""

from __future__ import annotations

import argparse
from typing import Any

from Testing.benchmarks.large_panel import CENTERS_KJI, SHAPE_KJI, large_panel, ras

PLACES = ("inside", "worker")


def longest_pauses_ms(user: Any, clicks: int) -> tuple[float, list[float]]:
    """Of the first click, which cuts its window from a volume that nobody has looked at, and of the next ones."""
    from Testing.slicer_harness.event_loop import Heartbeat

    pauses_ms = []
    for center in CENTERS_KJI[: clicks + 1]:
        user.press("nextButton")
        with Heartbeat() as heartbeat:
            user.panel.markups.positive.AddControlPointWorld(*ras(center))
            user.rest()
        pauses_ms.append(1000 * heartbeat.longest_gap_s)
    return pauses_ms[0], pauses_ms[1:]


def main() -> None:
    """Print a line for each place."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=4, help="after the first one, at most 5")
    clicks = parser.parse_args().clicks
    print(f"{' x '.join(str(n) for n in SHAPE_KJI[::-1])} voxels; longest pause of the event loop in ms")
    for place in PLACES:
        with large_panel() as (user, _):
            user.choose(place)
            user.rest()
            first, others = longest_pauses_ms(user, clicks)
        print(f"{place:8} first click {first:6.1f}   next ones {', '.join(f'{ms:.1f}' for ms in others)}")


if __name__ == "__main__":
    main()
