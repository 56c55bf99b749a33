"""Click with a model on a server.

Start one with `seganypet serve`. Research use only.
"""

# %% The address of a server; without one, this example starts its own on this machine.
import os
import subprocess
import sys
import time

from SegAnyPETLib import InteractiveSession, Point
from SegAnyPETLib.backend.http.backend import HttpBackend
from SegAnyPETLib.errors import BackendError
from SegAnyPETLib.simulation.phantom import make_phantom

url, own = os.environ.get("SEGANYPET_SERVER"), None
if url is None:
    url = "http://127.0.0.1:8657"
    own = subprocess.Popen([sys.executable, "-m", "SegAnyPETLib.cli", "serve", "--port", "8657"])
phantom = make_phantom(seed=3)

# %% The same session as with a model in this process.
try:
    backend = HttpBackend(url, model="lite")
    for _ in range(240):
        try:
            backend.connect()
            break
        except BackendError:  # it is still starting
            time.sleep(0.5)
    session = InteractiveSession(phantom.image, backend)
    session.add_point(Point(phantom.truth[0].click_ras))
    print(f"{backend.device}: {session.mask_kji.sum()} voxels")
finally:
    if own is not None:
        own.terminate()
        own.wait()
