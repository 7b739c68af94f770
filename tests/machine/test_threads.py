import threading

import pytest
import torch
from threadpoolctl import threadpool_info, threadpool_limits

from disent_runner.machine import threads
from disent_runner.machine.threads import map_in_threads, one_thread_per_operation


@pytest.fixture(autouse=True)
def two_cores(monkeypatch):
    monkeypatch.setattr(threads, "num_cores", lambda: 2)
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


def test_results_are_those_of_map_in_order():
    assert map_in_threads(lambda item: item**2, range(20)) == [item**2 for item in range(20)]


def test_as_many_tasks_run_at_once_as_there_are_cores_and_operations_have_one_thread():
    both = threading.Barrier(2, timeout=10)  # breaks unless two tasks reach it together

    def task(_: int) -> int:
        both.wait()
        return torch.get_num_threads()

    assert map_in_threads(task, range(4)) == [1] * 4
    assert torch.get_num_threads() == 2


def test_blas_and_openmp_have_one_thread_inside_and_theirs_again_outside():
    def sizes(_: int = 0) -> set[int]:
        return {pool["num_threads"] for pool in threadpool_info()}

    with threadpool_limits(2):
        assert map_in_threads(sizes, range(2)) == [{1}, {1}]
        assert sizes() == {2}
        with one_thread_per_operation():
            assert sizes() == {1}
        assert sizes() == {2}


def test_an_error_reaches_the_caller_and_leaves_torch_s_threads_as_they_were():
    def fail(item: int) -> None:
        raise KeyError(item)

    with pytest.raises(KeyError):
        map_in_threads(fail, range(4))
    assert torch.get_num_threads() == 2


def test_maps_may_be_nested():
    def inner(item: int) -> list[int]:
        return map_in_threads(lambda other: item * other + torch.get_num_threads(), range(3))

    assert map_in_threads(inner, range(3)) == [[1, 1, 1], [1, 2, 3], [1, 3, 5]]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize(
    ("setting", "expected"),
    [("1", 1), ("1,4", 1), (" 1 ", 1), ("100000", None), ("0", None), ("-2", None), ("x", None), (None, None)],
)
def test_cores_may_be_bounded_from_outside(setting, expected, monkeypatch):
    monkeypatch.undo()
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    available = threads.num_cores()
    if setting is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", setting)
    assert threads.num_cores() == (expected or available)
