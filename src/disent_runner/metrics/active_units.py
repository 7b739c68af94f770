"""Number of latents that carry something about the image (Burda et al. 2016, section 5; Duan et al. 2020)."""

import numpy as np
import torch
from jaxtyping import Float

from disent_runner.losses.gaussian import kl_to_standard_normal
from disent_runner.metrics.requirements import require_finite
from disent_runner.representation import Representation


def active_units(
    rep: Representation,
    *,
    rng: np.random.Generator,
    variance_threshold: float = 0.01,
    kl_threshold: float = 0.01,
) -> dict[str, float]:
    """`active_units`: latents whose posterior mean varies by more than `variance_threshold` over all images.

    Where the posteriors are known also `active_units_by_kl`: those whose KL divergence from the prior is on average
    above `kl_threshold` nats.

    Raises:
        ValueError: a code is not finite, or a threshold is negative.
    """
    for name, threshold in (("variance_threshold", variance_threshold), ("kl_threshold", kl_threshold)):
        if not threshold >= 0:
            raise ValueError(f"active_units needs {name} >= 0, got {threshold}")
    require_finite("active_units", rep.codes)
    counts = {"active_units": float((rep.codes.var(axis=0, dtype=np.float64) > variance_threshold).sum())}
    if rep.logvar is not None:
        counts["active_units_by_kl"] = float((mean_kl(rep.codes, rep.logvar) > kl_threshold).sum())
    return counts


def mean_kl(
    mean: Float[np.ndarray, "image latent"], logvar: Float[np.ndarray, "image latent"]
) -> Float[np.ndarray, " latent"]:
    """KL(q(z_j|x) || N(0, 1)) of each latent, averaged over the images, in nats."""
    kl = kl_to_standard_normal(*(torch.from_numpy(values.astype(np.float64)) for values in (mean, logvar)))
    return kl.mean(dim=0).numpy()
