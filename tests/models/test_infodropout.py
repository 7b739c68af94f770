"""Information dropout: its loss beside the paper's formulas, both tasks, both activations, and mistakes."""

import math
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn import functional

from disent_runner.datasets.batches import UniformBatches
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.losses.likelihoods import Bernoulli
from disent_runner.models.infodropout import InfoDropout
from disent_runner.networks.tiny import TinyDecoder, TinyEncoder
from tests.models.conftest import LEARNING_RATE

SETTINGS = {"latent_dim": 3, "encoder": TinyEncoder, "decoder": TinyDecoder, "likelihood": Bernoulli()}
SETTINGS |= {"beta": 0.1, "max_alpha": 0.7, "target": None, "activation": "softplus"}


@pytest.fixture
def built(dataset):
    def build(*, lr: float = LEARNING_RATE, **settings) -> InfoDropout:
        torch.manual_seed(0)
        model = InfoDropout(info=dataset.info, optimizer=partial(torch.optim.Adam, lr=lr), **{**SETTINGS, **settings})
        model.configure_optimizers()
        return model

    return build


@pytest.mark.parametrize("activation", ["softplus", "relu"])
@pytest.mark.parametrize("target", [None, "row"])
def test_the_loss_is_that_of_the_paper(built, batch, activation, target) -> None:
    """z = f(x) ε written out, with the closed forms of the paper for the KL."""
    model = built(activation=activation, target=target)
    with torch.no_grad():
        outputs, logits = model.encoder(batch.images).chunk(2, dim=1)
        alpha = 0.7 * logits.sigmoid()
        torch.manual_seed(7)
        noise = (alpha * torch.randn_like(alpha)).exp()
        values = functional.softplus(outputs) if activation == "softplus" else outputs.relu()
        if activation == "softplus":  # the prior starts as log N(0, 1)
            kl = (alpha.square() + values.log().square()) / 2 - alpha.log() - 0.5
        else:
            kl = math.log(0.7) - alpha.log()
        if target is None:
            pixels = functional.binary_cross_entropy_with_logits(
                model.decoder(values * noise), batch.images, reduction="none"
            )
            task = pixels.flatten(1).sum(1).mean()
        else:
            rows = torch.from_numpy(batch.dataset.space.factors(batch.draw.rows.numpy())[:, 0])
            task = functional.cross_entropy(model.classifier(values * noise), rows)
    torch.manual_seed(7)
    logged = model.update(batch)
    torch.testing.assert_close(logged["kl"], kl.sum(1).mean())
    torch.testing.assert_close(logged["reconstruction" if target is None else "cross_entropy"], task)
    torch.testing.assert_close(logged["loss"], task + 0.1 * kl.sum(1).mean())


def test_noise_is_never_above_its_largest(built, batch) -> None:
    model = built(max_alpha=0.2)
    for parameter in model.encoder.parameters():
        parameter.data *= 100
    _, log_alpha = model.activate(batch.images)
    assert log_alpha.exp().max() <= 0.2 + 1e-6
    assert torch.isfinite(model.update(batch)["loss"])


@pytest.mark.parametrize("activation", ["softplus", "relu"])
def test_it_learns_a_factor(built, batch, activation) -> None:
    model = built(activation=activation, target="row", beta=0.001, latent_dim=6, lr=1e-2)
    logged = [model.update(replace(batch, step=step)) for step in range(100)]
    assert np.mean([float(values["accuracy"]) for values in logged[-20:]]) > 0.8
    assert model.learns_from_labels
    assert not model.has_decoder


def test_it_learns_images(built, batch) -> None:
    model = built(beta=0.01, lr=1e-2)
    losses = [float(model.update(replace(batch, step=step))["reconstruction"]) for step in range(60)]
    assert np.mean(losses[-10:]) < np.mean(losses[:3]) / 2
    assert not model.learns_from_labels
    mean, logvar = model.encode(batch.images)
    assert logvar is not None
    assert model.decode(mean).shape == batch.images.shape


def test_codes_are_logarithms_where_the_prior_is_log_normal(built, batch) -> None:
    """So that q(z|x) is normal, as whatever reads codes expects; rectified ones may be 0, and are points."""
    mean, logvar = built().encode(batch.images)
    outputs, logits = built().encoder(batch.images).chunk(2, dim=1)
    torch.testing.assert_close(mean.exp(), functional.softplus(outputs))
    torch.testing.assert_close((logvar / 2).exp(), 0.7 * logits.sigmoid())
    mean, logvar = built(activation="relu").encode(batch.images)
    assert logvar is None
    assert mean.min() == 0


def test_total_correlation_is_of_log_activations_with_their_noise(built, batch) -> None:
    """Of two latents -log(1 - ρ²) / 2."""
    model = built(latent_dim=2)
    log_values, log_alpha = (values.detach().double() for values in model.activate(batch.images))
    covariance = np.cov(log_values.numpy(), rowvar=False) + np.diag((2 * log_alpha).exp().mean(0).numpy())
    squared = covariance[0, 1] ** 2 / covariance[0, 0] / covariance[1, 1]
    derived = model.derived({name: value.double() for name, value in model.update(batch).items()})
    assert float(derived["total_correlation_gaussian"]) == pytest.approx(-np.log(1 - squared) / 2, rel=1e-4)
    assert "covariance" not in built(activation="relu").update(batch)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"target": "hue"}, r"model\.target names 'hue'; the factors are row, column"),
        ({"activation": "tanh"}, r"model\.activation must be softplus or relu, got 'tanh'"),
        ({"max_alpha": 1.5}, r"model\.max_alpha must be above 0 and at most 1\.0, got 1\.5"),
        ({"max_alpha": 0.0}, r"model\.max_alpha must be above 0"),
    ],
)
def test_mistakes_are_told(built, settings, said) -> None:
    with pytest.raises(ValueError, match=said):
        built(**settings)


@pytest.mark.parametrize(
    ("labels", "said"), [(-1, "the labels of some images are unknown"), (0, "has one value in these images")]
)
def test_a_factor_that_cannot_be_told_is_refused(built, dataset, labels, said) -> None:
    table = dataset.space.factors(np.arange(64))
    table[5 if labels < 0 else slice(None), 0] = labels
    training = replace(dataset, space=LabelTable(dataset.space.sizes, table))
    source = UniformBatches(num_images=64, batch_size=4, seed=0)
    with pytest.raises(ValueError, match=said):
        built(target="row").batches(training, source, batch_size=4, seed=0)
    assert built().batches(training, source, batch_size=4, seed=0) is source
