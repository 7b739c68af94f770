import numpy as np
import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from disent_runner.metrics.estimators import aggregate_posterior
from disent_runner.metrics.estimators.aggregate_posterior import (
    draw_samples,
    log_conditionals,
    log_densities,
    log_marginals,
    posteriors,
)


def random_posteriors(seed, *, num_images=300, num_latents=4, scale=1.0, log_width=(-3.0, 0.5)):
    rng = np.random.default_rng(seed)
    mean = scale * (rng.standard_normal((num_images, num_latents)) + 5.0)
    logvar = 2 * (rng.uniform(*log_width, size=mean.shape) + np.log(scale))
    return mean, logvar


def torch_log_densities(codes, mean, logvar):
    """Joint and marginal log density of the mixture by torch.distributions, double precision."""
    mean, width = torch.from_numpy(mean), torch.from_numpy(np.exp(logvar / 2))
    equal = torch.ones(len(mean), dtype=torch.float64)
    joint = MixtureSameFamily(Categorical(equal), Independent(Normal(mean, width), 1))
    marginal = MixtureSameFamily(Categorical(equal.expand(mean.shape[1], -1)), Normal(mean.T, width.T))
    return joint.log_prob(codes), marginal.log_prob(codes).T


@pytest.mark.parametrize(
    "settings",
    [
        pytest.param({}, id="usual"),
        pytest.param({"scale": 1e6}, id="large codes"),
        pytest.param({"scale": 1e-6}, id="small codes"),
        pytest.param({"log_width": (-6.0, -4.0)}, id="narrow"),
        pytest.param({"log_width": (-4.0, 4.0)}, id="narrow and wide"),
        pytest.param({"log_width": (-18.0, -11.0)}, id="too narrow for single precision"),
        pytest.param({"log_width": (-8.0, 170.0)}, id="too different for single precision"),
        pytest.param({"num_latents": 1}, id="one latent"),
        pytest.param({"num_latents": 60, "log_width": (-5.0, -4.0)}, id="many latents"),
        pytest.param({"num_images": 1}, id="one image"),
    ],
)
@pytest.mark.parametrize("block", [1_250_000, 700])
def test_densities_are_those_of_torch_s_mixture(settings, block, monkeypatch):
    monkeypatch.setattr(aggregate_posterior, "VALUES_PER_BLOCK", block)
    monkeypatch.setattr(aggregate_posterior, "IMAGES_PER_BLOCK", 128)  # ragged: 300 = 2 x 128 + 44
    mean, logvar = random_posteriors(0, **settings)
    components = posteriors(mean, logvar)
    samples = draw_samples(components, num_samples=150, rng=np.random.default_rng(1))
    density = log_densities(samples, components)

    unit = torch.from_numpy(components.unit)
    codes = samples.codes.double().T * unit + torch.from_numpy(components.origin)
    joint, marginal = torch_log_densities(codes, mean, logvar)
    torch.testing.assert_close(density.joint - unit.log().sum(), joint, atol=2e-4, rtol=0)
    torch.testing.assert_close(density.marginal - unit.log()[:, None], marginal, atol=1e-4, rtol=0)
    torch.testing.assert_close(log_marginals(samples.codes, components), density.marginal, atol=1e-6, rtol=0)
    assert abs((density.joint - unit.log().sum() - joint).mean()) < 2e-5  # rounding does not add up
    own = Normal(torch.from_numpy(mean[samples.image]), torch.from_numpy(np.exp(logvar[samples.image] / 2)))
    torch.testing.assert_close(
        samples.log_own.double() - unit.log()[:, None], own.log_prob(codes).T, atol=2e-4, rtol=1e-5
    )


def test_selected_posteriors_are_averaged_alone():
    mean, logvar = random_posteriors(2)
    components = posteriors(mean, logvar)
    few = np.array([7, 3, 200])
    samples = draw_samples(components.select(torch.from_numpy(few)), num_samples=30, rng=np.random.default_rng(0))
    unit = torch.from_numpy(components.unit)
    codes = samples.codes.double().T * unit + torch.from_numpy(components.origin)
    _, marginal = torch_log_densities(codes, mean[few], logvar[few])
    density = log_marginals(samples.codes, components.select(torch.from_numpy(few)))
    torch.testing.assert_close(density - unit.log()[:, None], marginal, atol=2e-5, rtol=0)


def test_images_are_drawn_equally_often():
    components = posteriors(*random_posteriors(3, num_images=40))
    counts = np.bincount(draw_samples(components, num_samples=100, rng=np.random.default_rng(0)).image)
    assert sorted(counts) == [2] * 20 + [3] * 20


def test_codes_have_the_mean_and_variance_of_their_posterior():
    mean, logvar = random_posteriors(4, num_images=2, num_latents=3)
    components = posteriors(mean, logvar)
    samples = draw_samples(components, num_samples=40_000, rng=np.random.default_rng(0))
    codes = samples.codes.double().T.numpy() * components.unit + components.origin
    for image in range(2):
        deviation = (codes[samples.image == image] - mean[image]) / np.exp(logvar[image] / 2)
        np.testing.assert_allclose(deviation.mean(axis=0), 0.0, atol=0.03)
        np.testing.assert_allclose(deviation.std(axis=0), 1.0, atol=0.02)


