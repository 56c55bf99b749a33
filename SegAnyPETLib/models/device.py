"""Devices and the precisions that they compute in."""

from __future__ import annotations

import torch

from SegAnyPETLib.errors import DeviceMissing

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def checked_device(name: str) -> torch.device:
    """Return a torch device that this machine has.

    Args:
        name: "cpu", "cuda" or "mps".

    Raises:
        DeviceMissing: the machine has no such device.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(name, False):
        found = ", ".join(n for n, usable in available.items() if usable)
        raise DeviceMissing(f"the device {name!r} is not available here; available: {found}")
    return torch.device(name)


def native_bfloat16(device: torch.device) -> bool:
    """Return whether a device computes in bfloat16 natively; emulated, it is slower than float32."""
    native = {
        "cpu": torch.cpu._is_avx512_bf16_supported,  # not all supported versions have a public function for it
        "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
    }
    return device.type in native and bool(native[device.type]())
