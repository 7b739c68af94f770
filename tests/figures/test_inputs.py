import numpy as np
import torch
from torch.distributions import Normal, kl_divergence

from disent_runner.figures.inputs import by_kl, latent_kl


def test_kl_is_that_of_torch_and_sorts_the_latents(inputs):
    rep = inputs.representation
    posterior = Normal(torch.tensor(rep.codes), (torch.tensor(rep.logvar) / 2).exp())
    expected = kl_divergence(posterior, Normal(0.0, 1.0)).mean(0)
    np.testing.assert_allclose(latent_kl(rep), expected)
    assert by_kl(rep).tolist() == [1, 2, 0]
