"""Whether this machine has what the tests with Slicer's libraries need, and what to run where it has not."""

from __future__ import annotations

import ctypes
import importlib.util
import sys

import pytest

PACKAGES = ("PySide6", "slicer", "vtk")
#: What Qt and VTK load beyond the C library; the Makefile installs the Debian packages that hold them.
SHARED_LIBRARIES = (
    "libEGL.so.1",
    "libGL.so.1",
    "libOpenGL.so.0",
    "libxkbcommon.so.0",
    "libdbus-1.so.3",
    "libfontconfig.so.1",
)
COMMAND = "make system-libraries"


def missing() -> list[str]:
    """Packages of Python and shared libraries that are not here."""
    lacking = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if sys.platform != "linux":
        return lacking
    return lacking + [name for name in SHARED_LIBRARIES if not loads(name)]


def loads(name: str) -> bool:
    """Whether a shared library can be loaded."""
    try:
        ctypes.CDLL(name)
    except OSError:
        return False
    return True


def skip_without_libraries(graphics: bool = False) -> None:
    """Skip the test with what is absent and the command that installs it.

    Args:
        graphics: OpenGL was tried and does not work.
    """
    lacking = missing() or (["off-screen OpenGL"] if graphics else [])
    if lacking:
        pytest.skip(f"needs {', '.join(lacking)}: run `{COMMAND}` as root, and install the extra [test]")
