"""Milliseconds from the backend's answer to its mask in the scene, in the panel, and drawn in three slice views.

    python -m Testing.benchmarks.mask_to_screen [--clicks 5]

A volume of 400 x 400 x 326 voxels with other segments in it; the panel runs on doubles of Slicer's widgets, the scene
and the off-screen views are Slicer's own. Views are drawn in software where there is no graphics card.
"""

from __future__ import annotations

import argparse
import statistics
import time
from typing import Any

from Testing.benchmarks.large_panel import CENTERS_KJI, SHAPE_KJI, SPACING_MM, large_panel, ras


class Stopwatch:
    """Times of one click, in ms after the answer of the backend."""

    def __init__(self, user: Any, views: dict[str, Any]) -> None:
        self._user, self._views = user, views
        self.begun = 0.0
        self.rows: list[dict[str, float]] = []
        finish, refresh = user.panel.controller.finish, user.panel.refresh

        def timed_finish(*arguments: Any) -> Any:
            self.begun = time.perf_counter()
            written = finish(*arguments)
            self.rows.append({"mask in the scene": self._since()})
            return written

        def timed_refresh() -> None:
            refresh()
            if self.rows:
                self.rows[-1].setdefault("list and points in the panel", self._since())
                if "drawn in three views" not in self.rows[-1]:
                    for view in self._views.values():
                        view.render()
                    self.rows[-1]["drawn in three views"] = self._since()
                    begun = time.perf_counter()
                    for view in self._views.values():
                        view.interactor.GetRenderWindow().Render()
                    self.rows[-1]["(the same views drawn again)"] = 1000 * (time.perf_counter() - begun)

        user.panel.controller.finish, user.panel.refresh = timed_finish, timed_refresh

    def _since(self) -> float:
        return 1000 * (time.perf_counter() - self.begun)


def measure(clicks: int) -> list[dict[str, float]]:
    """Click on each lesion, and then again on the last one."""
    from Testing.module.held_backend import HeldBackend

    with large_panel() as (user, views):
        user.use(HeldBackend(held=False, size=64))
        watch = Stopwatch(user, views)
        for center in (*CENTERS_KJI, *([CENTERS_KJI[-1]] * clicks)):
            if len(watch.rows) < len(CENTERS_KJI):
                user.press("nextButton")
            r, a, s = ras(center)
            for view in views.values():
                view.jump_to((r, a, s))
                view.render()
            beside_mm = SPACING_MM * (len(watch.rows) % 5)
            user.panel.markups.positive.AddControlPointWorld(r + beside_mm, a, s)
            user.rest()
        return watch.rows


def main() -> None:
    """Print the median and the largest of each part."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--clicks", type=int, default=5, help="further clicks on the last lesion")
    rows = measure(parser.parse_args().clicks)
    print(f"{' x '.join(str(n) for n in SHAPE_KJI[::-1])} voxels, {len(rows)} clicks; ms after the answer")
    for part in rows[0]:
        times_ms = [row[part] for row in rows]
        print(f"{part:30} median {statistics.median(times_ms):6.1f}   largest {max(times_ms):6.1f}")


if __name__ == "__main__":
    main()
