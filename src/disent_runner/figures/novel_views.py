"""New views of an image by one latent, beside the true ones (after Kulkarni et al. 2015)."""

import numpy as np
from jaxtyping import Float, Integer
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.machine.ranges import Count, Index, Text
from disent_runner.metrics.rank_correlation import signed_rank_correlation
from disent_runner.representations.representation import UNKNOWN
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_labels

MISSING = -1
BLANK = 0.6  # the grey between the images


def novel_views(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    factor: Text,
    latent: Index | None,
    num_images: Count,
    num_views: Count,
) -> dict[str, Figure]:
    """`novel_views_<factor>`: random start images, their true views by the factor, and those that the model makes.

    A true view differs from the start in the factor alone; it stays grey where it is not among the evaluated images.
    The model's is the start's code decoded with one latent at its mean over the images of the factor's value. That
    latent is the one of the largest absolute rank correlation with the factor, or `latent`. The first column is the
    start and its own code decoded, the others are `num_views` evenly spaced values of the factor.

    Images with an unknown factor are left out.

    Raises:
        NotApplicable: no such factor, only one value of it among the images, or a model without a decoder.
        ValueError: no such latent, or no image or no view wanted.
    """
    require_at_least("novel_views", 1, num_images=num_images, num_views=num_views)
    rep = require_labels("novel_views", inputs.representation)
    if factor not in rep.factor_names:
        names = ", ".join(rep.factor_names)
        raise NotApplicable(f"novel_views needs figure.novel_views.factor to be one of {names}, got {factor}")
    column = rep.factor_names.index(factor)
    values = rep.factors[:, column]
    present = np.unique(values)
    if len(present) < 2:
        raise NotApplicable(f"novel_views needs two values of {factor}, got {len(present)} among the evaluated images")
    correlations = signed_rank_correlation(rep.codes, values[:, None])[:, 0]
    moved = _choose(latent, correlations)

    views = present[np.rint(np.linspace(0, len(present) - 1, min(num_views, len(present)))).astype(int)]
    starts = rng.choice(len(values), size=min(num_images, len(values)), replace=False)
    codes = np.repeat(rep.codes[starts, None], 1 + len(views), axis=1)
    codes[:, 1:, moved] = mean_by_value(rep.codes[:, moved], values)[views]
    decoded = inputs.decode(codes.reshape(-1, codes.shape[2])).reshape(*codes.shape[:2], *inputs.info.image_shape)

    rows = np.column_stack([starts, rows_of_views(rep.factors, starts, column)[:, views]])
    present = rows != MISSING
    true = np.full_like(decoded, BLANK)
    labelled = np.flatnonzero((inputs.representation.factors != UNKNOWN).all(axis=1))
    true[present] = inputs.image(labelled[rows[present]])

    labels = [label for start in starts for label in (f"{factor} {values[start]}", f"z{moved} moved")]
    source = f"{inputs.info.name} ({inputs.info.source})"
    title = f"{source}: {factor} by z{moved}, rank correlation {correlations[moved]:.2f}"
    images = np.stack([true, decoded], axis=1).reshape(-1, *decoded.shape[1:])
    columns = ["start", *map(str, views)]
    return {f"novel_views_{factor}": labelled_grid(images, row_labels=labels, column_labels=columns, title=title)}


def mean_by_value(
    codes: Float[np.ndarray, " image"], values: Integer[np.ndarray, " image"]
) -> Float[np.ndarray, " value"]:
    """Mean code of the images of each value; 0 for a value that no image has."""
    return np.bincount(values, weights=codes) / np.maximum(np.bincount(values), 1)


def rows_of_views(
    factors: Integer[np.ndarray, "image factor"], starts: Integer[np.ndarray, " start"], column: int
) -> Integer[np.ndarray, "start value"]:
    """Row of the image with each value of the factor in `column` and the start's of all others; MISSING if none is."""
    values, others = factors[:, column], np.delete(factors, column, axis=1)
    start, row = np.nonzero((others == others[starts, None]).all(axis=2))
    rows = np.full((len(starts), values.max() + 1), MISSING)
    rows[start, values[row]] = row
    rows[np.arange(len(starts)), values[starts]] = starts  # not another image with the same factors
    return rows


def _choose(latent: int | None, correlations: Float[np.ndarray, " latent"]) -> int:
    if latent is None:
        return int(np.abs(correlations).argmax())
    if not 0 <= latent < len(correlations):
        raise ValueError(f"figure.novel_views.latent must be 0 to {len(correlations) - 1}, or null, got {latent}")
    return latent
