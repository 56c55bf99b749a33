"""The weights of the smallest network."""

from __future__ import annotations

import pytest
from torch import Tensor

from Testing.models.sam.checkpoints import LEAST, random_net


@pytest.fixture(scope="session")
def least() -> dict[str, Tensor]:
    return dict(random_net(LEAST).state_dict())
