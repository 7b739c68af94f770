"""Where on a plane each feature is large: does it follow one coordinate? (As in Thomas et al. 2017.)"""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs, by_kl
from disent_runner.figures.labels import as_label
from disent_runner.machine.ranges import Count
from disent_runner.representations.requirements import NotApplicable, require_labels


def feature_maps(inputs: FigureInputs, *, rng: np.random.Generator, num_latents: Count) -> dict[str, Figure]:
    """A heat map for each of the most informative latents: its mean code by the first factors `…_x`, `…_y`.

    Places that no image shows stay empty. NotApplicable without such a pair of factors.
    """
    rep = require_labels("feature_maps", inputs.representation)
    across = next(
        (name for name in rep.factor_names if name.endswith("_x") and f"{name[:-1]}y" in rep.factor_names), ""
    )
    if not across:
        raise NotApplicable("feature_maps needs factors of a place, such as agent_x and agent_y, got none")
    columns = [rep.factor_names.index(name) for name in (across, f"{across[:-1]}y")]
    latents = by_kl(rep)[:num_latents]
    figure = Figure(figsize=(1.7 * len(latents) + 0.4, 1.9), layout="constrained")
    panels = figure.subplots(1, len(latents), squeeze=False)[0]
    for panel, latent in zip(panels, latents, strict=True):
        shape = (rep.factor_sizes[columns[1]], rep.factor_sizes[columns[0]])
        panel.imshow(mean_by_place(rep.codes[:, latent], rep.factors[:, columns], shape), cmap="viridis")
        panel.set_title(f"z{latent}", fontsize=8)
        panel.set_xlabel(as_label(across, 20), fontsize=8)
        panel.tick_params(labelsize=6)
    panels[0].set_ylabel(as_label(f"{across[:-1]}y", 20), fontsize=8)
    return {"feature_maps": figure}


def mean_by_place(code: np.ndarray, places: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Mean of the code (N,) at each place (N, 2), x and y; (y, x), NaN where there is none."""
    cells = places[:, 1] * shape[1] + places[:, 0]
    counts = np.bincount(cells, minlength=shape[0] * shape[1]).astype(float)
    sums = np.bincount(cells, weights=code, minlength=len(counts))
    return np.divide(sums, counts, out=np.full(len(counts), np.nan), where=counts > 0).reshape(shape)
