import itertools

import numpy as np
import pytest

from disent_runner.metrics.modularity import modularity, modularity_from_arrays, modularity_of_codes
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))  # each combination once: exact information
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


def score(codes, **settings):
    rep = Representation(np.asarray(codes, dtype=float), GRID, SIZES)
    return modularity(rep, rng=np.random.default_rng(0), **settings)


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_modularity_is_the_reference_library_s(grid, name, train_arrays, oracle):
    codes, factors = train_arrays(grid, name)
    assert modularity_from_arrays(codes, factors.astype(np.uint8)) == oracle(f"{grid}/{name}/modularity")


@pytest.mark.parametrize(
    ("codes", "expected", "active", "num_active"),
    [
        pytest.param(GRID, 1.0, 1.0, 3, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 0.1] + 7.0, 1.0, 1.0, 3, id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), 1.0, 1.0, 6, id="every code twice"),
        pytest.param(GRID[:, :2], 1.0, 1.0, 2, id="no code for one of three factors"),
        pytest.param(GRID[:, :1], 1.0, 1.0, 1, id="one latent"),
        pytest.param(GRID[:, :1] > 1, 1.0, 1.0, 1, id="one latent of 0.69 nats"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 3 / 5, 1.0, 3, id="beside constant codes"),
        pytest.param(np.hstack([GRID, 1e-3 * GRID.sum(axis=1, keepdims=True)]), None, 1.0, 3, id="beside a faint code"),
        pytest.param(np.full((60, 2), 0.1), 0.0, 0.0, 0, id="constant codes"),
    ],
)
def test_modularity_on_a_full_grid(codes, expected, active, num_active):
    scores = score(codes)
    if expected is not None:
        assert scores["modularity"] == pytest.approx(expected, abs=1e-12)
    assert scores["modularity_active"] == pytest.approx(active, abs=1e-12)
    assert scores["modularity_active_codes"] == num_active


def test_a_code_as_wide_as_the_threshold_is_active():
    scores = score(GRID[:, :1] > 1, prune_threshold=0.5)  # a deviation of exactly 1/2
    assert scores["modularity_active_codes"] == 1
    assert score(GRID[:, :1] > 1, prune_threshold=0.51)["modularity_active_codes"] == 0


def test_a_code_of_two_factors_loses_the_square_of_what_it_tells_of_the_second():
    codes = GRID[:, :1] * 3.0 + GRID[:, 1:2]  # 0 to 11, 12 values that tell both
    assert score(codes)["modularity"] == pytest.approx(1 - (np.log(3) / np.log(4)) ** 2 / 2)


def test_codes_rotated_by_45_degrees_tell_as_much_of_either_factor():
    bits = np.array(list(itertools.product(range(2), repeat=2)))
    codes = (2.0 * bits - 1) @ [[1, 1], [1, -1]]
    assert modularity_from_arrays(codes, bits) == pytest.approx(0.0, abs=1e-12)


def test_a_code_without_information_is_no_reason_for_nan():
    information = np.array([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0], [1e-300, 0.0, 0.0]])
    np.testing.assert_allclose(modularity_of_codes(information), [0.0, 1 - 1 / 8, 1.0])


@pytest.mark.parametrize("seed", range(5))
def test_a_constant_code_tells_nothing_however_its_entropies_round(seed):
    factors = np.random.default_rng(seed).integers(0, [7, 13], size=(997, 2))
    assert modularity_from_arrays(np.full((997, 1), 0.1), factors) == 0.0


def test_codes_that_a_model_leaves_unused_do_not_count_as_active(train_arrays):
    codes, factors = train_arrays("dsprites", "noisy_dead")
    scores = modularity(Representation(codes, factors, (3, 6, 40, 32, 32)), rng=np.random.default_rng(0))
    assert scores["modularity_active_codes"] == 5
    assert scores["modularity"] < 0.9 < 0.99 < scores["modularity_active"]


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([GRID[:, :2], np.full(len(GRID), 2)])
    codes = GRID[:, :1] * 3.0 + GRID[:, 1:2]
    assert modularity_from_arrays(codes, factors) == pytest.approx(1 - (np.log(3) / np.log(4)) ** 2)


def test_two_images_have_a_score():
    assert modularity_from_arrays(np.array([[0.0], [1.0]]), np.array([[0, 1], [1, 0]])) == pytest.approx(0.0)


def test_samples_are_drawn_from_the_given_generator(full_representation):
    rep = full_representation("small", "entangled")
    first, again, other = (modularity(rep, rng=np.random.default_rng(seed), num_samples=200) for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0, 0], [1, 1]], {}, "modularity needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[0, 3], [1, 3]], {}, r"at least 2 factor\(s\) .* got 1 of 2", id="one factor"),
        pytest.param([[0.0], [1.0]], [[0, 0], [1, 1]], {"num_bins": 0}, "num_bins >= 1, got 0", id="no bins"),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        modularity_from_arrays(np.array(codes), np.array(factors), **settings)