def test_densities_given_a_value_average_the_images_with_it():
    mean, logvar = random_posteriors(5, num_images=90)
    values = np.random.default_rng(0).integers(0, 4, size=90).astype(np.uint8)
    components = posteriors(mean, logvar)
    samples = draw_samples(components, num_samples=120, rng=np.random.default_rng(1))
    density = log_conditionals(samples, components, values)
    for value in range(4):
        of_value, drawn = values == value, values[samples.image] == value
        group = components.select(torch.from_numpy(np.flatnonzero(of_value)))
        expected = log_marginals(samples.codes[:, torch.from_numpy(drawn)], group)
        torch.testing.assert_close(density[:, torch.from_numpy(drawn)], expected, atol=1e-6, rtol=0)


@pytest.mark.parametrize("num_threads", [1, 3])
def test_the_number_of_threads_changes_no_digit(num_threads, monkeypatch):
    monkeypatch.setattr(aggregate_posterior, "SAMPLES_PER_TASK", 16)
    components = posteriors(*random_posteriors(6))
    samples = draw_samples(components, num_samples=100, rng=np.random.default_rng(1))
    expected = log_densities(samples, components)
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(num_threads)
        density = log_densities(samples, components)
    finally:
        torch.set_num_threads(before)
    assert torch.equal(density.joint, expected.joint)
    assert torch.equal(density.marginal, expected.marginal)


@pytest.mark.parametrize("values", [np.zeros(90, np.uint8), np.arange(90) % 4], ids=["all", "by value"])
def test_a_weight_is_a_number_of_copies(values):
    mean, logvar = random_posteriors(7, num_images=90)
    copies = np.random.default_rng(0).integers(1, 6, size=90)
    components = posteriors(mean, logvar)
    samples = draw_samples(components, num_samples=120, rng=np.random.default_rng(1))
    repeated = components.select(torch.from_numpy(np.repeat(np.arange(90), copies)))
    first = np.cumsum(copies) - copies
    expected = log_conditionals(samples._replace(image=first[samples.image]), repeated, np.repeat(values, copies))
    weighted = log_conditionals(samples, components, values, weights=0.03 * copies)
    torch.testing.assert_close(weighted, expected, atol=2e-6, rtol=0)
    equal = log_conditionals(samples, components, values, weights=np.full(90, 0.2))
    torch.testing.assert_close(equal, log_conditionals(samples, components, values), atol=2e-6, rtol=0)


def test_images_are_drawn_by_weight_to_within_one():
    components = posteriors(*random_posteriors(3, num_images=40))
    weights = np.random.default_rng(0).random(40)
    exact = 100 * weights / weights.sum()
    draws = [
        np.bincount(draw_samples(components, num_samples=100, rng=rng, weights=weights).image, minlength=40)
        for rng in np.random.default_rng(1).spawn(400)
    ]
    assert (np.abs(draws - exact) < 1).all()
    np.testing.assert_allclose(np.mean(draws, axis=0), exact, atol=4.5 * 0.5 / 400**0.5)


def test_no_pattern_of_the_images_shows_in_few_draws():
    """Evenly spaced ones would all have the same last factor."""
    components = posteriors(*random_posteriors(3, num_images=400))
    image = draw_samples(components, num_samples=100, rng=np.random.default_rng(0), weights=np.ones(400)).image
    assert np.bincount(image % 4, minlength=4).min() > 10


@pytest.mark.parametrize("logvar", [-60.0, -180.0, -1_000.0, -1e6, np.tile([-190.0, 5.0], 30)[:, None]])
def test_posteriors_that_are_points_meet_no_other(logvar):
    """Nor do they have a density in any precision, only one above another's: log of the number of images."""
    rng = np.random.default_rng(0)
    mean = np.column_stack([rng.standard_normal((60, 2)), np.full(60, 0.1)])
    components = posteriors(mean, logvar + np.zeros((60, 3)))
    samples = draw_samples(components, num_samples=120, rng=rng)
    density = log_densities(samples, components)
    is_point = torch.from_numpy(np.broadcast_to(logvar, (60, 1))[samples.image, 0] < -50)
    above = samples.log_own - density.marginal
    torch.testing.assert_close(above[:2, is_point], torch.full((2, int(is_point.sum())), np.log(60)).double())
    own = samples.log_own.sum(dim=0) - density.joint
    torch.testing.assert_close(own[is_point], torch.full((int(is_point.sum()),), np.log(60)).double())
    if np.ndim(logvar) == 0:
        torch.testing.assert_close(above[2], torch.zeros(120).double())


@pytest.mark.parametrize("logvar", [-60.0, -180.0, -1_000.0])
def test_points_have_the_log_density_of_their_own_width(logvar):
    rng = np.random.default_rng(1)
    mean = np.column_stack([rng.standard_normal((50, 2)), np.full(50, 0.3)])  # whose mean is not 0.3 in the last digit
    components = posteriors(mean, np.full((50, 3), logvar))
    samples = draw_samples(components, num_samples=20_000, rng=rng)
    per_code = samples.log_own.mean(dim=1).numpy() - np.log(components.unit) + components.widened
    np.testing.assert_allclose(per_code, -(np.log(2 * np.pi) + 1 + logvar) / 2, atol=0.025)  # standard errors 0.005


@pytest.mark.parametrize("outlier", [-60.0, 60.0])
def test_one_width_far_from_all_others_takes_double_precision(outlier):
    mean, logvar = np.zeros((2, 50, 1))
    assert posteriors(mean, logvar).centre.dtype == torch.float32
    logvar[7] = outlier
    assert posteriors(mean, logvar).centre.dtype == torch.float64
