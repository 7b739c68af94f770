"""Work on all cores in a few large pieces."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import torch

Item = TypeVar("Item")
Result = TypeVar("Result")


def map_in_threads(function: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """What `map` gives, computed in as many threads as torch may use, while each torch operation has one.

    Threads inside the operations wait for each other after every one of them, which on a machine with other work to do
    costs more than the operations: a KL decomposition that so took 220 s on two busy cores had not ended after 480 s.
    """
    num_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with ThreadPoolExecutor(num_threads) as pool:
            return list(pool.map(function, items))
    finally:
        torch.set_num_threads(num_threads)
