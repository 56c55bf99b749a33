"""Click a lesion of a scan and print its quantities. Research use only."""

# %% A scan: a DICOM folder or a file. This one is simulated; it belongs to nobody.
import sys

from SegAnyPETLib import InteractiveSession, Point, load_backend, quantities, read_pet
from SegAnyPETLib.simulation.phantom import make_phantom

if len(sys.argv) == 5:
    pet, click = read_pet(sys.argv[1]), Point(tuple(float(c) for c in sys.argv[2:]))
else:
    phantom = make_phantom(seed=3)
    pet, click = phantom.image, Point(phantom.truth[0].click_ras)  # RAS mm

# %% One click, then its mask on the scan's grid.
session = InteractiveSession(pet, load_backend("lite"))
step = session.add_point(click)
print(f"{session.mask_kji.sum()} voxels; expected Dice {step.quality:.2f}")
print(quantities(pet, session.mask_kji))
