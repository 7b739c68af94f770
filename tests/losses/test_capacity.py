import pytest
import torch

from disent_runner.losses.capacity import capacity_gap, linear_schedule


@pytest.mark.parametrize(
    ("step", "expected"), [(0, 0.5), (25, 6.625), (50, 12.75), (100, 25.0), (101, 25.0), (10_000, 25.0)]
)
def test_the_schedule_is_a_line_that_stops(step, expected):
    assert linear_schedule(step, start=0.5, end=25.0, num_steps=100) == pytest.approx(expected, abs=1e-12)


def test_the_schedule_may_fall():
    assert linear_schedule(1, start=4.0, end=0.0, num_steps=4) == pytest.approx(3.0)
    assert linear_schedule(9, start=4.0, end=0.0, num_steps=4) == 0.0


@pytest.mark.parametrize("end", [0.1, 0.3, 1 / 3])
def test_the_schedule_ends_exactly(end):
    assert linear_schedule(7, start=0.7, end=end, num_steps=7) == end


@pytest.mark.parametrize("num_steps", [0, -5])
def test_a_schedule_needs_a_length(num_steps):
    with pytest.raises(ValueError, match=f"must be 1 or more, got {num_steps}"):
        linear_schedule(0, start=0.0, end=1.0, num_steps=num_steps)


def test_the_gap_is_that_of_the_batch_mean():
    """Images with 1 and 9 nats meet a capacity of 5 together; the mean of their own gaps would be 4."""
    kl = torch.tensor([1.0, 9.0])
    assert capacity_gap(kl, 5.0).item() == 0
    assert capacity_gap(kl, 2.0).item() == 3
    assert capacity_gap(kl, 7.0).item() == 2


@pytest.mark.parametrize(("capacity", "slope"), [(0.0, 1 / 2), (30.0, -1 / 2)])
def test_the_gap_pulls_every_image_towards_the_capacity(capacity, slope):
    kl = torch.tensor([1.0, 9.0], requires_grad=True)
    capacity_gap(kl, capacity).backward()
    assert kl.grad is not None
    assert kl.grad.tolist() == [slope, slope]
