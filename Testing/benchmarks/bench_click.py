"""What a click costs on a long whole-body scan: time and memory of one process, as a table.

Run with ``make bench``. The volume has 400 x 400 x 326 voxels of 2.04 x 2.04 x 3 mm; a warm body with lesions of 6 to
40 mm radius, clicked with two threads. The aims stand beside the figures; nothing fails when they are missed.
"""

from __future__ import annotations

import argparse
import platform
import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

SHAPE_KJI = (326, 400, 400)
SPACING_MM = (2.04, 2.04, 3.0)

#: Centres in voxels (k, j, i) and radii in mm of the lesions.
LESIONS = (((60, 200, 160), 40.0), ((150, 210, 240), 20.0), ((220, 190, 180), 10.0), ((270, 200, 200), 6.0))

AIMS = {"first click": "2 s", "later clicks, median": "1 s", "peak memory": "2 GB"}


def timed(action: Callable[[], T]) -> tuple[T, float]:
    """An action's result and its seconds."""
    start = time.perf_counter()
    result = action()
    return result, time.perf_counter() - start


def peak_mb() -> float:
    """Largest resident memory of this process so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=2, help="CPU threads (default: 2)")
    parser.add_argument("--model", default="lite", help="a bundled model or a .safetensors file (default: lite)")
    parser.add_argument("--clicks", type=int, default=5, help="clicks per lesion (default: 5)")
    arguments = parser.parse_args()

    (np, load_backend, session_class, point_class, volume_class), import_s = timed(imports)
    backend, load_s = timed(lambda: load_backend(arguments.model, device="cpu", threads=arguments.threads))
    volume = make_volume(np, volume_class)
    volume_mb = peak_mb()

    first_s, later_s, paste_s = [], [], []
    rng = np.random.default_rng(0)
    for center_kji, radius_mm in LESIONS:
        session = session_class(volume, backend)
        for n in range(arguments.clicks):
            # The middle first, then inside and outside of the rim by turns.
            direction = rng.normal(size=3)
            reach_mm = 0.0 if n == 0 else radius_mm * (0.7 if n % 2 else 1.5)
            offset_mm = direction / np.linalg.norm(direction) * reach_mm
            center_ras = volume.point_ras(center_kji)
            point = point_class(tuple(center_ras + offset_mm), positive=n % 2 == 1 or n == 0)
            step, seconds = timed(lambda session=session, point=point: session.add_point(point))
            (later_s if n else first_s).append(seconds)
        logits = rng.normal(size=(step.window.size,) * 3).astype(np.float32)
        paste_s.append(timed(lambda window=step.window, logits=logits: window.paste(logits, volume))[1])

    rows = [
        ("import", f"{import_s:.2f} s"),
        ("load the model and torch", f"{load_s:.2f} s"),
        ("first click", f"{max(first_s):.2f} s"),
        ("later clicks, median", f"{statistics.median(later_s):.2f} s"),
        ("later clicks, slowest", f"{max(later_s):.2f} s"),
        ("paste back a full window", f"{statistics.median(paste_s):.3f} s"),
        ("memory with the volume", f"{volume_mb:.0f} MB"),
        ("peak memory", f"{peak_mb():.0f} MB"),
    ]
    print(f"{' x '.join(map(str, SHAPE_KJI[::-1]))} voxels, {arguments.threads} threads, {platform.machine()}")
    for name, text in rows:
        aim = f"   (aim: at most {AIMS[name]})" if name in AIMS else ""
        print(f"  {name:26} {text:>9}{aim}")


def imports() -> tuple[Any, ...]:
    """The names that the benchmark needs, imported within so that the import can be timed."""
    import numpy as np

    from SegAnyPETLib.backend.in_process import load_backend
    from SegAnyPETLib.prompts import Point
    from SegAnyPETLib.session.session import InteractiveSession
    from SegAnyPETLib.volume.volume import Volume

    return np, load_backend, InteractiveSession, Point, Volume


def make_volume(np: Any, volume_class: Any) -> Any:
    """The body and its lesions, made slice by slice so that the making does not show in the peak memory."""
    rng = np.random.default_rng(0)
    k_mm, j_mm, i_mm = (np.arange(n) * s for n, s in zip(SHAPE_KJI, SPACING_MM[::-1], strict=True))
    array = np.empty(SHAPE_KJI, np.float32)
    body = ((j_mm[:, None] - 408) / 130) ** 2 + ((i_mm - 408) / 200) ** 2 < 1
    for k, plane in enumerate(array):
        plane[:] = body * (1.0 + 0.2 * rng.standard_normal(body.shape, dtype=np.float32))
        for (ck, cj, ci), radius_mm in LESIONS:
            distance2 = (j_mm[:, None] - j_mm[cj]) ** 2 + (i_mm - i_mm[ci]) ** 2 + (k_mm[k] - k_mm[ck]) ** 2
            plane[distance2 < radius_mm**2] += 6.0
        np.maximum(plane, 0, out=plane)
    return volume_class(array, np.diag([*SPACING_MM, 1.0]), "SUVbw")


if __name__ == "__main__":
    main()
