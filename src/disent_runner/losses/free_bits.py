"""Free bits (Kingma et al. 2016): a latent may tell so much of an image at no cost."""

from jaxtyping import Float
from torch import Tensor


def at_least(nats: float, kl: Float[Tensor, "batch latent"]) -> Float[Tensor, " latent"]:
    """The larger of `nats` and the mean over the batch of each latent's KL, in nats (their appendix C.8).

    A latent below passes no gradient on.
    """
    return kl.mean(0).clamp_min(nats)
