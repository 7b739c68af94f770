from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.stats import kstest, norm, uniform
from torch import nn

from disent_runner.losses.code_information import Information
from disent_runner.models.abstract_coded_gan import logged_bounds, logged_spread
from disent_runner.models.infogan import InfoGAN
from tests.models.test_infogan import SMALL


@pytest.fixture
def model(dataset) -> InfoGAN:
    torch.manual_seed(0)
    return InfoGAN(info=dataset.info, **SMALL).eval()


def test_images_are_represented_by_probabilities_and_means(model: InfoGAN, batch) -> None:
    codes, logvar = model.encode(batch.images)
    assert logvar is None
    assert codes.shape == (12, 5)
    torch.testing.assert_close(codes[:, :3].sum(1), torch.ones(12))
    outputs = model.code_head(model.trunk(batch.images))
    torch.testing.assert_close(codes[:, 3:], outputs[:, 3:5])


def test_codes_are_decoded_with_noise_that_stays(model: InfoGAN, batch) -> None:
    codes, fakes = model.generate(12)
    assert fakes.shape == batch.images.shape
    expected = model.generator(torch.cat([model.noise.expand(12, 4), codes], dim=1))
    torch.testing.assert_close(model.decode(codes), expected)
    assert not torch.equal(model.decode(codes), fakes)
    assert "noise" in model.state_dict()


def test_codes_are_rendered_with_noise_of_each_image(model: InfoGAN, batch) -> None:
    assert (model.noise_dim, model.categorical) == (4, (3,))
    codes, noise = model.generate(12)[0], torch.randn(12, 4)
    images = model.render(codes, noise)
    torch.testing.assert_close(images, model.generator(torch.cat([noise, codes], dim=1)))
    assert not torch.equal(images, model.decode(codes))
    torch.testing.assert_close(model.render(codes, model.noise.expand(12, 4)), model.decode(codes))


def test_codes_of_the_prior(model: InfoGAN) -> None:
    sampled = model.sample_codes(7, np.random.default_rng(0))
    assert (sampled.shape, sampled.dtype) == ((7, 5), np.float32)
    assert set(sampled[:, :3].sum(1).tolist()) == {1.0}


def test_bounds_have_the_names_of_the_log() -> None:
    bounds = logged_bounds(Information(torch.tensor(1.0, requires_grad=True), torch.tensor(2.0)))
    assert {name: value.item() for name, value in bounds.items()} == {
        "information_categorical": 1.0,
        "information_continuous": 2.0,
    }
    assert not bounds["information_categorical"].requires_grad


def test_images_that_are_all_the_same_have_no_spread() -> None:
    images = torch.rand(6, 1, 4, 4)
    spread = logged_spread(SimpleNamespace(is_logged=True), images)["sample_spread"]  # pyright: ignore
    assert spread.item() == pytest.approx(np.std(images.numpy(), axis=0, ddof=1).mean(), rel=1e-5)
    alike = logged_spread(SimpleNamespace(is_logged=True), images[:1].expand(6, -1, -1, -1))  # pyright: ignore
    assert alike["sample_spread"].item() == 0
    assert logged_spread(SimpleNamespace(is_logged=False), images) == {}  # pyright: ignore


def test_uniform_noise_is_uniform(dataset) -> None:
    model = InfoGAN(info=dataset.info, **SMALL, noise_prior="uniform")
    seen = []
    model.generator.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0][:, :4]))
    torch.manual_seed(0)
    model.generate(2000)
    assert kstest(seen[0].flatten().numpy(), uniform(-1, 2).cdf).pvalue > 0.01
    model.eval().render(torch.zeros(1, 5), torch.tensor([[0.0, -9.0, 9.0, 0.5]]))  # figures draw normal noise
    torch.testing.assert_close(seen[1], torch.tensor([[0.0, -1.0, 1.0, 2 * norm.cdf(0.5) - 1]]).float())


def test_images_are_made_by_the_average_of_the_generator(dataset, batch) -> None:
    torch.manual_seed(0)
    model = InfoGAN(info=dataset.info, **SMALL, generator_ema=0.9)
    model.configure_optimizers()
    expected = {name: value.clone() for name, value in model.generator.state_dict().items()}
    for _ in range(3):
        model.update(batch)
        new = model.generator.state_dict()
        expected = {name: 0.9 * value + 0.1 * new[name] for name, value in expected.items()}
    assert model.average is not None
    for name, value in model.average.state_dict().items():
        if value.is_floating_point():
            torch.testing.assert_close(value, expected[name])
    codes, noise = torch.rand(3, 5), torch.randn(3, 4)
    images = model.eval().render(codes, noise)
    torch.testing.assert_close(images, model.average(torch.cat([noise, codes], 1)))
    assert not torch.equal(images, model.generator(torch.cat([noise, codes], 1)))


def test_the_judge_has_spectral_norm_one(dataset, batch) -> None:
    torch.manual_seed(0)
    model = InfoGAN(info=dataset.info, **{**SMALL, "norm": "none"}, spectral_norm=True)
    for _ in range(100):
        model.discriminator_head(model.trunk(batch.images))
    layers = [*model.trunk.modules(), *model.discriminator_head.modules()]
    weights = [layer.weight for layer in layers if isinstance(layer, nn.Conv2d | nn.Linear)]
    assert len(weights) == 4
    for weight in weights:
        assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, rel=1e-3)
    assert "parametrizations" not in str(model.code_head.state_dict().keys())


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise_prior": "normal"}, r"noise_prior must be null \(normal\) or uniform, got 'normal'"),
        ({"spectral_norm": "no"}, "spectral_norm must be true or null, got 'no'"),
        ({"generator_ema": 1.0}, "generator_ema must be between 0 and 1, such as 0.999, or null, got 1.0"),
        ({"discriminator_steps": 0}, "discriminator_steps must be 1 or more, or null, got 0"),
    ],
)
def test_other_choices_are_refused(settings, message: str, dataset) -> None:
    with pytest.raises(ValueError, match=message):
        InfoGAN(info=dataset.info, **SMALL, **settings)
