"""Images above what the model makes of them."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.machine.ranges import Count


def reconstructions(inputs: FigureInputs, *, rng: np.random.Generator, num_images: Count) -> dict[str, Figure]:
    """Randomly chosen evaluated images, and their posterior means decoded."""
    available = len(inputs.representation.codes)
    rows = rng.choice(available, size=min(num_images, available), replace=False)
    images = np.stack([inputs.image(rows), inputs.decode(inputs.representation.codes[rows])])
    title = f"{inputs.info.name} ({inputs.info.source})"
    return {"reconstructions": labelled_grid(images, row_labels=["image", "reconstruction"], title=title)}
