"""What HTTP over loopback costs a worker process, compared with bare frames over its pipes.

    python Testing/benchmarks/worker_transport.py --clicks 200 --starts 5

The same messages reach the same model in two processes: `WorkerBackend` (HTTP on 127.0.0.1 with a token), and the least
that pipes could do: a length and a frame through standard input, a length and a frame back, without deadline,
cancellation, crash detection or a second request at a time. Starts and clicks of both alternate in one run, and every
answer is compared bit by bit. Starts load the bundled model; clicks go to one that answers at once with a mask of 20
voxels across, so that its own time does not hide that of the way.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray

from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.messages.requests import (
    PredictRequest,
    pack_predictions,
    pack_request,
    unpack_predictions,
    unpack_request,
)
from SegAnyPETLib.backend.protocol import Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.backend.worker.backend import WorkerBackend
from SegAnyPETLib.models.engine import Engine
from SegAnyPETLib.models.promptable import ModelOutput, Prompts
from SegAnyPETLib.models.spec import ModelSpec

ROOT = Path(__file__).resolve().parents[2]
LENGTH_BYTES = 8


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clicks", type=int, default=200)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--serve", choices=["pipe", "instant-pipe", "instant-http"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve)
        return
    measure_imports(arguments.starts)
    measure_starts(arguments.starts)
    measure_clicks(arguments.clicks)


class InstantModel:
    """Answers at once, with the spec and the messages of Lite."""

    spec = ModelSpec("instant", 128, (2.0,))

    def precisions(self, device: torch.device) -> tuple[str, ...]:
        return ("fp32",)

    def to(self, device: torch.device, precision: str) -> None:
        pass

    def embed(self, image_kji: torch.Tensor, spacing_mm: float) -> torch.Tensor:
        return torch.zeros(1)

    def decode(self, embedding: torch.Tensor, spacing_mm: float, targets: Sequence[Prompts]) -> list[ModelOutput]:
        return [ModelOutput(BLOB_KJI) for _ in targets]


def blob(size: int) -> NDArray[np.float32]:
    """Logits of a ball of 20 voxels across."""
    axis = np.arange(size) - size / 2
    return (10 - np.sqrt(axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2)).astype(np.float32)


BLOB_KJI = blob(InstantModel.spec.size)


class PipeWorker:
    """A process that answers frames on its pipes, one at a time."""

    def __init__(self, served: str = "pipe") -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-P", __file__, "--serve", served],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._to, self._from = self._process.stdin, self._process.stdout
        read_frame(self._from)  # it is ready

    def predict(self, spec: ModelSpec, image: WindowImage, targets: list[TargetPrompts], upload: bool) -> list:
        request = PredictRequest(
            spec.name, spec.sha256, image.sha256, image.spacing_mm, image if upload else None, tuple(targets)
        )
        write_frame(self._to, pack_request(request))
        return unpack_predictions(read_frame(self._from), len(targets), spec.size)

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._to.close()
        self._from.close()


def serve(kind: str) -> None:
    """In the other process."""
    if kind == "instant-http":
        from SegAnyPETLib.backend.worker.main import main as worker_main

        worker_main(lambda settings: Engine.on(InstantModel(), threads=1))
    else:
        serve_pipe(Engine.load("lite", threads=1) if kind == "pipe" else Engine.on(InstantModel(), threads=1))


def serve_pipe(engine: Engine) -> None:
    from SegAnyPETLib.backend.in_process import predict_in

    stdin, stdout = sys.stdin.buffer, sys.stdout.buffer
    engine.warm_up()
    write_frame(stdout, b"")
    while True:
        asked = unpack_request(read_frame(stdin), Limits())
        answers = predict_in(engine, asked.window_sha256, asked.spacing_mm, asked.image, asked.targets)
        write_frame(stdout, pack_predictions(answers))


def write_frame(pipe: BinaryIO, frame: bytes) -> None:
    pipe.write(len(frame).to_bytes(LENGTH_BYTES, "little"))
    pipe.write(frame)
    pipe.flush()


def read_frame(pipe: BinaryIO) -> bytes:
    length = pipe.read(LENGTH_BYTES)
    if len(length) < LENGTH_BYTES:
        raise SystemExit
    return pipe.read(int.from_bytes(length, "little"))


def measure_imports(repeats: int) -> None:
    """What the server's libraries add to those of the model, each time in a new process."""
    engine = "import SegAnyPETLib.models.engine, SegAnyPETLib.models.lite.predictor"
    server = f"{engine}, SegAnyPETLib.backend.server.run"
    seconds: dict[str, list[float]] = {engine: [], server: []}
    for _ in range(repeats):
        for imports, found in seconds.items():
            found.append(timed(lambda imports=imports: run_python(imports))[1])
    bare, with_server = (statistics.median(s) for s in seconds.values())
    print(f"imports: {bare:.2f} s for the engine alone, {with_server:.2f} s with the server (medians of {repeats})")


