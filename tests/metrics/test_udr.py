import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.linear_model import Lasso

from disent_runner.metrics.udr import AGGREGATES, SIMILARITIES, model_scores, udr, udr_from_codes
from disent_runner.representations.representation import Representation
from disent_runner.representations.requirements import NotApplicable
from disent_runner.runs.codes import write_codes
from tests.metrics.conftest import ORACLES

NUM_IMAGES = 64  # of a two-level factorial design: codes that are exactly uncorrelated, in values and in ranks
DESIGN = np.stack(np.unravel_index(np.arange(NUM_IMAGES), (2,) * 6), axis=1) * 2.0 - 1.0
CEILING = {"spearman": 1.0, "lasso": 0.9}  # of a match: an L1 penalty of 0.1 takes 0.1 off a weight of 1


def pair(first, second, *, kl=None, **settings: Any) -> float:
    codes = [np.asarray(first, dtype=float), np.asarray(second, dtype=float)]
    kl = [np.ones(model.shape[1]) for model in codes] if kl is None else [np.asarray(each) for each in kl]
    return udr_from_codes(codes, kl, **settings)["pairwise"][0, 1]


@pytest.mark.parametrize("similarity", SIMILARITIES)
@pytest.mark.parametrize("name", ["pair_match", "pair_rotated", "pair_duplicate", "four_models"])
def test_udr_is_the_reference_library_s(name, similarity, load):
    arrays = load("udr")
    reference = json.loads((ORACLES / "expected.json").read_text())[f"udr/{name}/{similarity}"]
    expected, tolerance = reference["expected"], reference["tolerance"]
    found = udr_from_codes(arrays[f"{name}_codes"], arrays[f"{name}_kl"], similarity=similarity, aggregate="library")
    np.testing.assert_allclose(found["pairwise"], expected["pairwise"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(found["scores"], expected["model_scores"], rtol=0, atol=tolerance)


@pytest.mark.parametrize("aggregate", AGGREGATES)
@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_the_same_latents_in_any_order_sign_and_scale_correspond(similarity, aggregate):
    codes = DESIGN[:, :4]
    other = codes[:, [2, 0, 3, 1]] * [-1.0, 3.0, -1e-3, 1e3] + 5.0
    found = pair(codes, other, similarity=similarity, aggregate=aggregate)
    assert found == pytest.approx(CEILING[similarity], abs=1e-9)


def test_latents_rotated_by_45_degrees_correspond_to_two_each():
    """Of normal codes the rank correlation is 6/π arcsin(ρ/2), so a half of it is the pair's max² / sum."""
    codes = np.random.default_rng(0).standard_normal((20_000, 2))
    rotated = codes @ np.array([[1, -1], [1, 1]]) / 2**0.5
    expected = 3 / np.pi * np.arcsin(0.5**0.5 / 2)
    assert pair(codes, rotated, similarity="spearman") == pytest.approx(expected, abs=0.01)
    assert pair(codes, rotated, similarity="lasso") == pytest.approx((0.5**0.5 - 0.1) / 2, abs=0.01)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_latents_that_are_not_informative_do_not_count(similarity):
    codes, dead = DESIGN[:, :3], 1e-3 * DESIGN[:, 3:]
    widened = np.hstack([dead[:, :1], codes, dead[:, 1:]])
    kl = [np.array([0.01, 1, 1, 1, 0.0, 0.01]), np.ones(3)]  # exactly at the threshold is not above it
    found = pair(widened, codes, kl=kl, similarity=similarity)
    assert found == pytest.approx(CEILING[similarity], abs=1e-9)
    assert pair(widened, codes, kl=kl, similarity=similarity, kl_threshold=0.005) < found


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_collapsed_constant_and_unrelated_latents_score_zero(similarity):
    codes = DESIGN[:, :2]
    assert pair(codes, codes, kl=[np.ones(2), np.zeros(2)], similarity=similarity) == 0.0
    assert pair(codes, codes, kl=[np.zeros(2), np.ones(2)], similarity=similarity) == 0.0
    assert pair(codes, np.full((NUM_IMAGES, 2), 0.1), similarity=similarity) == 0.0
    assert pair(codes, DESIGN[:, 2:5], similarity=similarity) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("aggregate", "expected"), [("paper", 4 / 6), ("library", (2 / 2 + 2 / 4) / 2)])
def test_the_paper_weighs_latents_and_the_library_models(aggregate, expected):
    """Two latents are two of four: four maxima of 1 and two zero columns, where the library and the paper differ."""
    found = pair(DESIGN[:, :2], DESIGN[:, :4], similarity="spearman", aggregate=aggregate)
    assert found == pytest.approx(expected, abs=1e-12)


def test_duplicates_halve_what_the_original_contributes():
    """R is one row of two ones: 1 from each duplicate, 1/2 from the original, over three latents."""
    codes = DESIGN[:, :1]
    assert pair(codes, np.hstack([codes, -codes]), similarity="spearman") == pytest.approx((1 + 1 + 1 / 2) / 3)


def test_similarities_are_those_of_scipy_and_scikit_learn():
    rng = np.random.default_rng(0)
    first, mixing = rng.standard_normal((500, 4)), rng.standard_normal((4, 3))
    second = np.tanh(first @ mixing) + 0.3 * rng.standard_normal((500, 3))

    def score(likeness):
        sums = [(likeness.max(axis=axis) ** 2 / likeness.sum(axis=axis)).sum() for axis in (0, 1)]
        return sum(sums) / 7

    ranks = np.abs(spearmanr(first, second).statistic[:4, 4:])  # pyright: ignore
    assert pair(first, second, similarity="spearman") == pytest.approx(score(ranks), abs=1e-12)
    scaled = [(codes - codes.mean(axis=0)) / codes.std(axis=0) for codes in (first, second)]
    weights = np.abs(Lasso(alpha=0.1, tol=1e-10).fit(*scaled).coef_.T)
    assert pair(first, second, similarity="lasso") == pytest.approx(score(weights), abs=1e-3)


def test_noise_corresponds_to_noise_little():
    for seed in range(3):
        first, second = np.random.default_rng(seed).standard_normal((2, 5_000, 6))
        assert pair(first, second, similarity="spearman") < 0.05  # |ρ| is at most about 3 / sqrt(5000)
        assert pair(first, second, similarity="lasso") == 0.0  # and below the penalty


def test_scores_are_medians_of_how_well_others_predict_a_model():
    pairwise = np.array([[9.0, 0.1, 0.2], [0.3, 9.0, 0.5], [0.7, 0.6, 9.0]])
    np.testing.assert_allclose(model_scores(pairwise), [0.5, 0.35, 0.35])
    partners = np.array([[True, True, False], [True, False, True], [False, True, False]])
    np.testing.assert_allclose(model_scores(pairwise, partners), [0.3, 0.35, 0.5])
    with pytest.raises(ValueError, match=r"udr needs another model to compare with, got none for model\(s\) \[1\]"):
        model_scores(pairwise, np.array([[False, True, False], [False, True, False], [True, True, False]]))


def write_run(folder: Path, mean, logvar, *, index=None, data_hash: str = "of the data") -> str:
    origin = {"step": 1, "data_hash": data_hash, "num_images": len(mean)}
    tables = {"index": np.arange(len(mean)) if index is None else index}
    write_codes(folder, origin, {"mean": mean, "logvar": logvar}, tables)
    return str(folder)


MEAN = DESIGN[:, :3].astype(np.float32)
LOGVAR = np.full(MEAN.shape, -4, dtype=np.float32)


def own(**changes: Any) -> Representation:
    arrays = {"codes": MEAN, "logvar": LOGVAR} | changes
    return Representation(factors=np.zeros((NUM_IMAGES, 0), dtype=int), factor_sizes=(), **arrays)


@pytest.mark.parametrize("similarity", SIMILARITIES)
def test_a_run_is_scored_against_the_codes_of_others(similarity, tmp_path):
    ceiling = CEILING[similarity]
    runs = [
        write_run(tmp_path / "itself", MEAN, LOGVAR),
        write_run(tmp_path / "same", -MEAN[:, ::-1], LOGVAR),
        write_run(tmp_path / "wider", np.hstack([0 * MEAN, MEAN]), np.hstack([0 * LOGVAR, LOGVAR])),
        write_run(tmp_path / "collapsed", 0 * MEAN, 0 * LOGVAR),
    ]
    scores = udr(own(), rng=np.random.default_rng(0), runs=runs, similarity=similarity)
    assert scores == pytest.approx({"udr": ceiling, "udr_informative_latents": 3.0}, abs=1e-6)  # of ceiling twice and 0
    alone = udr(own(), rng=np.random.default_rng(0), runs=runs[3], similarity=similarity)
    assert alone["udr"] == 0.0
    wide = own(codes=np.hstack([MEAN, 0 * MEAN]), logvar=np.hstack([LOGVAR, 0 * LOGVAR]))
    scores = udr(wide, rng=np.random.default_rng(0), runs=runs[1:2], similarity=similarity, kl_threshold=0.0)
    assert scores == pytest.approx({"udr": ceiling, "udr_informative_latents": 3.0}, abs=1e-6)


def test_the_same_random_images_of_all_runs_are_compared(tmp_path):
    mean = np.random.default_rng(0).standard_normal((NUM_IMAGES, 3)).astype(np.float32)
    runs = [write_run(tmp_path / "other", mean[:, ::-1], LOGVAR)]
    for seed in range(3):
        rep, rng = own(codes=mean), np.random.default_rng(seed)
        scores = udr(rep, rng=rng, runs=runs, num_images=20, similarity="spearman")
        assert 0.5 < scores["udr"] < 1  # a match beside the chance correlations of 20 images
        everything = udr(rep, rng=rng, runs=runs, num_images=NUM_IMAGES, similarity="spearman")
        assert everything["udr"] > scores["udr"]


def test_without_other_runs_or_posteriors_it_does_not_apply(tmp_path):
    itself = write_run(tmp_path / "itself", MEAN, LOGVAR)
    for runs in ([], [itself]):
        with pytest.raises(NotApplicable, match="udr needs other runs of the same data"):
            udr(own(), rng=np.random.default_rng(0), runs=runs)
    with pytest.raises(NotApplicable, match="udr needs the posterior's logvar, got point codes"):
        udr(own(logvar=None), rng=np.random.default_rng(0), runs=[itself])


def test_runs_of_other_images_are_refused(tmp_path):
    runs = [write_run(tmp_path / "run", -MEAN, LOGVAR)]
    rng = np.random.default_rng(0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"udr needs the codes.h5 of an evaluated run in .*empty"):
        udr(own(), rng=rng, runs=[str(tmp_path / "empty")])
    fewer = write_run(tmp_path / "fewer", MEAN[:9], LOGVAR[:9])
    with pytest.raises(ValueError, match=r"udr needs codes of the same 64 images, got 9 in .*fewer"):
        udr(own(), rng=rng, runs=[*runs, fewer])
    foreign = write_run(tmp_path / "foreign", MEAN, LOGVAR, data_hash="of other data")
    with pytest.raises(ValueError, match=r"udr needs runs of the same images, but those of .*run and .*foreign differ"):
        udr(own(), rng=rng, runs=[*runs, foreign])
    shifted = write_run(tmp_path / "shifted", MEAN, LOGVAR, index=np.arange(1, NUM_IMAGES + 1))
    with pytest.raises(ValueError, match="udr needs runs of the same images"):
        udr(own(), rng=rng, runs=[*runs, shifted])
    broken = write_run(tmp_path / "broken", np.where(MEAN > 0, np.nan, MEAN), LOGVAR)
    with pytest.raises(ValueError, match="udr needs finite codes"):
        udr(own(), rng=rng, runs=[broken])


@pytest.mark.parametrize(
    ("codes", "kl", "settings", "message"),
    [
        pytest.param([MEAN], [np.ones(3)], {}, "udr needs codes and kl of the same 2 or more models, got 1", id="one"),
        pytest.param([MEAN] * 2, [np.ones(3)], {}, "got 2 and 1", id="too few divergences"),
        pytest.param([MEAN] * 2, [np.ones(3), np.ones(2)], {}, r"udr needs a KL divergence per latent", id="latents"),
        pytest.param([MEAN, MEAN[:9]], [np.ones(3)] * 2, {}, "udr needs codes of the same 2 or more images", id="rows"),
        pytest.param(
            [MEAN[:1]] * 2, [np.ones(3)] * 2, {}, "udr needs codes of the same 2 or more images", id="1 image"
        ),
        pytest.param([MEAN * np.nan, MEAN], [np.ones(3)] * 2, {}, "udr needs finite codes", id="NaN"),
        pytest.param([MEAN] * 2, [np.ones(3)] * 2, {"similarity": "pearson"}, "lasso, spearman, got 'pearson'", id="R"),
        pytest.param([MEAN] * 2, [np.ones(3)] * 2, {"aggregate": "max"}, "paper, library, got 'max'", id="aggregate"),
    ],
)
def test_errors_name_the_metric_and_the_reason(codes, kl, settings, message):
    with pytest.raises(ValueError, match=message):
        udr_from_codes(codes, kl, **settings)
