import threading

import pytest
import torch

from disent_runner.metrics.threads import map_in_threads


@pytest.fixture(autouse=True)
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_are_those_of_map_in_order():
    assert map_in_threads(lambda item: item**2, range(20)) == [item**2 for item in range(20)]


def test_as_many_tasks_run_at_once_as_torch_has_threads_and_operations_have_one():
    both = threading.Barrier(2, timeout=10)  # breaks unless two tasks reach it together

    def task(_: int) -> int:
        both.wait()
        return torch.get_num_threads()

    assert map_in_threads(task, range(4)) == [1] * 4
    assert torch.get_num_threads() == 2


def test_an_error_reaches_the_caller_and_leaves_torch_s_threads_as_they_were():
    def fail(item: int) -> None:
        raise KeyError(item)

    with pytest.raises(KeyError):
        map_in_threads(fail, range(4))
    assert torch.get_num_threads() == 2
