"""Every logged value over the steps."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label

_COLUMNS = 3


def loss_curves(inputs: FigureInputs, *, rng: np.random.Generator) -> dict[str, Figure]:
    """One panel per column of train.csv, the KL of all latents in one; nothing when nothing was trained."""
    log = dict(inputs.train_log)
    if not log:
        return {}
    steps = log.pop("step")
    panels: dict[str, dict[str, np.ndarray]] = {}
    for name, values in log.items():
        stem, _, index = name.rpartition("_")
        is_one_of_many = index.isdigit() and stem != ""
        panels.setdefault(stem if is_one_of_many else name, {})[f"z{index}" if is_one_of_many else name] = values
    num_rows = -(-len(panels) // _COLUMNS)
    width, height = 4.2 * _COLUMNS, 2.6 * num_rows
    figure = Figure(figsize=(width, height))
    figure.subplots_adjust(0.7 / width, 0.5 / height, 1 - 0.2 / width, 1 - 0.35 / height, wspace=0.25, hspace=0.5)
    for position, (title, curves) in enumerate(panels.items(), start=1):
        axes = figure.add_subplot(num_rows, _COLUMNS, position, title=as_label(title), xlabel="step")
        for label, values in curves.items():
            axes.plot(steps, values, label=as_label(label), linewidth=1, marker="." if len(steps) < 10 else "")
        if len(curves) > 1:
            axes.legend(fontsize=6, ncols=2)
    return {"loss_curves": figure}
