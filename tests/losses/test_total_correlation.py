"""Against enumeration, quadrature of the mixture, closed forms, and stored float64 values for two batches."""

import itertools
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.stats import norm
from torch.autograd import gradcheck
from torch.distributions import MultivariateNormal, Normal, kl_divergence

from disent_runner.losses.total_correlation import (
    KLTerms,
    aggregate_log_density,
    decompose_kl,
    gaussian_total_correlation,
    stratified_log_weights,
    weighted_log_weights,
)

ORACLES = Path(__file__).parent / "oracles"
ESTIMATORS = ["weighted", "stratified"]
each_estimator = pytest.mark.parametrize("estimator", ESTIMATORS)
every_estimator = pytest.mark.parametrize("estimator", [*ESTIMATORS, "gaussian"])


def posteriors(batch: int, latent: int, *, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """(z, mean, logvar) in float64, z one sample of each posterior, latents correlated."""
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(3, batch, latent, generator=generator, dtype=torch.float64)
    mean = noise[0] + 0.7 * noise[0].sum(dim=1, keepdim=True)
    logvar = noise[1] - 1
    return mean + (logvar / 2).exp() * noise[2], mean, logvar


def mixture_density(z: torch.Tensor, mean: torch.Tensor, logvar: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
    """Exact log q(z) and log prod_j q(z_j) of the equal mixture of all posteriors, by scipy."""
    densities = norm.pdf(z[:, None].numpy(), mean.numpy(), (logvar / 2).exp().numpy())
    return np.log(densities.prod(axis=2).mean(axis=1)), np.log(densities.mean(axis=1)).sum(axis=1)


def test_stratified_weights_give_the_own_example_one_nth():
    weights = stratified_log_weights(batch=5, num_train=100).exp()
    torch.testing.assert_close(weights.diagonal(), torch.full((5,), 1 / 100))
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(5))


def test_stratified_weights_entry_by_entry():
    """Batch of 4 from N = 10, so M = 3 others: 1/10, then (10-3)/(10·3), the rest 1/3; column 0 is not special."""
    own, one, rest = 1 / 10, 7 / 30, 1 / 3
    expected = [[own, one, rest, rest], [rest, own, one, rest], [rest, rest, own, one], [one, rest, rest, own]]
    torch.testing.assert_close(stratified_log_weights(4, 10).exp(), torch.tensor(expected))


@pytest.mark.parametrize(("batch", "num_train"), [(2, 2), (2, 1000), (3, 3), (64, 64), (64, 737_280)])
def test_stratified_weights_sum_to_one_up_to_the_smallest_sizes(batch, num_train):
    weights = stratified_log_weights(batch, num_train, dtype=torch.float64).exp()
    torch.testing.assert_close(weights.sum(dim=1), torch.ones(batch, dtype=torch.float64))
    torch.testing.assert_close(weights.diagonal(), torch.full((batch,), 1 / num_train, dtype=torch.float64))


def test_weighted_weights_are_one_over_all_pairs():
    torch.testing.assert_close(weighted_log_weights(4, 10).exp(), torch.full((4, 4), 1 / 40))


@pytest.mark.parametrize("num_others", [1, 2, 4])
def test_stratified_density_is_unbiased(num_others):
    """Example 0 with every ordered choice of others from a set of 6: the mean estimate is the exact q(z)."""
    z, mean, logvar = posteriors(6, 3)
    exact = np.exp(mixture_density(z[:1], mean, logvar)[0])
    estimates = []
    for others in itertools.permutations(range(1, 6), num_others):
        rows = [0, *others]
        log_qz, _ = aggregate_log_density(z[rows], mean[rows], logvar[rows], 6, estimator="stratified")
        estimates.append(log_qz[0].exp().item())
    assert np.mean(estimates) == pytest.approx(exact[0], rel=1e-12)


def test_weighted_density_of_the_whole_set_is_the_exact_one_over_n():
    """The batch is the data set: 1/(N·N) times the sum, in the joint and in every marginal, once each."""
    z, mean, logvar = posteriors(20, 3)
    joint, product = mixture_density(z, mean, logvar)
    log_qz, log_prod_qzj = aggregate_log_density(z, mean, logvar, 20, estimator="weighted")
    np.testing.assert_allclose(log_qz + math.log(20), joint, rtol=1e-10)
    np.testing.assert_allclose(log_prod_qzj + 3 * math.log(20), product, rtol=1e-10)


@each_estimator
def test_one_weight_per_pair_whatever_the_number_of_latents(estimator):
    """Latents that are the prior for every example add log N(z) and nothing else to log q(z)."""
    z, mean, logvar = posteriors(8, 2)
    idle = torch.zeros(8, 5, dtype=torch.float64)
    short, _ = aggregate_log_density(z, mean, logvar, 50, estimator=estimator)
    z, mean, logvar = (torch.cat([value, idle], dim=1) for value in (z, mean, logvar))
    long, _ = aggregate_log_density(z, mean, logvar, 50, estimator=estimator)
    torch.testing.assert_close(long, short - 5 * 0.5 * math.log(2 * math.pi))


def test_total_correlation_agrees_with_quadrature_of_the_mixture():
    """TC of a mixture of 12 in the plane on a fine grid, the batch being the whole set."""
    _, mean, logvar = posteriors(12, 2)
    logvar = logvar.clamp(min=-2)
    axis = torch.linspace(-14, 14, 144, dtype=torch.float64)
    grid = torch.cartesian_prod(axis, axis)
    cell = (axis[1] - axis[0]).item() ** 2
    joint, product = mixture_density(grid, mean, logvar)
    expected = (np.exp(joint) * (joint - product)).sum() * cell
    blocks = grid.view(-1, 12, 2)
    ours = [aggregate_log_density(block, mean, logvar, 12, estimator="weighted") for block in blocks]
    log_qz = torch.cat([one for one, _ in ours]) + math.log(12)
    log_prod_qzj = torch.cat([other for _, other in ours]) + 2 * math.log(12)
    assert (log_qz.exp().sum() * cell).item() == pytest.approx(1, abs=1e-6)
    assert (log_qz.exp() * (log_qz - log_prod_qzj)).sum().item() * cell == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("name", "estimator", "log_qz", "log_prod_qzj"),
    [
        ("b16_small", "weighted", -12.264522833825461, -40.53917345514854),
        ("b16_small", "stratified", -8.023768278056533, -7.469255705400742),
        ("b64_dsprites", "weighted", -24.382104707392763, -150.30629649104378),
        ("b64_dsprites", "stratified", -18.502438855246815, -15.592769446650504),
    ],
)
def test_batch_means_of_the_oracles(name, estimator, log_qz, log_prod_qzj):
    """Float64 values computed apart from this project; they hold every constant."""
    stored = np.load(ORACLES / f"minibatch_{name}.npz")
    z, mean, logvar = (torch.from_numpy(stored[key]).double() for key in ("z", "mu", "logvar"))
    ours = aggregate_log_density(z, mean, logvar, int(stored["dataset_size"]), estimator=estimator)
    assert ours[0].mean().item() == pytest.approx(log_qz, abs=1e-9)
    assert ours[1].mean().item() == pytest.approx(log_prod_qzj, abs=1e-9)
    single = aggregate_log_density(
        z.float(), mean.float(), logvar.float(), int(stored["dataset_size"]), estimator=estimator
    )
    assert single[0].mean().item() == pytest.approx(log_qz, abs=1e-4)
    assert single[1].mean().item() == pytest.approx(log_prod_qzj, abs=1e-3)


