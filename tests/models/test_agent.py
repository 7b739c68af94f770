"""What an agent acts on, where, and that its vision stays as it was; without a Trainer but where it is about one."""

from typing import Any

import numpy as np
import pytest
import torch

from disent_runner.agents.learner import Eyes
from disent_runner.assembly import build
from disent_runner.environments.toyarena import hue_triples
from disent_runner.models.base import AbstractModel
from disent_runner.runs.lineage import weights_hash
from disent_runner.stages.fit import fit

pytestmark = pytest.mark.usefixtures("untrained_below")
SEEN = ("vision=vae", "model.num_envs=2")
SMALL = (*SEEN, "model.agent.hidden=[8]")
LEARNERS = {
    "a2c": [*SMALL, "model=a2c", "model.agent.n_steps=3"],
    "ppo": [*SMALL, "model=ppo", "model.agent.n_steps=4", "model.agent.batch_size=4"],
    "dqn": [*SMALL, "model=dqn", "model.agent.learning_starts=20", "model.agent.buffer_size=64"],
    "mfec": [*SEEN, "model=mfec", "model.agent.n_steps=3", "model.agent.capacity=24"],
    "mfec, pixels": ["vision=raw", "model.num_envs=2", "model=mfec", "model.agent.n_steps=3"],
}


def trained(composed: Any, folder: Any, typed: list[str], *lengths: int) -> AbstractModel:
    model: Any = None
    for length in lengths:
        config = composed(*typed, f"trainer.max_steps={length}", "trainer.log_every=2")
        data = build.build_data(config)
        model = build.build_model(config, data.training.info)
        fit(model, data, folder=folder, seed=0, accelerator="cpu", precision="32-true")
    return model


@pytest.mark.parametrize("typed", LEARNERS.values(), ids=LEARNERS)
def test_a_resumed_run_equals_the_undisturbed_one(typed, composed, tmp_path):
    """Across the end of an episode, and of a memory that is full."""
    whole = trained(composed, tmp_path / "whole", typed, 40)
    resumed = trained(composed, tmp_path / "parts", typed, 16, 40)
    assert weights_hash(whole.state_dict()) == weights_hash(resumed.state_dict())
    ours, theirs = whole.get_extra_state(), resumed.get_extra_state()
    assert ours.keys() == theirs.keys()
    for name, value in ours.items():
        assert torch.equal(torch.as_tensor(value), torch.as_tensor(theirs[name])), name
    logs = [(tmp_path / folder / "train.csv").read_text() for folder in ("whole", "parts")]
    assert logs[0] == logs[1]
    assert "return" in logs[0].splitlines()[0]


@pytest.mark.parametrize("sees", ["codes", "finetune"])
def test_only_a_vision_that_goes_on_learning_changes(sees, composed, tmp_path):
    config = composed(*LEARNERS["a2c"], f"model.sees={sees}", "trainer.max_steps=4")
    data = build.build_data(config)
    model: Any = build.build_model(config, data.training.info)
    before = weights_hash(model.vision.model.state_dict())
    copies: list[Any] = [module for module in model.policy.modules() if isinstance(module, Eyes)]
    assert all(weights_hash(copy.network.model.state_dict()) == before for copy in copies)
    fit(model, data, folder=tmp_path, seed=0, accelerator="cpu", precision="32-true")
    assert weights_hash(model.vision.model.state_dict()) == before
    assert not [name for name in model.state_dict() if name.startswith("vision")]
    assert bool(copies) == (sees == "finetune")
    assert all(weights_hash(copy.network.model.state_dict()) != before for copy in copies)


