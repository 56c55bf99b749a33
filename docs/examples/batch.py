"""One mask and one row of quantities for every lesion of a scan.

Research use only.
"""

# %% A simulated scan with six lesions and a click in each.
from SegAnyPETLib import InteractiveSession, Point, load_backend, quantities
from SegAnyPETLib.simulation.phantom import make_phantom

phantom = make_phantom(seed=4)
backend = load_backend("lite")

# %% A session per target: they know nothing of one another.
for truth in phantom.truth:
    session = InteractiveSession(phantom.image, backend)
    session.add_point(Point(truth.click_ras))
    measured = quantities(phantom.image, session.mask_kji)
    print(f"lesion {truth.label}: {measured.volume_ml:6.1f} ml, SUVmax {measured.suv_max:5.1f}")
