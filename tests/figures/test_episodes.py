import numpy as np
import pytest

from disent_runner.datasets.info import DatasetInfo
from disent_runner.figures.episodes import episodes
from disent_runner.figures.inputs import FigureInputs
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from tests.metrics.players import RETURNS, agent

INFO = DatasetInfo("rooms", (1, 4, 4), {}, 2, "test")


def inputs(rep: Representation) -> FigureInputs:
    return FigureInputs(INFO, rep, {}, None)


def test_the_source_is_above_the_target_and_waits_for_it(rng):
    animation = episodes(inputs(agent()), rng=rng, num_episodes=2, scale=3, target=None)["episodes"]
    assert len(animation.frames) == 5  # of the target; the source's three, the last of which stays
    assert {frame.shape for frame in animation.frames} == {(26, 26, 3)}
    assert [frame[0, 0, 0] for frame in animation.frames] == [0, 10, 20, 20, 20]
    assert [frame[25, 0, 0] for frame in animation.frames] == [0, 10, 20, 30, 40]


def test_without_a_target_the_source_is_alone(rng):
    home = {key: returns for key, returns in RETURNS.items() if key[0] == "source"}
    animation = episodes(inputs(agent(home)), rng=rng, num_episodes=1, scale=1, target=None)["episodes"]
    assert animation.frames[0].shape == (4, 4, 3)


def test_what_is_no_agent_is_left_out(rng):
    rep = Representation(np.zeros((2, 1)), np.zeros((2, 1), int), (1,))
    with pytest.raises(NotApplicable, match="needs an agent"):
        episodes(inputs(rep), rng=rng, num_episodes=1, scale=1, target=None)
