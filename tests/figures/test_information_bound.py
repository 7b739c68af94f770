from dataclasses import replace

import numpy as np
import pytest

from disent_runner.figures.information_bound import information_bound
from disent_runner.representations.requirements import NotApplicable


def test_the_bound_beside_the_entropy(inputs, rng):
    log = {"step": np.arange(3.0), "information_categorical": np.array([0.1, 1.0, 2.2])}
    log |= {"information_continuous": np.zeros(3), "code_entropy": np.full(3, np.log(10))}
    (figure,) = information_bound(replace(inputs, train_log=log), rng=rng).values()
    curve, entropy = figure.axes[0].lines
    np.testing.assert_array_equal(curve.get_ydata(), log["information_categorical"])
    assert set(np.asarray(entropy.get_ydata()).tolist()) == {np.log(10)}
    assert entropy.get_label() == "H(c) = 2.30 nats"


def test_continuous_codes_have_no_bound_to_draw(inputs, rng):
    log = {"step": np.arange(3.0), "information_categorical": np.zeros(3), "code_entropy": np.zeros(3)}
    log |= {"information_continuous": np.array([0.1, 1.0, 2.2])}
    (figure,) = information_bound(replace(inputs, train_log=log), rng=rng).values()
    assert [line.get_label() for line in figure.axes[0].lines] == ["continuous codes"]


def test_other_models_have_no_bound(inputs, rng):
    with pytest.raises(NotApplicable, match="which only the adversarial models log"):
        information_bound(inputs, rng=rng)
