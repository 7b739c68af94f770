import pytest
import torch
from torch.distributions import Normal

from disent_runner.models.btcvae import BetaTCVAE
from disent_runner.models.vae import VAE


def brute_force(inference, num_train):
    """Minibatch-weighted estimates of the three terms, by a loop over pairs (Chen et al. 2018, eq. 5)."""
    size = len(inference.codes)
    posterior = Normal(inference.mean, (inference.logvar / 2).exp())
    pairs = torch.stack([posterior.log_prob(code) for code in inference.codes])  # (i, j, latent): z_i under q(. | x_j)
    constant = torch.tensor(float(size * num_train)).log()
    log_qz = pairs.sum(-1).logsumexp(1) - constant
    log_product = (pairs.logsumexp(1) - constant).sum(-1)
    log_qzx = posterior.log_prob(inference.codes).sum(-1)
    log_pz = Normal(0.0, 1.0).log_prob(inference.codes).sum(-1)
    return {
        "objective_index_code_mi": log_qzx - log_qz,
        "objective_total_correlation": log_qz - log_product,
        "objective_dimensionwise_kl": log_product - log_pz,
    }


def tcvae(make, **changes):
    return make(BetaTCVAE, **{"alpha": 1.0, "beta": 6.0, "gamma": 1.0, "estimator": "weighted"} | changes)


def test_terms_are_the_weighted_estimates_with_their_constants(make, batch):
    model = tcvae(make)
    inference = model.infer(batch)
    expected = brute_force(inference, num_train=64)
    for name, term in model.regularizers(inference, batch).items():
        torch.testing.assert_close(term, expected[name], msg=name)


def test_weights_are_alpha_beta_gamma(make, batch):
    logged = tcvae(make, alpha=2.0, beta=-3.0, gamma=5.0).update(batch)
    expected = (
        logged["reconstruction"]
        + 2 * logged["objective_index_code_mi"]
        - 3 * logged["objective_total_correlation"]
        + 5 * logged["objective_dimensionwise_kl"]
    )
    torch.testing.assert_close(logged["loss"], expected)


@pytest.mark.parametrize("estimator", ["weighted", "stratified"])
def test_with_all_weights_one_the_gradient_is_that_of_a_sampled_elbo(make, batch, estimator):
    """The three terms telescope to log q(z|x) - log p(z), whatever estimates log q(z)."""
    model = tcvae(make, beta=1.0, estimator=estimator)
    inference = model.infer(batch)
    total = torch.stack(list(model.regularizers(inference, batch).values())).sum(0)
    posterior = Normal(inference.mean, (inference.logvar / 2).exp())
    expected = posterior.log_prob(inference.codes) - Normal(0.0, 1.0).log_prob(inference.codes)
    torch.testing.assert_close(total, expected.sum(-1))


@pytest.mark.slow
def test_a_larger_beta_lowers_the_total_correlation_it_trains(make, batch):
    """The mistake of maximising it would show as the opposite."""

    def trained(beta: float) -> float:
        model = tcvae(make, beta=beta)
        model.optimizer_of["model"] = torch.optim.Adam(model.parameters(), lr=1e-3)
        for _ in range(60):
            model.update(batch)
        return model.update(batch)["objective_total_correlation"].item()

    assert trained(50.0) < trained(1.0) < trained(-10.0)


def test_the_estimator_is_checked(make, batch):
    with pytest.raises(ValueError, match="stratified"):
        tcvae(make, estimator="exact").update(batch)


def test_only_btcvae_needs_more_than_one_image(make):
    make(VAE).check_batch_size(1)
    with pytest.raises(ValueError, match="at least 2 for BetaTCVAE, got 1"):
        tcvae(make).check_batch_size(1)
