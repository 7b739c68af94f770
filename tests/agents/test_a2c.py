from functools import partial

import numpy as np
import torch

from disent_runner.agents.a2c import a2c
from disent_runner.environments.toyarena import toyarena
from tests.agents.alone import NUM_ENVS, driven, learned, made, see, weights

MAKE = partial(
    a2c,
    eyes=None,
    shape=12,
    num_actions=4,
    hidden=[8],
    n_steps=5,
    gamma=0.9,
    gae_lambda=0.95,
    ent_coef=0.01,
    vf_coef=0.5,
    max_grad_norm=0.5,
)
RMSPROP = partial(torch.optim.RMSprop, lr=1e-2)


def test_driven_by_us_it_learns_what_it_learns_by_itself():
    """Across the ends of episodes, after 40 steps."""
    ours = driven(MAKE, RMSPROP, iterations=20)
    theirs = learned(MAKE, RMSPROP, timesteps=20 * 5 * NUM_ENVS)
    assert ours.steps_each == 5 * NUM_ENVS
    assert torch.equal(weights(ours.network), weights(theirs.network))
    assert not torch.equal(weights(ours.network), weights(made(MAKE, 3).network))


def test_chances_are_those_of_its_policy():
    learner = made(MAKE, 0)
    seen = see(toyarena(3).reset(seed=0)[0], None)
    chances = learner.chances(seen)
    assert np.allclose(chances.sum(1), 1)
    policy = learner._algorithm.policy
    pairs = [policy.evaluate_actions(torch.from_numpy(seen), torch.full((3,), action))[1] for action in range(4)]
    assert np.allclose(np.log(chances), torch.stack(pairs, 1).detach())
