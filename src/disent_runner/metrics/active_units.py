"""Number of latents that carry something about the image (Burda et al. 2016, section 5; Duan et al. 2020)."""

import numpy as np

from disent_runner.machine.ranges import NonNegative
from disent_runner.metrics.estimators.posterior_kl import mean_kl
from disent_runner.representations.numbers import Number, returns
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import require_finite


@returns(
    Number("active_units", unit="latents"),
    Number("active_units_by_kl", unit="latents"),
)
def active_units(
    rep: Representation,
    *,
    rng: np.random.Generator,
    variance_threshold: NonNegative = 0.01,
    kl_threshold: NonNegative = 0.01,
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
    variance = np.array([codes.var(dtype=np.float64) for codes in rep.codes.T])  # one by one: a tenth of the memory
    counts = {"active_units": float((variance > variance_threshold).sum())}
    if rep.logvar is not None:
        counts["active_units_by_kl"] = float((mean_kl(rep.codes, rep.logvar) > kl_threshold).sum())
    return counts
