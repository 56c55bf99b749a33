"""Promptable segmentation of whole-body PET.

The names in `__all__` are the public face; each is imported when it is first used. Importing this package by itself
loads neither numpy nor torch nor Slicer nor Qt.

Example:
    >>> from SegAnyPETLib import InteractiveSession, Point, load_backend, quantities, read_pet
    >>> pet = read_pet("scan")
    >>> session = InteractiveSession(pet, load_backend("lite"))
    >>> session.add_point(Point((-80.5, 15.0, -620.0)))
    >>> quantities(pet, session.mask_kji).volume_ml
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

__all__ = [
    "InputError",
    "InteractiveSession",
    "MaskPrompt",
    "Point",
    "SegAnyPETError",
    "Segment",
    "Volume",
    "__version__",
    "load_backend",
    "quantities",
    "read_labels",
    "read_pet",
    "read_segmentation",
    "write_mask",
]

#: Public name -> the module that defines it. Type checkers read ``__init__.pyi`` instead.
_HOMES = {
    "InputError": "errors",
    "InteractiveSession": "session.session",
    "MaskPrompt": "prompts",
    "Point": "prompts",
    "SegAnyPETError": "errors",
    "Segment": "volume.segmentation",
    "Volume": "volume.volume",
    "load_backend": "backend.in_process",
    "quantities": "pet.quantities",
    "read_labels": "volume.io",
    "read_pet": "pet.reading",
    "read_segmentation": "volume.segmentation",
    "write_mask": "volume.segmentation",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    """List the public names before their first use too."""
    return sorted({*globals(), *__all__})
