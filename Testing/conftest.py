"""Fixtures and settings for all tests."""

from pathlib import Path

import pytest
from hypothesis import settings

SHARED_DATA = Path(__file__).resolve().parents[2] / "shared" / "data"

# A busy machine must not fail a test, and a test run leaves nothing behind.
settings.register_profile("project", deadline=None, database=None)
settings.load_profile("project")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder with real scans beside the repository; tests that ask for it skip where it is absent."""
    if not SHARED_DATA.is_dir():
        pytest.skip("real scans are not at hand (../shared/data is absent)")
    return SHARED_DATA
