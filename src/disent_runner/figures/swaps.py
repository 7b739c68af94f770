"""Images of the pose of one and the identity of another, by parts of their codes (after Reed et al. 2014)."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.machine.ranges import Count, Text
from disent_runner.representations.requirements import require_at_least, require_part

BLANK = 0.6  # the grey where there is no image


def swaps(
    inputs: FigureInputs, *, rng: np.random.Generator, part: Text, num_rows: Count, num_columns: Count
) -> dict[str, Figure]:
    """`swaps`: random images down the left and along the top; the others are the top one's code with the left's part.

    NotApplicable where codes are one whole, ValueError for no such part.
    """
    require_at_least("swaps", 1, num_rows=num_rows, num_columns=num_columns)
    rep = inputs.representation
    place = require_part("swaps", rep, part)
    rows = rng.choice(len(rep.codes), size=num_rows + num_columns)
    left, top = rows[:num_rows], rows[num_rows:]
    codes = np.repeat(rep.codes[None, top], num_rows, axis=0)
    codes[:, :, place] = rep.codes[left][:, None, place]
    shape = inputs.info.image_shape
    grid = np.full((num_rows + 1, num_columns + 1, *shape), BLANK, np.float32)
    grid[0, 1:] = inputs.image(top)
    grid[1:, 0] = inputs.image(left)
    grid[1:, 1:] = inputs.decode(codes.reshape(-1, codes.shape[2])).reshape(num_rows, num_columns, *shape)
    title = f"{inputs.info.name} ({inputs.info.source}): {part} of the left image, all else of the top one"
    return {"swaps": labelled_grid(grid, row_labels=["", *[part] * num_rows], title=title)}
