"""What a random policy sees: frames with the factors that they were drawn from, and a file of their own for each."""

from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from disent_runner.datasets.card import Card, file_name
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load
from disent_runner.datasets.observations import NUM_AT_ONCE, card, random_states
from disent_runner.environments.gymnasium import gymnasium
from disent_runner.environments.icf_grid import AGENT, IcfGrid, icf_grid
from disent_runner.environments.toyarena import toyarena


def of(environment: Any, num_frames: int = 200, seed: int = 0, **settings: Any) -> Card:
    return card(environment=partial(environment, **settings), num_frames=num_frames, seed=seed)


def test_each_frame_shows_its_factors(tmp_path):
    seen = load(of(icf_grid, distractor=True), data_dir=tmp_path)
    assert seen.info.name == "observations_icf_grid"
    assert seen.info.factors == {"agent_x": 11, "agent_y": 11, "distractor_x": 11, "distractor_y": 11}
    images = seen.gather(torch.arange(200)).numpy()
    for image, (x, y, *_) in zip(images, seen.space.factors(np.arange(200)), strict=True):
        rows, columns = np.nonzero(image[0] == AGENT / 255)
        assert (rows.min(), rows.max(), columns.min(), columns.max()) == (y, y + 1, x, x + 1)


def test_actions_are_uniform_and_episodes_begin_anew():
    world = IcfGrid(max_steps=5)
    states = [state for state, _ in zip(random_states(world, 0), range(1000), strict=False)]
    assert max(int(state["step"].max()) for state in states) == 4
    assert int(states[999]["episode"][0]) == 199
    moved = np.concatenate(
        [after["agent"].astype(int) - before["agent"] for before, after in pairwise(states) if after["step"][0] > 0]
    )
    inside = moved[np.abs(moved).sum(1) == 1]
    counts = np.unique(inside, axis=0, return_counts=True)[1]
    assert len(counts) == 4
    np.testing.assert_allclose(counts / counts.sum(), 0.25, atol=0.01)  # 0.002 is their standard deviation


def test_places_are_uniform_over_many_episodes(tmp_path):
    seen = load(of(icf_grid, num_frames=20_000), data_dir=tmp_path)
    counts = np.bincount(seen.space.factors(np.arange(20_000))[:, 0], minlength=11)
    assert counts.min() > 0.5 * 20_000 / 11


def test_two_settings_never_share_a_file():
    cards = [of(icf_grid), of(icf_grid, seed=1), of(icf_grid, num_frames=201), of(icf_grid, max_steps=39)]
    cards += [of(icf_grid, scale=2), of(toyarena, domain="all"), of(toyarena, domain="source")]
    cards += [of(gymnasium, id=f"A/B-v{k}", tile_size=8, settings={}) for k in (0, 1)]
    names = {file_name(one, one.origins[0], Transform()) for one in cards}
    assert len(names) == len(cards)
    assert not [name for name in names if "/" in name or " " in name]


def test_the_same_frames_come_again(tmp_path):
    first, again = (load(of(toyarena, domain="all"), data_dir=tmp_path / name) for name in "ab")
    assert first.content_hash == again.content_hash
    other = load(of(toyarena, domain="all", seed=1), data_dir=tmp_path / "a")
    assert other.content_hash != first.content_hash


def test_few_frames_are_as_many_as_one_asks_for(tmp_path):
    seen = load(of(icf_grid, num_frames=NUM_AT_ONCE + 3), data_dir=tmp_path)
    assert len(seen) == NUM_AT_ONCE + 3


def test_environments_of_others_have_no_factors(tmp_path):
    pytest.importorskip("minigrid")
    one = of(gymnasium, num_frames=70, id="MiniGrid-Empty-5x5-v0", tile_size=8, settings={})
    seen = load(one, data_dir=tmp_path)
    assert seen.info.name == "observations_MiniGrid-Empty-5x5-v0"
    assert seen.info.image_shape == (3, 40, 40)
    assert not seen.info.factors
    assert load(one, data_dir=tmp_path / "again").content_hash == seen.content_hash


def test_without_an_environment_one_line_says_what_to_add():
    with pytest.raises(ValueError, match=r"^dataset=observations needs an environment to look at; add environment="):
        card(environment=None, num_frames=10, seed=0)


def test_an_environment_chooses_its_observations_and_a_typed_data_set_wins(composed):
    config = composed("environment=toyarena", "environment.domain=all", "dataset.subset=null")
    assert config.dataset.card.environment.domain == "all"
    assert "num_frames" in config.dataset
    assert "num_frames" not in composed("environment=icf_grid", "dataset=dsprites").dataset


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (
            ["environment=icf_grid", "environment.scale=0"],
            r"^environment\.scale=0: expected a whole number of at least 1",
        ),
        (["environment=gymnasium"], r"^environment\.id has to be given"),
    ],
)
def test_what_no_environment_takes_is_one_line(typed, said, composed):
    with pytest.raises(ValueError, match=said):
        composed(*typed, "dataset.subset=null")
