import math
from dataclasses import replace

import pytest
import torch

from disent_runner.models.annealedvae import AnnealedVAE


def annealed(make, **changes):
    return make(
        AnnealedVAE, **{"gamma": 100.0, "capacity": 25.0, "capacity_start": 0.0, "capacity_steps": 10} | changes
    )


@pytest.mark.parametrize(("step", "capacity"), [(0, 0.0), (4, 10.0), (10, 25.0), (1000, 25.0)])
def test_the_capacity_rises_linearly_and_stays(make, step, capacity):
    assert annealed(make).capacity_at(step) == pytest.approx(capacity)


def test_a_falling_capacity_is_allowed(make):
    assert annealed(make, capacity_start=25.0, capacity=5.0).capacity_at(5) == pytest.approx(15.0)


@pytest.mark.parametrize("capacity", [0.0, 1000.0])
def test_the_gap_is_of_the_mean_kl_not_the_mean_of_gaps(make, batch, capacity):
    model = annealed(make, capacity_start=capacity, capacity=capacity)
    logged = model.update(batch)
    expected = logged["reconstruction"] + 100 * (logged["kl_latent"].sum() - capacity).abs()
    torch.testing.assert_close(logged["loss"], expected)


def test_images_on_both_sides_of_the_capacity_cancel(make, batch):
    model = annealed(make)
    inference = model.infer(batch)
    kl = torch.tensor([[10.0], [40.0]])
    gap = model.regularizers(inference._replace(kl=kl), replace(batch, step=10))["capacity_gap"]
    assert gap.tolist() == [0.0, 0.0]


@pytest.mark.parametrize("steps", [0, -5, "many", True, math.nan, math.inf])
def test_the_length_of_the_schedule_is_checked_by_its_key(make, steps):
    with pytest.raises(ValueError, match=f"model.capacity_steps .* must be 1 or more, got {steps!r}"):
        annealed(make, capacity_steps=steps)
