"""What concept the two directions of the KL make of the same examples (Higgins et al. 2018, SCAN and SCAN_R)."""

from collections.abc import Sequence
from typing import Annotated

import numpy as np
import torch
from annotated_types import MinLen
from jaxtyping import Float
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.losses.concepts import GROUNDINGS, Divergence
from disent_runner.losses.gaussian import kl_to_standard_normal
from disent_runner.machine.ranges import NonNegative, Positive

_STEPS = 200


def mode_coverage(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    means: Annotated[Sequence[float], MinLen(1)],
    deviation: Positive,
    beta_y: NonNegative,
    lambda_grounding: Positive,
) -> dict[str, Figure]:
    """Density of one latent of some examples of a concept, and of the concept that each direction learns from them.

    The concepts minimise the model's own loss, `beta_y` times the KL to the prior plus `lambda_grounding` times the
    mean KL between examples, N(mean, deviation²), and concept. The same for every run.
    """
    examples = torch.tensor(list(means), dtype=torch.float64), 2 * np.log(deviation)
    places = np.linspace(min(means) - 4 * deviation - 1, max(means) + 4 * deviation + 1, 500)
    figure = Figure(figsize=(5, 3), layout="constrained")
    axes = figure.add_subplot(xlabel="one latent", ylabel="density", yticks=[])
    mixture = np.mean([_density(places, mean, deviation) for mean in means], axis=0)
    axes.fill_between(places, mixture, color="0.85", label="examples")
    for name, colour in (("forward", "tab:blue"), ("reverse", "tab:red")):
        mean, spread = best_concept(
            examples[0], examples[1], grounding=GROUNDINGS[name], beta_y=beta_y, lambda_grounding=lambda_grounding
        )
        axes.plot(places, _density(places, mean, spread), color=colour, label=f"{name} KL, σ {spread:.2f}")
    axes.set_ylim(bottom=0)
    axes.legend()
    return {"mode_coverage": figure}


def best_concept(
    means: Float[torch.Tensor, " example"],
    logvar: float,
    *,
    grounding: Divergence,
    beta_y: float,
    lambda_grounding: float,
) -> tuple[float, float]:
    """Mean and standard deviation of the concept of least loss, for examples of one log variance."""
    images = means[:, None], torch.full_like(means, logvar)[:, None]
    parameters = torch.zeros(2, dtype=means.dtype, requires_grad=True)
    optimizer = torch.optim.LBFGS([parameters], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        concept = parameters[:1].expand(len(means), 1), parameters[1:].expand(len(means), 1)
        prior = kl_to_standard_normal(*concept).sum(1)
        total = (beta_y * prior + lambda_grounding * grounding(images, concept)).mean()
        total.backward()
        return total

    with torch.enable_grad():
        optimizer.step(loss)
    mean, log_variance = parameters.detach().tolist()
    return mean, float(np.exp(log_variance / 2))


def _density(places: np.ndarray, mean: float, deviation: float) -> np.ndarray:
    return np.exp(-(((places - mean) / deviation) ** 2) / 2) / (deviation * np.sqrt(2 * np.pi))
