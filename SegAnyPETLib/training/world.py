"""The processes of one training run, as torchrun starts them: one per GPU, or several on CPUs."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
from torch import distributed, nn
from torch.nn.parallel import DistributedDataParallel

from SegAnyPETLib.errors import InputError


@dataclass(frozen=True)
class World:
    """Where a process stands among all of a run.

    Attributes:
        rank: number of this process, from 0; the first one alone writes.
        size: number of processes.
        local_rank: number of this process on its machine, which is that of its GPU.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0

    @classmethod
    def from_environment(cls) -> World:
        """Read RANK, WORLD_SIZE and LOCAL_RANK of torchrun; without it there is a single process.

        Raises:
            InputError: the variables contradict one another.
        """
        try:
            world = cls(*(int(os.environ.get(n, d)) for n, d in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0))))
        except ValueError as error:
            raise InputError("RANK, WORLD_SIZE and LOCAL_RANK must be numbers, as torchrun sets them") from error
        if not 0 <= world.rank < world.size or world.local_rank < 0:
            raise InputError("RANK must lie below WORLD_SIZE; start several processes with torchrun, or unset both")
        return world

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0

    def local_device(self, device: torch.device) -> torch.device:
        """Return the device of this process: of several GPUs, its own."""
        return torch.device(device.type, self.local_rank) if device.type == "cuda" and self.size > 1 else device

    def wrapped(self, net: nn.Module, device: torch.device) -> nn.Module:
        """Wrap the network so that its gradients are averaged over all processes.

        Not every step uses every parameter: one without points leaves the embeddings of points alone.
        """
        if self.size == 1:
            return net
        ids = [device] if device.type == "cuda" else None
        return DistributedDataParallel(net, device_ids=ids, find_unused_parameters=True, broadcast_buffers=False)

    def summed(self, values: Sequence[float], device: torch.device) -> list[float]:
        """Sum values over all processes."""
        if self.size == 1:
            return list(values)
        sums = torch.tensor(values, dtype=torch.float64, device=device)
        distributed.all_reduce(sums)
        return [float(value) for value in sums.tolist()]

    def gathered(self, text: str) -> list[str]:
        """Gather the text of each process, in the order of their ranks."""
        if self.size == 1:
            return [text]
        texts: list[str] = [""] * self.size
        distributed.all_gather_object(texts, text)
        return texts


def exchange(net: nn.Module, now: bool) -> AbstractContextManager[None]:
    """Whether a wrapped network exchanges the gradients of the passes within, or keeps them until a later one does."""
    if now or not isinstance(net, DistributedDataParallel):
        return nullcontext()
    held_back: AbstractContextManager[None] = net.no_sync()
    return held_back


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Take part in a run as the environment says, and leave it in the end.

    Args:
        device: kind of device that all processes train on.

    Raises:
        InputError: the environment is contradictory, or there are more processes than GPUs.
    """
    world = World.from_environment()
    if world.size == 1:
        yield world
        return
    if device.type == "cuda":
        if world.local_rank >= torch.cuda.device_count():
            raise InputError(f"there are {torch.cuda.device_count()} GPUs here; start as many processes at most")
        torch.cuda.set_device(world.local_rank)
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield world
    finally:
        distributed.destroy_process_group()
