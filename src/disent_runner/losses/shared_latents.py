"""Which latents of a pair of images are the same, and their common posterior (Locatello et al. 2020)."""

from jaxtyping import Bool, Float
from torch import Tensor

from disent_runner.losses.gaussian import Normal


def symmetric_kl(first: Normal, second: Normal) -> Float[Tensor, "batch latent"]:
    """(KL(first ‖ second) + KL(second ‖ first)) / 2 of each latent, in nats."""
    (mean_1, logvar_1), (mean_2, logvar_2) = first, second
    squared = (mean_1 - mean_2).square()
    forward = (logvar_1 - logvar_2).exp() + squared * (-logvar_2).exp()
    backward = (logvar_2 - logvar_1).exp() + squared * (-logvar_1).exp()
    return (forward + backward - 2) / 4


def shared_latents(divergence: Float[Tensor, "batch latent"]) -> Bool[Tensor, "batch latent"]:
    """Latents below the middle between a pair's smallest and largest divergence (their section 5, eq. 5)."""
    threshold = (divergence.amin(1, keepdim=True) + divergence.amax(1, keepdim=True)) / 2
    return divergence < threshold


def arithmetic_mean(first: Normal, second: Normal) -> Normal:
    """GVAE (Hosoya 2019): means of the means and of the variances."""
    (mean_1, logvar_1), (mean_2, logvar_2) = first, second
    return (mean_1 + mean_2) / 2, ((logvar_1.exp() + logvar_2.exp()) / 2).log()


def product_of_normals(first: Normal, second: Normal) -> Normal:
    """ML-VAE (Bouchacourt et al. 2018): the geometric mean of two densities, whose precision is the mean of theirs."""
    (mean_1, logvar_1), (mean_2, logvar_2) = first, second
    precision_1, precision_2 = (-logvar_1).exp(), (-logvar_2).exp()
    precision = (precision_1 + precision_2) / 2
    return (precision_1 * mean_1 + precision_2 * mean_2) / (2 * precision), -precision.log()


AVERAGES = {"gvae": arithmetic_mean, "mlvae": product_of_normals}
