"""Which latents a question is answered by (as in Karaletsos et al. 2016)."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label
from disent_runner.representations.requirements import require_questions


def triplet_masks(inputs: FigureInputs, *, rng: np.random.Generator) -> dict[str, Figure]:
    """Heat map of each question's mask, its largest weight 1. NotApplicable for a model that was not asked."""
    questions = require_questions("triplet_masks", inputs.representation)
    largest = questions.masks.max(axis=1, keepdims=True)
    shown = np.divide(questions.masks, largest, out=np.zeros_like(questions.masks), where=largest > 0)
    figure = Figure(figsize=(2.2 + 0.45 * shown.shape[1], 1.2 + 0.35 * len(shown)), layout="constrained")
    axes = figure.add_subplot(title="weight of latents by question", xlabel="latent")
    drawn = axes.imshow(shown, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axes.set_yticks(range(len(shown)), [as_label(name, 20) for name in questions.factors])
    axes.set_xticks(range(shown.shape[1]))
    figure.colorbar(drawn)
    return {"triplet_masks": figure}
