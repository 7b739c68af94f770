"""UDR of every setting with two seeds or more, from the codes that its runs left (Duan et al. 2020)."""

import csv
import io
import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

import h5py
import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from disent_runner.metrics.correspondence import SIMILARITIES, Correspondence, correspondence
from disent_runner.metrics.posterior_kl import mean_kl
from disent_runner.report.pooling import Comparison, Setting, count_of, final_step, origin
from disent_runner.report.report import Run

NUM_IMAGES = 1_000
KL_THRESHOLD = 0.01
"""Nats from the prior that make a latent informative, as in the paper."""
_SETTINGS_AT_ONCE = 16
_READ_WHOLE = 2**20
"""Bytes up to which all rows are read, to take some of them."""
VARIANTS = tuple(f"{similarity} {aggregate}" for similarity in SIMILARITIES for aggregate in Correspondence._fields)


class Codes(NamedTuple):
    """Where the codes of a run are, and what the run is called; small, for another process."""

    folder: Path
    step: int | None
    label: str
    seed: int


class Posteriors(NamedTuple):
    """Some rows of a run's codes.h5."""

    run: Codes
    mean: np.ndarray
    logvar: np.ndarray
    images: tuple[str, int, bytes]
    """hash of the data, number of encoded images, and which images these rows are"""


@dataclass(frozen=True)
class RunUdr:
    """How well a run's latents are found again by the other runs of its setting."""

    run: Codes
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
    started = processes.map(_udr_of_groups, chunks)

    def finish() -> tuple[list[list[RunUdr]], list[str]]:
        found = [setting for settings in started for setting in settings]
        without = sum(map(len, several)) - sum(map(len, found))
        said = (
            f"no UDR for want of codes.h5 of the last scored step, of the run or all its partners: {count_of(without)}"
        )
        return found, [said] if without else []

    return finish


def _udr_of_groups(groups: Sequence[Sequence[Codes]]) -> list[list[RunUdr]]:
    """A setting's runs apart by the images that their codes are of; as many at once as have equally large arrays."""
    settings: dict[Any, list[Posteriors]] = {}
    for place, group in enumerate(groups):
        for run in group:
            posteriors = read_posteriors(run)
            if posteriors is not None:
                settings.setdefault((place, posteriors.images, posteriors.mean.shape), []).append(posteriors)
    alike: dict[Any, list[list[Posteriors]]] = {}
    for (_, _, shape), setting in settings.items():
        if len(setting) > 1:
            alike.setdefault((len(setting), shape), []).append(setting)
    with threadpool_limits(1):
        return [found for batch in alike.values() for found in udr(batch)]


def udr(settings: Sequence[Sequence[Posteriors]]) -> list[list[RunUdr]]:
    """UDR of each of the two or more runs of each setting by the others; all with equally many latents and images."""
    mean = np.array([[each.mean for each in setting] for setting in settings])
    logvar = np.array([[each.logvar for each in setting] for setting in settings])
    informative = mean_kl(mean, logvar) > KL_THRESHOLD
    num_models = mean.shape[1]
    others = ~np.eye(num_models, dtype=bool)
    scores: dict[str, np.ndarray] = {}
    for similarity in SIMILARITIES:
        for aggregate, pairwise in correspondence(mean, informative, similarity=similarity)._asdict().items():
            rivals = [pairwise[:, others[model], model] for model in range(num_models)]
            scores[f"{similarity} {aggregate}"] = np.median(rivals, axis=-1).T  # (setting, model)
    return [
        [
            RunUdr(
                each.run,
                partners=num_models - 1,
                informative_latents=int(informative[place, model].sum()),
                values={variant: float(of_all[place, model]) for variant, of_all in scores.items()},
            )
            for model, each in enumerate(setting)
        ]
        for place, setting in enumerate(settings)
    ]


