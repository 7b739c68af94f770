"""QLAE: where its values start, its terms beside the paper's formulas, and that it learns."""

from dataclasses import replace
from functools import partial

import pytest
import torch

from disent_runner.losses.likelihoods import Bernoulli
from disent_runner.models.qlae import QLAE
from disent_runner.networks.tiny import TinyDecoder, TinyEncoder

SETTINGS = {"latent_dim": 3, "encoder": TinyEncoder, "decoder": TinyDecoder, "likelihood": Bernoulli()}
SETTINGS |= {"num_values": 5, "lambda_quantization": 0.01, "lambda_commitment": 0.01}


@pytest.fixture
def qlae(dataset):
    def build(**settings) -> QLAE:
        torch.manual_seed(0)
        optimizer = partial(torch.optim.AdamW, lr=3e-3, weight_decay=0.1)
        model = QLAE(info=dataset.info, optimizer=optimizer, **{**SETTINGS, **settings})
        model.configure_optimizers()
        return model

    return build


def test_values_start_from_minus_to_plus_one_half(qlae) -> None:
    torch.testing.assert_close(qlae().values.detach(), torch.tensor([[-0.5, -0.25, 0.0, 0.25, 0.5]] * 3))


def test_its_terms_are_mean_squared_distances(qlae, batch) -> None:
    model = qlae()
    outputs = model.encoder(batch.images).detach()
    distance = (outputs[:, :, None] - model.values.detach()).abs().amin(2).square().mean()
    logged = model.update(batch)
    torch.testing.assert_close(logged["quantization"], distance)
    torch.testing.assert_close(logged["commitment"], distance)
    assert model.weights() == {"quantization": 0.01, "commitment": 0.01}


def test_it_learns_the_images_and_the_values(qlae, batch) -> None:
    model = qlae()
    start = model.values.detach().clone()
    losses = [model.update(replace(batch, step=step))["reconstruction"] for step in range(150)]
    assert losses[-1] < losses[0] / 3
    assert not torch.equal(model.values, start)


def test_one_value_is_no_code(qlae) -> None:
    with pytest.raises(ValueError, match=r"model.num_values must be a whole number of at least 2, got 1"):
        qlae(num_values=1)
