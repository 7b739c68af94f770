"""A Boltzmann machine in which two groups of hidden units multiply each other (Reed et al. 2014, disBM).

Visible units v, hidden binary ones m (pose) and h (identity). Images come in groups that share h: a group of one is the
plain machine, one of two a pair that is known to have the identity in common. Energies and free energies are in nats.
"""

from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional


class ThreeWay(NamedTuple):
    """The parameters of a machine, or a number for each of them."""

    factors_v: Float[Tensor, "visible factor"]
    factors_m: Float[Tensor, "pose factor"]
    factors_h: Float[Tensor, "identity factor"]
    pairs_m: Float[Tensor, "visible pose"]
    pairs_h: Float[Tensor, "visible identity"]
    bias_v: Float[Tensor, " visible"]
    bias_m: Float[Tensor, " pose"]
    bias_h: Float[Tensor, " identity"]


class Evidence(NamedTuple):
    """What the hidden units see of the visible ones, the same in every sweep."""

    factors: Float[Tensor, "batch image factor"]
    m: Float[Tensor, "batch image pose"]
    h: Float[Tensor, "batch image identity"]


class Hidden(NamedTuple):
    """States of the hidden units, or their probabilities."""

    m: Float[Tensor, "batch image pose"]
    h: Float[Tensor, "batch identity"]


def evidence_of(machine: ThreeWay, v: Float[Tensor, "batch image visible"]) -> Evidence:
    return Evidence(v @ machine.factors_v, v @ machine.pairs_m, v @ machine.pairs_h)


def logits_m(
    machine: ThreeWay, seen: Evidence, h: Float[Tensor, "batch identity"]
) -> Float[Tensor, "batch image pose"]:
    """Log odds of m_j = 1 given v and h: c_j + (vᵀPᵐ)_j + Σ_f Wᵐ_jf (vᵀWᵛ)_f (hᵀWʰ)_f."""
    return machine.bias_m + seen.m + (seen.factors * (h @ machine.factors_h)[:, None]) @ machine.factors_m.T


def logits_h(
    machine: ThreeWay, seen: Evidence, m: Float[Tensor, "batch image pose"]
) -> Float[Tensor, "batch identity"]:
    """The same of h: the sum of what each image of the group says, b_k + (vᵀPʰ)_k + Σ_f Wʰ_kf (vᵀWᵛ)_f (mᵀWᵐ)_f."""
    each = machine.bias_h + seen.h + (seen.factors * (m @ machine.factors_m)) @ machine.factors_h.T
    return each.sum(1)


def logits_v(machine: ThreeWay, hidden: Hidden) -> Float[Tensor, "batch image visible"]:
    """Mean of Gaussian v, log odds of binary v: a + Pᵐm + Pʰh + Σ_f Wᵛ_f (mᵀWᵐ)_f (hᵀWʰ)_f."""
    m, h = hidden.m, hidden.h[:, None]
    product = (m @ machine.factors_m) * (h @ machine.factors_h)
    return machine.bias_v + m @ machine.pairs_m.T + h @ machine.pairs_h.T + product @ machine.factors_v.T


def visible_mean(machine: ThreeWay, hidden: Hidden, *, is_gaussian: bool) -> Float[Tensor, "batch image visible"]:
    """E[v | m, h]."""
    logits = logits_v(machine, hidden)
    return logits if is_gaussian else logits.sigmoid()


def energy(
    machine: ThreeWay, v: Float[Tensor, "batch image visible"], hidden: Hidden, *, is_gaussian: bool
) -> Float[Tensor, " batch"]:
    """E(v, m, h), summed over the images of a group; of probabilities its expectation, since it is linear in each unit.

    -Σ_f (vᵀWᵛ)_f (mᵀWᵐ)_f (hᵀWʰ)_f - vᵀPᵐm - vᵀPʰh - bᵀh - cᵀm - aᵀv, and ½‖v‖² where v is Gaussian.
    """
    said = (v * logits_v(machine, hidden)).sum(2) + hidden.m @ machine.bias_m + (hidden.h @ machine.bias_h)[:, None]
    return (0.5 * v.square().sum(2) * is_gaussian - said).sum(1)