def read_posteriors(run: Codes) -> Posteriors | None:
    """The same rows of every run of as many images; None without codes of its last scored step, or damaged ones."""
    path = run.folder / "codes.h5"
    try:
        with h5py.File(path) as file:
            facts: Any = file.attrs
            count, data_hash = int(facts["num_images"]), str(facts["data_hash"])
            if facts["step"] != run.step:
                return None
            mean, logvar, index = (_read(path, file[name], _rows(count)) for name in ("mean", "logvar", "index"))
    except (OSError, KeyError, ValueError, IndexError):
        return None
    if mean.shape != logvar.shape or not (np.isfinite(mean).all() and np.isfinite(logvar).all()):
        return None
    return Posteriors(run, mean, logvar, (data_hash, count, index.tobytes()))


@lru_cache
def _rows(count: int) -> np.ndarray:
    if count <= NUM_IMAGES:
        return np.arange(count)
    return np.sort(np.random.default_rng(0).choice(count, NUM_IMAGES, replace=False))


def _read(path: Path, dataset: Any, rows: np.ndarray) -> np.ndarray:
    """Rows of a data set; of a large one that lies in one piece without reading the rest."""
    offset = dataset.id.get_offset()
    if offset is None or dataset.nbytes < _READ_WHOLE:
        return dataset[()][rows]
    return np.memmap(path, dtype=dataset.dtype, mode="r", offset=offset, shape=dataset.shape)[rows]


def medians(settings: Sequence[Sequence[RunUdr]]) -> pd.DataFrame:
    """A row per setting: label, n, and the median of its runs by similarity and aggregate."""
    rows = [[group[0].run.label, len(group), *_medians(group).values()] for group in settings]
    return pd.DataFrame(rows, columns=["label", "n", *VARIANTS])


def _medians(group: Sequence[RunUdr]) -> dict[str, float]:
    return {variant: statistics.median(each.values[variant] for each in group) for variant in VARIANTS}


def udr_csv(settings: Sequence[Sequence[RunUdr]]) -> str:
    """A row per run, with the medians of its setting."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    of_setting = (f"{variant} (median of setting)" for variant in VARIANTS)
    writer.writerow(["folder", "setting", "seed", "partners", "informative_latents", *VARIANTS, *of_setting])
    for group in settings:
        middle = _medians(group).values()
        for each in group:
            own = (each.run.folder, each.run.label, each.run.seed, each.partners, each.informative_latents)
            writer.writerow([*own, *each.values.values(), *middle])
    return text.getvalue()


def pairs(
    found: Sequence[Sequence[RunUdr]], settings: Sequence[Setting], metrics: Mapping[str, str]
) -> dict[tuple[Comparison, str], list[tuple[RunUdr, float]]]:
    """UDR and value of each number, of the runs that have both, apart by data and evaluation."""
    of_run = {each.run.folder: each for group in found for each in group}
    together: dict[tuple[Comparison, str], list[tuple[RunUdr, float]]] = {}
    for setting, (number, metric) in product(settings, metrics.items()):
        points = [
            (of_run[scores.run.folder], scores.values[number])
            for scores in setting.scores
            if number in scores.values and scores.run.folder in of_run
        ]
        if points:
            together.setdefault((setting.comparison(metric), number), []).extend(points)
    return together


def correlations(together: Mapping[tuple[Comparison, str], Sequence[tuple[RunUdr, float]]]) -> pd.DataFrame:
    """Spearman correlation of UDR with each number over three runs or more of the same data and evaluation."""
    rows = []
    for (comparison, number), points in together.items():
        for variant in VARIANTS:
            found = spearman([each.values[variant] for each, _ in points], [value for _, value in points])
            if not math.isnan(found):
                evaluation = comparison.evaluation
                facts = (evaluation.dataset, evaluation.source, evaluation.representation)
                rows.append((*facts, number, *variant.split(" "), found, len(points)))
    head = ["dataset", "source", "representation", "number", "similarity", "aggregate", "spearman", "n"]
    return pd.DataFrame(rows, columns=head)


def spearman(first: Sequence[float], second: Sequence[float]) -> float:
    """Rank correlation; NaN for fewer than three pairs, or where one side is constant."""
    if len(first) < 3 or len(set(first)) < 2 or len(set(second)) < 2:
        return math.nan
    ranks = [np.asarray(pd.Series(list(values), dtype=float).rank()) for values in (first, second)]
    return float(np.corrcoef(ranks[0], ranks[1])[0, 1])
