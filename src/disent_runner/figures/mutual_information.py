"""Which latent tells of which factor."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs, by_kl
from disent_runner.figures.labels import as_label
from disent_runner.machine.ranges import Count
from disent_runner.metrics.estimators.information import factor_entropies, mutual_information_matrix
from disent_runner.representations.requirements import require_labels


def mutual_information(
    inputs: FigureInputs, *, rng: np.random.Generator, num_bins: Count, num_latents: Count
) -> dict[str, Figure]:
    """Heat map of I(z_j; v_k) / H(v_k) from binned posterior means, the first latents by KL.

    Of the images whose factors are all known; NotApplicable where there are too few.
    """
    rep = require_labels("mutual_information", inputs.representation)
    order = by_kl(rep)[:num_latents]
    matrix = mutual_information_matrix(rep.codes[:, order], rep.factors, num_bins=num_bins)
    share = matrix / np.maximum(factor_entropies(rep.factors), np.finfo(float).tiny)
    figure = Figure(figsize=(1.5 + 0.9 * share.shape[1], 1 + 0.4 * len(order)), layout="constrained")
    axes = figure.add_subplot(title="mutual information / factor entropy")
    drawn = axes.imshow(share, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axes.set_xticks(range(share.shape[1]), [as_label(name, 20) for name in rep.factor_names], rotation=30, ha="right")
    axes.set_yticks(range(len(order)), [f"z{latent}" for latent in order])
    for row, column in np.ndindex(*share.shape):
        value = share[row, column]
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", color="white" if value < 0.6 else "black")
    figure.colorbar(drawn)
    return {"mutual_information": figure}
