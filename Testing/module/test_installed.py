"""The extension as a package installs it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from Testing.slicer_harness.installed_layout import discovered_modules, install_extension
from Testing.slicer_harness.system_libraries import skip_without_libraries

ROOT = Path(__file__).resolve().parents[2]

#: What runs in a process of its own, so that nothing of the checkout has been imported.
USE = """
import sys
from pathlib import Path

folder, settings = Path(sys.argv[1]), Path(sys.argv[2])
sys.path.insert(0, str(folder))  # Slicer does so


class NoPydicom:
    # Slicer 5.10 has pydicom 2.4, which lacks what reading files needs: the panel does without.
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pydicom":
            raise ImportError("no pydicom in this process")


sys.meta_path.insert(0, NoPydicom())

import pytest

from Testing.module.conftest import ModuleUser
from Testing.slicer_harness.bootstrap import SlicerHarness
from Testing.slicer_harness.core import slicer_core

with pytest.MonkeyPatch.context() as patch:
    harness = SlicerHarness(slicer_core(), patch, settings)
    user = ModuleUser(harness, harness.load("SegAnyPET", folder))
    user.loaded.enter()
    user.add_pet()
    user.choose("inside")
    user.rest()
    user.click((12, 12, 10))
    assert user.names() == ["Lesion 1"], user.status
    assert user.mask()[12, 12, 10]
    ours = {name.partition(".")[0]: module for name, module in sys.modules.items() if name.startswith("SegAnyPET")}
    for module in ours.values():
        assert folder in Path(module.__file__).parents, module.__file__
    harness.close()
print("clicked")
"""


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The folder with the scripted modules of the installed extension."""
    folder = tmp_path / "lib" / "Slicer-5.12" / "qt-scripted-modules"
    install_extension(ROOT, folder)
    return folder


def test_slicer_finds_the_module_of_an_installed_extension(installed: Path) -> None:
    assert discovered_modules(installed) == ["SegAnyPET"]
    assert (installed / "Resources/UI/SegAnyPET.ui").is_file()
    assert (installed / "SegAnyPETLib/__init__.py").is_file()


@pytest.mark.slow
def test_the_installed_module_segments_with_its_weights_and_without_pydicom(installed: Path, tmp_path: Path) -> None:
    skip_without_libraries()
    done = subprocess.run(
        [sys.executable, "-c", USE, str(installed), str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.stdout.splitlines()[-1:] == ["clicked"], done.stderr
