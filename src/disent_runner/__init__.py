"""disent-runner: train, score, draw and sweep disentangled representation learning models.

run = disent_runner.load("outputs/dsprites/betavae/0a1b2c3d/seed=0")
mean, logvar = run.encode(images)
run.decode(mean), run.sample(16), run.metrics["mig"], run.config.model.beta
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from disent_runner.trained import TrainedRun


def load(folder: "str | Path", *, device: str = "cpu") -> "TrainedRun":
    """The trained model of a run folder, or of a checkpoint in it, with its config and numbers.

    Raises FileNotFoundError where there is no run or no checkpoint, ValueError for a damaged one.
    """
    from disent_runner.trained import load_run

    return load_run(str(folder), device=device)