@every_estimator
def test_terms_telescope(estimator):
    """True for any estimate of q(z): the sum is log q(z|x) - log p(z)."""
    z, mean, logvar = posteriors(9, 4)
    expected = Normal(mean, (logvar / 2).exp()).log_prob(z) - Normal(0.0, 1.0).log_prob(z)
    terms = decompose_kl(z, mean, logvar, num_train=1000, estimator=estimator)
    torch.testing.assert_close(torch.stack(list(terms)).sum(dim=0), expected.sum(dim=1))


@every_estimator
def test_terms_are_the_three_differences_in_the_order_of_their_names(estimator):
    z, mean, logvar = posteriors(9, 4)
    terms = decompose_kl(z, mean, logvar, num_train=1000, estimator=estimator)
    log_qz, log_prod_qzj = aggregate_log_density(z, mean, logvar, 1000, estimator=estimator)
    conditional = Normal(mean, (logvar / 2).exp()).log_prob(z).sum(dim=1)
    prior = Normal(0.0, 1.0).log_prob(z).sum(dim=1)
    expected = KLTerms(
        mutual_information=conditional - log_qz,
        total_correlation=log_qz - log_prod_qzj,
        dimensionwise_kl=log_prod_qzj - prior,
    )
    torch.testing.assert_close(tuple(terms), tuple(expected))


