"""Runs SegAnyPET-Lite on a device."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.network import LiteNet
from SegAnyPETLib.models.lite.prompt_maps import PromptBatch, encode
from SegAnyPETLib.models.lite.weights import load_weights
from SegAnyPETLib.models.spec import ModelSpec
from SegAnyPETLib.resources import resource_path

#: Names of the bundled models and their weights in Resources/.
BUNDLED = {"lite": "lite.safetensors"}


class Engine:
    """A network on a device.

    Args:
        net: the network, in evaluation mode.
        spec: its specification.
        device: where it runs; the caller has made sure that it is there.

    Attributes:
        precision: "bf16" or "fp32", whichever is faster on the device.
    """

    def __init__(self, net: LiteNet, spec: ModelSpec, device: torch.device) -> None:
        self.net = net.to(device)
        self.spec = spec
        self.device = device
        self.precision = fastest_precision(device)

    @classmethod
    def load(cls, model: str, device: str = "cpu", threads: int | None = None) -> Engine:
        """Load a model by name, or from a weights file.

        Raises:
            InputError: the model is not known, its weights are damaged, or the device is not there.
        """
        if model not in BUNDLED and not model.endswith(".safetensors"):
            raise InputError(f"unknown model {model!r}; the bundled models are: {', '.join(BUNDLED)}")
        path = resource_path(BUNDLED[model]) if model in BUNDLED else Path(model)
        chosen = checked_device(device)
        if threads is not None:
            torch.set_num_threads(threads)
        net, spec = load_weights(path)
        return cls(net, spec, chosen)

    @torch.inference_mode()
    def predict(
        self,
        image_kji: NDArray[np.float32],
        spacing_mm: float,
        points_kji: NDArray[np.float32],
        positive: NDArray[np.bool_],
        mask_kji: NDArray[np.float32] | None,
    ) -> NDArray[np.float32]:
        """Logits of one target in one window; the arguments are those of `backend.protocol.Request`."""
        image = torch.from_numpy(image_kji)[None]
        previous = torch.zeros_like(image) if mask_kji is None else torch.from_numpy(mask_kji)[None]
        labels = torch.from_numpy(positive.astype(np.int64))[None]
        batch = PromptBatch(
            image=image,
            points=torch.from_numpy(points_kji.reshape(1, -1, 3)),
            labels=labels,
            previous=previous,
            has_previous=torch.tensor([mask_kji is not None]),
            spacing_mm=torch.tensor([spacing_mm], dtype=torch.float32),
        )
        batch = PromptBatch(**{name: value.to(self.device) for name, value in vars(batch).items()})
        maps = encode(batch).contiguous(memory_format=torch.channels_last_3d)
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bf16"):
            logits = self.net(maps)
        return logits[0].float().cpu().numpy()


def fastest_precision(device: torch.device) -> str:
    """ "bf16" where the device computes in it natively, else "fp32"; emulated bfloat16 is slower than float32."""
    native = {
        "cpu": torch.cpu._is_avx512_bf16_supported,  # there is no public question for it in all supported versions
        "cuda": lambda: torch.cuda.is_bf16_supported(including_emulation=False),
    }
    return "bf16" if device.type in native and native[device.type]() else "fp32"


def checked_device(name: str) -> torch.device:
    """A torch device that exists.

    Raises:
        InputError: it does not exist here.
    """
    available = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not available.get(name, False):
        found = ", ".join(n for n, there in available.items() if there)
        raise InputError(f"the device {name!r} is not available here; available: {found}")
    return torch.device(name)
