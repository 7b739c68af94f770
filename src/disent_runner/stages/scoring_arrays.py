"""Scores of arrays that other programs made, in the rows of a run's metrics.json."""

import logging
from collections.abc import Sequence
from typing import Any

import pandas as pd

from disent_runner.assembly.metric_choice import Asked, chosen_metrics
from disent_runner.representations.arrays import represent
from disent_runner.runs.score_rows import Score, row_of
from disent_runner.stages.scoring import Subject, score_all

logger = logging.getLogger("disent_runner")


def score_arrays(
    codes: Any,
    factors: Any = None,
    *,
    metric: Asked = "fast",
    logvar: Any = None,
    factor_names: Sequence[str] | None = None,
    continuous: Sequence[str] | None = None,
    discrete: Sequence[str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """See `disent_runner.score`."""
    metrics = chosen_metrics(metric)
    table = represent(
        codes, factors, logvar=logvar, factor_names=factor_names, continuous=continuous, discrete=discrete
    )
    for remark in table.remarks:
        logger.warning("%s", remark)
    subject = Subject(
        table.representation, seed=seed, dataset="arrays", source="memory", choice="given", binned=table.binned
    )
    scores: dict[str, list[Score]] = {rows[0].making.metric: rows for rows in score_all(metrics, subject)}
    return pd.DataFrame([row_of(score) for name in metrics for score in scores[name]])
