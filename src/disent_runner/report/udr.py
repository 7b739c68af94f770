"""UDR of every setting with two seeds or more, from the codes that its runs left (Duan et al. 2020)."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float
from threadpoolctl import threadpool_limits

from disent_runner.machine.csv_text import csv_text
from disent_runner.metrics.estimators.correspondence import SIMILARITIES, Correspondence, correspondence
from disent_runner.metrics.estimators.posterior_kl import mean_kl
from disent_runner.report.pooling import Comparison, Setting, count_of, final_step, origin
from disent_runner.report.run import Run
from disent_runner.runs.codes import read_posteriors

NUM_IMAGES = 1_000
KL_THRESHOLD = 0.01
"""Nats from the prior that make a latent informative, as in the paper."""
_SETTINGS_AT_ONCE = 16
_QUANTILE, _WIDER, _BELOW_ONE = 1.959964, 1.03, 1 - 1e-12
VARIANTS = tuple(f"{similarity} {aggregate}" for similarity in SIMILARITIES for aggregate in Correspondence._fields)


class Codes(NamedTuple):
    """Where the codes of a run are, and what the run is called; small, for another process."""

    folder: Path
    step: int | None
    label: str
    seed: int


class Posteriors(NamedTuple):
    """Some rows of a run's codes.h5."""

    codes: Codes
    mean: np.ndarray
    logvar: np.ndarray
    images: tuple[str, int, bytes]
    """hash of the data, number of encoded images, and which images these rows are"""


@dataclass(frozen=True)
class RunUdr:
    """How well a run's latents are found again by the other runs of its setting."""

    codes: Codes
    partners: int
    informative_latents: int
    values: dict[str, float]
    """median over the partners, by similarity and aggregate (`VARIANTS`)"""


def start_udr(runs: Sequence[Run], processes: Executor) -> Callable[[], tuple[list[list[RunUdr]], list[str]]]:
    """What gives the UDR of the runs of each setting with two seeds or more, and a sentence on those without codes.

    Partners are runs that differ in the seed alone, whose codes are of their last scored step and of the same images.
    """
    groups: dict[Any, list[Codes]] = {}
    for run in runs:
        if run.model:
            codes = Codes(run.folder, final_step(run), run.label, run.seed)
            groups.setdefault((origin(run), codes.step), []).append(codes)
    several = [group for group in groups.values() if len(group) > 1]
    chunks = [several[first : first + _SETTINGS_AT_ONCE] for first in range(0, len(several), _SETTINGS_AT_ONCE)]
    results = processes.map(_udr_of_groups, chunks)

    def finish() -> tuple[list[list[RunUdr]], list[str]]:
        settings = [setting for chunk in results for setting in chunk]
        lack = sum(map(len, several)) - sum(map(len, settings))
        note = f"no UDR for want of codes.h5 of the last scored step, of the run or all its partners: {count_of(lack)}"
        return settings, [note] if lack else []

    return finish


def _udr_of_groups(groups: Sequence[Sequence[Codes]]) -> list[list[RunUdr]]:
    """A setting's runs apart by the images that their codes are of; as many at once as have equally large arrays."""
    settings: dict[Any, list[Posteriors]] = {}
    for place, group in enumerate(groups):
        for codes in group:
            posteriors = posteriors_of(codes)
            if posteriors is not None:
                settings.setdefault((place, posteriors.images, posteriors.mean.shape), []).append(posteriors)
    alike: dict[Any, list[list[Posteriors]]] = {}
    for (_, _, shape), setting in settings.items():
        if len(setting) > 1:
            alike.setdefault((len(setting), shape), []).append(setting)
    with threadpool_limits(1):
        return [setting for batch in alike.values() for setting in udr(batch)]


def udr(settings: Sequence[Sequence[Posteriors]]) -> list[list[RunUdr]]:
    """UDR of each of the two or more runs of each setting by the others; all with equally many latents and images."""
    mean = np.array([[run.mean for run in setting] for setting in settings])
    logvar = np.array([[run.logvar for run in setting] for setting in settings])
    informative = mean_kl(mean, logvar) > KL_THRESHOLD
    num_models = mean.shape[1]
    medians = _medians_over_partners(mean, informative)
    return [
        [
            RunUdr(
                run.codes,
                partners=num_models - 1,
                informative_latents=int(informative[place, model].sum()),
                values={variant: float(values[place, model]) for variant, values in medians.items()},
            )
            for model, run in enumerate(setting)
        ]
        for place, setting in enumerate(settings)
    ]


def _medians_over_partners(
    mean: Float[np.ndarray, "setting model image latent"], informative: Bool[np.ndarray, "setting model latent"]
) -> dict[str, Float[np.ndarray, "setting model"]]:
    """By similarity and aggregate (`VARIANTS`)."""
    num_models = mean.shape[1]
    others = ~np.eye(num_models, dtype=bool)
    medians: dict[str, np.ndarray] = {}
    for similarity in SIMILARITIES:
        for aggregate, pairwise in correspondence(mean, informative, similarity=similarity)._asdict().items():
            rivals = [pairwise[:, others[model], model] for model in range(num_models)]
            medians[f"{similarity} {aggregate}"] = np.median(rivals, axis=-1).T
    return medians


