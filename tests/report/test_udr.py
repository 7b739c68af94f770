import csv
import io
import statistics
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Lasso

from disent_runner.report import udr
from disent_runner.report.headlines import headline_numbers
from disent_runner.report.pooling import pool
from disent_runner.report.runs import read_runs
from disent_runner.report.settings import described
from tests.report.folders import row, write_codes, write_run


def runs_of(folder):
    return described(read_runs([folder])[0])


def udr_of_settings(runs):
    with ThreadPoolExecutor(1) as threads:
        return udr.start_udr(runs, threads)()


def codes_of(folder) -> udr.Codes:
    return udr.Codes(folder, 300, "betavae", 0)


def write_sweep(folder, rng, *, num_images: int = 300) -> dict[float, list[np.ndarray]]:
    """Two settings of three seeds, and a third of one; codes of the same causes, the first setting noisier."""
    causes = rng.standard_normal((num_images, 3))
    codes: dict[float, list[np.ndarray]] = {}
    for beta, noise, seeds in ((1.0, 1.0, 3), (4.0, 0.1, 3), (8.0, 0.1, 1)):
        for seed in range(seeds):
            mean = causes @ rng.standard_normal((3, 3)) + noise * rng.standard_normal((num_images, 3))
            made = write_run(
                folder / f"{beta}-{seed}", [row("mig", rng.random()), row("sap", rng.random())], beta=beta, seed=seed
            )
            write_codes(made, mean)
            codes.setdefault(beta, []).append(mean.astype(np.float32).astype(float))
    return codes


def pair(first: np.ndarray, second: np.ndarray, variant: str) -> float:
    """The definition, a latent at a time."""
    if variant.startswith("spearman"):
        r = np.abs(spearmanr(first, second).statistic[:3, 3:])  # pyright: ignore
    else:
        first, second = ((each - each.mean(axis=0)) / each.std(axis=0) for each in (first, second))
        fits = [Lasso(alpha=0.1, fit_intercept=False).fit(first, target).coef_ for target in second.T]
        r = np.abs(np.array(fits).T)
    terms = [max(line) ** 2 / sum(line) if sum(line) else 0.0 for line in (*r, *r.T)]
    return sum(terms) / 6  # 3 latents each: both aggregates are this


@pytest.mark.parametrize("variant", udr.VARIANTS)
def test_udr_of_a_run_is_the_median_over_its_partners(tmp_path, rng, variant):
    codes = write_sweep(tmp_path, rng)
    found, said = udr_of_settings(runs_of(tmp_path))
    assert said == []
    assert [[each.run.folder.name for each in group] for group in found] == [
        ["1.0-0", "1.0-1", "1.0-2"],
        ["4.0-0", "4.0-1", "4.0-2"],
    ]
    for group in found:
        models = codes[float(group[0].run.label.partition("=")[2])]
        for each in group:
            own = models[each.run.seed]
            others = [model for seed, model in enumerate(models) if seed != each.run.seed]
            expected = statistics.median(pair(other, own, variant) for other in others)
            assert each.values[variant] == pytest.approx(expected, abs=1e-3)
            assert (each.partners, each.informative_latents) == (2, 3)


def test_of_many_images_the_same_rows_of_every_run_are_read(tmp_path, rng, monkeypatch):
    codes = write_sweep(tmp_path, rng, num_images=3_000)
    run = codes_of(tmp_path / "1.0-0")
    whole = udr.read_posteriors(run)
    monkeypatch.setattr(udr, "_READ_WHOLE", 0)
    mapped = udr.read_posteriors(run)
    assert whole is not None
    assert mapped is not None
    assert len(whole.mean) == udr.NUM_IMAGES
    np.testing.assert_array_equal(mapped.mean, whole.mean)
    assert mapped.images == whole.images
    rows = np.frombuffer(whole.images[2], dtype=np.int64)
    np.testing.assert_array_equal(whole.mean, codes[1.0][0][rows].astype(np.float32))


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
    (group,), said = udr_of_settings(runs_of(tmp_path))
    assert [each.run.seed for each in group] == [0, 2]
    assert said == ["no UDR for want of codes.h5 of the last scored step, of the run or all its partners: 1 run"]


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"\x89HDF")])
def test_runs_without_codes_are_said(tmp_path, rng, damage):
    for seed in range(2):
        write_codes(write_run(tmp_path / f"{seed}", seed=seed), rng.standard_normal((50, 3)))
    damage(tmp_path / "1" / "codes.h5")
    found, said = udr_of_settings(runs_of(tmp_path))
    assert found == []
    assert said == ["no UDR for want of codes.h5 of the last scored step, of the run or all its partners: 2 runs"]


def test_codes_that_are_not_finite_are_left_out(tmp_path):
    folder = write_run(tmp_path / "0")
    write_codes(folder, np.full((5, 2), np.nan))
    assert udr.read_posteriors(codes_of(folder)) is None


def test_correlations_are_scipy_s(tmp_path, rng):
    write_sweep(tmp_path, rng)
    runs = runs_of(tmp_path)
    found, _ = udr_of_settings(runs)
    table: Any = udr.correlations(udr.pairs(found, pool(runs), headline_numbers(runs)))
    assert len(table) == 2 * len(udr.VARIANTS)
    scored = [each for group in found for each in group]
    for line in table.itertuples():
        values = [each.values[f"{line.similarity} {line.aggregate}"] for each in scored]
        rows = {run.folder: {r["name"]: r["value"] for r in run.rows} for run in runs}
        numbers = [rows[each.run.folder][line.number] for each in scored]
        assert line.spearman == pytest.approx(spearmanr(values, numbers).statistic)  # pyright: ignore
        assert line.n == 6


@pytest.mark.parametrize(("first", "second"), [([1, 2], [2, 1]), ([1, 1, 1], [1, 2, 3]), ([1, 2, 3], [2, 2, 2])])
def test_there_is_no_correlation_of_too_few_or_constant_values(first, second):
    assert np.isnan(udr.spearman(first, second))


def test_correlation_of_ties_is_scipy_s(rng):
    first, second = rng.integers(0, 4, (2, 30)).tolist()
    assert udr.spearman(first, second) == pytest.approx(spearmanr(first, second).statistic)  # pyright: ignore


def test_the_files_have_runs_and_medians_of_settings(tmp_path, rng):
    write_sweep(tmp_path, rng)
    found, _ = udr_of_settings(runs_of(tmp_path))
    rows = list(csv.DictReader(io.StringIO(udr.udr_csv(found))))
    table: Any = udr.medians(found)
    assert list(table["label"]) == ["betavae β=1", "betavae β=4"]
    assert list(table["n"]) == [3, 3]
    for setting, group in enumerate(found):
        expected = statistics.median(each.values["lasso paper"] for each in group)
        assert table["lasso paper"][setting] == expected
        for each, line in zip(group, rows[3 * setting :], strict=False):
            assert line["folder"] == str(each.run.folder)
            assert float(line["lasso paper"]) == each.values["lasso paper"]
            assert float(line["lasso paper (median of setting)"]) == expected
