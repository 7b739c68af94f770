"""Work on all cores in a few large pieces."""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from multiprocessing.pool import ThreadPool
from threading import Lock
from typing import TypeVar

import torch
from joblib import cpu_count
from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

_guard = Lock()
_entered = 0
_threads_before = 1


def num_cores() -> int:
    """Cores this process may use: what the machine, a container or OMP_NUM_THREADS leave it.

    That may be a list, of which the first is for what is not nested in others; what is no number is passed over, as
    OpenMP does.
    """
    outermost = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return min(cpu_count(), int(outermost) if outermost.isdecimal() and int(outermost) else cpu_count())


@contextmanager
def one_thread_per_operation() -> Iterator[None]:
    """Threads started in here get one thread in each operation of torch, BLAS and OpenMP; may be nested.

    Threads inside the operations wait for each other after every one of them, which on a machine with other work to do
    costs more than the operations: a KL decomposition that so took 220 s on two busy cores had not ended after 480 s.
    """
    global _entered, _threads_before
    with _guard:
        if _entered == 0:
            _threads_before = torch.get_num_threads()
            torch.set_num_threads(1)
        _entered += 1
    try:
        with threadpool_limits(1):
            yield
    finally:
        with _guard:
            _entered -= 1
            if _entered == 0:
                torch.set_num_threads(_threads_before)


def map_in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What `map` gives, computed on all cores, while each operation has one. The threads end with the process."""
    tasks = list(items)
    with one_thread_per_operation(), ThreadPool(max(1, min(num_cores(), len(tasks))), take_one_thread) as pool:
        return pool.map(function, tasks, chunksize=1)


def take_one_thread() -> None:
    """For the start of a thread: OpenMP keeps its number of threads by the thread that has parallel work."""
    threadpool_limits(1)
