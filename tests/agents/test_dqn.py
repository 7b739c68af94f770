from functools import partial

import numpy as np
import pytorch_lightning as pl
import torch
from stable_baselines3.common.utils import LinearSchedule

from disent_runner.agents.dqn import dqn
from disent_runner.agents.stable_baselines import StableBaselines
from disent_runner.environments.seen import Seen
from disent_runner.environments.toyarena import toyarena
from tests.agents.alone import NUM_ENVS, driven, learned, made, see, weights

MAKE = partial(
    dqn,
    eyes=None,
    shape=12,
    num_actions=4,
    hidden=[8],
    buffer_size=100,
    learning_starts=24,
    batch_size=4,
    train_freq=2,
    gradient_steps=1,
    target_update_interval=20,
    exploration_steps=200,
    exploration_initial_eps=1.0,
    exploration_final_eps=0.1,
    gamma=0.9,
    max_grad_norm=10.0,
)
ADAM = partial(torch.optim.Adam, lr=1e-3)


def test_driven_by_us_it_learns_what_it_learns_by_itself(monkeypatch):
    """Across the start of learning and the end of exploration; an iteration of ours learns, the first after a start."""
    actions = iter(np.random.default_rng(0).integers(4, size=10_000).tolist())
    monkeypatch.setattr("gymnasium.spaces.Discrete.sample", lambda self: next(actions))
    ours = driven(MAKE, ADAM, iterations=50)
    actions = iter(np.random.default_rng(0).integers(4, size=10_000).tolist())
    timesteps = ours._algorithm.num_timesteps

    def planned(seen: Seen) -> StableBaselines:
        learner = MAKE(seen)
        learner._algorithm.exploration_schedule = LinearSchedule(1.0, 0.1, 200 / timesteps)
        return learner

    theirs = learned(planned, ADAM, timesteps=timesteps)
    assert torch.equal(weights(ours.network), weights(theirs.network))
    assert ours._algorithm._n_updates == 50
    assert ours.steps_each == 2 * NUM_ENVS


def test_exploration_ends_where_it_says_however_long_the_run_is():
    learner = driven(MAKE, ADAM, iterations=60)
    assert learner._algorithm.num_timesteps > 200
    assert learner._algorithm.exploration_rate == 0.1


def test_actions_of_chance_follow_from_the_step():
    learner = made(MAKE, 0)
    learner.optimizers(ADAM)
    pl.seed_everything(0, verbose=False)
    learner.begin(0)
    learner.advance(5)
    after = [learner._algorithm.action_space.sample() for _ in range(5)]
    learner._algorithm.action_space.seed(5)
    for _ in range(NUM_ENVS * 14):
        learner._algorithm.action_space.sample()
    assert after == [learner._algorithm.action_space.sample() for _ in range(5)]


def test_chances_are_those_of_its_best_action_and_of_exploration():
    learner = made(MAKE, 0)
    seen = see(toyarena(3).reset(seed=0)[0], None)
    chances = learner.chances(seen)
    best = learner._algorithm.q_net(torch.from_numpy(seen)).argmax(1)
    assert np.allclose(chances[np.arange(3), best], 0.925)
    assert np.allclose(chances.sum(1), 1)
