"""Install what the model needs beside Slicer: only if the user agrees, and without changing what Slicer ships."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from subprocess import CalledProcessError

import slicer
import slicer.util
from slicer.i18n import tr as _

from SegAnyPETLib.errors import InputError, SegAnyPETError
from SegAnyPETPanel.model.packages import TORCH, Lack, constraintLines, missing, missingToFetch

#: pip reads a constraints file named here too; the PyTorch extension takes none as an argument.
PIP_CONSTRAINT = "PIP_CONSTRAINT"


def ensure(location: str) -> None:
    """Install what a location lacks, after asking. Only for the GUI thread; installers process GUI events meanwhile.

    Raises:
        SegAnyPETError: the user refused, the installation failed, the PyTorch extension is missing, or another version
            of PyTorch is installed.
    """
    _install(missing(location))
    _checkNone(missing(location))


def ensureToFetch() -> None:
    """Install what fetching and checking weights lacks; as `ensure`."""
    _install(missingToFetch())
    _checkNone(missingToFetch())


def _install(lacking: Sequence[Lack]) -> None:
    torch = [lack for lack in lacking if lack.requirement is TORCH]
    others = [lack for lack in lacking if lack.requirement is not TORCH]
    if torch:
        with _constraints() as constraints, _failures(torch):
            _installTorch(torch[0], constraints)
    if others:
        with _constraints() as constraints, _failures(others):  # torch is there now, and is constrained too
            _installOthers(others, constraints)
    importlib.invalidate_caches()


def _checkNone(lacking: Sequence[Lack]) -> None:
    if lacking:
        names = ", ".join(map(str, lacking))
        raise SegAnyPETError(_("Still missing: {names}. Restart Slicer and try again.").format(names=names))


def _installTorch(lack: Lack, constraints: Path) -> None:
    if lack.version is not None:
        raise InputError(
            _(
                "PyTorch {version} is installed, and SegAnyPET needs {wanted}. Other extensions may use it, so it was "
                "left: replace it in the module PyTorch Utils, and restart Slicer."
            ).format(version=lack.version, wanted=TORCH.specifier)
        )
    try:
        import PyTorchUtils
    except ImportError:
        raise InputError(
            _("PyTorch is not installed. Install the extension PyTorch with Slicer's Extensions Manager, and restart.")
        ) from None
    logic = PyTorchUtils.PyTorchUtilsLogic()
    with _environment(PIP_CONSTRAINT, constraints.as_uri()):  # a path with spaces would be taken for two files
        torch = logic.installTorch(askConfirmation=True, torchVersionRequirement=str(TORCH.specifier))
    if torch is None:
        raise SegAnyPETError(_("PyTorch was not installed, so the model cannot run on this computer."))


def _installOthers(lacking: Sequence[Lack], constraints: Path) -> None:
    question = _("SegAnyPET needs further Python packages to ask a model: {names}. Install them now?").format(
        names=", ".join(map(str, lacking))
    )
    if not slicer.util.confirmOkCancelDisplay(question):
        raise SegAnyPETError(_("The packages were not installed, so the model cannot be asked."))
    wanted = [lack.requirement for lack in lacking]
    try:
        from slicer.packaging import pip_ensure
    except ImportError:  # Slicer 5.10
        quoted = " ".join(f'"{requirement}"' for requirement in wanted)
        slicer.util.pip_install(f'{quoted} -c "{constraints.as_posix()}"')
        return
    pip_ensure(wanted, constraints=constraints, prompt_install=False, requester="SegAnyPET")


@contextmanager
def _constraints() -> Iterator[Path]:
    """Write the constraints file, for as long as this block lasts."""
    with tempfile.TemporaryDirectory(prefix="SegAnyPET") as folder:
        path = Path(folder) / "constraints.txt"
        path.write_text("\n".join(constraintLines()) + "\n")
        yield path


@contextmanager
def _failures(lacking: Sequence[Lack]) -> Iterator[None]:
    """Turn what installers raise into one sentence; pip's own words are in Slicer's Python console."""
    try:
        yield
    except (CalledProcessError, RuntimeError, ImportError, OSError) as error:
        names = ", ".join(map(str, lacking))
        raise SegAnyPETError(
            _(
                "The installation of {names} failed. Check the network; behind a proxy set HTTPS_PROXY, and without a "
                "network set PIP_NO_INDEX=1 and PIP_FIND_LINKS to a folder with the wheels; then restart Slicer."
            ).format(names=names)
        ) from error


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
