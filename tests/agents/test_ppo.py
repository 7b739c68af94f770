from functools import partial

import pytest
import torch

from disent_runner.agents.ppo import ppo
from tests.agents.alone import NUM_ENVS, driven, learned, made, weights

MAKE = partial(
    ppo,
    eyes=None,
    shape=12,
    num_actions=4,
    hidden=[8],
    n_steps=8,
    batch_size=4,
    n_epochs=2,
    clip_range=0.2,
    gamma=0.9,
    gae_lambda=0.95,
    ent_coef=0.01,
    vf_coef=0.5,
    max_grad_norm=None,
)
ADAM = partial(torch.optim.Adam, lr=1e-3)


def test_driven_by_us_it_learns_what_it_learns_by_itself():
    ours = driven(MAKE, ADAM, iterations=12)
    theirs = learned(MAKE, ADAM, timesteps=12 * 8 * NUM_ENVS)
    assert torch.equal(weights(ours.network), weights(theirs.network))
    assert not torch.equal(weights(ours.network), weights(made(MAKE, 3).network))


def test_batches_that_are_no_parts_are_refused():
    with pytest.raises(ValueError, match=r"^model\.agent\.batch_size=5 must divide n_steps·num_envs, 8·2 = 16$"):
        made(partial(MAKE, batch_size=5), 0)
