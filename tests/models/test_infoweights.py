"""Information in weights: its bound beside torch's divergences, labels at random, and the transition between fits."""

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.datasets.batches import UniformBatches
from disent_runner.models.infoweights import InfoWeights

SETTINGS = {"latent_dim": 32, "target": "row", "random_labels": True, "noise": "lognormal"}
SETTINGS |= {"beta": 1.0, "max_alpha": 2.0}


@pytest.fixture
def built(dataset):
    def build(*, seed: int = 0, **settings) -> InfoWeights:
        torch.manual_seed(seed)
        optimizer = partial(torch.optim.Adam, lr=3e-2)
        model = InfoWeights(optimizer=optimizer, **{"info": dataset.info, **SETTINGS, **settings})
        model.configure_optimizers()
        model.learn(dataset, np.random.default_rng(seed))
        return model

    return build


def test_the_information_of_normal_noise_is_the_divergence_of_torch(built) -> None:
    model = built(noise="gaussian")
    model.prior_log_sigma.data += torch.tensor([0.3, -0.2])
    expected = sum(
        kl_divergence(Normal(layer.mean, layer.noise.exp()), Normal(0.0, log_sigma.exp())).sum()
        for layer, log_sigma in zip(model.layers, model.prior_log_sigma, strict=True)
    )
    torch.testing.assert_close(model.information(), expected)


def test_the_information_of_log_normal_noise_is_what_its_logarithm_is_below_the_largest(built) -> None:
    model = built()
    per_weight = -torch.tensor(-3.0).sigmoid().log()
    torch.testing.assert_close(model.information(), per_weight * sum(layer.mean.numel() for layer in model.layers))


def test_the_loss_is_per_image(built, batch) -> None:
    model = built(beta=0.3)
    information = model.information().detach()
    logged = model.update(batch)
    torch.testing.assert_close(logged["information"], information / 64)
    torch.testing.assert_close(logged["loss"], logged["cross_entropy"] + 0.3 * information / 64)


def test_labels_are_the_factor_or_at_random(built, dataset) -> None:
    true = dataset.space.factors(np.arange(64))[:, 0]
    assert torch.equal(built(random_labels=False).labels, torch.from_numpy(true))
    drawn = [built(seed=seed).labels for seed in (0, 0, 1)]
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert set(drawn[0].tolist()) <= set(range(8))
    assert "labels" in built().state_dict()


@pytest.mark.parametrize("noise", ["lognormal", "gaussian"])
def test_random_labels_are_fitted_where_information_is_cheap_alone(built, batch, dataset, noise) -> None:
    """The paper's transition, far on either side of it; that it is near 1 is for a recipe of more images."""
    source = UniformBatches(num_images=64, batch_size=64, seed=0)
    accuracy = {}
    for beta in (0.01, 10.0):
        model = built(noise=noise, beta=beta, warmup={"information": 50})
        logged = [model.update(replace(batch, step=step, source=source)) for step in range(160)]
        accuracy[beta] = np.mean([float(values["accuracy"]) for values in logged[-10:]])
    assert accuracy[0.01] > accuracy[10.0] + 0.4


def test_codes_are_hidden_units_without_noise(built, batch) -> None:
    model = built()
    codes, logvar = model.encode(batch.images)
    assert logvar is None
    features = torch.cat([2 * batch.images.flatten(1) - 1, torch.ones(12, 1)], dim=1)
    torch.testing.assert_close(codes, (features @ model.hidden.mean).relu())


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "hue"}, r"model\.target names 'hue'; the factors are row, column"),
        ({"noise": "laplace"}, r"model\.noise must be lognormal or gaussian, got 'laplace'"),
        ({"max_alpha": 4.0}, r"model\.max_alpha must be above 0 and at most 3\.0, got 4\.0"),
    ],
)
def test_mistakes_are_told(built, settings, said) -> None:
    with pytest.raises(ValueError, match=said):
        built(**settings)


def test_data_without_factors_are_refused(built, dataset) -> None:
    with pytest.raises(ValueError, match="needs a factor to tell, squares has none; choose another data set"):
        built(info=replace(dataset.info, factors={}))
