"""Images by the value of one code, the others and the noise kept (Chen et al. 2016, figure 2)."""

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from matplotlib.figure import Figure

from disent_runner.figures.grid import labelled_grid
from disent_runner.figures.inputs import FigureInputs
from disent_runner.machine.ranges import Count, Positive, Several
from disent_runner.representations.requirements import NotApplicable


class Code(NamedTuple):
    """Where in the vector of all codes one of them stands, and the values of it that are shown."""

    kind: str
    place: slice
    values: Float[np.ndarray, "value part"]
    labels: Sequence[str]


def code_grids(
    inputs: FigureInputs,
    *,
    rng: np.random.Generator,
    limit: Positive,
    num_steps: Several,
    num_rows: Count,
    max_codes: Count | None,
) -> dict[str, Figure]:
    """`code_grid_c<i>` for each code i from 1 on, the first `max_codes` of them: a column for each of its values.

    Those are all of a categorical code, `num_steps` from -limit to limit of a continuous one. A row keeps one draw of
    the noise and of the other codes from the prior, the same in every picture. NotApplicable for a model without noise.
    """
    autoencoder, num_codes = inputs.autoencoder, inputs.representation.codes.shape[1]
    if autoencoder is None or autoencoder.render is None:
        raise NotApplicable("code_grids needs a model that decodes its codes with noise, which this one does not")
    drawn = inputs.prior(num_rows, rng)
    noise = rng.standard_normal((num_rows, autoencoder.noise_dim), dtype=np.float32)
    layout = codes_in(num_codes, categorical=inputs.representation.categorical, limit=limit, num_steps=num_steps)
    pictures: dict[str, Figure] = {}
    for number, code in enumerate(islice(layout, max_codes), start=1):
        codes = np.repeat(drawn[:, None], len(code.values), axis=1)
        codes[:, :, code.place] = code.values
        images = autoencoder.render(codes.reshape(-1, num_codes), np.repeat(noise, len(code.values), axis=0))
        pictures[f"code_grid_c{number}"] = labelled_grid(
            images.reshape(*codes.shape[:2], *images.shape[1:]),
            row_labels=[""] * num_rows,
            column_labels=code.labels,
            title=f"{inputs.info.name} ({inputs.info.source}): {code.kind} code c{number}",
        )
    return pictures


def codes_in(num_dims: int, *, categorical: Sequence[int], limit: float, num_steps: int) -> Iterator[Code]:
    """Categorical codes of these sizes, one-hot, then continuous ones in what is left of `num_dims`."""
    start = 0
    for size in categorical:
        yield Code("categorical", slice(start, start + size), np.eye(size), [str(value) for value in range(size)])
        start += size
    values = np.linspace(-limit, limit, num_steps)
    for place in range(start, num_dims):
        yield Code("continuous", slice(place, place + 1), values[:, None], [f"{value:.1f}" for value in values])
