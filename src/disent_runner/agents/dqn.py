"""Deep Q-network (Mnih et al. 2015), as Stable-Baselines3 has it."""

from math import inf
from typing import TYPE_CHECKING

from disent_runner.agents.learner import Eyes
from disent_runner.environments.extra import needs_agents
from disent_runner.environments.seen import Seen
from disent_runner.machine.ranges import Count, Counts, Positive, Several, Share, WholeNumber

if TYPE_CHECKING:
    from disent_runner.agents.stable_baselines import StableBaselines


def dqn(
    seen: Seen,
    eyes: Eyes | None,
    shape: int | tuple[int, int, int],
    num_actions: int,
    *,
    hidden: Counts,
    buffer_size: Several,
    learning_starts: WholeNumber,
    batch_size: Count,
    train_freq: Count,
    gradient_steps: Count,
    target_update_interval: Count,
    exploration_steps: Count,
    exploration_initial_eps: Share,
    exploration_final_eps: Share,
    gamma: Share,
    max_grad_norm: Positive | None,
) -> "StableBaselines":
    """ε falls over the first `exploration_steps` of all environments together, however long the run is.

    Raises ValueError without the extra.
    """
    needs_agents("model=dqn")
    from stable_baselines3 import DQN

    from disent_runner.agents.stable_baselines import SeenEnvs, StableBaselines, policy_settings

    algorithm = DQN(
        "MlpPolicy",
        SeenEnvs(seen, shape, num_actions),
        buffer_size=buffer_size,
        learning_starts=learning_starts,
        batch_size=batch_size,
        train_freq=train_freq,
        gradient_steps=gradient_steps,
        target_update_interval=target_update_interval,
        exploration_fraction=1.0,
        exploration_initial_eps=exploration_initial_eps,
        exploration_final_eps=exploration_final_eps,
        gamma=gamma,
        max_grad_norm=max_grad_norm or inf,
        policy_kwargs=policy_settings(eyes, list(hidden)),
        device="cpu",
    )
    algorithm._total_timesteps = exploration_steps  # pyright: ignore[reportPrivateUsage] - the end of its schedule
    algorithm.q_net_target.requires_grad_(False)
    return StableBaselines(algorithm, eyes)
