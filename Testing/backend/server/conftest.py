from pathlib import Path

import pytest

from Testing.backend.server.engines import Gate


@pytest.fixture
def gate() -> Gate:
    """Lite, which stops at a click where a test asks it to."""
    return Gate()


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where a service of the tests logs."""
    return tmp_path / "log"
