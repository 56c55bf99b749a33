"""Weights of SegAnyPET-Lite as safetensors: tensors and a few strings, nothing that runs."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.lite.network import LiteNet, with_more_maps
from SegAnyPETLib.models.lite.prompt_maps import MAPS
from SegAnyPETLib.models.spec import ModelSpec

#: Version of the layout below.
LAYOUT = "seganypet-lite-2"
#: The layout before: one mask, without an estimate, and fewer maps. Such a file is read with what it lacks added.
EARLIER_LAYOUT = "seganypet-lite-1"
EARLIER_MAPS = MAPS[:-1]
#: A file that asks for more masks is damaged.
MAX_MASKS = 16


def save_weights(net: LiteNet, spec: ModelSpec, path: Path) -> None:
    """Write a network in float16, with what is needed to build it again."""
    tensors = {k: v.detach().half().contiguous().cpu() for k, v in net.state_dict().items()}
    about = {
        "layout": LAYOUT,
        "maps": json.dumps(MAPS),
        "channels": json.dumps(net.channels),
        "blocks": json.dumps(net.blocks),
        "masks": json.dumps(net.masks),
        "spec": json.dumps(replace(spec, sha256="").to_dict()),
    }
    save_file(tensors, path, metadata=about)


def load_weights(path: Path) -> tuple[LiteNet, ModelSpec]:
    """Read what `save_weights` wrote.

    Returns:
        The network in float32 and evaluation mode, and its specification with the file's SHA-256.

    Raises:
        InputError: the file is missing, damaged, of another layout, or its tensors do not fit the network.
    """
    if not path.is_file():
        raise InputError(f"the weights file {path.name} is missing; install the project again or name another file")
    try:
        with safe_open(path, framework="pt") as file:
            about = file.metadata() or {}
            tensors = {key: file.get_tensor(key).float() for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path.name} is not a readable weights file: {error}") from error
    if about.get("layout") not in (LAYOUT, EARLIER_LAYOUT):
        raise InputError(
            f"{path.name} holds weights of another layout than {LAYOUT}; use the release that wrote it, or train again"
        )
    net, spec = _described(about, path)
    try:
        net.load_state_dict(tensors, strict=True)
    except RuntimeError as error:
        raise InputError(
            f"the tensors in {path.name} do not fit the network: {' '.join(str(error).split())}"
        ) from error
    if net.channels_in < len(MAPS):
        net = with_more_maps(net, len(MAPS))
    return channels_last(net.eval()), replace(spec, sha256=hashlib.sha256(path.read_bytes()).hexdigest())


def is_lite(path: Path) -> bool:
    """Whether a weights file is Lite's, or cannot even be asked, which `load_weights` then explains."""
    if path.suffix != ".safetensors":
        return False
    try:
        with safe_open(path, framework="pt") as file:
            return (file.metadata() or {}).get("layout", "").startswith("seganypet-lite")
    except (SafetensorError, OSError):
        return True


def _described(about: dict[str, str], path: Path) -> tuple[LiteNet, ModelSpec]:
    """Build the empty network and the specification that a file's strings describe."""
    try:
        earlier = about["layout"] == EARLIER_LAYOUT
        maps = EARLIER_MAPS if earlier else MAPS
        if json.loads(about["maps"]) != list(maps):
            raise InputError(f"{path.name} was trained on other maps than this version makes; use its own version")
        masks = 1 if earlier else int(json.loads(about["masks"]))
        if not 1 <= masks <= MAX_MASKS:
            raise ValueError(f"{masks} masks")
        net = LiteNet(len(maps), tuple(json.loads(about["channels"])), tuple(json.loads(about["blocks"])), masks)
        spec = ModelSpec.from_dict(json.loads(about["spec"]))
        spacings = tuple(float(s) for s in spec.spacing_mm)
        if spec.size not in range(16, 257, 16) or not spacings or not all(0 < s < 100 for s in spacings):
            raise ValueError(f"a window of {spec.size} voxels of {spacings} mm")
        return net, replace(spec, spacing_mm=spacings)
    except (KeyError, TypeError, ValueError, RuntimeError, ZeroDivisionError) as error:
        raise InputError(f"the description in {path.name} is damaged; get the file again") from error


def channels_last(net: LiteNet) -> LiteNet:
    """Give the network's weights the memory layout in which convolutions on CPUs and GPUs are fastest."""
    return net.to(memory_format=torch.channels_last_3d)  # type: ignore[call-overload]
