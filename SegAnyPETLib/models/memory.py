"""What to do when a device's memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")

#: How torch's CPU and MPS allocators and CUDA's libraries say it; CUDA's allocator has an exception type.
_SAYINGS = ("out of memory", "can't allocate memory", "not enough memory", "status_alloc_failed")


def attempt(work: Callable[[], T]) -> T | None:
    """The result of some work, None where the memory did not suffice.

    The exception is dropped before this returns: as long as it lives, so do the tensors of the work that failed.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
    return None


def give_back(device: torch.device) -> None:
    """Hand the memory that torch holds in reserve back to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(saying in str(error).lower() for saying in _SAYINGS)
