"""How far a feature is changed alone by what is done: Independently Controllable Factors (Thomas et al. 2017).

A change is f(s') - f(s); its last axis is the feature. Selectivities are shares, without a unit, their logarithms nats.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Tensor

SMALLEST_SUM = 1e-4
"""Added to the denominator in the authors' code."""
CLAMP = 1e-3
"""Added to each feature's change in the other form, so that none is a share of nothing."""
LEAST_MEAN = 1e-5
"""Added to each change of the mean that drawn factors are compared with."""
STILL = 1e-4
"""Of all features together: what changes less has not moved."""


def signed_selectivity(change: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch feature"]:
    """Δ_k / (1e-4 + Σ_j max(0, Δ_j)), as in the authors' code (bengioe/implementations, DL/ICF_simple, c59cf5a).

    There it is f - f', which mirrors the features. Where every feature decreases it has no lower bound: `is_unbounded`.
    """
    return change / (SMALLEST_SUM + change.relu().sum(-1, keepdim=True))


def is_unbounded(change: Float[Tensor, "*batch feature"]) -> Float[Tensor, "*batch"]:
    """1 where every feature decreases, else 0; what has not moved does not count."""
    return ((change.relu().sum(-1) == 0) & ~is_still(change)).float()


def log_selectivity(change: Float[Tensor, "*batch feature"], *, directed: bool) -> Float[Tensor, "*batch feature"]:
    """log((|Δ_k| + c) / Σ_j (|Δ_j| + c)) in nats, c = 1e-3, so that shares sum to 1; directed: max(0, Δ) for |Δ|.

    What has not moved has the share of chance, 1/n, and no gradient.
    """
    moved = (change.relu() if directed else change.abs()) + CLAMP
    told = moved.log() - moved.sum(-1, keepdim=True).log()
    return torch.where(is_still(change)[..., None], -math.log(change.shape[-1]), told)


def log_share_of_mean(change: Float[Tensor, "*batch factor"]) -> Float[Tensor, "*batch factor"]:
    """log(1e-3 + |Δ_m| / mean_m (1e-5 + |Δ_m|)) in nats: how much more a factor is changed than all are in the mean.

    Of factors that were drawn in one state (bengioe/implementations, DL/ICF_factors, 872aad8, `dot_prod`).
    """
    moved = change.abs()
    return (CLAMP + moved / (LEAST_MEAN + moved).mean(-1, keepdim=True)).log()


def is_still(change: Float[Tensor, "*batch feature"]) -> Tensor:
    """Bool (*batch): whether no feature has moved, as where a wall is in the way."""
    return change.abs().sum(-1) < STILL


def expected_score(
    policies: Float[Tensor, "batch feature action"], scores: Float[Tensor, "batch action feature"]
) -> Float[Tensor, "batch feature"]:
    """Σ_a π_k(a|s) score_k(s, a): exact, of every action's transition."""
    return (policies * scores.mT).sum(-1)  # a matrix product would be rounded under autocast


def weighted_score(
    policies: Float[Tensor, "batch feature action"],
    scores: Float[Tensor, "batch action feature"],
    actions: Int[Tensor, " batch"],
) -> Float[Tensor, "batch feature"]:
    """π_k(a|s) score_k(s, a) of one action for all features, as in the authors' code.

    Of uniformly random actions its mean is `expected_score` over their number.
    """
    rows = torch.arange(len(actions), device=actions.device)
    return policies[rows, :, actions] * scores[rows, actions]


def reinforced_score(
    policies: Float[Tensor, "batch feature action"],
    scores: Float[Tensor, "batch action feature"],
    actions: Int[Tensor, "batch feature"],
    baseline: Float[Tensor, " feature"],
) -> Float[Tensor, "batch feature"]:
    """What has the gradient of `expected_score` in the mean over actions that each feature's own policy drew.

    score + (score - baseline) log π_k(a|s), the second factor alone being differentiated there (REINFORCE; Williams
    1992).
    """
    chosen = scores.gather(1, actions[:, None])[:, 0]
    log_chance = policies.gather(2, actions[..., None])[..., 0].log()
    advantage = (chosen - baseline).detach()
    return chosen + advantage * (log_chance - log_chance.detach())


def policy_entropy(policies: Float[Tensor, "batch feature action"]) -> Float[Tensor, "batch feature"]:
    """Nats."""
    return torch.special.entr(policies).sum(-1)
