import itertools

import pytest

from disent_runner.datasets.data_module import StepPlan


def test_chunks_cover_every_step_once_and_end_where_something_happens():
    plan = StepPlan(max_steps=23, log_every=5, checkpoint_every=7)
    chunks = list(plan.chunks(0))
    assert list(itertools.chain(*chunks)) == list(range(23))
    assert [chunk.stop for chunk in chunks] == [5, 7, 10, 14, 15, 20, 21, 23]
    assert all(plan.is_logged(chunk.stop) or plan.is_saved(chunk.stop) for chunk in chunks)


@pytest.mark.parametrize("start", range(24))
def test_chunks_from_anywhere_end_at_the_same_steps(start):
    plan = StepPlan(max_steps=23, log_every=5, checkpoint_every=7)
    ends = [chunk.stop for chunk in plan.chunks(start)]
    assert ends == [stop for stop in (5, 7, 10, 14, 15, 20, 21, 23) if stop > start]


@pytest.mark.parametrize(
    ("name", "value"), [("max_steps", 0), ("log_every", -1), ("checkpoint_every", 2.5), ("max_steps", "many")]
)
def test_the_plan_is_checked(name, value):
    settings = {"max_steps": 10, "log_every": 5, "checkpoint_every": 5} | {name: value}
    with pytest.raises(ValueError, match=f"trainer.{name} must be a positive whole number, got {value!r}"):
        StepPlan(**settings)
