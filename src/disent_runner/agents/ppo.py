"""Proximal policy optimisation (Schulman et al. 2017), as Stable-Baselines3 has it."""

from math import inf
from typing import TYPE_CHECKING

from disent_runner.agents.learner import Eyes
from disent_runner.environments.extra import needs_agents
from disent_runner.environments.seen import Seen
from disent_runner.machine.ranges import Count, Counts, NonNegative, Positive, Several, Share

if TYPE_CHECKING:
    from disent_runner.agents.stable_baselines import StableBaselines


def ppo(
    seen: Seen,
    eyes: Eyes | None,
    shape: int | tuple[int, int, int],
    num_actions: int,
    *,
    hidden: Counts,
    n_steps: Count,
    batch_size: Several,
    n_epochs: Count,
    clip_range: Positive,
    gamma: Share,
    gae_lambda: Share,
    ent_coef: NonNegative,
    vf_coef: NonNegative,
    max_grad_norm: Positive | None,
) -> "StableBaselines":
    """Raises ValueError without the extra, and where batches are not parts of an iteration."""
    needs_agents("model=ppo")
    from stable_baselines3 import PPO

    from disent_runner.agents.stable_baselines import SeenEnvs, StableBaselines, policy_settings

    if (n_steps * seen.num_envs) % batch_size:
        raise ValueError(
            f"model.agent.batch_size={batch_size} must divide n_steps·num_envs, {n_steps}·{seen.num_envs} = "
            f"{n_steps * seen.num_envs}"
        )
    algorithm = PPO(
        "MlpPolicy",
        SeenEnvs(seen, shape, num_actions),
        n_steps=n_steps,
        batch_size=batch_size,
        n_epochs=n_epochs,
        clip_range=clip_range,
        gamma=gamma,
        gae_lambda=gae_lambda,
        ent_coef=ent_coef,
        vf_coef=vf_coef,
        max_grad_norm=max_grad_norm or inf,
        policy_kwargs=policy_settings(eyes, list(hidden)),
        device="cpu",
    )
    return StableBaselines(algorithm, eyes)
