"""Densities of the aggregate posterior q(z) = mean_n q(z|x_n) from one batch, and the KL in three parts."""

import math
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.losses.gaussian import normal_log_density

Estimator: TypeAlias = str
""""weighted" or "stratified"; a word from a config, so checked where it is used."""


class KLTerms(NamedTuple):
    """KL(q(z|x) || p(z)) in three parts (Chen et al. 2018, eq. 2); each (batch,), in nats."""

    mutual_information: Tensor
    total_correlation: Tensor
    dimensionwise_kl: Tensor


def decompose_kl(
    z: Float[Tensor, "batch latent"],
    mean: Float[Tensor, "batch latent"],
    logvar: Float[Tensor, "batch latent"],
    num_train: int,
    *,
    estimator: Estimator = "weighted",
) -> KLTerms:
    """The three parts at one sample `z` of each posterior; their sum is log q(z|x) - log p(z) for either estimator.

    Arguments and errors as for `aggregate_log_density`.
    """
    log_qz, log_prod_qzj = aggregate_log_density(z, mean, logvar, num_train, estimator=estimator)
    log_qz_given_x = normal_log_density(z, mean, logvar).sum(dim=1)
    log_pz = -0.5 * (z.square() + math.log(2 * math.pi)).sum(dim=1)
    return KLTerms(log_qz_given_x - log_qz, log_qz - log_prod_qzj, log_prod_qzj - log_pz)


def aggregate_log_density(
    z: Float[Tensor, "batch latent"],
    mean: Float[Tensor, "batch latent"],
    logvar: Float[Tensor, "batch latent"],
    num_train: int,
    *,
    estimator: Estimator = "weighted",
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Estimates of log q(z) and of the log product of its marginals q(z_j) at `z` from one batch, in nats.

    `z` is one sample of each posterior, `num_train` the number N of training images. "weighted" gives every posterior
    of the batch of M the weight 1/(NM) (Chen et al. 2018, minibatch-weighted sampling): low in variance, but the joint
    and each of the D marginals come out up to log N too low, so the total correlation up to (D-1) log N too high.
    "stratified" uses `stratified_log_weights`.
    Raises ValueError for another estimator, for N below M, and for a stratified batch of one.
    """
    if estimator not in LOG_WEIGHTS:
        raise ValueError(f"estimator must be one of {sorted(LOG_WEIGHTS)}, got {estimator!r}")
    log_weights = LOG_WEIGHTS[estimator](len(z), num_train, dtype=z.dtype, device=z.device)
    pairs = normal_log_density(z[:, None], mean[None], logvar[None])  # (i, j, d): z_i under q(z_d | x_j)
    log_qz = torch.logsumexp(pairs.sum(dim=2) + log_weights, dim=1)
    log_prod_qzj = torch.logsumexp(pairs + log_weights[:, :, None], dim=1).sum(dim=1)
    return log_qz, log_prod_qzj


def weighted_log_weights(
    batch: int, num_train: int, *, dtype: torch.dtype | None = None, device: torch.device | None = None
) -> Float[Tensor, "batch batch"]:
    """Log weights of minibatch-weighted sampling: -log(num_train · batch) everywhere (Chen et al. 2018)."""
    _check_sizes(batch, num_train)
    return torch.full((batch, batch), -math.log(num_train * batch), dtype=dtype, device=device)


def stratified_log_weights(
    batch: int, num_train: int, *, dtype: torch.dtype | None = None, device: torch.device | None = None
) -> Float[Tensor, "batch batch"]:
    """Log weights of minibatch-stratified sampling; row i weighs the posteriors x_j at z_i (Chen et al. 2018, eq. S6).

    With M = batch - 1 other examples a row holds 1/N for its own example, (N-M)/(NM) for one other (the next, the
    first after the last), 1/M for the rest: together 1, and an unbiased q(z_i) when the others are drawn uniformly.
    Raises ValueError for a batch of one or a batch larger than `num_train`.
    """
    _check_sizes(batch, num_train)
    if batch < 2:
        raise ValueError("stratified weights need a batch of 2 or more, got 1; use a larger batch or `weighted`")
    others = batch - 1
    example, neighbour, rest = 1 / num_train, (num_train - others) / (num_train * others), 1 / others
    weights = torch.full((batch, batch), math.log(rest), dtype=dtype, device=device)
    diagonal = torch.eye(batch, dtype=torch.bool, device=device)
    weights = weights.masked_fill(diagonal.roll(1, dims=1), math.log(neighbour))
    return weights.masked_fill(diagonal, math.log(example))


LOG_WEIGHTS = {"weighted": weighted_log_weights, "stratified": stratified_log_weights}


def _check_sizes(batch: int, num_train: int) -> None:
    if num_train < batch:
        raise ValueError(f"num_train is the number of training images, at least the batch of {batch}, got {num_train}")
