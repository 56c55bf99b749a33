"""What it costs a click that the model runs behind a server on this machine rather than in this process.

    python Testing/benchmarks/overhead.py --clicks 60
    python Testing/benchmarks/overhead.py --model published --threads 1

Both ways of every click are measured one after the other, in the same run, with the same prompts: `HttpBackend` to a
server in another process, and the same engine's bare `predict`. The model "published" has the published size and random
weights. Windows are embedded and uploaded beforehand; the first click, which uploads, is told apart.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.connection import Connection

import numpy as np

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage, mask_prompt
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.loading import load_model
from SegAnyPETLib.models.sam.predictor import untrained

TOKEN = "token-of-the-benchmark"
#: Milliseconds that are promised at most.
PROMISED_MS = 15.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=["lite", "published"], action="append")
    parser.add_argument("--clicks", type=int, default=40)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    for name in arguments.model or ["lite", "published"]:
        measure(name, arguments.clicks, arguments.threads)


def load(name: str, threads: int) -> Engine:
    return Engine.on(untrained() if name == "published" else load_model(name), threads=threads)


def serve(pipe: Connection, name: str, threads: int) -> None:
    """In another process."""
    from SegAnyPETLib.backend.server.guards.bind import Address
    from SegAnyPETLib.backend.server.run import Server
    from SegAnyPETLib.backend.server.service import Service

    server = Server(Service([load(name, threads)]), TOKEN, Address(), ready=lambda: pipe.send(server.port))
    server.run_until_stopped()


@contextmanager
def served(name: str, threads: int) -> Iterator[str]:
    context = get_context("spawn")
    mine, its = context.Pipe()
    process = context.Process(target=serve, args=(its, name, threads), daemon=True)
    process.start()
    its.close()  # so that the wait for a server that does not come ends
    try:
        yield f"http://127.0.0.1:{mine.recv()}"
    finally:
        process.kill()
        process.join()


def measure(name: str, clicks: int, threads: int) -> None:
    engine = load(name, threads)
    spec = engine.spec
    rng = np.random.default_rng(0)
    image = WindowImage.of(rng.uniform(0, 5, (spec.size,) * 3).astype(np.float32), spec.spacing_mm[0])
    engine.warm_up()
    with served(name, threads) as url, HttpBackend(url, TOKEN) as backend:
        backend.connect()
        first_s = timed(lambda: backend.predict(image, prompts(rng, spec, None)))[1]
        bare_first_s = timed(lambda: ask(engine, image, prompts(rng, spec, None)))[1]
        bare_ms, http_ms, previous_logits = [], [], None
        for _ in range(clicks):
            targets = prompts(rng, spec, previous_logits)
            bare_ms.append(1e3 * timed(lambda targets=targets: ask(engine, image, targets))[1])
            (answer,), seconds = timed(lambda targets=targets: backend.predict(image, targets))
            http_ms.append(1e3 * seconds)
            previous_logits = answer.previous_logits
    overheads = [h - b for h, b in zip(http_ms, bare_ms, strict=True)]
    bare, http = statistics.median(bare_ms), statistics.median(http_ms)
    overhead = statistics.median(overheads)
    print(f"{name}: {spec.size} voxels per side, {engine.precision}, {threads} threads, {clicks} clicks")
    print(
        f"  first click      {1e3 * bare_first_s:8.1f} ms bare, {1e3 * first_s:8.1f} ms through the server, with upload"
    )
    print(
        f"  later clicks     {bare:8.1f} ms bare, {http:8.1f} ms through the server, medians; ratio {http / bare:.3f}"
    )
    print(
        f"  overhead a click {overhead:8.1f} ms in the median, 90 % below {np.percentile(overheads, 90):.1f} ms; "
        f"promised: {PROMISED_MS:g} ms, {'kept' if overhead <= PROMISED_MS else 'NOT KEPT'}"
    )


def prompts(rng: np.random.Generator, spec, previous_logits) -> list[TargetPrompts]:
    """Three points, and what the model wants to see again or else a mask."""
    points = rng.uniform(0, spec.size, (3, 3)).astype(np.float32)
    mask = None
    if previous_logits is None:
        occupancy = np.zeros((spec.size,) * 3, np.float32)
        third = spec.size // 3
        occupancy[third : 2 * third, third : 2 * third, third : 2 * third] = 1
        mask = mask_prompt(occupancy)
    return [TargetPrompts(points, np.array([True, True, False]), mask, previous_logits)]


def ask(engine: Engine, image: WindowImage, targets: list[TargetPrompts]) -> None:
    """The bare engine: no message, no thread, and no answer made ready to travel."""
    known = engine.knows(image.sha256)
    engine.predict(None if known else image.array_kji, image.spacing_mm, image.sha256, targets)


def timed(work: Callable[[], object]) -> tuple:
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


if __name__ == "__main__":
    main()
