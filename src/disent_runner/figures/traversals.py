"""Latent traversals, the most informative latent first."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid, tile
from disent_runner.figures.inputs import Animation, FigureInputs, by_kl, latent_kl


def traversals(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    limit: float,
    num_steps: int,
    num_images: int,
    frames_per_second: float,
) -> dict[str, Figure | Animation]:
    """One row per latent, sorted by KL; its value goes from -limit to limit standard deviations of the prior.

    `traversals_prior` starts from the prior's mean, `traversals_image_<i>` from the posterior mean of an image.
    """
    order, values = by_kl(inputs.representation), np.linspace(-limit, limit, num_steps)
    available = len(inputs.representation.codes)
    rows = rng.choice(available, size=min(num_images, available), replace=False)
    starts = {"traversals_prior": np.zeros(inputs.representation.codes.shape[1])}
    starts |= {f"traversals_image_{i}": inputs.representation.codes[row] for i, row in enumerate(rows)}
    kl = latent_kl(inputs.representation)
    labels = [f"z{latent}  {kl[latent]:.2f} nats" for latent in order]
    pictures: dict[str, Figure | Animation] = {}
    for name, start in starts.items():
        images = traverse(inputs, start=start, order=order, values=values)
        columns = [f"{value:.1f}" for value in values]
        pictures[name] = labelled_grid(images, row_labels=labels, column_labels=columns, title=_title(name, inputs))
        pictures[f"{name}_animated"] = Animation(_there_and_back(images), frames_per_second)
    return pictures


def traverse(inputs: FigureInputs, *, start: np.ndarray, order: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Images (latents, values, C, H, W) decoded from `start` with one latent replaced at a time."""
    codes = np.tile(start, (len(order), len(values), 1))
    codes[np.arange(len(order))[:, None], np.arange(len(values))[None], order[:, None]] = values
    images = inputs.decode(codes.reshape(-1, len(start)))
    return images.reshape(len(order), len(values), *images.shape[1:])


def _there_and_back(images: np.ndarray) -> list[np.ndarray]:
    """Frames in which every latent moves at once, each in its own cell."""
    num_steps = images.shape[1]
    forth = [tile(images[None, :, step]) for step in range(num_steps)]
    return [*forth, *forth[-2:0:-1]]


def _title(name: str, inputs: FigureInputs) -> str:
    start = "the prior's mean" if name.endswith("prior") else "an image's posterior mean"
    return f"{inputs.info.name} ({inputs.info.source}): one latent moved at a time from {start}"
