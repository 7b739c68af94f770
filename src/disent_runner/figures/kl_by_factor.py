"""How the code of the ground-truth generator is shared out as its capacity rises."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label
from disent_runner.representations.requirements import NotApplicable


def kl_by_factor(inputs: FigureInputs, *, rng: np.random.Generator) -> dict[str, Figure]:
    """KL of each factor's latents against the total, by step of the training log, in nats.

    NotApplicable for a model that does not log them.
    """
    curves = {name: inputs.train_log[f"kl_{name}"] for name in inputs.info.factors if f"kl_{name}" in inputs.train_log}
    if not curves:
        raise NotApplicable("kl_by_factor needs the KL of each factor, which only capacity_generator logs")
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="KL of all factors (nats)", ylabel="KL of one factor (nats)")
    for name, values in curves.items():
        axes.plot(inputs.train_log["kl"], values, label=as_label(name), linewidth=1.5)
    axes.legend()
    return {"kl_by_factor": figure}
