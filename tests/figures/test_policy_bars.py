from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from disent_runner.figures.policy_bars import policy_bars
from disent_runner.representations.control import Control, Probe
from disent_runner.representations.requirements import NotApplicable


def test_bars_are_as_high_as_actions_are_likely(inputs, rng):
    policies = np.array([[[0.5, 0.5], [1, 0]], [[0.3, 0.7], [0, 1]]])  # state, feature, action
    control = Control(
        ("left", "right"), False, lambda count, rng: Probe(np.zeros((2, 2)), np.zeros((2, 2, 2)), policies)
    )
    rep = replace(inputs.representation, control=control)
    (figure,) = policy_bars(replace(inputs, representation=rep), rng=rng, num_states=2).values()
    shown: Any = [panel.patches for panel in figure.axes]
    heights = [[bar.get_height() for bar in bars] for bars in shown]
    np.testing.assert_allclose(heights, [[0.4, 0.6], [0.5, 0.5]])
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["left", "right"]


def test_what_does_not_act_has_no_policies(inputs, rng):
    with pytest.raises(NotApplicable, match="policy_bars needs a model that acts"):
        policy_bars(inputs, rng=rng, num_states=2)
