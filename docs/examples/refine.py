"""Correct a mask: another click, undo, redo, and a mask from elsewhere.

Research use only.
"""

# %% A first click in the largest lesion of a simulated scan.
import numpy as np

from SegAnyPETLib import InteractiveSession, Point, load_backend
from SegAnyPETLib.pet.thresholds import METHODS
from SegAnyPETLib.simulation.phantom import make_phantom

phantom = make_phantom(seed=3)
lesion = max(phantom.truth, key=lambda truth: truth.volume_ml)
session = InteractiveSession(phantom.image, load_backend("lite"))
session.add_point(Point(lesion.click_ras))
first = session.mask_kji.copy()

# %% A click that must stay outside, 40 mm to the left of the first one.
# Then take it back, and do it again.
right, anterior, superior = lesion.click_ras
session.add_point(Point((right - 40.0, anterior, superior), positive=False))
session.undo()
assert np.array_equal(session.mask_kji, first)
session.redo()

# %% A mask from elsewhere, here of a threshold: the model refines it at once.
# Further clicks go on from there.
session.add_mask(METHODS["41%"](phantom.image, Point(lesion.click_ras)))
print(f"{len(session.prompts)} prompts, {session.mask_kji.sum()} voxels")