@every_estimator
def test_descent_on_the_total_correlation_decorrelates_the_codes(estimator):
    """It is minimised with a positive weight: gradient steps lower the correlation of strongly dependent means."""
    generator = torch.Generator().manual_seed(0)
    common = torch.randn(64, 1, generator=generator)
    mean = (common + 0.3 * torch.randn(64, 2, generator=generator)).requires_grad_()
    logvar = torch.full((64, 2), -2.0)
    noise = (logvar / 2).exp() * torch.randn(64, 2, generator=generator)
    before = torch.corrcoef(mean.detach().T)[0, 1]
    optimizer = torch.optim.SGD([mean], lr=1.0)
    for _ in range(40):
        optimizer.zero_grad()
        decompose_kl(mean + noise, mean, logvar, 64, estimator=estimator).total_correlation.mean().backward()
        optimizer.step()
    assert torch.corrcoef(mean.detach().T)[0, 1] < before - 0.1


@every_estimator
def test_one_latent_has_no_total_correlation(estimator):
    terms = decompose_kl(*posteriors(9, 1), 1000, estimator=estimator)
    torch.testing.assert_close(terms.total_correlation, torch.zeros(9, dtype=torch.float64))


@each_estimator
def test_densities_do_not_underflow(estimator):
    """Posteriors 300 deviations apart in float32: exp of their densities is 0, its log must stay finite."""
    mean = 3 * torch.arange(4.0)[:, None].expand(4, 10).clone().requires_grad_()
    logvar = torch.full((4, 10), -9.2)
    z = mean + 100.0
    log_qz, log_prod_qzj = aggregate_log_density(z, mean, logvar, 100, estimator=estimator)
    (gradient,) = torch.autograd.grad((log_qz - log_prod_qzj).sum(), mean)
    assert torch.isfinite(log_qz).all()
    assert torch.isfinite(log_prod_qzj).all()
    assert torch.isfinite(gradient).all()


@every_estimator
def test_gradients(estimator):
    inputs = [value.requires_grad_() for value in posteriors(5, 3)]
    assert gradcheck(lambda z, mean, logvar: decompose_kl(z, mean, logvar, 40, estimator=estimator), inputs)


def test_a_stratified_batch_of_one_is_an_error_and_a_weighted_one_is_not():
    with pytest.raises(ValueError, match=r"need a batch of 2 to 100 images, .* got 1"):
        stratified_log_weights(1, 100)
    z, mean, logvar = posteriors(1, 2)
    log_qz, _ = aggregate_log_density(z, mean, logvar, 100, estimator="weighted")
    expected = Normal(mean, (logvar / 2).exp()).log_prob(z).sum() - math.log(100)
    assert log_qz.item() == pytest.approx(expected.item())


