"""What numbers depend on, and whether settings that are good on one data set are so on another (Locatello et al. 2019,
sections 5.3 and 5.4).
"""

import json
import math
import statistics
from collections.abc import Iterator, Mapping, Sequence
from itertools import permutations, product
from typing import Any

import numpy as np
import pandas as pd

from disent_runner.report.pooling import Comparison, Setting
from disent_runner.report.udr import spearman

_OF_DATA = ("dataset", "source", "data_hash", "factors", "num_images", "binned", "labels", "id")
"""Columns of a setting that other data have other values of."""
FEWEST_SHARED = 3
"""Settings that two data sets must share."""


def explained(settings: Sequence[Setting], metrics: Mapping[str, str]) -> pd.DataFrame:
    """Shares of a number's variance over runs: by the model, by the model's settings beyond it, by what is left, the
    seed. They sum to 1.

    `model` is the R² of the means of models, `model + setting` that of the means of settings (the paper's "objective"
    and "objective and hyperparameters"). As any R² it is above 0 also where nothing depends on it, by about
    (settings − 1) / (runs − 1). Numbers are left out that have one setting, no setting of two seeds, or one value.
    """
    rows = []
    for (comparison, number), group in _groups(settings, metrics).items():
        values = [setting.values(number) for setting in group]
        if len(group) < 2 or max(map(len, values)) < 2:
            continue
        models: dict[Any, list[float]] = {}
        for setting, its in zip(group, values, strict=True):
            models.setdefault(setting.columns["model"], []).extend(its)
        total = _spread([[value for its in values for value in its]])
        if total == 0:
            continue
        of_model, of_setting = (1 - _spread(parts) / total for parts in (list(models.values()), values))
        shares = (of_model, of_setting - of_model, 1 - of_setting)
        counts = (len(models), len(group), sum(map(len, values)))
        rows.append((comparison.evaluation.dataset, comparison.evaluation.source, number, *shares, *counts))
    head = ["dataset", "source", "number", "model", "setting", "seed", "models", "settings", "runs"]
    return pd.DataFrame(rows, columns=head)


def _spread(groups: Sequence[Sequence[float]]) -> float:
    """Sum of squares about the means of the groups."""
    return sum(float(np.square(np.asarray(group) - np.mean(group)).sum()) for group in groups)


def transfer(
    settings: Sequence[Setting], metrics: Mapping[str, str], directions: Mapping[str, str | None]
) -> pd.DataFrame:
    """For each number and ordered pair of data sets, of the settings that both have, three at least: Spearman
    correlation of the settings' means, and how often a run of the setting that is best on the first beats, on the
    second, a run of a setting at random (equal ones count half; 1/2 is chance). NaN where no side is better.
    """
    data: dict[tuple[str, Any], dict[Comparison, dict[str, list[float]]]] = {}
    for (comparison, number), group in _groups(settings, metrics).items():
        alike = (comparison.evaluation.representation, comparison.metric_settings)
        for setting in group:
            of_data = data.setdefault((number, alike), {}).setdefault(comparison, {})
            of_data[_key(setting)] = setting.values(number)
    rows = [
        (first.evaluation.dataset, second.evaluation.dataset, number, *found)
        for (number, _), tables in data.items()
        for first, second in permutations(tables, 2)
        if first.data_hash != second.data_hash
        for found in _transferred(tables[first], tables[second], directions.get(number))
    ]
    return pd.DataFrame(rows, columns=["from", "to", "number", "spearman", "better than random", "settings"])


def _key(setting: Setting) -> str:
    """What a setting is on any data set."""
    told = {
        name: value
        for name, value in setting.columns.items()
        if name not in _OF_DATA and not name.startswith("dataset.")
    }
    return json.dumps(told, sort_keys=True, default=str)


def _transferred(
    first: Mapping[str, Sequence[float]], second: Mapping[str, Sequence[float]], direction: str | None
) -> Iterator[tuple[float, float, int]]:
    shared = [key for key in first if key in second]
    if len(shared) < FEWEST_SHARED:
        return
    means = [[statistics.fmean(table[key]) for key in shared] for table in (first, second)]
    sign = {"higher": 1, "lower": -1}.get(direction or "")
    better = math.nan
    if sign is not None:
        best = shared[int(np.argmax(sign * np.array(means[0])))]
        chances = [_chance_above(second[best], second[key], sign) for key in shared]
        better = statistics.fmean(chances)
    yield spearman(*means), better, len(shared)


def _chance_above(ours: Sequence[float], others: Sequence[float], sign: int) -> float:
    return statistics.fmean((1 + np.sign(sign * (one - other))) / 2 for one, other in product(ours, others))


def _groups(settings: Sequence[Setting], metrics: Mapping[str, str]) -> dict[tuple[Comparison, str], list[Setting]]:
    """Settings that have a number, apart by data and evaluation."""
    groups: dict[tuple[Comparison, str], list[Setting]] = {}
    for setting, (number, metric) in product(settings, metrics.items()):
        if setting.values(number):
            groups.setdefault((setting.comparison(metric), number), []).append(setting)
    return groups
