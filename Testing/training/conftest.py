"""A simulated body."""

import numpy as np
import pytest

from SegAnyPETLib.simulation.analytic_organs import analytic_organs
from SegAnyPETLib.simulation.anatomy import anatomy_from_organs


@pytest.fixture(scope="session")
def anatomy():
    rng = np.random.default_rng(4)
    return anatomy_from_organs(analytic_organs(rng, spacing_mm=6.0), rng)
