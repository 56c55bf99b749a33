"""The server that is fuzzed: the real one, around small engines and with caps so small that requests reach them.

``python -m Testing.fuzz.served`` serves it on a free port, which it prints.
"""

import torch

from SegAnyPETLib.backend.messages.limits import Limits
from SegAnyPETLib.backend.server.guards.bind import Address
from SegAnyPETLib.backend.server.logs import EventLog
from SegAnyPETLib.backend.server.run import Server
from SegAnyPETLib.backend.server.service import Service
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.predictor import LiteModel
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from Testing.backend.server.engines import LITE, engines, sam

TOKEN = "correct-horse-battery-staple"
LIMITS = Limits(body_bytes=128 * 1024, targets=4, points=32, windows=4, queue=8, deadline_s=20.0, body_s=0.3)

#: Room for a few windows, so that they are forgotten all the time.
CACHE_BYTES = 100_000


def service(log: EventLog | None = None) -> Service:
    """Lite and the published architecture, with random weights."""
    torch.manual_seed(2)
    lite = LiteModel(LiteNet(len(MAPS), channels=(8, 16), blocks=(1, 1)).eval(), LITE)
    return Service(engines(lite, sam(), cache_bytes=CACHE_BYTES), LIMITS, log)


if __name__ == "__main__":
    torch.set_num_threads(1)
    Server(service(), TOKEN, Address(), listening=lambda port: print(port, flush=True)).run_until_stopped()
