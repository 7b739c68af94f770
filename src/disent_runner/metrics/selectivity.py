"""Selectivity: does a feature's own policy change it alone? (Thomas et al. 2017, section 2)."""

import numpy as np
from jaxtyping import Float

from disent_runner.machine.ranges import Several
from disent_runner.representations.control import Probe
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_control

SMALLEST_CHANGE = 1e-4
"""Of all features together: what changes less has not moved, as where a wall is in the way."""


@returns(
    Number("selectivity", "higher"),
    Number("selectivity_chance"),
    Number("selectivity_best_action", "higher"),
    Number("selectivity_purity", "higher"),
    Number("selectivity_distinct", "higher"),
)
def selectivity(rep: Representation, *, rng: np.random.Generator, num_states: Several = 2_000) -> dict[str, float]:
    """Share in [0, 1] that a feature has in what its own policy changes, mean over features, states and actions.

    Of `num_states` random states that training did not begin with; transitions that move nothing are left out. Changes
    are increases where the model's features are directed. `selectivity_chance` is one over the number of features;
    `selectivity_best_action` takes in each state the action that changes the feature most selectively, whatever the
    policy; beside a wall that may be a poor one, so that `selectivity`, whose still transitions are left out, can be
    higher. `selectivity_purity` is the mean probability of a policy's likeliest action,
    `selectivity_distinct` the share of actions that are some feature's likeliest one, of as many as there can be.

    Raises:
        NotApplicable: a model that does not act, or none of whose features moves.
        ValueError: `num_states` below 2.
    """
    control = require_control("selectivity", rep)
    require_at_least("selectivity", 2, num_states=num_states)
    probe = control.probe(num_states, rng)
    shares, has_moved = shares_of_change(probe, is_directed=control.is_directed)
    if not has_moved.any():
        raise NotApplicable("selectivity needs features that an action changes, got none")
    return {
        "selectivity": float(by_policies(shares, has_moved, probe.policies).mean()),
        "selectivity_chance": 1 / probe.before.shape[1],
        "selectivity_best_action": float(shares[has_moved.any(axis=1)].max(axis=1).mean()),
        "selectivity_purity": float(probe.policies.max(axis=2).mean(dtype=np.float64)),
        "selectivity_distinct": distinct_actions(probe.policies),
    }


def shares_of_change(
    probe: Probe, *, is_directed: bool
) -> tuple[Float[np.ndarray, "state action feature"], np.ndarray]:
    """|Δ_k| / Σ_j |Δ_j|, of increases alone where directed, and whether the transition moved anything, (state, action).

    Where nothing did, shares are 0.
    """
    change = probe.after.astype(np.float64) - probe.before[:, None]
    moved = np.maximum(change, 0) if is_directed else np.abs(change)
    total = moved.sum(axis=2, keepdims=True)
    has_moved = (np.abs(change).sum(axis=2) >= SMALLEST_CHANGE) & (total[..., 0] > 0)
    return np.divide(moved, total, out=np.zeros_like(moved), where=has_moved[..., None]), has_moved


def by_policies(
    shares: Float[np.ndarray, "state action feature"],
    has_moved: np.ndarray,
    policies: Float[np.ndarray, "state feature action"],
) -> Float[np.ndarray, " feature"]:
    """Mean share of each feature over states and its own policy's actions, those that move something."""
    chances = policies.transpose(0, 2, 1) * has_moved[..., None]
    total = chances.sum(axis=(0, 1))
    return np.divide((chances * shares).sum(axis=(0, 1)), total, out=np.zeros_like(total), where=total > 0)


def distinct_actions(policies: Float[np.ndarray, "state feature action"]) -> float:
    """Number of different actions that are likeliest for a feature over all states, of as many as there can be."""
    likeliest = policies.mean(axis=0, dtype=np.float64).argmax(axis=1)
    return len(np.unique(likeliest)) / min(policies.shape[1:])
