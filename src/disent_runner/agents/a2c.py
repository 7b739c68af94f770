"""A2C, the synchronous form of A3C (Mnih et al. 2016), as Stable-Baselines3 has it."""

from math import inf
from typing import TYPE_CHECKING

from disent_runner.agents.learner import Eyes
from disent_runner.environments.extra import needs_agents
from disent_runner.environments.seen import Seen
from disent_runner.machine.ranges import Count, Counts, NonNegative, Positive, Share

if TYPE_CHECKING:
    from disent_runner.agents.stable_baselines import StableBaselines


def a2c(
    seen: Seen,
    eyes: Eyes | None,
    shape: int | tuple[int, int, int],
    num_actions: int,
    *,
    hidden: Counts,
    n_steps: Count,
    gamma: Share,
    gae_lambda: Share,
    ent_coef: NonNegative,
    vf_coef: NonNegative,
    max_grad_norm: Positive | None,
) -> "StableBaselines":
    """Raises ValueError without the extra."""
    needs_agents("model=a2c")
    from stable_baselines3 import A2C

    from disent_runner.agents.stable_baselines import SeenEnvs, StableBaselines, policy_settings

    algorithm = A2C(
        "MlpPolicy",
        SeenEnvs(seen, shape, num_actions),
        n_steps=n_steps,
        gamma=gamma,
        gae_lambda=gae_lambda,
        ent_coef=ent_coef,
        vf_coef=vf_coef,
        max_grad_norm=max_grad_norm or inf,
        policy_kwargs=policy_settings(eyes, list(hidden)),
        device="cpu",
    )
    return StableBaselines(algorithm, eyes)
