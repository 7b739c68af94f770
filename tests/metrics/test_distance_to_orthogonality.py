import itertools
from typing import Any

import numpy as np
import pytest
from scipy.stats import ortho_group

from disent_runner.assembly import build
from disent_runner.metrics.distance_to_orthogonality import (
    distance_to_orthogonality,
    distances_from_jacobian,
    distances_to_signed_permutations,
)
from disent_runner.representations.encoding import encode_once
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.requirements import NotApplicable

EIGHTH_TURN = np.sqrt(8) * np.sin(np.pi / 8)  # two columns, each 45 degrees off: 2 sin(45° / 2) apart


def turn(angle):
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])


def jacobian_of(rotation, values, *, num_pixels=30, seed=0):
    """U S V^T with random U and the given S and V."""
    basis = np.linalg.qr(np.random.default_rng(seed).standard_normal((num_pixels, len(values)))).Q
    return (basis * values) @ np.asarray(rotation).T


def representation(jacobian: Any, codes):
    """A decoder with this Jacobian everywhere, or that which a function gives at each code."""
    if not callable(jacobian):
        everywhere = np.asarray(jacobian, dtype=np.float32)
        return representation(lambda codes: np.broadcast_to(everywhere, (len(codes), *everywhere.shape)), codes)
    derivatives: Any = jacobian
    autoencoder = Autoencoder(images=unused, decode=unused, jacobian=derivatives, prior=unused)
    return Representation(codes, np.empty((len(codes), 0), dtype=np.int64), (), autoencoder=autoencoder)


def unused(*_):
    raise AssertionError("the metric needs derivatives only")


def brute_force(rotation):
    size = len(rotation)
    return min(
        np.linalg.norm(rotation - np.eye(size)[list(order)] * signs)
        for order in itertools.permutations(range(size))
        for signs in itertools.product([-1, 1], repeat=size)
    )


@pytest.mark.parametrize("size", [2, 3, 4])
def test_the_closest_signed_permutation_is_that_of_a_full_search(size):
    rotations = ortho_group.rvs(size, size=30, random_state=0)
    expected = [brute_force(rotation) for rotation in rotations]
    np.testing.assert_allclose(distances_to_signed_permutations(rotations), expected, rtol=1e-10)


def test_taking_each_column_s_largest_entry_is_not_a_permutation():
    """Both of the first two columns would take the first row; an assignment gives one of them another."""
    rotation = np.array([[2, 2, 1], [1, -2, 2], [2, -1, -2]]) / 3
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-12)
    # three entries 2/3 in different rows and columns: 2 · 3 - 2 · 2
    assert distances_to_signed_permutations(rotation[None])[0] == pytest.approx(np.sqrt(2.0)) == brute_force(rotation)


