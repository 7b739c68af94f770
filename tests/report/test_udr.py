import csv
import io
import itertools
import statistics
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy.stats import pearsonr, rankdata, spearmanr
from sklearn.linear_model import Lasso

from disent_runner.report import udr
from disent_runner.report.headlines import headline_numbers
from disent_runner.report.making import read
from disent_runner.report.pooling import pool
from disent_runner.runs import codes
from tests.report.folders import STEPS, score, write_codes, write_run

NO_PARTNERS = "no UDR for want of codes.h5 of the last scored step, of the run or all its partners"


def runs_of(folder):
    return read([folder])[0]


def udr_of_settings(runs):
    with ThreadPoolExecutor(1) as threads:
        return udr.start_udr(runs, threads)()


def codes_of(folder) -> udr.Codes:
    return udr.Codes(folder, STEPS, "betavae", 0)


def write_sweep(folder, rng, *, num_images: int = 300) -> dict[float, list[np.ndarray]]:
    """Two settings of three seeds, and a third of one; codes of the same causes, the first setting noisier."""
    causes = rng.standard_normal((num_images, 3))
    means: dict[float, list[np.ndarray]] = {}
    for beta, noise, seeds in ((1.0, 1.0, 3), (4.0, 0.1, 3), (8.0, 0.1, 1)):
        for seed in range(seeds):
            mean = causes @ rng.standard_normal((3, 3)) + noise * rng.standard_normal((num_images, 3))
            scores = [score("mig", rng.random()), score("sap", rng.random())]
            write_codes(write_run(folder / f"{beta}-{seed}", scores, beta=beta, seed=seed), mean)
            means.setdefault(beta, []).append(mean.astype(np.float32).astype(float))
    return means


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """The folder, and the codes in it by β."""
    folder = tmp_path_factory.mktemp("udr")
    return folder, write_sweep(folder, np.random.default_rng(0))


def pair(first: np.ndarray, second: np.ndarray, variant: str) -> float:
    """The definition, a latent at a time."""
    if variant.startswith("spearman"):
        r = np.abs(spearmanr(first, second).statistic[:3, 3:])  # pyright: ignore
    else:
        first, second = ((mean - mean.mean(axis=0)) / mean.std(axis=0) for mean in (first, second))
        fits = [Lasso(alpha=0.1, fit_intercept=False).fit(first, target).coef_ for target in second.T]
        r = np.abs(np.array(fits).T)
    terms = [max(line) ** 2 / sum(line) if sum(line) else 0.0 for line in (*r, *r.T)]
    return sum(terms) / 6  # 3 latents each: both aggregates are this


def test_udr_of_a_run_is_the_median_over_its_partners(sweep):
    folder, means = sweep
    groups, notes = udr_of_settings(runs_of(folder))
    assert notes == []
    names = [[f"{beta}-{seed}" for seed in range(3)] for beta in (1.0, 4.0)]
    assert [[run.codes.folder.name for run in group] for group in groups] == names
    for run, variant in itertools.product(itertools.chain(*groups), udr.VARIANTS):
        models = means[float(run.codes.label.partition("=")[2])]
        partners = [model for seed, model in enumerate(models) if seed != run.codes.seed]
        expected = statistics.median(pair(partner, models[run.codes.seed], variant) for partner in partners)
        assert run.values[variant] == pytest.approx(expected, abs=1e-3)
        assert (run.partners, run.informative_latents) == (2, 3)


def test_of_many_images_the_same_rows_of_every_run_are_read(tmp_path, rng, monkeypatch):
    mean = rng.standard_normal((3_000, 3)).astype(np.float32)
    write_codes(tmp_path, mean)
    whole = udr.posteriors_of(codes_of(tmp_path))
    monkeypatch.setattr(codes, "_READ_WHOLE", 0)
    mapped = udr.posteriors_of(codes_of(tmp_path))
    assert whole is not None
    assert mapped is not None
    assert len(whole.mean) == udr.NUM_IMAGES
    np.testing.assert_array_equal(mapped.mean, whole.mean)
    assert mapped.images == whole.images
    np.testing.assert_array_equal(whole.mean, mean[np.frombuffer(whole.images[2], dtype=np.int64)])


def test_uninformative_latents_are_counted_out(tmp_path, rng):
    for seed in range(2):
        mean = rng.standard_normal((50, 4))
        logvar = np.full((50, 4), -4.0)
        mean[:, 3], logvar[:, 3] = 0.0, 0.0
        write_codes(write_run(tmp_path / f"{seed}", seed=seed), mean, logvar)
    ((first, _),), _ = udr_of_settings(runs_of(tmp_path))
    assert first.informative_latents == 3


