"""Fixtures and settings for all tests."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# Processes that share the tests (pytest -n) compute on one thread each, and so do those that they start. numpy, torch
# and SimpleITK read this when they are imported.
if "PYTEST_XDIST_WORKER" in os.environ:
    for setting in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS"):
        os.environ.setdefault(setting, "1")

# A busy machine must not fail a test, and a test run leaves nothing behind.
settings.register_profile("project", deadline=None, database=None)
settings.load_profile("project")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests of real scans, which are large, as slow."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real scans beside the repository; tests that ask for it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real scans are not at hand (../shared/data is absent)")
    return SHARED_DATA


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of installed weights, which does not exist yet."""
    folder = tmp_path / "weights home"
    monkeypatch.setenv("SEGANYPET_HOME", str(folder))
    return folder


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest checkpoint of the published layout, of weights that no one has trained."""
    from SegAnyPETLib.models.sam.checkpoint import save_checkpoint
    from Testing.models.sam.checkpoints import LEAST, random_net

    path = tmp_path_factory.mktemp("checkpoint") / "mine.pth"
    save_checkpoint(random_net(LEAST), path)
    return path


@pytest.fixture
def small_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models whose network is that of `checkpoint`, so that it can be installed for them."""
    from SegAnyPETLib.models.weights.registry import MODELS
    from Testing.models.sam.checkpoints import LEAST

    for name, model in MODELS.items():
        if model.family == "sam":
            monkeypatch.setitem(MODELS, name, replace(model, network=LEAST))


@pytest.fixture(scope="session")
def anatomy() -> Any:
    """A simulated body of coarse voxels."""
    from SegAnyPETLib.simulation.analytic_organs import analytic_organs
    from SegAnyPETLib.simulation.anatomy import anatomy_from_organs

    rng = np.random.default_rng(4)
    return anatomy_from_organs(analytic_organs(rng, spacing_mm=6.0), rng)
