"""How often a later click reaches the replica that holds its window, with several replicas on this machine.

    python Testing/benchmarks/ray_routing.py
    python Testing/benchmarks/ray_routing.py --replicas 2 --clients 4 --windows 12 --clicks 6 --pause 0
    python Testing/benchmarks/ray_routing.py --pause 2

Starts `seganypet serve --ray` on this machine. Every client uploads a window with its first click in it, and sends its
later clicks without the voxels; where the replica that gets them does not hold the window, it says so, and the client
uploads the window again, as clients do. Without pauses a later click follows the answer before it at once, as no user
can. Clients, replicas and Ray share the machine's cores.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx
import numpy as np

from SegAnyPETLib.backend.messages.frame import MEDIA_TYPE
from SegAnyPETLib.backend.messages.requests import PredictRequest, pack_request, unpack_predictions
from SegAnyPETLib.backend.protocol import TargetPrompts, WindowImage
from SegAnyPETLib.models.spec import ModelSpec

#: Later clicks that must find their window.
PROMISED = 0.95


@dataclass
class Tally:
    """What one client met: seconds of its answers, and of how many later clicks the window was unknown."""

    first_s: list[float] = field(default_factory=list)
    later_s: list[float] = field(default_factory=list)
    unknown: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--replicas", type=int, default=2)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--windows", type=int, default=10, help="of each client")
    parser.add_argument("--clicks", type=int, default=6, help="in each window")
    parser.add_argument("--pause", type=float, action="append", help="seconds before each click, on average")
    parser.add_argument("--model", default="lite")
    arguments = parser.parse_args()
    token = secrets.token_urlsafe(24)
    missed = False
    with server(arguments, token) as url:
        for pause_s in arguments.pause or [0.0, 1.0]:
            with ThreadPoolExecutor(arguments.clients) as pool:
                numbers = range(arguments.clients)
                tallies = list(pool.map(lambda n, p=pause_s: client(arguments, url, token, n, p), numbers))
            missed |= report(arguments, pause_s, tallies) < PROMISED
    if missed:
        sys.exit(f"fewer than {PROMISED:.0%} of the later clicks found their window")


def client(arguments: argparse.Namespace, url: str, token: str, number: int, pause_s: float) -> Tally:
    """Click through some windows, one after the other."""
    tally, chance, rng = Tally(), random.Random(number), np.random.default_rng([number, int(pause_s * 1000)])
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=120) as http:
        spec = ModelSpec.from_dict(http.get("/v1/models").raise_for_status().json()["models"][0])
        for _ in range(arguments.windows):
            image = WindowImage.of(rng.uniform(0, 5, (spec.size,) * 3).astype(np.float32), min(spec.spacing_mm))
            tally.first_s.append(timed(http, spec, image, upload=True)[0])
            for _ in range(arguments.clicks - 1):
                time.sleep(chance.uniform(0.5, 1.5) * pause_s)
                seconds, known = timed(http, spec, image, upload=False)
                if not known:
                    tally.unknown += 1
                    seconds += timed(http, spec, image, upload=True)[0]
                tally.later_s.append(seconds)
    return tally


def timed(http: httpx.Client, spec: ModelSpec, image: WindowImage, upload: bool) -> tuple[float, bool]:
    """Seconds of one click, and whether its window was known."""
    point = TargetPrompts(np.full((1, 3), spec.size / 2, np.float32), np.ones(1, bool))
    request = PredictRequest(
        spec.name, spec.sha256, image.sha256, image.spacing_mm, image if upload else None, (point,)
    )
    headers = {"Content-Type": MEDIA_TYPE, "serve_multiplexed_model_id": image.sha256}
    begin = time.perf_counter()
    answer = http.post("/v1/predict", content=pack_request(request), headers=headers)
    seconds = time.perf_counter() - begin
    if answer.status_code == httpx.codes.NOT_FOUND and answer.json()["error"] == "unknown_window":
        return seconds, False
    unpack_predictions(answer.raise_for_status().content, 1, spec.size)
    return seconds, True


@contextmanager
def server(arguments: argparse.Namespace, token: str) -> Iterator[str]:
    """`seganypet serve --ray` and its address; it is told to end afterwards."""
    command = [sys.executable, "-m", "SegAnyPETLib.cli", "serve", "--ray", "--replicas", str(arguments.replicas)]
    command += ["--port", "0", "--threads", "1", "--model", arguments.model]
    environment = os.environ | {"SEGANYPET_TOKEN": token}
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, text=True, env=environment, **pipes) as process:
        try:
            assert process.stdout is not None
            said = next((line for line in process.stdout if line.startswith("serving ")), "")
            if not said:
                sys.exit("the server did not start")
            yield next(word for word in said.split() if word.startswith("http"))
        finally:
            process.terminate()


def report(arguments: argparse.Namespace, pause_s: float, tallies: list[Tally]) -> float:
    """Print what the clients met; returns the share of later clicks that found their window."""
    first_s, later_s = (np.concatenate([getattr(t, name) for t in tallies]) for name in ("first_s", "later_s"))
    unknown = sum(t.unknown for t in tallies)
    share = 1 - unknown / len(later_s)
    first_ms, later_ms = np.median(first_s) * 1e3, np.median(later_s) * 1e3
    print(f"{arguments.replicas} replicas, {arguments.clients} clients, pause {pause_s:g} s")
    print(f"  {len(later_s)} later clicks, {unknown} did not find their window: {share:.1%} did")
    print(f"  median answer to a first click {first_ms:.0f} ms, later {later_ms:.0f} ms")
    return share


if __name__ == "__main__":
    main()
