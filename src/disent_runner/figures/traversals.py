"""Latent traversals, the most informative latent first."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid, tile
from disent_runner.figures.inputs import Animation, FigureInputs, by_kl, latent_kl
from disent_runner.machine.ranges import Count, Positive, Several


def traversals(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    limit: Positive | None,
    num_steps: Several,
    num_latents: Count,
    num_images: Count,
    frames_per_second: Positive,
) -> dict[str, Figure | Animation]:
    """One row per latent, the first `num_latents` by KL, from -limit to limit standard deviations of the prior.

    `limit` None: from the lowest to the highest hundredth of what images have, as those of point codes always go, which
    have no such prior. `traversals_prior` starts from the prior's mean, or from the mean of all point codes;
    `traversals_image_<i>` from the posterior mean of an image.
    """
    rep, order = inputs.representation, by_kl(inputs.representation)[:num_latents]
    rows = rng.choice(len(rep.codes), size=min(num_images, len(rep.codes)), replace=False)
    if rep.logvar is None or limit is None:
        shares = np.linspace(0.01, 0.99, num_steps)
        values, columns = np.quantile(rep.codes[:, order], shares, axis=0).T, [f"{share:.0%}" for share in shares]
    else:
        values = np.linspace(-limit, limit, num_steps)
        columns = [f"{value:.1f}" for value in values]
    if rep.logvar is None:
        middle, labels = rep.codes.mean(axis=0), [f"z{latent}" for latent in order]
    else:
        kl = latent_kl(rep)
        middle, labels = np.zeros(rep.codes.shape[1]), [f"z{latent}  {kl[latent]:.2f} nats" for latent in order]
    starts = {"traversals_prior": middle, **{f"traversals_image_{i}": rep.codes[row] for i, row in enumerate(rows)}}
    pictures: dict[str, Figure | Animation] = {}
    for name, start in starts.items():
        images = traverse(inputs, start=start, order=order, values=values)
        pictures[name] = labelled_grid(images, row_labels=labels, column_labels=columns, title=_title(name, inputs))
        pictures[f"{name}_animated"] = Animation(_there_and_back(images), frames_per_second)
    return pictures


def traverse(inputs: FigureInputs, *, start: np.ndarray, order: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Images (latents, values, C, H, W) decoded from `start` with one latent replaced at a time.

    `values` are those of every latent, (values,), or of each, (latents, values).
    """
    num_values = values.shape[-1]
    codes = np.tile(start, (len(order), num_values, 1))
    codes[np.arange(len(order))[:, None], np.arange(num_values)[None], order[:, None]] = values
    images = inputs.decode(codes.reshape(-1, len(start)))
    return images.reshape(len(order), num_values, *images.shape[1:])


def _there_and_back(images: np.ndarray) -> list[np.ndarray]:
    """Frames in which every latent moves at once, each in its own cell."""
    num_steps = images.shape[1]
    forth = [tile(images[None, :, step]) for step in range(num_steps)]
    return [*forth, *forth[-2:0:-1]]


def _title(name: str, inputs: FigureInputs) -> str:
    if name.endswith("prior"):
        start = "the mean of all codes" if inputs.representation.logvar is None else "the prior's mean"
    else:
        start = "an image's code" if inputs.representation.logvar is None else "an image's posterior mean"
    return f"{inputs.info.name} ({inputs.info.source}): one latent moved at a time from {start}"
