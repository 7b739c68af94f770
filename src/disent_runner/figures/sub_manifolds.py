"""One part of a code moved along images, the others staying: traversal of a sub-manifold (Reed et al. 2014)."""

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.machine.ranges import Count, Several
from disent_runner.representations.requirements import NotApplicable, require_at_least, require_part


def sub_manifolds(
    inputs: FigureInputs, *, rng: np.random.Generator, num_images: Count, num_stops: Several, num_between: Count
) -> dict[str, Figure]:
    """`sub_manifolds_<part>` of each part of the codes: it goes along `num_stops` random images, the others stay.

    Straight from one image's part to the next's, by as many steps as `num_between`. The first row are the images that
    lend the part, decoded; each other row starts from a random image, on the left, whose other parts it keeps.

    NotApplicable where codes have fewer than two parts.
    """
    require_at_least("sub_manifolds", 1, num_images=num_images, num_between=num_between)
    require_at_least("sub_manifolds", 2, num_stops=num_stops)
    rep, shape = inputs.representation, inputs.info.image_shape
    if len(rep.parts) < 2:
        raise NotApplicable("sub_manifolds needs codes of several parts, such as m and h of disbm, got one whole")
    starts, stops = np.split(rng.integers(len(rep.codes), size=num_images + num_stops), [num_images])
    path = path_through(rep.codes[stops], num_between=num_between)
    figures: dict[str, Figure] = {}
    for part in rep.parts:
        place = require_part("sub_manifolds", rep, part)
        codes = np.repeat(rep.codes[starts][:, None], len(path), axis=1)
        codes[:, :, place] = path[:, place]
        codes = np.concatenate([path[None], codes])
        decoded = inputs.decode(codes.reshape(-1, codes.shape[2])).reshape(*codes.shape[:2], *shape)
        first = np.concatenate([inputs.image(stops[:1]), inputs.image(starts)])
        labels = [f"lends {part}", *[f"image {number}" for number in range(num_images)]]
        title = f"{inputs.info.name} ({inputs.info.source}): {part} along images, all else as on the left"
        grid = np.concatenate([first[:, None], decoded], axis=1)
        figures[f"sub_manifolds_{part}"] = labelled_grid(grid, row_labels=labels, title=title)
    return figures


def path_through(codes: Float[np.ndarray, "stop latent"], *, num_between: int) -> Float[np.ndarray, "step latent"]:
    """From each code straight to the next, by `num_between` steps."""
    places = np.arange((len(codes) - 1) * num_between + 1) / num_between
    before = np.minimum(places.astype(int), len(codes) - 2)
    share = (places - before)[:, None]
    return (1 - share) * codes[before] + share * codes[before + 1]
