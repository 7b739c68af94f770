import itertools

import numpy as np
import pytest
from scipy.stats import entropy as scipy_entropy

from disent_runner.metrics.estimators.information import discretize
from disent_runner.metrics.jemmig import jemmig, jemmig_from_arrays
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))  # each combination once: exact information
ENTROPY = np.log(SIZES)
PAIR = np.array(list(itertools.product(range(2), range(2))))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


def score(codes, *, factors=GRID, sizes=SIZES, seed=0, **settings):
    return jemmig(
        Representation(np.asarray(codes, dtype=float), factors, sizes), rng=np.random.default_rng(seed), **settings
    )


def joint_entropy(first, second):
    return scipy_entropy(np.unique(first * 1_000 + second, return_counts=True)[1])


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_jemmig_follows_from_the_reference_library_s_information(grid, name, train_arrays, load):
    codes, factors = train_arrays(grid, name)
    reference = load("information")
    scores = jemmig_from_arrays(codes, factors.astype(np.uint8))
    for factor, (information, entropy) in enumerate(
        zip(reference[f"{grid}_{name}"].T, reference[f"{grid}_factor_entropy"], strict=True)
    ):
        second, best = np.argsort(information)[-2:]
        gap = information[best] - information[second]
        joint = [joint_entropy(discretize(codes, 20)[:, code], factors[:, factor]) for code in (second, best)]
        expected = min(joint) - gap if gap < 1e-12 else joint[1] - gap
        assert scores[f"rmig_factor_{factor}"] == pytest.approx(gap, abs=1e-9)
        assert scores[f"jemmig_nats_factor_{factor}"] == pytest.approx(expected, abs=1e-9)
        assert scores[f"jemmig_factor_{factor}"] == pytest.approx(1 - expected / (entropy + np.log(20)), abs=1e-9)
    for key in ("jemmig", "jemmig_nats", "rmig"):
        assert scores[key] == pytest.approx(np.mean([scores[f"{key}_factor_{k}"] for k in range(factors.shape[1])]))


@pytest.mark.parametrize(
    ("codes", "nats", "gap"),
    [
        pytest.param(GRID, 0 * ENTROPY, ENTROPY, id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 1e-3] + 7.0, 0 * ENTROPY, ENTROPY, id="any order, sign, scale"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), 0 * ENTROPY, ENTROPY, id="beside constant codes"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), ENTROPY, 0 * ENTROPY, id="every code twice"),
        pytest.param(np.zeros((60, 3)), ENTROPY, 0 * ENTROPY, id="constant codes"),
        pytest.param(
            GRID[:, :1] * 3 + GRID[:, 1:2],  # 12 values: log 12 joint entropy with either, log 60 with the third
            np.log([3, 4, 60]),
            [np.log(4), np.log(3), 0.0],
            id="one latent for two factors",
        ),
    ],
)
@pytest.mark.parametrize("num_bins", [15, 24])
def test_jemmig_on_a_full_grid(codes, nats, gap, num_bins):
    scores = score(codes, num_bins=num_bins)
    expected = {"jemmig": 1 - nats / (ENTROPY + np.log(num_bins)), "jemmig_nats": nats, "rmig": gap}
    for key, values in expected.items():
        assert [scores[f"{key}_factor_{k}"] for k in range(3)] == pytest.approx(values, abs=1e-12)
        assert scores[key] == pytest.approx(np.mean(values), abs=1e-12)


def test_codes_that_share_two_factors_lose_a_third_of_their_score_or_more():
    rotated = np.column_stack([PAIR.sum(axis=1), PAIR[:, 0] - PAIR[:, 1]])
    scores = score(rotated, factors=PAIR, sizes=(2, 2), num_bins=4)
    assert scores["rmig"] == pytest.approx(0.0, abs=1e-12)  # each code tells (log 2) / 2 of either factor
    assert scores["jemmig_nats"] == pytest.approx(2 * np.log(2))
    assert scores["jemmig"] == pytest.approx(1 / 3)


def test_two_values_in_a_bin_cost_their_entropy():
    factors = np.arange(40)[:, None]
    scores = score(factors, factors=factors, sizes=(40,), num_bins=20)
    assert scores["rmig"] == pytest.approx(np.log(20))
    assert scores["jemmig_nats"] == pytest.approx(np.log(2))


def test_of_codes_that_tell_equally_much_the_order_does_not_matter():
    noise = GRID[:, 1:2]  # independent of the only factor, as is the constant
    codes = np.hstack([noise, np.zeros((60, 1))])
    first, second = (score(order, factors=GRID[:, :1], sizes=(4,)) for order in (codes, codes[:, ::-1]))
    assert first == second
    assert first["jemmig_nats"] == pytest.approx(np.log(4))


@pytest.mark.parametrize("seed", range(3))
def test_uniform_noise_scores_near_zero(seed):
    rng = np.random.default_rng(seed)
    scores = jemmig_from_arrays(rng.uniform(size=(10_000, 8)), rng.integers(0, 6, size=(10_000, 3)))
    assert 0 <= scores["jemmig"] < 0.01
    assert 0 <= scores["rmig"] < 0.01


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([np.full(len(GRID), 2), GRID])
    scores = score(GRID, factors=factors, sizes=(5, *SIZES))
    assert scores["jemmig"] == pytest.approx(1.0)
    assert "jemmig_factor_0" not in scores
    assert "rmig_factor_3" in scores


def test_two_images_have_a_score():
    scores = jemmig_from_arrays(np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0], [1]]), num_bins=2)
    assert scores["jemmig"] == pytest.approx(1.0)
    one_bin = jemmig_from_arrays(np.array([[0.0], [1.0]]), np.array([[0], [1]]), num_bins=1)
    assert one_bin["jemmig"] == pytest.approx(0.0)


def test_samples_are_drawn_from_the_given_generator(full_representation):
    rep = full_representation("small", "entangled")
    first, again, other = (jemmig(rep, rng=np.random.default_rng(s), num_samples=200)["jemmig"] for s in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0], [1]], {}, "jemmig needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[3], [3]], {}, r"jemmig needs at least 1 factor\(s\) .* got 0", id="constant"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"num_bins": 0}, "jemmig needs num_bins >= 1, got 0", id="bins"),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        jemmig_from_arrays(np.array(codes), np.array(factors), **settings)


def test_settings_and_labels_of_the_entry_are_checked():
    with pytest.raises(ValueError, match="jemmig needs num_samples >= 1, got 0"):
        score(GRID, num_samples=0)
    with pytest.raises(ValueError, match="jemmig needs ground-truth factors, got none"):
        score(GRID, factors=GRID[:, :0], sizes=())