def posteriors_of(codes: Codes) -> Posteriors | None:
    """The same rows of every run of as many images; None without codes of its last scored step, or damaged ones."""
    try:
        mean, logvar, index, num_images, data_hash, step = read_posteriors(codes.folder, _rows)
    except (OSError, KeyError, ValueError, IndexError, RuntimeError):  # the last is HDF5's, of damaged files
        return None
    is_sound = mean.shape == logvar.shape and np.isfinite(mean).all() and np.isfinite(logvar).all()
    if step != codes.step or not is_sound:
        return None
    return Posteriors(codes, mean, logvar, (data_hash, num_images, index.tobytes()))


@lru_cache
def _rows(count: int) -> np.ndarray:
    if count <= NUM_IMAGES:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, NUM_IMAGES, replace=False))


def medians(settings: Sequence[Sequence[RunUdr]]) -> pd.DataFrame:
    """A row per setting: label, n, and the median of its runs by similarity and aggregate."""
    rows = [[group[0].codes.label, len(group), *_medians(group).values()] for group in settings]
    return pd.DataFrame(rows, columns=["label", "n", *VARIANTS])


def _medians(group: Sequence[RunUdr]) -> dict[str, float]:
    return {variant: statistics.median(run.values[variant] for run in group) for variant in VARIANTS}


def udr_csv(settings: Sequence[Sequence[RunUdr]]) -> str:
    """A row per run, with the medians of its setting."""
    median_heads = (f"{variant} (median of setting)" for variant in VARIANTS)
    rows: list[list[Any]] = [["folder", "setting", "seed", "partners", "informative_latents", *VARIANTS, *median_heads]]
    for group in settings:
        middle = _medians(group).values()
        for run in group:
            facts = (run.codes.folder, run.codes.label, run.codes.seed, run.partners, run.informative_latents)
            rows.append([*facts, *run.values.values(), *middle])
    return csv_text(rows)


Points = Sequence[tuple[RunUdr, float]]
"""UDR of runs, and their values of another number."""


def pairs(
    groups: Sequence[Sequence[RunUdr]], settings: Sequence[Setting], metrics: Mapping[str, str]
) -> dict[tuple[Comparison, str], Points]:
    """UDR and value of each number, of the runs that have both, apart by data and evaluation."""
    runs = {run.codes.folder: run for group in groups for run in group}
    together: dict[tuple[Comparison, str], list[tuple[RunUdr, float]]] = {}
    for setting, (number, metric) in product(settings, metrics.items()):
        points = [
            (runs[member.run.folder], member.values[number])
            for member in setting.members
            if number in member.values and member.run.folder in runs
        ]
        if points:
            together.setdefault((setting.comparison(metric), number), []).extend(points)
    return dict(together)


def correlations(together: Mapping[tuple[Comparison, str], Points]) -> pd.DataFrame:
    """Spearman correlation of UDR with each number over three runs or more of the same data and evaluation, and its
    95 % interval.
    """
    rows = []
    for (comparison, number), points in together.items():
        for variant in VARIANTS:
            correlation = spearman([run.values[variant] for run, _ in points], [value for _, value in points])
            if not math.isnan(correlation):
                evaluation = comparison.evaluation
                facts = (evaluation.dataset, evaluation.source, evaluation.representation)
                between = _interval(correlation, len(points))
                rows.append((*facts, number, *variant.split(" "), correlation, *between, len(points)))
    facts = ["dataset", "source", "representation", "number", "similarity", "aggregate"]
    head = [*facts, "spearman", "low", "high", "n"]
    return pd.DataFrame(rows, columns=head)


def choices(together: Mapping[tuple[Comparison, str], Points], directions: Mapping[str, str | None]) -> pd.DataFrame:
    """The run that each UDR would choose, and what it has of each number that has a better side, beside all runs of
    the same data and evaluation: the best one's, the median, and the share of the others that it beats, equal ones
    counting half.
    """
    rows = []
    for (comparison, number), points in together.items():
        sign = {"higher": 1, "lower": -1}.get(directions.get(number) or "")
        if sign is None or len(points) < 2:
            continue
        values = np.array([value for _, value in points])
        for variant in VARIANTS:
            chosen = int(np.argmax([run.values[variant] for run, _ in points]))
            beaten = ((1 + np.sign(sign * (values[chosen] - np.delete(values, chosen)))) / 2).mean()
            codes, best = points[chosen][0].codes, sign * (sign * values).max()
            facts = (comparison.evaluation.dataset, number, *variant.split(" "), codes.label, codes.seed)
            rows.append((*facts, values[chosen], best, float(np.median(values)), float(beaten), len(points)))
    head = ["dataset", "number", "similarity", "aggregate", "chosen", "seed", "value", "best", "median", "beats", "n"]
    return pd.DataFrame(rows, columns=head)


def _interval(correlation: float, num_pairs: int) -> tuple[float, float]:
    """Fisher's, 1.03 times as wide, of a rank correlation (Fieller et al. 1957); of less than four pairs any value."""
    if num_pairs < 4:
        return -1.0, 1.0
    half = _QUANTILE * _WIDER / math.sqrt(num_pairs - 3)
    middle = math.atanh(min(max(correlation, -_BELOW_ONE), _BELOW_ONE))
    return math.tanh(middle - half), math.tanh(middle + half)


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Rank correlation; NaN for fewer than three pairs, or where one side is constant."""
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return math.nan
    ranks = [np.asarray(pd.Series(list(values), dtype=float).rank()) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
