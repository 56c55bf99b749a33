"""Read and write checkpoints of the published layout."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.overrides import TorchFunctionMode

from SegAnyPETLib.errors import InputError
from SegAnyPETLib.models.sam.archive import read_tensors, shown
from SegAnyPETLib.models.sam.config import PUBLISHED, SamConfig
from SegAnyPETLib.models.sam.network import SamNet
from SegAnyPETLib.models.sam.sizes import Shapes, sizes_of
from SegAnyPETLib.volume.atomic import replacing

#: Prefix of every name in a network that was wrapped for several GPUs.
WRAPPED = "module."
#: Voxel size of the windows of all published models.
PUBLISHED_SPACING_MM = 1.5
#: Metadata entry in which a file of our own states another one.
SPACING_KEY = "window_spacing_mm"


def load_checkpoint(path: Path) -> tuple[SamNet, str]:
    """Read a network and its sizes from a ``.pth``, ``.pt`` or ``.safetensors`` file.

    The weights are copied once from a memory map of the file, so later changes of the file do not affect them.

    Args:
        path: a bare state dict, or a container with one under "model_state_dict", "state_dict" or "model".

    Returns:
        The network in float32 and evaluation mode, and the SHA-256 of the file.

    Raises:
        InputError: the file cannot be opened, is damaged or holds anything but plain tensors (none of it is run), or
            the tensors are not those of a network of this family: the message names what is missing and unexpected.
    """
    tensors = read_tensors(path)
    net = _empty_net({name: tuple(tensor.shape) for name, tensor in tensors.items()}, path.name)
    owned = {name: _owned(name, tensors.pop(name), path.name) for name in list(tensors)}
    net.load_state_dict(owned, strict=True, assign=True)
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return net.eval(), sha256


def window_spacing_mm(path: Path) -> float:
    """Return the voxel size of the windows that a checkpoint was trained on; the published one if the file has none.

    Raises:
        InputError: the stated value is not a possible voxel size.
    """
    if path.suffix.lower() != ".safetensors":
        return PUBLISHED_SPACING_MM
    with safe_open(path, framework="pt") as file:
        stated = (file.metadata() or {}).get(SPACING_KEY, str(PUBLISHED_SPACING_MM))
    try:
        spacing_mm = float(stated)
    except ValueError:
        spacing_mm = 0.0
    if not 0.1 <= spacing_mm <= 20:
        raise InputError(f"{path.name} states no possible voxel size of its windows; get the file again")
    return spacing_mm


def save_checkpoint(net: SamNet, path: Path, spacing_mm: float = PUBLISHED_SPACING_MM) -> None:
    """Write a network in float32 as published checkpoints are.

    Args:
        net: on any device and in any precision.
        spacing_mm: voxel size of its windows, which only ``.safetensors`` can state.
        path: ``.pth`` or ``.pt`` for a container with "model_state_dict", ``.safetensors`` for the tensors only.

    Raises:
        InputError: another ending.
        SegAnyPETError: the file cannot be written; an earlier one is unchanged.
    """
    suffix = path.suffix.lower()
    if suffix not in (".pth", ".pt", ".safetensors"):
        raise InputError(f"{path.name} has an unknown ending; use .pth, .pt or .safetensors")
    tensors = {name: tensor.detach().float().cpu().contiguous() for name, tensor in net.state_dict().items()}
    with replacing(path, suffix) as temporary:
        if suffix == ".safetensors":
            save_file(tensors, temporary, metadata={SPACING_KEY: f"{spacing_mm:g}"})
        else:
            torch.save({"model_state_dict": tensors}, temporary)


def _empty_net(found: Shapes, file_name: str) -> SamNet:
    """Return a network with the given names and shapes, without memory for its weights."""
    if all(name.startswith(WRAPPED) for name in found):
        raise InputError(
            f"every name in {file_name} begins with {WRAPPED!r}: it was saved from a wrapped network; "
            "save the state dict of the network inside it"
        )
    try:
        net = _meta_net(sizes_of(found))
    except KeyError:
        raise _misfit(found, _shapes(_meta_net(PUBLISHED)), file_name) from None
    except (ValueError, RuntimeError, ArithmeticError) as error:
        raise InputError(f"the shapes in {file_name} are not those of a network of the SAM-Med3D family") from error
    if found != (expected := _shapes(net)):
        raise _misfit(found, expected, file_name)
    return net


class _Unfilled(TorchFunctionMode):
    """Skip the random initialisation of new layers.

    On the meta device there is nothing to fill, but trying to makes torch import its compiler, which takes longer than
    all else that loading does.
    """

    def __torch_function__(
        self, function: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        given = kwargs or {}
        if getattr(function, "__module__", None) == "torch.nn.init":
            return given["tensor"]
        return torch.empty(*args, **given) if function is torch.randn else function(*args, **given)


def _meta_net(config: SamConfig) -> SamNet:
    with torch.device("meta"), _Unfilled():
        return SamNet(config)


def _shapes(net: SamNet) -> dict[str, tuple[int, ...]]:
    return {name: tuple(tensor.shape) for name, tensor in net.state_dict().items()}


def _misfit(found: Shapes, expected: Shapes, file_name: str) -> InputError:
    """Name in one line what is missing, unexpected and of another shape."""
    parts = []
    if missing := [name for name in expected if name not in found]:
        parts.append(f"{len(missing)} missing ({shown(missing)})")
    if unexpected := [name for name in found if name not in expected]:
        parts.append(f"{len(unexpected)} unexpected ({shown(unexpected)})")
    differing = [name for name in expected if name in found and found[name] != expected[name]]
    if differing:
        shapes = [f"{name}: {_size(found[name])} instead of {_size(expected[name])}" for name in differing]
        parts.append(f"{len(differing)} of another shape ({shown(shapes)})")
    return InputError(
        f"the tensors in {file_name} are not those of a network of the SAM-Med3D family: {'; '.join(parts)}"
    )


def _size(shape: tuple[int, ...]) -> str:
    return "x".join(map(str, shape)) or "one number"


def _owned(name: str, tensor: Tensor, file_name: str) -> Tensor:
    """Return a copy in float32 with memory of its own; refuse numbers that are not finite."""
    copy = tensor.detach().to(torch.float32, copy=True, memory_format=torch.contiguous_format)
    if not copy.isfinite().all():
        raise InputError(f"{shown([name])} in {file_name} holds NaN or infinity; the training that made it failed")
    return copy
