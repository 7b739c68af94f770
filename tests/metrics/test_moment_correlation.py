from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import spearmanr

from disent_runner.assembly import build
from disent_runner.metrics.moment_correlation import moment_correlation, moments
from disent_runner.representations.encoding import encode_once
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.requirements import NotApplicable

SIZE = 24
ROWS, COLUMNS = np.indices((SIZE, SIZE)) - (SIZE - 1) / 2


def strokes(slant, width):
    """A stroke of these slants and widths for each image."""
    across = (COLUMNS - np.asarray(slant)[:, None, None] * ROWS) / np.asarray(width)[:, None, None]
    return np.exp(-0.5 * across**2 - 0.5 * (ROWS / 4) ** 2)[:, None]


def unused(*_):
    raise AssertionError("the metric draws from the prior")


def representation(draw, *, num_codes=2, categorical=(), noise_dim=0):
    """A model that draws images of codes (and noise) with this function, codes uniform in [-1, 1]."""
    autoencoder = Autoencoder(
        images=unused,
        decode=unused if noise_dim else draw,
        jacobian=unused,
        prior=lambda count, rng: rng.uniform(-1, 1, (count, num_codes)),
        render=draw if noise_dim else None,
        noise_dim=noise_dim,
    )
    codes = np.zeros((3, num_codes))
    return Representation(codes, np.empty((3, 0), int), (), autoencoder=autoencoder, categorical=categorical)


def score(rep, seed=0, **settings):
    return moment_correlation(rep, rng=np.random.default_rng(seed), **settings)


def test_moments_are_those_of_a_weighted_line(rng):
    images = rng.uniform(size=(20, 3, 7, 5))
    found = moments(images)
    rows, columns = (values.ravel().astype(float) for values in np.indices((7, 5)))
    for image, slant, width in zip(images, *found, strict=True):
        weights = image.sum(axis=0).ravel()
        line = np.polyfit(rows, columns, 1, w=np.sqrt(weights))
        residual = np.average((columns - np.polyval(line, rows)) ** 2, weights=weights)
        assert slant == pytest.approx(line[0], abs=1e-10)
        assert width == pytest.approx(np.sqrt(residual), abs=1e-10)


@pytest.mark.parametrize("slant", [-1, 0, 2])
@pytest.mark.parametrize("pixels", [1, 2, 5])
def test_a_leaning_bar_has_its_own_width(slant, pixels):
    image = np.zeros((1, 1, 5, 20))
    for row in range(5):
        start = 8 + slant * (row - 2)
        image[0, 0, row, start : start + pixels] = 0.5
    found = moments(image)
    assert found.slant == pytest.approx([slant], abs=1e-10)
    assert found.width == pytest.approx([np.sqrt((pixels**2 - 1) / 12)], abs=1e-7)  # of so many equal columns


def test_nothing_lit_and_a_single_row():
    images = np.zeros((2, 1, 4, 4), np.float32)
    images[1, 0, 2, 1:] = 1
    found = moments(images)
    assert found.slant.tolist() == [0, 0]
    np.testing.assert_allclose(found.width, [0, np.sqrt(2 / 3)], atol=1e-9)


@pytest.mark.parametrize("sign", [1, -1])
def test_codes_that_slant_and_widen_have_correlation_one(sign):
    scores = score(representation(lambda codes: strokes(sign * 0.8 * codes[:, 1], np.exp(sign * 0.7 * codes[:, 0]))))
    expected = dict.fromkeys(("moment_correlation", "moment_correlation_slant", "moment_correlation_width"), 1.0)
    assert scores == pytest.approx(expected, abs=2e-3)


def test_correlations_are_scipy_s_of_the_same_images():
    seen = []

    def draw(codes):
        seen.append(codes)
        return strokes(0.3 * codes[:, 0] + 0.4 * codes[:, 1] ** 3, np.exp(codes[:, 1] * codes[:, 2]))

    scores = score(representation(draw, num_codes=3), num_images=300)
    (codes,) = seen
    assert codes.shape == (300, 3)
    found = moments(draw(codes))
    for name, values in found._asdict().items():
        every = [abs(spearmanr(code, values).statistic) for code in codes.T]  # pyright: ignore
        assert scores[f"moment_correlation_{name}"] == pytest.approx(max(every))


def test_categorical_codes_are_left_out_and_noise_is_drawn():
    seen = []

    def draw(codes, noise):
        seen.append(noise)
        return strokes(codes[:, 0], np.exp(noise[:, 0]))

    rep = representation(draw, num_codes=3, categorical=(2,), noise_dim=4)
    scores = [score(rep, seed)["moment_correlation_slant"] for seed in range(3)]
    assert max(scores) < 5 / np.sqrt(2_000)  # of independent values: a standard error of 1 / sqrt(n)
    assert seen[0].shape == (2_000, 4)
    assert np.std(seen[0]) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("pixel", [0.0, 0.5])
def test_a_generator_that_draws_one_image_follows_no_code(pixel):
    assert score(representation(lambda codes: np.full((len(codes), 1, 8, 8), pixel))) == {
        "moment_correlation": 0.0,
        "moment_correlation_slant": 0.0,
        "moment_correlation_width": 0.0,
    }


def test_a_model_is_scored_from_its_prior(composed, tmp_path, rng):
    config = composed("model=betavae")
    data = build.build_data(config).dataset
    model = build.build_model(config, data.info)
    rep = encode_once(model, data, folder=tmp_path, indices=np.arange(8), batch_size=8).representation
    scores = moment_correlation(rep, rng=rng, num_images=50)
    assert all(0 <= value <= 1 for value in scores.values())


@pytest.mark.parametrize(
    ("change", "settings", "error", "message"),
    [
        pytest.param({"autoencoder": None}, {}, NotApplicable, "the model's decoder", id="codes alone"),
        pytest.param({"categorical": (2,)}, {}, NotApplicable, "a continuous code, got .*(2,)", id="categorical"),
        pytest.param({}, {"num_images": 1}, ValueError, "num_images >= 2, got 1", id="one image"),
    ],
)
def test_errors_say_what_was_wrong(change, settings, error, message):
    rep = replace(representation(lambda codes: strokes(codes[:, 0], np.ones(len(codes)))), **change)
    with pytest.raises(error, match=f"moment_correlation needs {message}"):
        score(rep, **settings)


def test_a_broken_generator_is_an_error():
    with pytest.raises(ValueError, match="moment_correlation needs finite"):
        score(representation(lambda codes: np.full((len(codes), 1, 2, 2), np.nan)))
