import dataclasses
from functools import partial
from typing import Any

import pytest
import torch

from disent_runner.models.infowgangp import InfoWGANGP
from disent_runner.networks.gan import CodeHead, ConvGenerator, ConvTrunk

SMALL: dict[str, Any] = {
    "categorical": [3],
    "continuous": 2,
    "noise_dim": 4,
    "lambda_information": 0.2,
    "lambda_gradient": 10.0,
    "critic_steps": 3,
    "sigma": "fixed",
    "norm": "layer",
    "generator": partial(ConvGenerator, hidden=16, channels=[8, 8], strides=[2, 2], output="sigmoid"),
    "trunk": partial(ConvTrunk, channels=[8, 8], strides=[2, 2], hidden=16, slope=0.1),
    "code_head": partial(CodeHead, hidden=None, norm="layer", slope=0.1),
    "optimizer": partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.9)),
    "generator_optimizer": partial(torch.optim.Adam, lr=1e-3, betas=(0.5, 0.9)),
}


@pytest.fixture
def build(dataset):
    def make(**settings: Any) -> InfoWGANGP:
        torch.manual_seed(0)
        model = InfoWGANGP(info=dataset.info, **{**SMALL, **settings})
        model.configure_optimizers()
        return model

    return make


def test_the_critic_takes_its_steps_for_each_of_the_generator(build, batch, monkeypatch) -> None:
    model = build()
    steps = []
    for name, optimizer in model.optimizer_of.items():
        step = optimizer.step
        monkeypatch.setattr(optimizer, "step", lambda step=step, name=name: steps.append(name) or step())
    logged = model.update(batch)
    assert steps == ["generator", "critic", "critic", "critic"]
    assert {"wasserstein", "critic_slope", "information_categorical", "information_continuous"} < set(logged)


def test_the_critic_s_distance_is_of_real_images_less_fakes(build, batch) -> None:
    still = partial(torch.optim.SGD, lr=0.0)
    model = build(critic_steps=1, optimizer=still, generator_optimizer=still)
    torch.manual_seed(1)
    logged = model.update(batch)
    torch.manual_seed(1)
    _, (_, fakes) = (model.generate(len(batch.images)) for _ in range(2))  # the generator's step draws first
    real_score, fake_score = (model.critic_head(model.trunk(images)).mean() for images in (batch.images, fakes))
    torch.testing.assert_close(logged["wasserstein"], real_score - fake_score)


@pytest.mark.slow
def test_the_penalty_brings_the_slope_to_one(build, batch) -> None:
    model = build(critic_steps=1)
    slopes = [model.update(batch)["critic_slope"].item() for _ in range(80)]
    assert abs(sum(slopes[-20:]) / 20 - 1) < min(0.3, abs(slopes[0] - 1))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"norm": "batch"}, "norm must be layer or none"),
        ({"critic_steps": 0}, "critic_steps must be 1 or more, got 0"),
    ],
)
def test_wrong_settings(settings, message: str, build) -> None:
    with pytest.raises(ValueError, match=message):
        build(**settings)


def test_weights_in_their_warmup(build, batch) -> None:
    logged = build(warmup={"information": 4}).update(dataclasses.replace(batch, step=1))
    bounds = logged["information_categorical"] + logged["information_continuous"]
    torch.testing.assert_close(logged["loss"], -logged["score"] - 0.2 / 4 * bounds)