def test_only_stratified_weights_need_as_many_images_as_a_batch():
    """1/(NM) holds for any M: half the images are twice the density. The normal distribution asks for no N at all."""
    with pytest.raises(
        ValueError, match=r"2 to 7 images, .* got 8; set dataset\.batch_size, or model\.estimator=weighted"
    ):
        decompose_kl(*posteriors(8, 2), 7, estimator="stratified")
    few, many = (aggregate_log_density(*posteriors(8, 2), n, estimator="weighted") for n in (4, 8))
    torch.testing.assert_close(few[0] - many[0], torch.full((8,), math.log(2), dtype=torch.float64))
    torch.testing.assert_close(few[1] - many[1], torch.full((8,), 2 * math.log(2), dtype=torch.float64))
    torch.testing.assert_close(decompose_kl(*posteriors(8, 2), 1), decompose_kl(*posteriors(8, 2), 1000))


def test_an_unknown_estimator_is_an_error():
    with pytest.raises(ValueError, match=r"gaussian or one of \['stratified', 'weighted'\], got 'exact'"):
        decompose_kl(*posteriors(8, 2), 100, estimator="exact")


@pytest.mark.parametrize("deviation", [1.0, 0.5, 0.05])
@pytest.mark.parametrize("correlation", [0.0, 0.9])
def test_terms_of_normal_codes_are_near_the_truth(deviation, correlation):
    """q(z) is N(0, S) with unit variances, five pairs correlated: Σ -½ log(1 - ρ²) of total correlation, no more.

    The margin of 1 nat holds the bias of 64 images, D(D - 1) / 4·64 = 0.35, and three standard deviations of a batch.
    """
    true = correlation * (1 - deviation**2)  # the noise of posteriors is independent
    expected = -5 / 2 * math.log(1 - true**2)
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        first, second, noise = torch.randn(3, 64, 10, generator=generator, dtype=torch.float64)
        pairs = torch.cat([first[:, :5], correlation * first[:, :5] + (1 - correlation**2) ** 0.5 * second[:, :5]], 1)
        mean = (1 - deviation**2) ** 0.5 * pairs
        logvar = torch.full_like(mean, 2 * math.log(deviation))
        terms = decompose_kl(mean + deviation * noise, mean, logvar, 737_280)
        assert terms.total_correlation.mean().item() == pytest.approx(expected, abs=1)
        assert terms.dimensionwise_kl.mean().item() == pytest.approx(0, abs=1)
        information = -10 * math.log(deviation) - expected
        assert terms.mutual_information.mean().item() == pytest.approx(information, abs=2.5)


@pytest.mark.parametrize("seed", range(3))
def test_the_total_correlation_of_a_covariance_is_the_divergence_from_independent_normals(seed):
    rows = torch.randn(6, 4, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    covariance = rows.T @ rows
    joint = MultivariateNormal(torch.zeros(4, dtype=torch.float64), covariance)
    marginals = MultivariateNormal(torch.zeros(4, dtype=torch.float64), torch.diag(covariance.diagonal()))
    torch.testing.assert_close(gaussian_total_correlation(covariance), kl_divergence(joint, marginals))


def test_the_gaussian_densities_are_those_of_torch_distributions_and_pass_a_nan_on():
    """A run that diverges is then ended by what it logs, with the step and what to try."""
    generator = torch.Generator().manual_seed(0)
    z, mean, logvar = (torch.randn(20, 3, generator=generator, dtype=torch.float64) for _ in range(3))
    log_qz, log_prod_qzj = aggregate_log_density(z, mean, logvar, 20, estimator="gaussian")
    covariance = torch.cov(mean.T, correction=0) + torch.diag(logvar.exp().mean(0))
    torch.testing.assert_close(log_qz, MultivariateNormal(mean.mean(0), covariance).log_prob(z))
    marginals = Normal(mean.mean(0), covariance.diagonal().sqrt())
    torch.testing.assert_close(log_prod_qzj, marginals.log_prob(z).sum(1))
    spoilt = aggregate_log_density(z, mean * math.nan, logvar, 20, estimator="gaussian")
    assert all(density.isnan().all() for density in spoilt)
