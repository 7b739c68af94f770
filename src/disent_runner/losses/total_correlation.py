"""Densities of the aggregate posterior q(z) = mean_n q(z|x_n) from one batch, and the KL in three parts.

What a person can read is the normal distribution with the mean and the covariance of q(z). The sums over a batch are
there to be minimised: as values they are off by many nats.
"""

import math
from typing import NamedTuple, TypeAlias

import torch
from jaxtyping import Float
from torch import Tensor

from disent_runner.losses.covariance import covariance_of_codes
from disent_runner.losses.gaussian import normal_log_density

Estimator: TypeAlias = str
""""gaussian", "weighted" or "stratified"; a word from a config, so checked where it is used."""


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
    estimator: Estimator = "gaussian",
) -> KLTerms:
    """The three parts at one sample `z` of each posterior; their sum is log q(z|x) - log p(z) for every estimator.

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
    estimator: Estimator = "gaussian",
) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
    """Estimates of log q(z) and of the log product of its marginals q(z_j) at `z` from one batch, in nats.

    `z` is one sample of each posterior, `num_train` the number N of training images. "gaussian" takes q(z) for the
    normal distribution with its mean and covariance in the batch, and needs no N. "weighted" gives every posterior
    of the batch of M the weight 1/(NM) (Chen et al. 2018, minibatch-weighted sampling): low in variance, but the joint
    and each of the D marginals come out up to log N too low, so the total correlation up to (D-1) log N too high.
    "stratified" uses `stratified_log_weights`.
    Raises ValueError for another estimator, and for a stratified batch of one or of more than N.
    """
    if estimator == "gaussian":
        centre, covariance = mean.mean(dim=0), covariance_of_codes(mean, logvar)
        marginals = normal_log_density(z, centre, covariance.diagonal().log())
        root = torch.linalg.cholesky_ex(covariance).L  # `cholesky` and torch's normal distribution stop at a NaN
        standardised = torch.linalg.solve_triangular(root, (z - centre).T, upper=False).T
        log_qz = -0.5 * (standardised.square() + math.log(2 * math.pi)).sum(dim=1) - root.diagonal().log().sum()
        return log_qz, marginals.sum(dim=1)
    if estimator not in LOG_WEIGHTS:
        raise ValueError(f"model.estimator must be gaussian or one of {sorted(LOG_WEIGHTS)}, got {estimator!r}")
    log_weights = LOG_WEIGHTS[estimator](len(z), num_train, dtype=z.dtype, device=z.device)
    pairs = normal_log_density(z[:, None], mean[None], logvar[None])  # (i, j, d): z_i under q(z_d | x_j)
    log_qz = torch.logsumexp(pairs.sum(dim=2) + log_weights, dim=1)
    log_prod_qzj = torch.logsumexp(pairs + log_weights[:, :, None], dim=1).sum(dim=1)
    return log_qz, log_prod_qzj


def weighted_log_weights(
    batch: int, num_train: int, *, dtype: torch.dtype | None = None, device: torch.device | None = None
) -> Float[Tensor, "batch batch"]:
    """Log weights of minibatch-weighted sampling: -log(num_train · batch) everywhere (Chen et al. 2018).

    For batches of any size: with replacement one may be larger than the data set.
    """
    return torch.full((batch, batch), -math.log(num_train * batch), dtype=dtype, device=device)


def stratified_log_weights(
    batch: int, num_train: int, *, dtype: torch.dtype | None = None, device: torch.device | None = None
) -> Float[Tensor, "batch batch"]:
    """Log weights of minibatch-stratified sampling; row i weighs the posteriors x_j at z_i (Chen et al. 2018, eq. S6).

    With M = batch - 1 other examples a row holds 1/N for its own example, (N-M)/(NM) for one other (the next, the
    first after the last), 1/M for the rest: together 1, and an unbiased q(z_i) when the others are drawn uniformly.
    Raises ValueError for a batch of one or a batch larger than `num_train`.
    """
    if not 2 <= batch <= num_train:
        raise ValueError(
            f"stratified weights need a batch of 2 to {num_train} images, which is how many there are, got {batch}; "
            f"set dataset.batch_size, or model.estimator=weighted"
        )
    others = batch - 1
    example, neighbour, rest = 1 / num_train, (num_train - others) / (num_train * others), 1 / others
    weights = torch.full((batch, batch), math.log(rest), dtype=dtype, device=device)
    diagonal = torch.eye(batch, dtype=torch.bool, device=device)
    weights = weights.masked_fill(diagonal.roll(1, dims=1), math.log(neighbour))
    return weights.masked_fill(diagonal, math.log(example))


LOG_WEIGHTS = {"weighted": weighted_log_weights, "stratified": stratified_log_weights}


def gaussian_total_correlation(covariance: Float[Tensor, "latent latent"]) -> Float[Tensor, ""]:
    """KL from the normal distribution of this covariance to the product of its marginals, in nats.

    ½ (Σ log s_jj - log det S) (Watanabe 1960): all that covariances tell. Correlations of codes in other ways do not
    show, and of n images it comes out about D(D - 1) / 4n too high.
    """
    return 0.5 * (covariance.diagonal().log().sum() - torch.linalg.slogdet(covariance).logabsdet)
