import importlib
from typing import Any

import numpy as np
import pytest

metrics: Any = importlib.import_module("disent_runner.metrics")


def test_a_metrics_module_scores_arrays():
    from disent_runner.metrics import mig, unsupervised  # the modules, which people call

    factors: Any = np.indices((3, 4)).reshape(2, -1).T.repeat(9, axis=0)
    assert metrics.mig is mig
    assert metrics.mig(factors, factors)["mig"] == pytest.approx(1)
    assert metrics.mig(factors, factors, num_bins=1)["mig"] == 0
    draws = np.random.default_rng(0).normal(size=(50, 2))
    assert metrics.unsupervised(draws) == metrics.unsupervised(draws, seed=1)
    assert metrics.unsupervised is unsupervised
    assert not callable(importlib.import_module("disent_runner.metrics.estimators"))
