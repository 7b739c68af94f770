import torch

from disent_runner.models.betavae import BetaVAE
from disent_runner.models.vae import VAE


def test_a_vae_is_a_beta_vae_with_beta_one(make, batch):
    vae, beta = make(VAE), make(BetaVAE, beta=1.0, normalized=False)
    for model in (vae, beta):
        torch.manual_seed(3)
        model.update(batch)
    assert all(map(torch.equal, vae.parameters(), beta.parameters()))
