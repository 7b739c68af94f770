"""How specific each latent is for concepts about each factor (Higgins et al. 2018, SCAN)."""

import numpy as np
from jaxtyping import Integer
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label
from disent_runner.figures.symbol_inputs import named_symbols
from disent_runner.machine.ranges import Count
from disent_runner.metrics.specificity import latents_of_factors, mean_by_factor, specificity_of, unigrams
from disent_runner.representations.requirements import require_labels


def specificity(
    inputs: FigureInputs, *, rng: np.random.Generator, num_bins: Count, num_latents: Count
) -> dict[str, Figure]:
    """Heat map of 1 - σ of each latent, mean over concepts of one value of a factor.

    First the latents that tell most of each factor, as in the metric, labelled by it, then the most specific others.
    NotApplicable for a model without
    symbols, and where no label is known.
    """
    symbols = named_symbols("specificity", inputs)
    rep = require_labels("specificity", inputs.representation.with_factors(symbols.factors))
    own = latents_of_factors(rep.codes, rep.factors, num_bins=num_bins)
    concepts, factor = unigrams(symbols.vocabulary)
    _, logvar = symbols.infer(symbols.vocabulary.encode(concepts))
    means = mean_by_factor(specificity_of(np.exp(logvar.astype(np.float64) / 2)), factor)
    by_specificity = np.argsort(-means.max(axis=0), kind="stable").tolist()
    order = np.array(list(dict.fromkeys([*own.tolist(), *by_specificity]))[:num_latents])
    labels = [_label(latent, np.flatnonzero(own == latent), symbols.factors) for latent in order.tolist()]
    figure = Figure(figsize=(2.2 + 0.9 * len(means), 1 + 0.3 * len(order)), layout="constrained")
    axes = figure.add_subplot(title="specificity, 1 - σ")
    drawn = axes.imshow(means[:, order].T, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axes.set_xticks(range(len(means)), [as_label(name, 20) for name in symbols.factors], rotation=30, ha="right")
    axes.set_yticks(range(len(order)), labels)
    figure.colorbar(drawn)
    return {"specificity": figure}


def _label(latent: int, places: Integer[np.ndarray, " factor"], factors: tuple[str, ...]) -> str:
    own = [factors[place] for place in places.tolist()]
    return as_label(f"z{latent} ({', '.join(own)})" if own else f"z{latent}")
