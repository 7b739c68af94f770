import pytest
import torch

from disent_runner.models.betavae import BetaVAE


def test_the_loss_weighs_the_kl_by_beta(make, batch):
    logged = make(BetaVAE, beta=7.0, normalized=False).update(batch)
    torch.testing.assert_close(logged["loss"], logged["reconstruction"] + 7 * logged["kl"])


def test_normalized_beta_is_beta_times_latents_over_pixels(make):
    model = make(BetaVAE, beta=0.5, normalized=True)
    assert model.weights() == {"kl": pytest.approx(0.5 * 16 * 16 / 3)}
