"""What each feature's policy does (as in Thomas et al. 2017)."""

import numpy as np
from matplotlib.figure import Figure

from disent_runner.figures.inputs import FigureInputs
from disent_runner.figures.labels import as_label
from disent_runner.machine.ranges import Several
from disent_runner.representations.requirements import require_control


def policy_bars(inputs: FigureInputs, *, rng: np.random.Generator, num_states: Several) -> dict[str, Figure]:
    """A panel for each feature: the probability of each action under its policy, mean over `num_states` states.

    NotApplicable for a model that does not act.
    """
    control = require_control("policy_bars", inputs.representation)
    chances = control.probe(num_states, rng).policies.mean(axis=0)
    figure = Figure(figsize=(1.6 * len(chances) + 0.4, 1.9), layout="constrained")
    panels = figure.subplots(1, len(chances), sharey=True, squeeze=False)[0]
    for latent, (panel, heights) in enumerate(zip(panels, chances, strict=True)):
        panel.bar(range(len(heights)), heights)
        panel.set_xticks(range(len(heights)), [as_label(name, 12) for name in control.actions], rotation=90)
        panel.set_ylim(0, 1)
        panel.set_title(f"z{latent}", fontsize=8)
        panel.tick_params(labelsize=6)
    panels[0].set_ylabel("probability", fontsize=8)
    return {"policy_bars": figure}
