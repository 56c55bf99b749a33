"""Measure how good a model is after each click.

A simulated user clicks against a reference. Research use only.
"""

# %% A simulated scan; its first lesion is the reference.
from SegAnyPETLib import InteractiveSession, load_backend
from SegAnyPETLib.evaluation.metrics import dice
from SegAnyPETLib.evaluation.robot import RobotUser
from SegAnyPETLib.simulation.phantom import make_phantom

phantom = make_phantom(seed=3)
reference = phantom.lesions.with_array(phantom.lesions.array_kji == 1)
robot = RobotUser("ideal", seed=0)
session = InteractiveSession(phantom.image, load_backend("lite"))

# %% Three clicks, each where the larger error is deepest.
for click in range(1, 4):
    point = robot.next_point(reference, session.mask_kji if session.prompts else None)
    if point is None:
        break
    session.add_point(point)
    print(f"Dice after {click}: {dice(session.mask_kji, reference.array_kji):.3f}")
