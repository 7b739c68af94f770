"""How sure a model is of each latent: the polarised regime (as in Rolinek et al. 2019)."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs, by_kl
from disent_runner.machine.ranges import Count, Positive, Several
from disent_runner.representations.requirements import require_logvar

ACTIVE, PASSIVE = "C0", "C1"
RANGE = (0.005, 2.0)
"""Of σ that is shown at least: pictures of several models, one above the other, have one axis."""


def posterior_deviations(
    inputs: FigureInputs, *, rng: np.random.Generator, num_latents: Count, num_bins: Several, active_below: Positive
) -> dict[str, Figure]:
    """Histograms of the posterior's σ over all images: of all latents stacked, then of each of the first ones by KL.

    A latent is active where its mean σ² is below `active_below`, the prior's being 1. In the polarised regime those
    have σ far below 1, and all others 1. NotApplicable for point codes.
    """
    logvar = require_logvar("posterior_deviations", inputs.representation).astype(np.float64)
    is_active = np.exp(logvar).mean(axis=0) < active_below
    shown = by_kl(inputs.representation)[:num_latents]
    deviations = np.exp(logvar / 2)
    edges = np.geomspace(min(deviations.min(), RANGE[0]), max(deviations.max(), RANGE[1]), num_bins + 1)
    edges[0], edges[-1] = 0.99 * edges[0], 1.01 * edges[-1]  # rounding leaves no σ outside
    heights = [2.5] + [1.0] * len(shown)
    figure = Figure(figsize=(5, 1.6 + 0.5 * len(shown)), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    active, passive = (
        np.histogram(deviations[:, chosen], edges)[0] / deviations.size for chosen in (is_active, ~is_active)
    )
    panels[0].stairs(active, edges, fill=True, color=ACTIVE, label=f"{is_active.sum()} active")
    panels[0].stairs(
        active + passive, edges, baseline=active, fill=True, color=PASSIVE, label=f"{(~is_active).sum()} passive"
    )
    panels[0].set_ylabel("all", fontsize=8)
    panels[0].legend(fontsize=8)
    for panel, latent in zip(panels[1:], shown, strict=True):
        share = np.histogram(deviations[:, latent], edges)[0] / len(deviations)
        panel.stairs(share, edges, fill=True, color=ACTIVE if is_active[latent] else PASSIVE)
        panel.set_ylabel(f"z{latent}", fontsize=8, rotation=0, ha="right", va="center")
    for panel in panels:
        panel.axvline(1.0, color="black", linewidth=0.5, linestyle=":")
        panel.set_yticks([])
    panels[-1].set_xscale("log")
    panels[-1].xaxis.set_major_formatter("{x:g}")
    panels[-1].set_xlabel("posterior standard deviation (the prior's is 1)")
    return {"posterior_deviations": figure}
