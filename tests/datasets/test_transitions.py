import numpy as np
import torch

from disent_runner.datasets.batches import UniformBatches
from disent_runner.datasets.transitions import HELD_OUT, WorldTransitions, as_floats, random_starts, transitions_from
from disent_runner.environments.icf_grid import AGENT, IcfGrid

WORLD = IcfGrid(distractor=True)


def of(seed: int) -> WorldTransitions:
    return WorldTransitions(WORLD, UniformBatches(num_images=100, batch_size=16, seed=seed), batch_size=16, seed=seed)


def test_a_transition_is_a_function_of_seed_and_step():
    source = of(3)
    later = source.transitions(7)
    for one, other in zip(later, of(3).transitions(7), strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(later.before, source.transitions(8).before)
    assert not torch.equal(later.before, of(4).transitions(7).before)
    assert not torch.equal(later.before, of(3 + HELD_OUT).transitions(7).before)


def test_rows_are_those_of_the_source():
    assert torch.equal(of(3).draw(5).rows, UniformBatches(num_images=100, batch_size=16, seed=3).draw(5).rows)


def test_each_action_leads_to_its_image():
    state = random_starts(WORLD, 200, seed=0)
    before, after = transitions_from(WORLD, state)
    assert before.shape == (200, 1, 12, 12)
    assert after.shape == (200, 4, 1, 12, 12)
    places = state["agent"].astype(int)
    moves = np.array([(1, 0), (-1, 0), (0, 1), (0, -1)])
    for action, move in enumerate(moves):
        x, y = np.clip(places + move, 0, 10).T
        rows = np.arange(200)
        assert (after.numpy()[rows, action, 0, y, x] == AGENT).all()
    assert as_floats(before).max() == 1
