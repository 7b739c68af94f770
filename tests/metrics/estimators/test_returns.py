"""Beside the interval of a normal distribution, and how often it holds the truth."""

import numpy as np
import pytest

from disent_runner.metrics.estimators.returns import mean_interval, standard_error


def test_the_interval_of_a_mean_is_that_of_the_normal_distribution(rng):
    returns = rng.normal(3.0, 2.0, 400)
    found = mean_interval(returns, rng)
    error = returns.std() / 20
    assert found.value == pytest.approx(returns.mean())
    assert found.low == pytest.approx(returns.mean() - 1.96 * error, abs=0.25 * error)
    assert found.high == pytest.approx(returns.mean() + 1.96 * error, abs=0.25 * error)
    assert standard_error(returns) == pytest.approx(error, rel=0.01)


def test_it_holds_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    held = [found.low <= 0 <= found.high for found in (mean_interval(rng.normal(size=50), rng) for _ in range(200))]
    assert 0.88 < np.mean(held) <= 1  # 0.95, less what 50 episodes lose; ± 3.5 standard errors


def test_what_never_varies_has_no_width(rng):
    assert mean_interval(np.full(50, 2.0), rng) == (2, 2, 2)
