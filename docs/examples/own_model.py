"""Train a small model for two steps and click with it.

Research use only.
"""

# %% A recipe: two steps on simulated bodies, in which it learns nothing.
# Real recipes are in Resources/recipes.
import tempfile
from pathlib import Path

from SegAnyPETLib import InteractiveSession, Point, load_backend
from SegAnyPETLib.simulation.phantom import make_phantom
from SegAnyPETLib.training.recipe import Recipe
from SegAnyPETLib.training.trainer import Trainer

recipe = Recipe(name="mine", steps=2, batch=1, slots=1, size=16, analytic_bodies=1)

# %% Train, and load the weights like any other model.
with tempfile.TemporaryDirectory() as folder:
    weights = Trainer(recipe, Path(folder)).run(progress=False)
    backend = load_backend(str(weights))

phantom = make_phantom(seed=3)
session = InteractiveSession(phantom.image, backend)
session.add_point(Point(phantom.truth[0].click_ras))
print(f"{backend.spec.name}: {session.mask_kji.sum()} voxels")
