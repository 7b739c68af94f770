"""Features and policies of which the shares are known."""

import numpy as np
import pytest

from disent_runner.metrics.selectivity import selectivity
from disent_runner.representations.control import Control, Probe
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable

CHANCE = np.full((4, 4), 0.25)
OWN = np.eye(4)


def scored(change: np.ndarray, policies: np.ndarray, *, is_directed: bool = False) -> dict[str, float]:
    """`change` (action, feature) in every state, `policies` (feature, action) in every state."""

    def probe(num_states: int, rng: np.random.Generator) -> Probe:
        before = rng.standard_normal((num_states, change.shape[1]))
        return Probe(before, before[:, None] + change, np.broadcast_to(policies, (num_states, *policies.shape)))

    control = Control(("a", "b", "c", "d"), is_directed, probe)
    rep = Representation(np.zeros((2, change.shape[1])), np.zeros((2, 1), int), (1,), control=control)
    return selectivity(rep, rng=np.random.default_rng(0), num_states=10)


def test_a_feature_for_each_action_is_fully_selective():
    values = scored(2 * np.eye(4), OWN)
    assert values == pytest.approx(
        {
            "selectivity": 1,
            "selectivity_chance": 0.25,
            "selectivity_best_action": 1,
            "selectivity_purity": 1,
            "selectivity_distinct": 1,
        }
    )


def test_a_policy_of_chance_has_the_share_of_chance():
    values = scored(2 * np.eye(4), CHANCE)
    assert values["selectivity"] == pytest.approx(0.25)
    assert values["selectivity_best_action"] == pytest.approx(1)
    assert values["selectivity_purity"] == pytest.approx(0.25)


@pytest.mark.parametrize(("is_directed", "expected"), [(True, 1.0), (False, 0.5)])
def test_opposite_features_share_a_change_unless_they_are_to_increase(is_directed, expected):
    opposite = np.array([[1, -1, 0, 0], [-1, 1, 0, 0], [0, 0, 1, -1], [0, 0, -1, 1.0]])
    assert scored(opposite, OWN, is_directed=is_directed)["selectivity"] == pytest.approx(expected)


def test_what_moves_nothing_is_left_out():
    wall = 2 * np.eye(4)
    wall[0] = 0
    policies = np.full((4, 4), 0.0)
    policies[:, 0] = 0.9  # against the wall
    policies[np.arange(4), np.arange(4)] += 0.1
    assert scored(wall[:, :], policies)["selectivity"] == pytest.approx(0.75)  # the first never moves


def test_two_features_by_one_action_are_not_distinct():
    assert scored(np.ones((4, 4)), OWN[[0, 0, 1, 2]])["selectivity_distinct"] == 0.75


def test_features_that_never_move_have_no_number():
    with pytest.raises(NotApplicable, match="selectivity needs features that an action changes"):
        scored(np.zeros((4, 4)), OWN)


def test_what_does_not_act_has_none():
    rep = Representation(np.zeros((2, 1)), np.zeros((2, 1), int), (1,))
    with pytest.raises(NotApplicable, match=r"^selectivity needs a model that acts in an environment, such as icf"):
        selectivity(rep, rng=np.random.default_rng(0))


def test_a_trained_models_probe_is_of_its_world(untrained):
    from disent_runner.representations.control import control_of

    model, _ = untrained("model=icf")
    control = control_of(model)
    assert control is not None
    assert control.actions == ("right", "left", "down", "up")
    probe = control.probe(5, np.random.default_rng(0))
    assert [part.shape for part in probe] == [(5, 4), (5, 4, 4), (5, 4, 4)]
    np.testing.assert_allclose(probe.policies.sum(2), 1, rtol=1e-5)
    again = control.probe(5, np.random.default_rng(0))
    np.testing.assert_array_equal(probe.after, again.after)
    assert control_of(untrained("model=vae")[0]) is None
