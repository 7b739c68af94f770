"""Controlled capacity increase (Burgess et al. 2018)."""

from jaxtyping import Float
from torch import Tensor


def linear_schedule(step: int, *, start: float, end: float, num_steps: int) -> float:
    """Value at `step` on the line from `start` at step 0 to `end` at `num_steps`, and `end` from then on.

    `end` may be below `start`. Raises ValueError if `num_steps` is not positive.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps is the length of the schedule and must be 1 or more, got {num_steps}")
    progress = min(step / num_steps, 1.0)
    return (1 - progress) * start + progress * end


def capacity_gap(kl: Float[Tensor, " batch"], capacity: float) -> Float[Tensor, ""]:
    """|mean over the batch of KL - capacity| in nats (Burgess et al. 2018).

    Of the batch mean, not the mean of per-image gaps: images may use unlike capacities.
    """
    return (kl.mean() - capacity).abs()
