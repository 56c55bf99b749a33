"""Work on many cases, spread over processes of this machine or over a Ray cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from tqdm import tqdm

from SegAnyPETLib.backend.on_ray.tasks import TaskLost, ray_results
from SegAnyPETLib.commands.arguments.shared import JobArguments, ModelArguments
from SegAnyPETLib.commands.common.interrupts import interrupts_held
from SegAnyPETLib.errors import InputError, SegAnyPETError

Item = TypeVar("Item", contravariant=True)
Result = TypeVar("Result", covariant=True)

NO_MEMORY = "the memory does not suffice for this image; close other programs or crop it"
LOST = "its process ended unexpectedly; the memory may not suffice for so many at a time, use fewer --jobs"


@dataclass(frozen=True)
class Failure:
    """Reason why an item has no result.

    Attributes:
        message: one line.
        bad_input: whether the input cannot be used.
        of_all: whether it is the same for all items.
    """

    message: str
    bad_input: bool = False
    of_all: bool = False

    def error(self, case: str | None = None) -> SegAnyPETError:
        """Build the exception; it names the case unless the message does."""
        named = case is None or self.message.startswith(f"case {case}:")
        message = self.message if named else f"case {case}: {self.message}"
        return InputError(message) if self.bad_input else SegAnyPETError(message)


@dataclass(frozen=True)
class Jobs:
    """How many cases are worked on at a time, and where.

    Attributes:
        count: processes; with 1, all is done in this one.
        ray: whether on a Ray cluster: that of the environment variable RAY_ADDRESS, else one of this machine's own.
        threads: CPU threads of each, None for all that torch takes.
        gpu: whether each needs a GPU.
    """

    count: int = 1
    ray: bool = False
    threads: int | None = None
    gpu: bool = False

    @property
    def here(self) -> bool:
        """Whether everything runs in this process."""
        return self.count == 1 and not self.ray


def jobs_of(model: ModelArguments, jobs: JobArguments) -> Jobs:
    """Return what ``--jobs``, ``--ray``, ``--threads`` and ``--device`` ask for.

    If threads are not given, many processes divide the cores of this machine among them.
    """
    threads = model.threads
    if threads is None and jobs.jobs > 1:
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        threads = max(1, cores // jobs.jobs)
    return Jobs(jobs.jobs, jobs.ray, threads, model.device == "cuda")


class Work(Protocol[Item, Result]):
    """What is done with every item; it can be pickled, and so can items and results."""

    def open(self) -> None:
        """Load what all items need; the process keeps it, so that further calls cost nothing.

        Raises:
            SegAnyPETError: no item can be worked on.
        """

    def __call__(self, item: Item, /) -> Result:
        """Work on one item.

        Raises:
            SegAnyPETError: this one cannot be worked on.
        """
        ...


def spread(work: Work[Item, Result], items: Sequence[Item], jobs: Jobs) -> Iterator[tuple[int, Result | Failure]]:
    """Do the same with every item, and show how far that is; an item that fails does not stop the others.

    Processes end when the iterator is closed, also amid work, and with this process.

    Args:
        work: what to do.
        items: what to do it with.
        jobs: how.

    Yields:
        The number of an item, from 0, and its result, in the order in which they are ready.

    Raises:
        SegAnyPETError: no item can be worked on, or there is no cluster.
    """
    attempt = Attempt(work)
    if jobs.ray:
        outcomes = _on_ray(attempt, items, jobs)
    elif jobs.here:
        outcomes = ((number, attempt(item)) for number, item in enumerate(items))
    else:
        outcomes = _in_processes(attempt, items, min(jobs.count, len(items)))
    with closing(outcomes), tqdm(total=len(items), unit="case", disable=None, leave=False) as bar:
        for number, outcome in outcomes:
            if isinstance(outcome, Failure) and outcome.of_all:
                raise outcome.error()
            bar.update()
            yield number, outcome


@dataclass(frozen=True)
class Attempt(Generic[Item, Result]):
    """Work whose expected failures are results.

    Attributes:
        work: what to do.
    """

    work: Work[Item, Result]

    def __call__(self, item: Item) -> Result | Failure:
        """Do it."""
        opened = False
        try:
            self.work.open()
            opened = True
            return self.work(item)
        except SegAnyPETError as error:
            return Failure(" ".join(str(error).split()), isinstance(error, InputError), not opened)
        except OSError as error:
            return Failure(str(error), of_all=not opened)
        except MemoryError:
            return Failure(NO_MEMORY, of_all=not opened)


def _on_ray(
    attempt: Attempt[Item, Result], items: Sequence[Item], jobs: Jobs
) -> Generator[tuple[int, Result | Failure], None, None]:
    for number, outcome in ray_results(attempt, items, jobs.count, jobs.threads or 1, int(jobs.gpu)):
        yield number, Failure(LOST) if isinstance(outcome, TaskLost) else outcome


def _in_processes(
    attempt: Attempt[Item, Result], items: Sequence[Item], count: int
) -> Generator[tuple[int, Result | Failure], None, None]:
    """Run items in processes with one executor each, so that a process that dies loses only its own item."""
    others = set(multiprocessing.active_children())
    free = [_process() for _ in range(count)]
    todo = list(enumerate(items))[::-1]
    running: dict[Future[Result | Failure], tuple[int, ProcessPoolExecutor]] = {}
    try:
        while todo or running:
            while todo and free:
                number, item = todo.pop()
                future, process = _submitted(free.pop(), attempt, item)
                running[future] = number, process
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                number, process = running.pop(future)
                try:
                    outcome = future.result()
                except BrokenProcessPool:
                    outcome, process = Failure(LOST), _process()
                free.append(process)
                yield number, outcome
    finally:
        for child in set(multiprocessing.active_children()) - others:
            child.kill()
        for process in [*free, *(p for _, p in running.values())]:
            process.shutdown(cancel_futures=True)


def _submitted(
    process: ProcessPoolExecutor, attempt: Attempt[Item, Result], item: Item
) -> tuple[Future[Result | Failure], ProcessPoolExecutor]:
    """Submit an item to a process, or to a new one if that process died while it was idle."""
    with interrupts_held():  # a process that begins would die of them, and its item with it
        try:
            return process.submit(attempt, item), process
        except BrokenProcessPool:
            process = _process()
            return process.submit(attempt, item), process


def _process() -> ProcessPoolExecutor:
    """Return an executor of one process, which starts with its first item."""
    return ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_begin)


def _begin() -> None:
    """Initialize a worker process: ignore Ctrl-C, which the parent handles, and exit when the parent does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is not None:

        def end_with_parent() -> None:
            parent.join()
            os._exit(1)

        threading.Thread(target=end_with_parent, daemon=True).start()
