"""``seganypet bench``: what each part of a click costs on this machine."""

from __future__ import annotations

import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from SegAnyPETLib.backend.in_process import InProcessBackend, load_backend
from SegAnyPETLib.commands.arguments.bench import BenchOptions
from SegAnyPETLib.errors import InputError
from SegAnyPETLib.notice import NOTICE
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume
from SegAnyPETLib.volume.window import Window

if TYPE_CHECKING:
    from SegAnyPETLib.models.sam.speed import EncoderSpeed

T = TypeVar("T")

#: Grid and voxel size (i, j, k) of a long whole-body scan.
SHAPE_KJI = (326, 400, 400)
SPACING_MM = (2.04, 2.04, 3.0)
#: Centres in voxels (k, j, i) and radii in mm of the lesions that are clicked.
LESIONS = (((60, 200, 160), 40.0), ((150, 210, 240), 20.0), ((220, 190, 180), 10.0), ((270, 200, 200), 6.0))

Row = tuple[str, str]


def run(options: BenchOptions) -> None:
    """Measure and print.

    Raises:
        InputError: the model, device or precision is not there.
    """
    backend, loading_s = _timed(lambda: _load(options))
    engine = backend.engine
    volume = phantom()
    rows = [
        ("volume", f"{' x '.join(map(str, reversed(SHAPE_KJI)))} voxels, {volume.array_kji.nbytes / 1e6:.0f} MB"),
        ("model", f"{backend.spec.name}, sha256 {backend.spec.sha256[:12] or 'none: random weights'}"),
        ("device", f"{engine.device.type}, {engine.precision}, {engine.threads} CPU threads, {platform.machine()}"),
        ("loading", _shown(loading_s)),
        *_parts(backend, volume, options.repeats),
        *_clicks(backend, volume, options.repeats),
        ("peak memory", f"{peak_mb():.0f} MB"),
    ]
    for name, text in rows:
        print(f"{name:18} {text}")
    for name, text in _encoder(backend, options.repeats):
        print(f"{name:18} {text}")
    print(NOTICE)


def _load(options: BenchOptions) -> InProcessBackend:
    model = options.model
    if not options.random_weights:
        return load_backend(model.model, model.device or "cpu", model.threads, model.precision)
    if model.model != "lite":
        raise InputError("--random-weights stands for the published size; give it without --model")
    from SegAnyPETLib.models.engine import Engine
    from SegAnyPETLib.models.sam.predictor import untrained

    return InProcessBackend(Engine.on(untrained(), model.device or "cpu", model.threads, model.precision))


def _parts(backend: InProcessBackend, volume: Volume, repeats: int) -> Iterator[Row]:
    """Measure the parts of a click; yields their median times."""
    spec, engine = backend.spec, backend.engine
    window = Window.around(volume, volume.point_ras(LESIONS[0][0]), spec.size, max(spec.spacing_mm))
    logits = np.random.default_rng(0).normal(size=(spec.size,) * 3).astype(np.float32)

    def embed() -> object:
        engine.cache.clear()
        return engine.embed(image, window.spacing_mm, "bench").cpu()  # which waits until it is there

    image = window.sample(volume)
    engine.warm_up()
    yield "window sampling", _median(lambda: window.sample(volume), repeats)
    yield "encoding", _median(embed, repeats)
    yield "paste-back", _median(lambda: window.paste(logits, volume), repeats)


def _clicks(backend: InProcessBackend, volume: Volume, repeats: int) -> Iterator[Row]:
    """Measure whole clicks, from the point to the mask on the volume, without following the target beyond a window."""
    first_s, next_s = [], []
    for n in range(repeats):
        center_kji, radius_mm = LESIONS[n % len(LESIONS)]
        center_ras = volume.point_ras(center_kji)
        backend.engine.cache.clear()
        session = InteractiveSession(volume, backend, watch=lambda windows: False)
        first_s.append(session.add_point(Point(tuple(center_ras))).seconds)
        for share, positive in ((0.7, True), (1.5, False)):
            beside = tuple(center_ras + np.array([share * radius_mm, 0, 0]))
            next_s.append(session.add_point(Point(beside, positive)).seconds)
    for name, seconds in (("first click", first_s), ("next click", next_s)):
        yield name, f"{_shown(statistics.median(seconds))} (slowest {_shown(max(seconds))})"


def _encoder(backend: InProcessBackend, repeats: int) -> Iterator[Row]:
    """Compare the folded image encoder with its published form, in float32; yields nothing for other models."""
    from SegAnyPETLib.models.sam.predictor import SamModel
    from SegAnyPETLib.models.sam.speed import encoder_speed

    engine = backend.engine
    if not isinstance(engine.model, SamModel) or engine.precision != "fp32":
        return
    speed: EncoderSpeed = encoder_speed(engine.model.net, engine.device, repeats)
    yield "encoder, folded", f"{_shown(speed.folded_s)}, {speed.gflop:.0f} GFLOP"
    yield "encoder, plain", f"{_shown(speed.plain_s)}: the folded one is {speed.ratio:.1f} times faster"
    yield (
        "matrix ceiling",
        f"{speed.ceiling_gflops:.0f} GFLOP/s: the folded encoder reaches {speed.share_of_ceiling:.0%}",
    )


def _timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return the result of a call and the seconds that it took."""
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


def _median(work: Callable[[], object], repeats: int) -> str:
    return _shown(statistics.median(_timed(work)[1] for _ in range(repeats)))


def _shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.2f} ms"


def peak_mb() -> float:
    """Return the largest resident memory of this process so far, in MB; NaN if the system does not report it."""
    try:
        import resource
    except ImportError:  # Windows
        return float("nan")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def phantom() -> Volume:
    """Build a warm body with hot lesions, slice by slice to keep it out of the peak memory."""
    rng = np.random.default_rng(0)
    k_mm, j_mm, i_mm = (np.arange(n) * s for n, s in zip(SHAPE_KJI, SPACING_MM[::-1], strict=True))
    array = np.empty(SHAPE_KJI, np.float32)
    body = ((j_mm[:, None] - 408) / 130) ** 2 + ((i_mm - 408) / 200) ** 2 < 1
    for k, plane in enumerate(array):
        plane[:] = body * (1.0 + 0.2 * rng.standard_normal(body.shape, dtype=np.float32))
        for (ck, cj, ci), radius_mm in LESIONS:
            squared = (j_mm[:, None] - j_mm[cj]) ** 2 + (i_mm - i_mm[ci]) ** 2 + (k_mm[k] - k_mm[ck]) ** 2
            plane[squared < radius_mm**2] += 6.0
        np.maximum(plane, 0, out=plane)
    return Volume(array, np.diag([*SPACING_MM, 1.0]), "SUVbw")
