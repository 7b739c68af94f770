import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA, FastICA

from disent_runner.models import linear_codes
from disent_runner.models.linear_codes import LinearCodes, independent_components, principal_components


@pytest.fixture(params=[principal_components, independent_components])
def model(request, dataset) -> LinearCodes:
    model = LinearCodes(info=dataset.info, latent_dim=6, components=request.param)
    model.learn(dataset, np.random.default_rng(0))
    return model


def pixels_of(dataset) -> np.ndarray:
    return dataset.gather(torch.arange(64)).flatten(1).numpy()


def test_codes_are_white(model: LinearCodes, dataset) -> None:
    codes, logvar = model.encode(dataset.gather(torch.arange(64)))
    assert logvar is None
    np.testing.assert_allclose(np.cov(codes.T.numpy()), np.eye(6), atol=0.02)
    np.testing.assert_allclose(codes.mean(0), 0, atol=1e-4)


def test_decoding_is_the_projection_on_the_components(model: LinearCodes, dataset) -> None:
    pixels = pixels_of(dataset)
    reference = PCA(6, svd_solver="full").fit(pixels)
    expected = reference.inverse_transform(reference.transform(pixels)).clip(0, 1)
    images = dataset.gather(torch.arange(64))
    decoded = model.decode(model.encode(images)[0]).flatten(1)
    assert np.abs(decoded.numpy() - expected).mean() < 0.01


def test_principal_components_are_those_of_scikit_learn_up_to_sign(dataset) -> None:
    model = LinearCodes(info=dataset.info, latent_dim=2, components=principal_components)
    model.learn(dataset, np.random.default_rng(0))
    expected = PCA(2, whiten=True, svd_solver="full").fit_transform(pixels_of(dataset))
    codes = model.encode(dataset.gather(torch.arange(64)))[0].numpy()
    subspace = np.linalg.lstsq(codes, expected, rcond=None)[0]  # rows and columns are alike: equal variances
    np.testing.assert_allclose(subspace @ subspace.T, np.eye(2), atol=0.02)


def test_independent_components_unmix_sources() -> None:
    rng = np.random.default_rng(0)
    sources = rng.uniform(-1, 1, (3000, 2))
    mixed = sources @ rng.normal(size=(2, 5))
    analysis, synthesis = independent_components(mixed - mixed.mean(0), 2, 0)
    components = (mixed - mixed.mean(0)) @ analysis.T
    correlation = np.abs(np.corrcoef(components.T, sources.T)[:2, 2:])
    assert correlation.max(axis=1).min() > 0.99
    expected = np.asarray(FastICA(2, random_state=0).fit_transform(mixed))
    assert np.abs(np.corrcoef(expected.T, components.T)[:2, 2:]).max(axis=1).min() > 0.99
    np.testing.assert_allclose(components @ synthesis.T, mixed - mixed.mean(0), atol=1e-6)


def test_independent_components_of_few_images_are_white_and_lead_back() -> None:
    """As many components as directions; in float32 scikit-learn's two of them coincided in one case of three."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        images = rng.random((10, 300), dtype=np.float32)
        centred = images - images.mean(0)
        analysis, synthesis = independent_components(centred, 9, 0)
        codes = centred @ analysis.T
        np.testing.assert_allclose(codes.T @ codes / len(codes), np.eye(9), atol=1e-3)
        np.testing.assert_allclose(codes @ synthesis.T, centred, atol=1e-3)


def test_more_components_than_images_are_refused(dataset) -> None:
    with pytest.raises(ValueError, match="latent_dim must be at most 64, the pixels or images there are, got 65"):
        LinearCodes(info=dataset.info, latent_dim=65, components=principal_components)


def test_components_that_do_not_settle_are_said_to_be_so(monkeypatch, caplog) -> None:
    monkeypatch.setattr(linear_codes, "MAX_ITERATIONS", 2)
    noise = np.random.default_rng(0).normal(size=(200, 8))  # no direction is less normal than another
    independent_components(noise - noise.mean(0), 6, 0)
    assert "ica: not converged after 2 iterations" in caplog.text


@pytest.mark.parametrize("components", [principal_components, independent_components])
@pytest.mark.parametrize(("kinds", "rank"), [(1, 0), (2, 1), (4, 3), (8, 7)])
def test_codes_beyond_the_directions_in_which_images_vary_are_zero(components, kinds, rank, caplog) -> None:
    """Eight images of a few kinds: new images too have codes of a usual size, and nothing is made of rounding."""
    rng = np.random.default_rng(0)
    images = rng.random((kinds, 50), np.float32)[np.arange(8) % kinds]
    analysis, synthesis = components(images - images.mean(0), 8, 0)
    varies = analysis.any(axis=1)
    assert varies.sum() == rank
    assert not synthesis[:, ~varies].any()
    assert f"the images vary in {rank} directions only: {8 - rank} codes of 8 are 0" in caplog.text
    codes = (images - images.mean(0)) @ analysis.T
    np.testing.assert_allclose(codes.std(0, ddof=1)[varies], 1, rtol=0.1)
    np.testing.assert_allclose(codes @ synthesis.T, images - images.mean(0), atol=1e-5)
    assert np.abs((rng.random((100, 50)) - images.mean(0)) @ analysis.T).max() < 20


def test_a_small_component_is_no_rounding() -> None:
    rng = np.random.default_rng(0)
    images = (rng.normal(size=(500, 2)) * [1.0, 1e-4]) @ np.linalg.qr(rng.normal(size=(30, 2)))[0].T
    analysis, _ = principal_components((images - images.mean(0)).astype(np.float32), 2, 0)
    np.testing.assert_allclose(np.cov(analysis @ (images - images.mean(0)).T), np.eye(2), atol=0.01)
