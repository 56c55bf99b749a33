"""What is absent is named, with the command that installs it."""

import re
from pathlib import Path

import pytest

from Testing.slicer_harness import system_libraries

ROOT = Path(__file__).resolve().parents[2]


def test_what_is_absent_is_named_with_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries, "PACKAGES", ("pytest", "no_such_package"))
    monkeypatch.setattr(system_libraries, "SHARED_LIBRARIES", ("libnosuch.so.9",))
    monkeypatch.setattr(system_libraries.sys, "platform", "linux")
    with pytest.raises(pytest.skip.Exception, match=r"needs no_such_package, libnosuch\.so\.9: run `make system-lib"):
        system_libraries.skip_without_libraries()


def test_nothing_absent_skips_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(system_libraries, "missing", list)
    system_libraries.skip_without_libraries()
    with pytest.raises(pytest.skip.Exception, match="off-screen OpenGL"):
        system_libraries.skip_without_libraries(graphics=True)


def test_the_command_is_in_the_makefile() -> None:
    target = system_libraries.COMMAND.removeprefix("make ")
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)
