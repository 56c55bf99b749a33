"""Where the files of Resources/ are: weights, model cards, requirements."""

from __future__ import annotations

from pathlib import Path

from SegAnyPETLib.errors import SegAnyPETError

_LIBRARY = Path(__file__).resolve().parent

#: In an installed wheel the files lie inside the package, in a checkout and in a Slicer extension beside it.
_FOLDERS = (_LIBRARY / "_resources", _LIBRARY.parent / "Resources")


def resource_path(name: str) -> Path:
    """Path of a file that comes with the library.

    Args:
        name: file name relative to ``Resources/``, for example ``"lite.safetensors"``.

    Raises:
        SegAnyPETError: this installation does not have the file.
    """
    for folder in _FOLDERS:
        path = folder / name
        if path.is_file():
            return path
    raise SegAnyPETError(f"the file {name} is missing from this installation of SegAnyPET; install it again")