def run_python(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"PYTHONPATH": str(ROOT)})


def measure_starts(repeats: int) -> None:
    http_s, pipe_s = [], []
    for _ in range(repeats):
        with WorkerBackend(threads=1) as worker:
            http_s.append(timed(worker.start)[1])
        pipe, seconds = timed(PipeWorker)
        pipe.close()
        pipe_s.append(seconds)
    print(
        f"start until ready: HTTP {statistics.median(http_s):.2f} s ({spread(http_s)}), "
        f"pipes {statistics.median(pipe_s):.2f} s ({spread(pipe_s)}), {repeats} starts each"
    )


def measure_clicks(clicks: int) -> None:
    pipe = PipeWorker("instant-pipe")
    with TemporaryDirectory() as folder, WorkerBackend(python=instant_python(Path(folder))) as worker:
        spec = worker.spec
        rng = np.random.default_rng(0)
        image = WindowImage.of(rng.uniform(0, 5, (spec.size,) * 3).astype(np.float32), spec.spacing_mm[0])
        image.sha256  # noqa: B018 - computed once per window, whatever carries it
        targets = prompts(rng, spec)
        first_http = 1e3 * timed(lambda: worker.predict(image, targets))[1]
        first_pipe = 1e3 * timed(lambda: pipe.predict(spec, image, targets, upload=True))[1]
        http_ms, pipe_ms = [], []
        for _ in range(clicks):
            targets = prompts(rng, spec)
            by_http, seconds = timed(lambda targets=targets: worker.predict(image, targets))
            http_ms.append(1e3 * seconds)
            by_pipe, seconds = timed(lambda targets=targets: pipe.predict(spec, image, targets, upload=False))
            pipe_ms.append(1e3 * seconds)
            assert same(by_http, by_pipe)
    pipe.close()
    difference = [h - p for h, p in zip(http_ms, pipe_ms, strict=True)]
    print(f"first click, with upload: HTTP {first_http:.1f} ms, pipes {first_pipe:.1f} ms")
    print(
        f"later clicks: HTTP {statistics.median(http_ms):.1f} ms, pipes {statistics.median(pipe_ms):.1f} ms; "
        f"HTTP adds {statistics.median(difference):.1f} ms in the median, 90 % below "
        f"{np.percentile(difference, 90):.1f} ms ({clicks} clicks)"
    )


def instant_python(folder: Path) -> str:
    """Something that starts like Python, but serves `InstantModel` as a worker."""
    starter = folder / "python"
    starter.write_text(f"#!/bin/sh\nPYTHONPATH='{ROOT}' exec '{sys.executable}' '{__file__}' --serve instant-http\n")
    starter.chmod(0o755)
    return str(starter)


def prompts(rng: np.random.Generator, spec: ModelSpec) -> list[TargetPrompts]:
    points = rng.uniform(0, spec.size, (3, 3)).astype(np.float32)
    return [TargetPrompts(points, np.array([True, True, False]))]


def same(some: list[Prediction], others: list[Prediction]) -> bool:
    return all(np.array_equal(a.logits_kji, b.logits_kji) for a, b in zip(some, others, strict=True))


def spread(seconds: list[float]) -> str:
    return f"{min(seconds):.2f} to {max(seconds):.2f}"


def timed(work: Callable[[], object]) -> tuple:
    begin = time.perf_counter()
    result = work()
    return result, time.perf_counter() - begin


if __name__ == "__main__":
    main()
