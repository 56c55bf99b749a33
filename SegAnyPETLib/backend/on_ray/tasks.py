"""Work on many items as tasks of a Ray cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Any, TypeVar

from SegAnyPETLib.backend.on_ray.cluster import ray_cluster
from SegAnyPETLib.errors import InputError

Item = TypeVar("Item")
Result = TypeVar("Result")


class TaskLost:
    """In place of a result: the process that worked on the item died, and so did those that tried again."""


#: How often an item whose process died is tried again, on another machine where there is one.
MAX_RETRIES = 1


def ray_results(
    work: Callable[[Item], Result], items: Sequence[Item], at_a_time: int, cpus: int, gpus: int
) -> Generator[tuple[int, Result | TaskLost], None, None]:
    """Do the same with every item.

    Tasks wait until the cluster has room for them. They see the files of the machine on which they run, so those of the
    items must lie at the same paths on all machines of the cluster.

    Args:
        work: what to do; it can be pickled, and so can items and results. What it loads, its process keeps.
        items: what to do it with.
        at_a_time: tasks at a time at most.
        cpus: that each task needs.
        gpus: that each task needs.

    Yields:
        The number of an item, from 0, and its result, in the order in which they are ready.

    Raises:
        BackendError: there is no cluster.
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
