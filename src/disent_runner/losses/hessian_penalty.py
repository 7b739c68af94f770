"""How far a latent's effect depends on the others: off-diagonal second derivatives, by finite differences.

The Hessian penalty of Peebles et al. 2020, normalised as in Tripod (Hsu et al. 2024): for directions v of independent
signs, Var[vᵀHv] = 2 Σ_{i≠j} H²_ij; for standard normal ones, Var[vᵀHv] = 2 Σ_ij H²_ij.
"""

from collections.abc import Callable, Sequence

import torch
from jaxtyping import Float
from torch import Tensor

TINY = 1e-10
"""Beside the mean of squared second derivatives, as in the authors' code: a linear layer then has no penalty."""


def normalized_hessian_penalty(
    layers: Callable[[Tensor], Sequence[Tensor]],
    codes: Float[Tensor, "batch latent"],
    *,
    signs: Float[Tensor, "sign batch latent"],
    normals: Float[Tensor, "normal batch latent"],
    scale: Float[Tensor, " latent"],
    epsilon: float,
) -> Float[Tensor, " batch"]:
    """Share of the off-diagonal in all squared second derivatives of each layer by z_i / scale_i, summed over layers.

    Squares are means over a layer's units. `layers` gives what each layer makes of codes, by row; `signs` of ±1 and
    `normals` of N(0, 1) are the directions, `epsilon` the length of a step along them. Variances over draws divide by
    their number, so that two draws are enough; in no unit.
    """
    directions = torch.cat([signs, normals])
    offsets = epsilon * scale * directions
    points = torch.cat([codes[None], codes + offsets, codes - offsets])
    penalties = []
    for outputs in layers(points.flatten(0, 1)):
        units = outputs.movedim(1, -1).flatten(1)  # no copy of maps that lie channels last, and none of their gradient
        values = units.unflatten(0, points.shape[:2])
        above, below = values[1:].chunk(2)
        second = (above - 2 * values[0] + below) / epsilon**2
        off_diagonal, whole = second.split([len(signs), len(normals)])
        penalties.append(_mean_variance(off_diagonal) / (_mean_variance(whole) + TINY))
    return torch.stack(penalties).sum(0)


def _mean_variance(second: Float[Tensor, "draw batch unit"]) -> Float[Tensor, " batch"]:
    return (second - second.mean(0)).square().mean((0, 2))  # of two draws five times as fast as `var`
