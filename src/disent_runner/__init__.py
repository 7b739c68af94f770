"""disent-runner: train, score, draw and sweep disentangled representation learning models.

run = disent_runner.load("outputs/dsprites/betavae/0a1b2c3d/seed=0")
mean, logvar = run.encode(images)
run.decode(mean), run.sample(16), run.metrics["mig"], run.config.model.beta
run.imagine("red wall, hat"), run.recombine("red wall", "AND", "hat"), run.describe(images)  # of models of concepts

table = disent_runner.score(codes, factors, metric=["mig", "dci"])
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from disent_runner.machine.moved import find_by_earlier_names

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from disent_runner.assembly.trained import TrainedRun

find_by_earlier_names()


def load(folder: "str | Path", *, device: str = "cpu", trust: bool = False) -> "TrainedRun":
    """The trained model of a run folder, or of a checkpoint in it, with its config and numbers.

    A folder may be anyone's: its config is built from classes of disent-runner and optimizers of PyTorch alone. With
    `trust` it may name others, which are then imported and called: a model of your own, for example.

    Raises FileNotFoundError where there is no run or no checkpoint, ValueError for a damaged one, and for one that
    names other classes, with their names.
    """
    from disent_runner.assembly.trained import load_run

    return load_run(str(folder), device=device, trust=trust)


def score(
    codes: Any,
    factors: Any = None,
    *,
    metric: "str | Sequence[str] | Mapping[str, Mapping[str, Any] | None]" = "fast",
    logvar: Any = None,
    factor_names: Sequence[str] | None = None,
    continuous: Sequence[str] | None = None,
    discrete: Sequence[str] | None = None,
    seed: int = 0,
) -> "pd.DataFrame":
    """Scores of your own model's codes: the rows that a run's metrics.json has, one for each number.

    `codes` (N, D): any numbers, such as posterior means; `factors` (N, K) or (N,): whole numbers, real numbers or text
    as in `representation=FILE.npz`, None where they are unknown; `logvar` (N, D): log variance of q(z|x) in nats, None
    for point codes. Arrays, tensors or data frames; a frame's columns name the factors, unless `factor_names` do.
    `continuous`, `discrete`: names of factors whose labels are binned, or are not; how often a factor's values repeat
    decides on those in neither. Missing labels are NaN, None, NA, masked or "": warnings count them.
    `metric`: a name, a preset (fast, paper, all), several, or names with settings, {"dci": {"estimator": "lasso"}}.
    A metric that lacks something is skipped, or fails, alone: its row has no value, and says why.

    Columns: name, factor (None: of all), value, better (higher, lower or None), unit, metric, settings, seed, …;
    `num_images` those whose labels the number needs are all known, `binned` the continuous factors and their bins.

    Raises:
        ValueError: arrays that do not belong together, codes that are no finite numbers, or no such metric.
    """
    from disent_runner.stages.scoring_arrays import score_arrays

    return score_arrays(
        codes,
        factors,
        metric=metric,
        logvar=logvar,
        factor_names=factor_names,
        continuous=continuous,
        discrete=discrete,
        seed=seed,
    )
