"""Images decoded from the prior."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.machine.ranges import Count


def samples(
    inputs: FigureInputs, *, rng: np.random.Generator, num_rows: Count, num_columns: Count
) -> dict[str, Figure]:
    """A grid of decoded draws from the prior."""
    images = inputs.decode(inputs.prior(num_rows * num_columns, rng))
    grid = images.reshape(num_rows, num_columns, *images.shape[1:])
    return {"samples": labelled_grid(grid, row_labels=[""] * num_rows, title="decoded from draws of the prior")}
