"""What images tell of their codes, as training goes on."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.representations.requirements import NotApplicable


def information_bound(inputs: FigureInputs, *, rng: np.random.Generator) -> dict[str, Figure]:
    """The bounds L_I of categorical and continuous codes by step, beside H(c), the most that the first can be.

    NotApplicable for a model that does not log them.
    """
    log = inputs.train_log
    if "information_categorical" not in log:
        raise NotApplicable("information_bound needs the bound on the codes, which only the adversarial models log")
    figure = Figure(figsize=(6, 4), layout="constrained")
    axes = figure.add_subplot(xlabel="step", ylabel="L_I (nats)")
    for kind in ("categorical", "continuous"):
        if np.ptp(log[f"information_{kind}"]) > 0:
            axes.plot(log["step"], log[f"information_{kind}"], label=f"{kind} codes")
    entropy = float(log["code_entropy"][0])
    if entropy > 0:  # that of continuous codes bounds nothing
        axes.axhline(entropy, color="black", linestyle="--", linewidth=1, label=f"H(c) = {entropy:.2f} nats")
    axes.legend()
    return {"information_bound": figure}
