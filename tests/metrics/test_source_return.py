import numpy as np
import pytest

from disent_runner.metrics.source_return import source_return
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.players import agent


def test_it_is_the_mean_of_episodes_beside_that_of_chance(rng):
    values = source_return(agent(), rng=rng, num_episodes=100)
    assert values["source_return"] == 3
    assert values["source_return_random"] == 0.5
    assert values["source_return_length"] == 3
    error = 1 / 100**0.5  # returns are 2 and 4
    assert values["source_return_low"] == pytest.approx(3 - 1.96 * error, abs=0.03)
    assert values["source_return_high"] == pytest.approx(3 + 1.96 * error, abs=0.03)


def test_the_likeliest_actions_on_request(rng):
    values = source_return(agent(), rng=rng, greedy=True)
    assert values["source_return"] == values["source_return_low"] == values["source_return_high"] == 3


def test_what_is_no_agent_is_left_out_and_one_episode_refused(rng):
    with pytest.raises(NotApplicable, match="needs an agent, such as a2c"):
        source_return(Representation(np.zeros((2, 1)), np.zeros((2, 1), int), (1,)), rng=rng)
    with pytest.raises(ValueError, match="num_episodes >= 2, got 1"):
        source_return(agent(), rng=rng, num_episodes=1)
