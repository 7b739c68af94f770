"""What capsules draw: images before and after a known transformation, and generative filters (Hinton et al. 2011)."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.machine.ranges import Count
from disent_runner.representations.requirements import require_capsules


def capsules(
    inputs: FigureInputs, *, rng: np.random.Generator, num_images: Count, num_capsules: Count, num_units: Count
) -> dict[str, Figure]:
    """`capsules_views`: seen images, targets, predictions, and below them the parts of the most present capsules.

    `capsules_filters`: what `num_units` generation units of each of these capsules add to its picture. Parts and
    filters are of any sign, grey is 0; parts are on one scale, and so are the filters of a capsule.

    NotApplicable for a model without capsules.
    """
    found = require_capsules("capsules", inputs.representation)
    codes = inputs.representation.codes
    strongest = np.argsort(-found.presences(codes).mean(axis=0), kind="stable")[:num_capsules]
    names = [f"capsule {index}" for index in strongest]
    rows = rng.choice(len(codes), size=min(num_images, len(codes)), replace=False)
    seen, target, predicted, parts = found.views(inputs.image(rows), rng)
    shown = around_grey(parts[:, strongest]).swapaxes(0, 1)
    filters = np.stack([around_grey(units) for units in found.filters()[strongest, :num_units]])
    title = f"{inputs.info.name} ({inputs.info.source})"
    return {
        "capsules_views": labelled_grid(
            np.concatenate([np.stack([seen, target, predicted]), shown]),
            row_labels=["seen", "target", "predicted", *names],
            title=title,
        ),
        "capsules_filters": labelled_grid(filters, row_labels=names, title=title),
    }


def around_grey(values: np.ndarray) -> np.ndarray:
    """0 becomes 0.5, the largest of either sign 0 or 1."""
    most = np.abs(values).max()
    return (1 + values / most) / 2 if most > 0 else np.full_like(values, 0.5)
