import numpy as np
import pytest

from disent_runner.metrics.active_units import active_units
from disent_runner.representations.representation import Representation

SIGNS = np.array([[-1.0], [1.0]]).repeat(500, axis=0)  # variance 1, exactly


def count(codes, logvar=None, **settings: float):
    codes = np.asarray(codes, dtype=np.float32)
    logvar = None if logvar is None else np.broadcast_to(np.asarray(logvar, dtype=np.float32), codes.shape)
    rep = Representation(codes, np.empty((len(codes), 0), dtype=np.int64), (), logvar=logvar)
    return active_units(rep, rng=np.random.default_rng(0), **settings)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param(SIGNS * [1.0, 0.5, 0.2], 3, id="all vary"),
        pytest.param(SIGNS * [1.0, 0.11, 0.09], 2, id="variances 1, 0.0121 and 0.0081"),
        pytest.param(SIGNS * [0.09, 1.0, 0.11] + [1e3, -1e3, 5.0], 2, id="in any order, about any mean"),
        pytest.param(np.hstack([SIGNS, SIGNS]), 2, id="a code twice counts twice"),
        pytest.param(np.full((7, 2), 1 / 3), 0, id="constant codes"),
        pytest.param([[0.0], [1.0]], 1, id="two images, one latent"),
        pytest.param([[4.0, 2.0]], 0, id="one image"),
    ],
)
def test_latents_whose_mean_varies_are_counted(codes, expected):
    assert count(codes) == {"active_units": expected}


def test_every_latent_is_counted_by_its_kl_too():
    codes = SIGNS * [1.0, 0.0, 0.0, 0.0]
    logvar = [0.0, 0.0, -2.0, 0.25]  # KL 0.5, 0, 0.57 and 0.017 nats: the last two have narrow or wide posteriors
    assert count(codes, logvar) == {"active_units": 1, "active_units_by_kl": 3}


def test_thresholds_are_in_variance_and_in_nats_and_exclusive():
    codes = SIGNS * [1.0, 0.5]  # KL 0.5 and 0.125 with unit variance
    assert count(codes, 0.0, variance_threshold=0.25, kl_threshold=0.125) == {
        "active_units": 1,
        "active_units_by_kl": 1,
    }
    assert count(codes, 0.0, variance_threshold=0.249, kl_threshold=0.124) == {
        "active_units": 2,
        "active_units_by_kl": 2,
    }


def test_a_collapsed_posterior_is_counted_only_when_sampled():
    """Noise of the prior's own size looks active: count means."""
    rep = Representation(
        np.zeros((500, 2), dtype=np.float32), np.empty((500, 0), dtype=np.int64), (), logvar=np.zeros((500, 2))
    )
    rng = np.random.default_rng(0)
    assert active_units(rep, rng=rng) == {"active_units": 0, "active_units_by_kl": 0}
    assert active_units(rep.sampled(rng), rng=rng) == {"active_units": 2}


@pytest.mark.parametrize("name", ["variance_threshold", "kl_threshold"])
@pytest.mark.parametrize("value", [-0.01, np.nan])
def test_thresholds_are_checked(name, value):
    with pytest.raises(ValueError, match=f"active_units needs {name} >= 0, got {value}"):
        count(SIGNS, **{name: value})
