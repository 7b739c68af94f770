import dataclasses
import math
from functools import partial
from itertools import combinations
from typing import Any

import pytest
import torch

from disent_runner.models.infogan import InfoGAN
from disent_runner.networks.gan import CodeHead, ConvGenerator, ConvTrunk

SMALL: dict[str, Any] = {
    "categorical": [3],
    "continuous": 2,
    "noise_dim": 4,
    "lambda_categorical": 1.0,
    "lambda_continuous": 0.5,
    "sigma": "learned",
    "q_params_with": "d",
    "detach_q": False,
    "norm": "batch",
    "generator": partial(ConvGenerator, hidden=16, channels=[8, 8], strides=[2, 2], output="sigmoid"),
    "trunk": partial(ConvTrunk, channels=[8, 8], strides=[2, 2], hidden=16, slope=0.1),
    "code_head": partial(CodeHead, hidden=None, norm="batch", slope=0.1),
    "optimizer": partial(torch.optim.SGD, lr=0.01),
    "generator_optimizer": partial(torch.optim.SGD, lr=0.01),
}


@pytest.fixture
def build(dataset):
    def make(**settings: Any) -> InfoGAN:
        torch.manual_seed(0)
        model = InfoGAN(info=dataset.info, **{**SMALL, **settings})
        model.configure_optimizers()
        return model

    return make


def moved(model: InfoGAN, batch) -> set[str]:
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    model.update(batch)
    return {name.split(".")[0] for name, value in model.named_parameters() if not torch.equal(value, before[name])}


def test_a_step_moves_everything_and_logs_the_bounds(build, batch) -> None:
    model = build()
    assert moved(model, batch) == {"generator", "trunk", "discriminator_head", "code_head"}
    logged = model.update(batch)
    assert logged["information_categorical"] <= math.log(3) + 1e-5
    assert set(logged) == {
        "loss",
        "generator_loss",
        "discriminator_loss",
        "discriminator_accuracy",
        "information_categorical",
        "information_continuous",
        "sample_spread",
    }
    assert model.derived({})["code_entropy"].item() == pytest.approx(math.log(3))


def gradients_by_codes(model: InfoGAN, batch) -> float:
    """Length of the gradient that the bound alone sends into the generator."""
    codes, fakes = model.generate(12)
    bound = torch.stack(list(model._watched(model.trunk(fakes), codes))).sum()
    gradients = torch.autograd.grad(bound, list(model.generator.parameters()), allow_unused=True)
    return sum(float(g.abs().sum()) for g in gradients if g is not None)


def test_a_q_that_only_watches_sends_nothing_into_the_generator(build, batch) -> None:
    assert gradients_by_codes(build(), batch) > 0
    assert gradients_by_codes(build(detach_q=True), batch) == 0
    model = build(detach_q=True)
    assert "code_head" in moved(model, batch)


@pytest.mark.parametrize("q_params_with", ["d", "g"])
def test_q_belongs_to_one_optimizer(q_params_with: str, build, batch) -> None:
    model = build(q_params_with=q_params_with)
    discriminator, generator = (
        {id(parameter) for group in model.optimizer_of[name].param_groups for parameter in group["params"]}
        for name in ("discriminator", "generator")
    )
    q = {id(parameter) for parameter in model.code_head.parameters()}
    assert (q <= discriminator, q <= generator) == (q_params_with == "d", q_params_with == "g")
    assert not discriminator & generator
    assert "code_head" in moved(model, batch)


def test_the_generator_step_is_the_gradient_of_its_own_loss(build, batch) -> None:
    """With the discriminator's learning rate 0, so that one step is seen alone."""
    model = build(optimizer=partial(torch.optim.SGD, lr=0.0), norm="none")
    before = {name: value.detach().clone() for name, value in model.generator.named_parameters()}
    torch.manual_seed(1)
    model.update(batch)
    after = {name: value.detach().clone() for name, value in model.generator.named_parameters()}
    for name, value in model.generator.named_parameters():
        value.data = before[name]
    torch.manual_seed(1)
    codes = model.layout.draw(12, torch.device("cpu"))
    fakes = model.generator(torch.cat([torch.randn(12, 4), codes], 1))
    features = model.trunk(fakes)
    information = model.information(features, codes)
    adversarial = -model.discriminator_head(features).sigmoid().log().mean()
    loss = adversarial - 1.0 * information.categorical - 0.5 * information.continuous
    named = dict(model.generator.named_parameters())
    gradients = torch.autograd.grad(loss, list(named.values()))
    for (name, value), gradient in zip(named.items(), gradients, strict=True):
        torch.testing.assert_close(after[name], value.detach() - 0.01 * gradient, rtol=1e-4, atol=1e-6)


def test_one_image_is_too_few(build) -> None:
    with pytest.raises(ValueError, match="at least 2 for InfoGAN, got 1"):
        build().check_batch_size(1)


def test_another_owner_of_q_is_refused(build) -> None:
    with pytest.raises(ValueError, match="q_params_with must be d or g, got 'both'"):
        build(q_params_with="both")


def test_the_discriminator_takes_its_steps_for_each_of_the_generator(build, batch, monkeypatch) -> None:
    model = build(discriminator_steps=3)
    steps = []
    for name, optimizer in model.optimizer_of.items():
        step = optimizer.step
        monkeypatch.setattr(optimizer, "step", lambda step=step, name=name: steps.append(name) or step())
    model.update(batch)
    assert steps == ["generator", "discriminator", "discriminator", "discriminator"]


def test_each_step_of_the_discriminator_sees_other_images_and_other_fakes(build, batch) -> None:
    seen: list[torch.Tensor] = []
    model = build(discriminator_steps=3)
    model.trunk.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0].detach()))
    model.update(batch)
    of_generator, reals, fakes = seen[0], seen[1::2], seen[2::2]
    assert torch.equal(reals[0], batch.images)
    assert torch.equal(fakes[0], of_generator)
    for images in (reals, fakes):
        assert len(images) == 3
        assert not any(torch.equal(one, other) for one, other in combinations(images, 2))


def test_bounds_in_their_warmup_weigh_less(build, batch) -> None:
    model = build(warmup={"continuous": 4})
    logged = model.update(dataclasses.replace(batch, step=1))
    bounds = 1.0 * logged["information_categorical"] + 0.5 / 4 * logged["information_continuous"]
    torch.testing.assert_close(logged["loss"], logged["generator_loss"] - bounds)