@pytest.mark.parametrize(
    "attributes", [{"data_hash": "another"}, {"step": 200}, {"index": np.arange(50)[::-1]}, {"num_images": "many"}]
)
def test_codes_of_other_images_or_steps_are_no_partners(tmp_path, rng, attributes):
    for seed in range(3):
        more = attributes if seed == 1 else {}
        write_codes(write_run(tmp_path / f"{seed}", seed=seed), rng.standard_normal((50, 3)), **more)
    (group,), notes = udr_of_settings(runs_of(tmp_path))
    assert [run.codes.seed for run in group] == [0, 2]
    assert notes == [f"{NO_PARTNERS}: 1 run"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\x89HDF")])
def test_runs_without_codes_are_said(tmp_path, rng, damage):
    for seed in range(2):
        write_codes(write_run(tmp_path / f"{seed}", seed=seed), rng.standard_normal((50, 3)))
    damage(tmp_path / "1" / "codes.h5")
    assert udr_of_settings(runs_of(tmp_path)) == ([], [f"{NO_PARTNERS}: 2 runs"])


def test_codes_that_are_not_finite_are_left_out(tmp_path):
    write_codes(tmp_path, np.full((5, 2), np.nan))
    assert udr.posteriors_of(codes_of(tmp_path)) is None


def test_correlations_are_scipy_s(sweep):
    runs = runs_of(sweep[0])
    groups, _ = udr_of_settings(runs)
    table: Any = udr.correlations(udr.pairs(groups, pool(runs), headline_numbers(runs)))
    assert len(table) == 2 * len(udr.VARIANTS)
    compared = [run for group in groups for run in group]
    for line in table.itertuples():
        values = [run.values[f"{line.similarity} {line.aggregate}"] for run in compared]
        scores = {run.folder: {row.label: row.value for row in run.scores} for run in runs}
        numbers = [scores[run.codes.folder][line.number] for run in compared]
        assert line.spearman == pytest.approx(spearmanr(values, numbers).statistic)  # pyright: ignore
        assert line.n == 6
        pearson = pearsonr(rankdata(values), rankdata(numbers)).confidence_interval()  # Fisher's
        halves = [np.arctanh(edge) - np.arctanh(line.spearman) for edge in pearson]
        assert [np.arctanh(edge) - np.arctanh(line.spearman) for edge in (line.low, line.high)] == pytest.approx(
            [1.03 * half for half in halves], rel=1e-4
        )


@pytest.mark.parametrize(("first", "second"), [([1, 2], [2, 1]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [2, 2, 2])])
def test_there_is_no_correlation_of_too_few_or_constant_values(first, second):
    assert np.isnan(udr.spearman(first, second))


def test_correlation_of_ties_is_scipy_s(rng):
    first, second = rng.integers(0, 4, (2, 30)).tolist()
    assert udr.spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)  # pyright: ignore


def test_the_files_have_runs_and_medians_of_settings(sweep):
    groups, _ = udr_of_settings(runs_of(sweep[0]))
    rows = list(csv.DictReader(io.StringIO(udr.udr_csv(groups))))
    table: Any = udr.medians(groups)
    assert list(table["label"]) == ["betavae β=1", "betavae β=4"]
    assert list(table["n"]) == [3, 3]
    for setting, group in enumerate(groups):
        expected = statistics.median(run.values["lasso paper"] for run in group)
        assert table["lasso paper"][setting] == expected
        for run, line in zip(group, rows[3 * setting :], strict=False):
            assert line["folder"] == str(run.codes.folder)
            assert float(line["lasso paper"]) == run.values["lasso paper"]
            assert float(line["lasso paper (median of setting)"]) == expected


def test_what_udr_chooses_stands_beside_all_others(sweep):
    runs = runs_of(sweep[0])
    groups, _ = udr_of_settings(runs)
    together = udr.pairs(groups, pool(runs), headline_numbers(runs))
    table: Any = udr.choices(together, {"mig": "higher", "sap": "lower"})
    assert len(table) == 2 * len(udr.VARIANTS)
    for (_, number), points in together.items():
        for line in table[table["number"] == number].itertuples():
            ranked = sorted(points, key=lambda point: -point[0].values[f"{line.similarity} {line.aggregate}"])
            chosen, others = ranked[0][1], [value for _, value in ranked[1:]]
            assert line.value == chosen
            assert line.beats == np.mean([value < chosen if number == "mig" else value > chosen for value in others])
            assert line.best == (max if number == "mig" else min)(value for _, value in points)
    assert udr.choices(together, {}).empty
