"""Many clients at a server at the same time: how many answers, how soon, whether all are right and none waits in vain.

    python Testing/benchmarks/load.py
    python Testing/benchmarks/load.py --clients 16 --seconds 60 --threads 2
    python Testing/benchmarks/load.py --pause 2

Starts `seganypet serve` on this machine. Every client has its own scan, clicks through whole sessions with
corrections, one after the other, and compares each answer bit for bit with the one that the same model gave in this
process before. Without `--pause` clients click again at once, as no user can: then the time of an answer is mostly
that of waiting for the others. Clients and server share the machine's cores.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.backend.in_process import InProcessBackend, load_backend
from SegAnyPETLib.backend.messages.requests import PredictRequest, pack_predictions, pack_request
from SegAnyPETLib.backend.protocol import Backend, Prediction, TargetPrompts, WindowImage
from SegAnyPETLib.errors import SegAnyPETError
from SegAnyPETLib.prompts import Point
from SegAnyPETLib.session.session import InteractiveSession
from SegAnyPETLib.volume.volume import Volume

#: Of the scans of the clients; the clicks of a session after the first are corrections.
SIDE, SPACING_MM, LESIONS, CLICKS = 72, 4.0, 3, 4


@dataclass(frozen=True)
class Script:
    """A scan and what is clicked in it, lesion by lesion."""

    pet: Volume
    targets: tuple[tuple[Point, ...], ...]


@dataclass
class Tally:
    """What one client met."""

    seconds: list[float] = field(default_factory=list)
    sessions: int = 0
    wrong: int = 0
    failures: list[str] = field(default_factory=list)


class Stop(Exception):
    """The time is over."""


class Recorder:
    """A backend that remembers every answer.

    Args:
        backend: gives them.
    """

    def __init__(self, backend: InProcessBackend) -> None:
        self._backend = backend
        self.answers: dict[bytes, bytes] = {}

    @property
    def spec(self):
        return self._backend.spec

    @property
    def device(self) -> str:
        return self._backend.device

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        answers = self._backend.predict(image, targets)
        self.answers[question(image, targets)] = pack_predictions(answers)
        return answers

    def cancel(self) -> None:
        self._backend.cancel()


class Comparing:
    """A backend that compares every answer with the one that is remembered, and takes the time.

    Args:
        backend: gives the answers.
        expected: those remembered, by their questions.
        tally: where it notes what it meets.
        ends_at: when it stops, on the clock of `time.monotonic`.
    """

    def __init__(self, backend: Backend, expected: dict[bytes, bytes], tally: Tally, ends_at: float) -> None:
        self._backend, self._expected, self._tally, self._ends_at = backend, expected, tally, ends_at

    @property
    def spec(self):
        return self._backend.spec

    @property
    def device(self) -> str:
        return self._backend.device

    def predict(self, image: WindowImage, targets: Sequence[TargetPrompts]) -> list[Prediction]:
        begin = time.monotonic()
        if begin > self._ends_at:
            raise Stop
        answers = self._backend.predict(image, targets)
        self._tally.seconds.append(time.monotonic() - begin)
        self._tally.wrong += self._expected.get(question(image, targets)) != pack_predictions(answers)
        return answers

    def cancel(self) -> None:
        self._backend.cancel()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--threads", type=int, default=2, help="of the server")
    parser.add_argument("--pause", type=float, default=0.0, help="seconds before each click")
    parser.add_argument("--model", default="lite")
    arguments = parser.parse_args()

    scripts = [script(client) for client in range(arguments.clients)]
    recorder = Recorder(load_backend(arguments.model, threads=arguments.threads))
    begin = time.monotonic()
    for one in scripts:
        play(one, recorder, 0.0)
    alone_s = (time.monotonic() - begin) / len(recorder.answers)
    token = secrets.token_urlsafe(24)
    with server(arguments, token) as url:
        tallies = run(arguments, scripts, url, token, recorder.answers)
    report(arguments, tallies, alone_s)
    if any(t.wrong or t.failures or not t.seconds for t in tallies):
        sys.exit("some client met a wrong answer, a failure, or nothing at all")


def script(client: int) -> Script:
    """A noisy scan with hot balls, and a click into each, then beside it and into it in turn."""
    rng = np.random.default_rng(client)
    grid = np.stack(np.meshgrid(*[np.arange(SIDE)] * 3, indexing="ij"), -1)
    array = rng.normal(1.0, 0.15, (SIDE,) * 3)
    targets = []
    for _ in range(LESIONS):
        center, radius = rng.integers(16, SIDE - 16, 3), rng.uniform(2, 6)
        array += rng.uniform(4, 10) * (((grid - center) ** 2).sum(-1) < radius**2)
        steps = rng.integers(-1, 2, (CLICKS, 3)) * np.array([[0], [radius * 1.5], [radius / 2], [radius * 1.5]])
        targets.append([(center + step, number % 2 == 0) for number, step in enumerate(steps)])
    pet = Volume(array.clip(0).astype(np.float32), np.diag([SPACING_MM] * 3 + [1.0]))
    clicks = (tuple(Point(tuple(pet.point_ras(np.round(k))), positive) for k, positive in t) for t in targets)
    return Script(pet, tuple(clicks))


def play(one: Script, backend: Backend, pause_s: float) -> None:
    """Click through a scan."""
    for clicks in one.targets:
        session = InteractiveSession(one.pet, backend)
        for point in clicks:
            time.sleep(pause_s)
            if point.positive or session.mask.voxels:
                session.add_point(point)


def run(
    arguments: argparse.Namespace, scripts: Sequence[Script], url: str, token: str, expected: dict[bytes, bytes]
) -> list[Tally]:
    """All clients at the same time, each on a thread and connection of its own."""
    tallies = [Tally() for _ in scripts]
    ends_at = time.monotonic() + arguments.seconds

    def client(one: Script, tally: Tally) -> None:
        with HttpBackend(url, token) as backend:
            comparing = Comparing(backend, expected, tally, ends_at)
            try:
                while True:
                    play(one, comparing, arguments.pause)
                    tally.sessions += LESIONS
            except Stop:
                pass
            except SegAnyPETError as error:
                tally.failures.append(str(error))

    threads = [threading.Thread(target=client, args=pair) for pair in zip(scripts, tallies, strict=True)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return tallies


@contextmanager
def server(arguments: argparse.Namespace, token: str) -> Iterator[str]:
    """`seganypet serve` and its address; it is told to end afterwards."""
    command = [sys.executable, "-m", "SegAnyPETLib.cli", "serve", "--port", "0", "--model", arguments.model]
    command += ["--threads", str(arguments.threads), "--log-file", os.devnull]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env=os.environ | {"SEGANYPET_TOKEN": token}
    ) as process:
        try:
            assert process.stdout is not None
            said = process.stdout.readline()
            if " at http" not in said:
                sys.exit(f"the server did not start: {said}")
            yield next(word for word in said.split() if word.startswith("http"))
        finally:
            process.terminate()


def question(image: WindowImage, targets: Sequence[TargetPrompts]) -> bytes:
    """What a model is asked, without the voxels that the checksum stands for."""
    return pack_request(PredictRequest("model", "", image.sha256, image.spacing_mm, None, tuple(targets)))


def report(arguments: argparse.Namespace, tallies: Sequence[Tally], alone_s: float) -> None:
    """Print what the clients met."""
    seconds = np.sort(np.concatenate([t.seconds for t in tallies]))
    counts = [len(t.seconds) for t in tallies]
    print(f"{arguments.clients} clients for {arguments.seconds:g} s, pause {arguments.pause:g} s")
    print(f"threads of the server   {arguments.threads:8d}")
    print(f"in this process alone   {alone_s * 1e3:8.1f} ms per answer")
    print(f"answers                 {len(seconds):8d}   {len(seconds) / arguments.seconds:.1f} per second")
    print(f"sessions                {sum(t.sessions for t in tallies):8d}")
    for name, share in (("median", 0.5), ("99th percentile", 0.99), ("longest", 1.0)):
        print(f"{name:24s}{np.quantile(seconds, share) * 1e3:8.1f} ms")
    print(f"answers per client      {min(counts):8d} to {max(counts)}")
    print(f"slowest client's median {max(np.median(t.seconds) for t in tallies) * 1e3:8.1f} ms")
    print(f"wrong answers           {sum(t.wrong for t in tallies):8d}")
    print(f"failures                {sum(len(t.failures) for t in tallies):8d}")
    for failure in sorted({f for t in tallies for f in t.failures}):
        print(f"  {failure}")


if __name__ == "__main__":
    main()