def free_energy(
    machine: ThreeWay, v: Float[Tensor, "batch image visible"], hidden: Hidden, *, is_gaussian: bool
) -> Float[Tensor, " batch"]:
    """E_q[E(v, m, h)] - H(q) of independent units with these probabilities: at least -log Σ_{m,h} exp(-E(v, m, h))."""
    return energy(machine, v, hidden, is_gaussian=is_gaussian) - _entropy(hidden.m).sum(1) - _entropy(hidden.h)


def _entropy(probability: Float[Tensor, "*batch unit"]) -> Float[Tensor, "*batch"]:
    return -(torch.xlogy(probability, probability) + torch.xlogy(1 - probability, 1 - probability)).sum(-1)


def mean_field(machine: ThreeWay, seen: Evidence, *, num_sweeps: int) -> Hidden:
    """Probabilities of independent hidden units, from ½ on: in each sweep all of h given m, then all of m given h.

    Either half is where the free energy is least with the other as it is, so that no sweep raises it.
    """
    m = torch.full_like(seen.m, 0.5)
    h = torch.full_like(seen.h[:, 0], 0.5)
    for _ in range(num_sweeps):
        h = logits_h(machine, seen, m).sigmoid()
        m = logits_m(machine, seen, h).sigmoid()
    return Hidden(m, h)


def statistics(machine: ThreeWay, v: Float[Tensor, "batch image visible"], hidden: Hidden) -> ThreeWay:
    """-∂E/∂θ of every parameter θ, a mean over images."""
    v, m = v.flatten(0, 1), hidden.m.flatten(0, 1)
    h = hidden.h.repeat_interleave(hidden.m.shape[1], dim=0)
    of_v, of_m, of_h = v @ machine.factors_v, m @ machine.factors_m, h @ machine.factors_h
    return ThreeWay(
        factors_v=v.T @ (of_m * of_h) / len(v),
        factors_m=m.T @ (of_v * of_h) / len(v),
        factors_h=h.T @ (of_v * of_m) / len(v),
        pairs_m=v.T @ m / len(v),
        pairs_h=v.T @ h / len(v),
        bias_v=v.mean(0),
        bias_m=m.mean(0),
        bias_h=h.mean(0),
    )


def gibbs_sweep(
    machine: ThreeWay, v: Float[Tensor, "batch image visible"], h: Float[Tensor, "batch identity"], *, is_gaussian: bool
) -> tuple[Float[Tensor, "batch image visible"], Float[Tensor, "batch image visible"], Hidden]:
    """New v and its mean, and new hidden states: m given v and h, then h given v and m, then v given both.

    Draws from torch's random numbers. What is not a number draws zeros, and says so in what is made of the mean.
    """
    seen = evidence_of(machine, v)
    m = _bits(logits_m(machine, seen, h).sigmoid())
    hidden = Hidden(m, _bits(logits_h(machine, seen, m).sigmoid()))
    mean = visible_mean(machine, hidden, is_gaussian=is_gaussian)
    return (mean + torch.randn_like(mean) if is_gaussian else _bits(mean)), mean, hidden


def _bits(probability: Tensor) -> Tensor:
    return (torch.rand_like(probability) < probability).to(probability.dtype)


def contrast(
    m: Float[Tensor, "image pose"], labels: Float[Tensor, "image factor"], *, margin: float
) -> Float[Tensor, ""]:
    """Half the squared distance of images with equal labels, and of others ½ max(0, margin - distance)², both means.

    Hadsell et al. 2006, eq. 4, as Reed et al. 2014 have images of one pose near each other. 0 where no two have.
    """
    is_same = (labels[:, None] == labels).all(-1)
    is_other = ~is_same
    is_same = is_same & ~torch.eye(len(m), dtype=torch.bool, device=m.device)
    squared = (m[:, None] - m).square().sum(-1)
    distance = squared.clamp_min(torch.finfo(m.dtype).tiny).sqrt()
    pull = (0.5 * squared * is_same).sum() / is_same.sum().clamp_min(1)
    push = (0.5 * functional.relu(margin - distance).square() * is_other).sum() / is_other.sum().clamp_min(1)
    return pull + push


def equal_norms(weights: Float[Tensor, "unit factor"]) -> Float[Tensor, "unit factor"]:
    """The same columns, each of the mean of their lengths: no factor outgrows the others."""
    norms = weights.norm(dim=0)
    return weights * (norms.mean() / norms.clamp_min(torch.finfo(weights.dtype).tiny))
