"""Maximum mean discrepancy between two samples (Gretton et al. 2012)."""

from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Kernel = Callable[[Tensor, int], Tensor]
"""Squared distances (n, m) of points and their dimension -> kernel values (n, m)."""


def rbf_kernel(squared_distances: Float[Tensor, "n m"], dim: int) -> Float[Tensor, "n m"]:
    """exp(-d² / 2D): two draws of N(0, 1) are √(2D) apart, so that d² / 2D is about 1."""
    return torch.exp(-squared_distances / (2 * dim))


def imq_kernel(squared_distances: Float[Tensor, "n m"], dim: int) -> Float[Tensor, "n m"]:
    """Mean of C / (C + d²) over C = 2D times .1, .2, .5, 1, 2, 5 and 10 (Tolstikhin et al. 2018, section 4)."""
    scales = 2 * dim * torch.tensor([0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0], device=squared_distances.device)
    return (scales / (scales + squared_distances[..., None])).mean(-1)


KERNELS = {"rbf": rbf_kernel, "imq": imq_kernel}


def mmd(first: Float[Tensor, "n dim"], second: Float[Tensor, "m dim"], *, kernel: Kernel) -> Float[Tensor, ""]:
    """Squared maximum mean discrepancy, unbiased (Gretton et al. 2012, eq. 3): it may be a little below 0.

    Needs two points or more on either side.
    """
    dim = first.shape[1]
    within = [_mean_off_diagonal(kernel(_squared_distances(points, points), dim)) for points in (first, second)]
    return within[0] + within[1] - 2 * kernel(_squared_distances(first, second), dim).mean()


def _squared_distances(first: Float[Tensor, "n dim"], second: Float[Tensor, "m dim"]) -> Float[Tensor, "n m"]:
    return (first[:, None] - second[None]).square().sum(-1)  # autocast would round a matrix product to bfloat16


def _mean_off_diagonal(values: Float[Tensor, "n n"]) -> Float[Tensor, ""]:
    count = len(values)
    return (values.sum() - values.diagonal().sum()) / (count * (count - 1))
