"""A concept that is taught by sets of images, each more diverse than the one before (Higgins et al. 2018, SCAN)."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from disent_runner.losses.concepts import Divergence
from disent_runner.losses.gaussian import kl_to_standard_normal
from disent_runner.representations.requirements import NotApplicable

_LR, _BETAS = 0.05, (0.9, 0.95)
"""Of Adam: with a longer memory a concept that was narrow, whose gradients are large, stays so over the next set."""


class Lesson(NamedTuple):
    """What is known of each concept over the steps of one set: before the first, and after each."""

    deviation: Float[np.ndarray, "step concept latent"]
    mean: Float[np.ndarray, "concept latent"]
    """at its end"""


def draw_sets(
    factors: Int[np.ndarray, "image factor"],
    concept: Int[np.ndarray, " factor"],
    *,
    allowed: Bool[np.ndarray, " image"],
    num_sets: int,
    num_images: int,
    rng: np.random.Generator,
) -> Int[np.ndarray, "set example"]:
    """Rows of different images that show the concept, whose named values are not negative.

    What it does not name is the same in the first set, and free in the last; between them factor after factor becomes
    free, the last ones first. `allowed` masks the images to draw from. NotApplicable where a set has too few.
    """
    open_factors = np.flatnonzero(concept < 0)
    shows = allowed & (factors[:, concept >= 0] == concept[concept >= 0]).all(axis=1)
    if not shows.any():
        raise NotApplicable("no image to learn from shows the concept; name another, or encode more images")
    # what most images of the concept show besides, so that there are enough that are alike
    alike, counts = np.unique(factors[shows][:, open_factors], axis=0, return_counts=True)
    base = alike[rng.choice(np.flatnonzero(counts == counts.max()))]
    sets, taken = [], np.zeros(len(factors), bool)
    for number in range(num_sets):
        num_fixed = round(len(open_factors) * (1 - number / max(num_sets - 1, 1)))
        fixed = open_factors[:num_fixed]
        candidates = np.flatnonzero(shows & ~taken & (factors[:, fixed] == base[:num_fixed]).all(axis=1))
        if len(candidates) < num_images:
            raise NotApplicable(
                f"set {number + 1} needs {num_images} images that are alike but for what may vary, got "
                f"{len(candidates)}; encode more with evaluation.num_images"
            )
        sets.append(rng.choice(candidates, num_images, replace=False))
        taken[sets[-1]] = True
    return np.stack(sets)


def taught(
    mean: Float[np.ndarray, "set concept example latent"],
    logvar: Float[np.ndarray, "set concept example latent"],
    *,
    grounding: Divergence,
    beta: float,
    lambda_: float,
    num_steps: int,
) -> list[Lesson]:
    """The concepts N(μ, σ²) that SCAN's loss makes of images' posteriors, `num_steps` of Adam on each set in turn.

    Each begins as the prior. With one symbol SCAN's encoder is no more than a mean and a variance for each latent.
    """
    num_concepts, num_images, latent_dim = mean.shape[1:]
    learned = torch.zeros(2, num_concepts, 1, latent_dim, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.Adam([learned], lr=_LR, betas=_BETAS)
    lessons = []
    with torch.enable_grad():
        for images in zip(torch.from_numpy(mean).double(), torch.from_numpy(logvar).double(), strict=True):
            course = [learned[1].detach().clone()]
            posteriors = images[0].flatten(0, 1), images[1].flatten(0, 1)
            for _ in range(num_steps):
                concepts = learned.expand(-1, -1, num_images, -1).flatten(1, 2)
                prior = kl_to_standard_normal(concepts[0], concepts[1]).sum(1)
                loss = beta * prior + lambda_ * grounding(posteriors, (concepts[0], concepts[1]))
                optimizer.zero_grad()
                (loss.sum() / num_images).backward()
                optimizer.step()
                course.append(learned[1].detach().clone())
            deviation = torch.stack(course)[:, :, 0].mul(0.5).exp().numpy()
            lessons.append(Lesson(deviation, learned[0, :, 0].detach().clone().numpy()))
    return lessons
