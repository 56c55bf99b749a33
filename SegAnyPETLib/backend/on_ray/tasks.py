"""Process many items as tasks of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from SegAnyPETLib.backend.on_ray.cluster import ray_cluster
from SegAnyPETLib.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


class TaskLost:
    """Takes the place of a result if the process that worked on the item died, and so did those that retried."""


#: Number of retries for an item whose process died, on another machine if possible.
MAX_RETRIES = 1


def ray_results(
    work: Callable[[Item], Result], items: Sequence[Item], at_a_time: int, cpus: int, gpus: int
) -> Generator[tuple[int, Result | TaskLost], None, None]:
    """Apply a function to every item.

    Tasks wait until the cluster has room for them. They see the files of the machine on which they run, so the files of
    the items must have the same paths on all machines of the cluster.

    Args:
        work: function to apply; it, items and results must be picklable. What it loads stays loaded in its process.
        items: arguments.
        at_a_time: maximum number of tasks at a time.
        cpus: CPUs per task.
        gpus: GPUs per task.

    Yields:
        The number of an item, from 0, and its result, in the order in which they are ready.

    Raises:
        BackendError: the cluster cannot be reached.
        InputError: tasks need a GPU, and the cluster has none.
    """
    with ray_cluster(at_a_time * cpus) as ray:
        if ray.cluster_resources().get("GPU", 0) < gpus:
            raise InputError("the Ray cluster has no GPU; choose --device cpu")

        # By default, a process ends after one task with a GPU, and the model would be loaded for each.
        @ray.remote(num_cpus=cpus, num_gpus=gpus, max_retries=MAX_RETRIES, max_calls=0)
        def task(item: Item) -> Result:
            return work(item)

        todo = list(enumerate(items))[::-1]
        running: dict[Any, int] = {}  # by Ray's references
        while todo or running:
            while todo and len(running) < at_a_time:
                number, item = todo.pop()
                running[task.remote(item)] = number
            (ready,), _ = ray.wait(list(running))
            try:
                outcome = ray.get(ready)
            except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError):
                outcome = TaskLost()
            yield running.pop(ready), outcome
