"""How far the posterior of each latent is from the prior; without torch, for whoever only reads codes."""

import numpy as np
from jaxtyping import Float


def mean_kl(
    mean: Float[np.ndarray, "*model image latent"], logvar: Float[np.ndarray, "*model image latent"]
) -> Float[np.ndarray, "*model latent"]:
    """KL(q(z_j|x) || N(0, 1)) of each latent, averaged over the images, in nats (Kingma & Welling 2014, appendix B).

    One latent after another, because of hundreds of thousands of images in double precision.
    """
    return np.stack([_mean_kl(mean[..., latent], logvar[..., latent]) for latent in range(mean.shape[-1])], axis=-1)


def _mean_kl(
    mean: Float[np.ndarray, "*model image"], logvar: Float[np.ndarray, "*model image"]
) -> Float[np.ndarray, "*model"]:
    mean, logvar = mean.astype(np.float64), logvar.astype(np.float64)
    return np.asarray(0.5 * (np.square(mean) + np.expm1(logvar) - logvar).mean(axis=-1))