def test_every_image_of_a_room_is_seen_as_the_data_set_has_it(composed):
    """Frames of the environment, bytes with channels last, and images of the data set come to the same codes."""
    config = composed(*SMALL, "model=a2c")
    data = build.build_data(config)
    model: Any = build.build_model(config, data.training.info)
    model.learn(data.training, np.random.default_rng(0))
    images = data.training.gather(torch.arange(4))
    frames = (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
    codes, logvar = model.encode(images)
    assert np.allclose(model._see(frames, None), codes.detach(), atol=1e-5)
    theirs, spread = model.vision.encode(images)
    assert torch.allclose(codes * model.code_deviation + model.code_mean, theirs, atol=1e-5)
    assert torch.allclose(logvar.exp().sqrt() * model.code_deviation, spread.exp().sqrt(), atol=1e-5)


def test_statistics_are_those_of_the_data_set(composed):
    config = composed(*SMALL, "model=a2c")
    data = build.build_data(config)
    model: Any = build.build_model(config, data.training.info)
    model.learn(data.training, np.random.default_rng(0))
    codes = model.vision.encode(data.training.gather(torch.arange(len(data.training))))[0].double()
    assert torch.allclose(model.code_mean.double(), codes.mean(0), atol=1e-5)
    assert torch.allclose(model.code_deviation.double(), codes.std(0).clamp_min(0.1), atol=1e-5)


def test_it_learns_in_the_source_and_is_tried_in_the_target(composed):
    """Their hues are disjoint, by which rooms differ and by nothing else."""
    config = composed(*SMALL, "model=a2c")
    model: Any = build.build_model(config, build.build_data(config).training.info)
    assert model.domains == ("source", "target")
    learned = {tuple(hues) for hues in model.seen.many.world.triples.tolist()}
    tried = model.play("target", 200, np.random.default_rng(0), keep_frames=True).frames[0]
    of_source = model.play("source", 200, np.random.default_rng(0), keep_frames=True).frames[0]
    assert {frame.tobytes() for frame in tried}.isdisjoint(frame.tobytes() for frame in of_source)
    assert learned == {tuple(hues) for hues in hue_triples("source").tolist()}
    assert not learned & {tuple(hues) for hues in hue_triples("target").tolist()}


def test_training_and_trial_have_other_rooms_and_every_agent_the_same(composed):
    config = composed(*SMALL, "model=a2c")
    model: Any = build.build_model(config, build.build_data(config).training.info)
    model.learn(build.build_data(config).training, np.random.default_rng(0))
    assert int(model.world_seed) < 2**32
    first, again = (model.play("source", 3, np.random.default_rng(seed), keep_frames=True) for seed in (0, 1))
    assert np.array_equal(first.frames[0], again.frames[0])
    other = model.play("source", 3, np.random.default_rng(0), seed=1, keep_frames=True)
    assert not np.array_equal(first.frames[0], other.frames[0])


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        (["model.sees=factors"], r"sees without a vision, got one; leave it out, model\.vision=null$"),
        (["model.vision=null"], r"^model\.sees=codes needs a run to see by; choose one, vision=darla$"),
        (["model.acts_in={hue: 1}"], r"^model\.acts_in: the environment has no setting hue; there are domain, "),
        (["model.acts_in={domain: elsewhere}"], r"^model\.acts_in: domain=elsewhere, ood_level=0: expected domain"),
        (["vision.overrides=['model=oracle']"], r"^model\.vision must see images: the oracle encodes the factors"),
        (["dataset=dsprites"], r"^the environment's images are 3x32x32, those of dsprites are 1x64x64; leave dataset"),
    ],
)
def test_what_is_wrong_is_one_line_before_anything_is_trained(typed, line, composed):
    config = composed(*SMALL, "model=a2c", *typed)
    with pytest.raises(ValueError, match=line):
        build.build_model(config, build.build_data(config).training.info)


def test_actions_that_cannot_be_counted_are_refused(composed, monkeypatch):
    """Before anything is trained, of an environment of others."""
    from gymnasium.spaces import Box

    monkeypatch.setattr("disent_runner.environments.gymnasium_worlds.Discrete", lambda count: Box(-1, 1, (count,)))
    config = composed("model=dqn", "vision=oracle")
    with pytest.raises(ValueError, match=r"^agents choose one of so many actions, this environment has Box\(-1.0, 1.0"):
        build.build_model(config, build.build_data(config).training.info)


def test_no_environment_is_one_line(composed):
    config = composed("model=a2c", "vision=oracle")
    info = build.build_data(config).training.info
    config.model.environment = None
    with pytest.raises(ValueError, match="needs an environment to act in; add environment=toyarena"):
        build.build_model(config, info)
