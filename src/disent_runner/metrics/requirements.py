"""What metrics ask of their input, each with the error that tells a user what was missing."""

import numpy as np
from jaxtyping import Float, Integer

from disent_runner.representation import Representation


def require_finite(metric: str, codes: Float[np.ndarray, "..."]) -> None:
    """Raise ValueError, naming the metric, if a code is NaN or infinite."""
    if not np.isfinite(codes).all():
        broken = int((~np.isfinite(codes)).sum())
        raise ValueError(
            f"{metric} needs finite codes, got {broken} values that are NaN or infinite; check the training"
        )


def require_at_least(metric: str, minimum: int, **settings: int) -> None:
    """Raise ValueError, naming metric and setting, if a setting is below the minimum."""
    for name, value in settings.items():
        if value < minimum:
            raise ValueError(f"{metric} needs {name} >= {minimum}, got {value}")


def require_logvar(metric: str, rep: Representation) -> Float[np.ndarray, "image latent"]:
    """Log variance of q(z|x) in nats; ValueError, naming the metric, for point codes."""
    if rep.logvar is None:
        raise ValueError(f"{metric} needs the posterior's logvar, got point codes; leave {metric} out for this model")
    return rep.logvar


def require_varying_factors(
    metric: str, factors: Integer[np.ndarray, "image factor"], *, minimum: int = 1
) -> Integer[np.ndarray, " varying"]:
    """Columns of the factors that take more than one value; ValueError, naming the metric, if there are too few."""
    varying = np.flatnonzero(factors.min(axis=0) != factors.max(axis=0))
    if len(varying) < minimum:
        raise ValueError(
            f"{metric} needs at least {minimum} factor(s) with more than one value, got {len(varying)}"
            f" of {factors.shape[1]} in {len(factors)} images"
        )
    return varying
