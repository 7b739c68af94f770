import itertools

import numpy as np
import pytest

from disent_runner.metrics.dcimig import dcimig, dcimig_from_arrays
from disent_runner.representations.representation import Representation

SIZES = (4, 3, 5)
GRID = np.array(list(itertools.product(*map(range, SIZES))))  # each combination once: exact information
PAIR = np.array(list(itertools.product(range(2), range(2))))
REPRESENTATIONS = ("aligned", "rotated", "duplicated", "noisy_dead", "pure_noise", "entangled", "constant_code")


def score(codes, *, factors=GRID, sizes=SIZES, seed=0, **settings):
    return dcimig(
        Representation(np.asarray(codes, dtype=float), factors, sizes), rng=np.random.default_rng(seed), **settings
    )


@pytest.mark.parametrize("name", REPRESENTATIONS)
@pytest.mark.parametrize("grid", ["small", "dsprites"])
def test_dcimig_follows_from_the_reference_library_s_information(grid, name, train_arrays, load):
    codes, factors = train_arrays(grid, name)
    reference = load("information")
    entropies = reference[f"{grid}_factor_entropy"]
    best = dict.fromkeys(range(len(entropies)), 0.0)
    for row in reference[f"{grid}_{name}"]:
        owner = int(np.argmax(row))
        best[owner] = max(best[owner], row[owner] - np.delete(row, owner).max())
    scores = dcimig_from_arrays(codes, factors.astype(np.uint8))
    assert scores == pytest.approx(
        {"dcimig": sum(best.values()) / entropies.sum()}
        | {f"dcimig_factor_{k}": gap / entropies[k] for k, gap in best.items()},
        abs=1e-9,
    )


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(GRID, [1, 1, 1], id="one code per factor"),
        pytest.param(GRID[:, [2, 0, 1]] * [3.0, -2.0, 1e-3] + 7.0, [1, 1, 1], id="in any order, sign and scale"),
        pytest.param(np.hstack([GRID, np.full((60, 2), 0.1)]), [1, 1, 1], id="beside constant codes"),
        pytest.param(np.hstack([GRID, -2.0 * GRID]), [1, 1, 1], id="every code twice"),
        pytest.param(GRID[:, :2], [1, 1, 0], id="a factor without a code"),
        pytest.param(np.zeros((60, 3)), [0, 0, 0], id="constant codes"),
        pytest.param(
            GRID[:, :1] * 3 + GRID[:, 1:2], [1 - np.log(3) / np.log(4), 0, 0], id="one latent for two factors"
        ),
        pytest.param(
            np.column_stack([GRID[:, 0] * 3 + GRID[:, 1], GRID[:, 0] // 2]), [0.5, 0, 0], id="the better of two codes"
        ),
    ],
)
def test_dcimig_on_a_full_grid(codes, expected):
    scores = score(codes)
    assert [scores[f"dcimig_factor_{k}"] for k in range(3)] == pytest.approx(expected, abs=1e-12)
    assert scores["dcimig"] == pytest.approx(np.average(expected, weights=np.log(SIZES)), abs=1e-12)


def test_codes_that_tell_two_factors_equally_belong_to_none():
    rotated = np.column_stack([PAIR.sum(axis=1), PAIR[:, 0] - PAIR[:, 1]])  # each tells (log 2) / 2 of either
    assert score(rotated, factors=PAIR, sizes=(2, 2))["dcimig"] == pytest.approx(0.0, abs=1e-12)


def test_a_single_factor_has_a_rival_that_tells_nothing():
    assert score(GRID[:, :1] // 2, factors=GRID[:, :1], sizes=(4,))["dcimig"] == pytest.approx(0.5)


@pytest.mark.parametrize("seed", range(3))
def test_random_codes_score_near_zero(seed):
    rng = np.random.default_rng(seed)
    scores = dcimig_from_arrays(rng.standard_normal((10_000, 8)), rng.integers(0, 6, size=(10_000, 3)))
    assert 0 <= scores["dcimig"] < 0.01


def test_a_factor_with_one_value_is_left_out():
    factors = np.column_stack([np.full(len(GRID), 2), GRID])
    scores = score(GRID, factors=factors, sizes=(5, *SIZES))
    assert scores == pytest.approx(dict.fromkeys(("dcimig", *(f"dcimig_factor_{k}" for k in (1, 2, 3))), 1.0))


def test_two_images_have_a_score():
    assert dcimig_from_arrays(np.array([[0.0, 3.0], [1.0, 3.0]]), np.array([[0], [1]]))["dcimig"] == 1.0


def test_samples_are_drawn_from_the_given_generator(full_representation):
    rep = full_representation("small", "entangled")
    first, again, other = (dcimig(rep, rng=np.random.default_rng(s), num_samples=200)["dcimig"] for s in (0, 0, 1))
    assert first == again != other


@pytest.mark.parametrize(
    ("codes", "factors", "settings", "message"),
    [
        pytest.param([[0.0], [np.nan]], [[0], [1]], {}, "dcimig needs finite codes, got 1 value", id="NaN"),
        pytest.param([[0.0], [1.0]], [[3], [3]], {}, r"dcimig needs at least 1 factor\(s\) .* got 0", id="constant"),
        pytest.param([[0.0], [1.0]], [[0], [1]], {"num_bins": 0}, "dcimig needs num_bins >= 1, got 0", id="bins"),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, factors, settings, message):
    with pytest.raises(ValueError, match=message):
        dcimig_from_arrays(np.array(codes), np.array(factors), **settings)


def test_settings_and_labels_of_the_entry_are_checked():
    with pytest.raises(ValueError, match="dcimig needs num_samples >= 1, got 0"):
        score(GRID, num_samples=0)
    with pytest.raises(ValueError, match="dcimig needs ground-truth factors, got none"):
        score(GRID, factors=GRID[:, :0], sizes=())
