from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.kl_by_factor import kl_by_factor
from disent_runner.representations.requirements import NotApplicable


def test_a_curve_for_each_factor_against_the_total(inputs, rng):
    log = {"step": np.arange(3.0), "kl": np.array([1.0, 4.0, 9.0]), "kl_a": np.array([1.0, 3.0, 5.0])}
    log["kl_b"] = log["kl"] - log["kl_a"]
    (figure,) = kl_by_factor(replace(inputs, train_log=log), rng=rng).values()
    curves = {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}
    np.testing.assert_array_equal(curves["a"], np.stack([log["kl"], log["kl_a"]], axis=1))
    np.testing.assert_array_equal(curves["b"], np.stack([log["kl"], log["kl_b"]], axis=1))


def test_other_models_have_no_such_curves(inputs, rng):
    with pytest.raises(NotApplicable, match="which only capacity_generator logs"):
        kl_by_factor(inputs, rng=rng)
