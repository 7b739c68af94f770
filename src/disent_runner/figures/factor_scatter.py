"""Codes against the factors that they tell of."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs, by_kl
from disent_runner.figures.labels import as_label
from disent_runner.machine.ranges import Count
from disent_runner.representations.requirements import require_labels


def factor_scatter(
    inputs: FigureInputs, *, rng: np.random.Generator, num_latents: Count, num_images: Count
) -> dict[str, Figure]:
    """A panel for each of the most informative latents and each factor: the code of an image by its factor's value.

    The line is the mean for each value. NotApplicable without labels.
    """
    rep = require_labels("factor_scatter", inputs.representation)
    latents = by_kl(rep)[:num_latents]
    rows = rng.choice(len(rep.codes), min(num_images, len(rep.codes)), replace=False)
    figure = Figure(figsize=(1.6 * len(rep.factor_sizes) + 0.6, 1.3 * len(latents) + 0.5), layout="constrained")
    axes = figure.subplots(len(latents), len(rep.factor_sizes), sharex="col", sharey="row", squeeze=False)
    for row, latent in enumerate(latents):
        for column, name in enumerate(rep.factor_names):
            panel, values = axes[row, column], rep.factors[:, column]
            panel.plot(values[rows], rep.codes[rows, latent], ".", markersize=1, alpha=0.4)
            counts = np.bincount(values, minlength=rep.factor_sizes[column])
            sums = np.bincount(values, weights=rep.codes[:, latent], minlength=rep.factor_sizes[column])
            present = np.flatnonzero(counts)
            panel.plot(present, sums[present] / counts[present], color="black", linewidth=1)
            panel.tick_params(labelsize=6)
            if row == 0:
                panel.set_title(as_label(name, 20), fontsize=8)
            if column == 0:
                panel.set_ylabel(f"z{latent}", fontsize=8)
    return {"factor_scatter": figure}
