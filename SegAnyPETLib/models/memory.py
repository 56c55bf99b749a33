"""Detect and handle a device whose memory does not suffice."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

T = TypeVar("T")

#: Messages of torch's CPU and MPS allocators and of CUDA's libraries; only CUDA's allocator has an exception type.
_MESSAGES = ("out of memory", "can't allocate memory", "not enough memory", "status_alloc_failed")


def attempt(work: Callable[[], T]) -> T | None:
    """Return the result of some work, or None if the memory did not suffice.

    The exception is dropped before this returns: as long as it lives, so do the tensors of the work that failed.
    """
    try:
        return work()
    except (RuntimeError, MemoryError) as error:
        if not _is_out_of_memory(error):
            raise
    return None


def give_back(device: torch.device) -> None:
    """Return the memory that torch holds in reserve to the device."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def _is_out_of_memory(error: Exception) -> bool:
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    return any(message in str(error).lower() for message in _MESSAGES)