@pytest.mark.parametrize("degrees", [0, 10, 30, 45, 60, 90, 135, 200])
def test_a_turn_in_a_plane_is_as_far_as_its_angle_from_the_nearest_axes(degrees):
    off = min(degrees % 90, -degrees % 90)
    jacobian = jacobian_of(turn(np.radians(degrees)), [2.0, 1.0])
    expected = np.sqrt(8) * np.sin(np.radians(off) / 2)
    assert distances_from_jacobian(jacobian[None])[0] == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "values",
    [
        pytest.param([3.0, 2.0, 1.0], id="distinct"),
        pytest.param([1.0, 2.0, 3.0], id="in another order"),
        pytest.param([1e3, 1.0, 1e-3], id="over six orders"),
        pytest.param([2.0, 2.0, 2.0], id="equal: any rotation is an SVD, and the axes are one"),
        pytest.param([2.0, 0.0, 0.0], id="two that the image does not answer to"),
        pytest.param([0.0, 0.0, 0.0], id="a constant decoder"),
    ],
)
@pytest.mark.parametrize("precision", [np.float64, np.float32])
def test_orthogonal_columns_have_no_distance(values, precision):
    jacobians = np.stack([jacobian_of(np.eye(3), values, seed=seed) for seed in range(20)])
    np.testing.assert_allclose(distances_from_jacobian(jacobians.astype(precision)), 0.0, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_order_and_sign_of_the_latents_do_not_matter(seed):
    rng = np.random.default_rng(seed)
    jacobians = rng.standard_normal((10, 40, 5))
    expected = distances_from_jacobian(jacobians)
    changed = jacobians[:, :, rng.permutation(5)] * rng.choice([-1, 1], size=5)
    np.testing.assert_allclose(distances_from_jacobian(changed), expected, rtol=1e-8)


def test_pixels_may_be_turned_and_scaled():
    rng = np.random.default_rng(0)
    jacobians = rng.standard_normal((10, 40, 5))
    turned = 7 * ortho_group.rvs(40, random_state=1) @ jacobians
    np.testing.assert_allclose(distances_from_jacobian(turned), distances_from_jacobian(jacobians), rtol=1e-8)


def test_v_is_that_of_the_singular_value_decomposition():
    jacobians = np.random.default_rng(0).standard_normal((20, 40, 6))
    rotations = np.linalg.svd(jacobians).Vh.transpose(0, 2, 1)
    np.testing.assert_allclose(
        distances_from_jacobian(jacobians), distances_to_signed_permutations(rotations), rtol=1e-8
    )


def test_two_latents_that_do_the_same_are_half_a_right_angle_off():
    column = np.random.default_rng(0).standard_normal((1, 30, 1))
    assert distances_from_jacobian(column * [1.0, 1.0])[0] == pytest.approx(EIGHTH_TURN)


def test_fewer_pixels_than_latents():
    assert distances_from_jacobian(np.array([[[3.0, 4.0]]]))[0] == pytest.approx(
        np.sqrt(8) * np.sin(np.arctan2(3, 4) / 2)
    )


def test_one_latent_has_no_distance():
    assert distances_from_jacobian(np.random.default_rng(0).standard_normal((4, 30, 1))).tolist() == [0.0] * 4


@pytest.fixture
def spread(rng):
    return 2 * rng.standard_normal((200, 2))


def test_the_entry_averages_over_images(spread, rng):
    """The decoder x = (z_0², z_0 z_1) has another Jacobian at each code."""

    def jacobian(codes):
        first, second = codes.T
        rows = [[2 * first, 0 * first], [second, first]]
        return np.moveaxis(np.array(rows), 2, 0)

    rotations = np.linalg.svd(jacobian(spread)).Vh.transpose(0, 2, 1)
    expected = np.mean([brute_force(rotation) for rotation in rotations])
    scores = distance_to_orthogonality(representation(jacobian, spread), rng=rng)
    assert scores["distance_to_orthogonality"] == pytest.approx(expected)


@pytest.mark.parametrize("seed", range(3))
def test_random_rotations_of_two_latents_have_a_closed_form(spread, seed):
    """The angle from the nearest axis is uniform in [0, 45°]: the mean of sqrt(8) sin(angle / 2)."""
    rng = np.random.default_rng(seed)
    scores = distance_to_orthogonality(representation(jacobian_of(turn(np.pi / 4), [2.0, 1.0]), spread), rng=rng)
    expected = 16 * np.sqrt(2) / np.pi * (1 - np.cos(np.pi / 8))
    assert scores["distance_to_orthogonality_random"] == pytest.approx(expected, abs=5 * 0.33 / np.sqrt(1000))
    assert scores["distance_to_orthogonality"] == pytest.approx(EIGHTH_TURN, abs=1e-6)
    assert scores["distance_to_orthogonality_relative"] == pytest.approx(EIGHTH_TURN / expected, rel=0.1)
    assert scores["distance_to_orthogonality_latents"] == 2


def test_random_rotations_are_those_of_scipy(rng):
    codes = 2 * rng.standard_normal((50, 6))
    scores = distance_to_orthogonality(representation(np.eye(6), codes), rng=rng)
    reference = distances_to_signed_permutations(ortho_group.rvs(6, size=1000, random_state=1))
    error = reference.std() * np.sqrt(2 / 1000)
    assert scores["distance_to_orthogonality_random"] == pytest.approx(reference.mean(), abs=4 * error)
    assert scores["distance_to_orthogonality"] == 0.0


@pytest.mark.parametrize("latents", [3, 6])
def test_a_decoder_that_is_turned_at_random_is_relatively_as_far_as_random_rotations(rng, latents):
    """Whatever the number of its latents: what a model has that knows no axes."""
    straight = jacobian_of(np.eye(latents), 1.0 + np.arange(latents))

    def jacobian(codes):
        return straight @ ortho_group.rvs(latents, size=len(codes), random_state=rng)

    scores = distance_to_orthogonality(representation(jacobian, 2 * rng.standard_normal((300, latents))), rng=rng)
    assert scores["distance_to_orthogonality_relative"] == pytest.approx(1.0, abs=0.05)


def test_latents_that_are_not_active_are_left_out(spread, rng):
    """A dead latent whose direction is mixed with another would count, were it not left out."""
    jacobian = jacobian_of(np.eye(2), [2.0, 1.0])
    mixed = np.column_stack([jacobian, jacobian[:, 0] + jacobian[:, 1]])
    codes = np.column_stack([spread, 0.4 * spread[:, 0] / spread[:, 0].std()])
    scores = distance_to_orthogonality(representation(mixed, codes), rng=rng)
    assert scores["distance_to_orthogonality"] == 0.0
    assert scores["distance_to_orthogonality_latents"] == 2
    every = distance_to_orthogonality(representation(mixed, codes), rng=rng, activity_threshold=0.3)
    assert every["distance_to_orthogonality"] > 0.5
    assert every["distance_to_orthogonality_latents"] == 3


def test_one_active_latent(rng):
    codes = np.column_stack([rng.standard_normal(50), np.tile([-0.5, 0.5], 25)])  # a deviation of the threshold itself
    assert distance_to_orthogonality(representation(np.ones((4, 2)), codes), rng=rng) == {
        "distance_to_orthogonality": 0.0,
        "distance_to_orthogonality_random": 0.0,
        "distance_to_orthogonality_latents": 1.0,
    }


# torch's own, when it loads forward differentiation
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*torch.jit.script.* is deprecated:DeprecationWarning")
def test_a_model_has_a_distance(composed, tmp_path, rng):
    config = composed("model=betavae")
    data = build.build_data(config).dataset
    model = build.build_model(config, data.info)
    rep = encode_once(model, data, folder=tmp_path, indices=np.arange(70), batch_size=16).representation
    scores = distance_to_orthogonality(rep, rng=rng, num_images=40, activity_threshold=0.0)
    assert 0 < scores["distance_to_orthogonality"] <= np.sqrt(2 * (rep.codes.shape[1] - 1))


def test_a_collapsed_model_is_skipped(rng):
    with pytest.raises(NotApplicable, match=r"standard deviation is above 0.5, got 0 at most"):
        distance_to_orthogonality(representation(np.eye(2), np.ones((5, 2))), rng=rng)


def test_codes_alone_are_skipped(rng):
    rep = Representation(np.zeros((5, 2)), np.empty((5, 0), dtype=np.int64), ())
    with pytest.raises(NotApplicable, match="distance_to_orthogonality needs the model's decoder and images"):
        distance_to_orthogonality(rep, rng=rng)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"num_images": 0}, "needs num_images >= 1, got 0"),
        ({"activity_threshold": -1.0}, "needs activity_threshold >= 0, got -1.0"),
    ],
)
def test_settings_are_checked(spread, rng, settings, message):
    with pytest.raises(ValueError, match=message):
        distance_to_orthogonality(representation(np.eye(2), spread), rng=rng, **settings)


def test_a_broken_decoder_is_an_error():
    with pytest.raises(ValueError, match="finite derivatives of the decoder, got 1 values"):
        distances_from_jacobian(np.array([[[1.0, np.nan]]]))
