"""Bias and spread of what is estimated by sampling."""

import json
import math
import time
from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import torch
from scripts.tables.pages import PAGES, TESTS, conftest, fill, load

from disent_runner.losses.gaussian import normal_log_density
from disent_runner.losses.total_correlation import LOG_WEIGHTS, aggregate_log_density
from disent_runner.machine.markdown import markdown_table
from disent_runner.metrics.kl_decomposition import kl_decomposition_from_posteriors
from disent_runner.metrics.mig_exact import mig_exact_from_posteriors

SEEDS = 24
NUM_SAMPLES = (300, 1_000, 3_000, 10_000)
BATCHES = 200


def errors(values: np.ndarray) -> str:
    """Mean and standard deviation over seeds."""
    return f"{values.mean():+z.4f} ± {values.std(ddof=1):.4f}"


def expected_truths(kind: str) -> dict[str, Any]:
    expected = json.loads((TESTS / "metrics" / "oracles" / "expected.json").read_text(encoding="utf-8"))
    return {name.split("/")[1]: value["expected"] for name, value in expected.items() if name.startswith(f"{kind}/")}


def posterior_arrays(kind: str, name: str) -> tuple[np.ndarray, np.ndarray]:
    arrays = load(TESTS / "metrics" / "oracles" / "posteriors.npz")
    return arrays[f"{kind}_{name}_mean"], arrays[f"{kind}_{name}_logvar"]


def mig_exact_errors() -> str:
    sizes = (4, 5, 6, 7)
    factors = conftest().full_grid(*sizes)
    rows = []
    for name, truth in expected_truths("chen_mig").items():
        score = partial(
            mig_exact_from_posteriors, *posterior_arrays("chen_mig", name), factors=factors, factor_sizes=sizes
        )
        cells = [
            errors(np.array([score(num_samples=number, rng=rng)["mig_exact"] for rng in generators()]) - truth)
            for number in NUM_SAMPLES
        ]
        rows.append([name, f"{truth:.4f}", *cells])
    return markdown_table(["codes", "truth", *(f"{number:,} samples" for number in NUM_SAMPLES)], rows)


def kl_decomposition_errors() -> str:
    parts = ("index_code_mi", "total_correlation", "dimensionwise_kl")
    rows = []
    for name, truth in expected_truths("mixture").items():
        score = partial(kl_decomposition_from_posteriors, *posterior_arrays("mixture", name))
        runs = {number: [score(num_samples=number, rng=rng) for rng in generators()] for number in NUM_SAMPLES}
        for part in parts:
            cells = [errors(np.array([run[part] for run in group]) - truth[part]) for group in runs.values()]
            rows.append([name, part, f"{truth[part]:.4f}", *cells])
    return markdown_table(["codes", "part", "truth", *(f"{number:,} samples" for number in NUM_SAMPLES)], rows)


def generators() -> Iterator[np.random.Generator]:
    return (np.random.default_rng(seed) for seed in range(SEEDS))


def minibatch_errors() -> str:
    """Batch means of the estimates less those of the exact densities of all 200 images, at the same samples."""
    rows = []
    for name in expected_truths("mixture"):
        mean, logvar = (torch.from_numpy(array).double() for array in posterior_arrays("mixture", name))
        for batch in (16, 64, len(mean)):
            for estimator in LOG_WEIGHTS:
                found = np.array([batch_error(mean, logvar, batch, estimator, seed) for seed in range(BATCHES)])
                rows.append([name, str(batch), estimator, *(errors(column) for column in found.T)])
    return markdown_table(["codes", "batch", "estimator", "log q(z)", "log Π q(z_j)", "total correlation"], rows)


def batch_error(
    mean: torch.Tensor, logvar: torch.Tensor, batch: int, estimator: str, seed: int
) -> tuple[float, float, float]:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(mean), generator=generator)[:batch]
    noise = torch.randn(batch, mean.shape[1], generator=generator, dtype=mean.dtype)
    z = mean[rows] + (logvar[rows] / 2).exp() * noise
    log_qz, log_prod_qzj = aggregate_log_density(z, mean[rows], logvar[rows], len(mean), estimator=estimator)
    pairs = normal_log_density(z[:, None], mean[None], logvar[None])
    joint = (log_qz - pairs.sum(dim=2).logsumexp(dim=1) + math.log(len(mean))).mean().item()
    product = (log_prod_qzj - (pairs.logsumexp(dim=1) - math.log(len(mean))).sum(dim=1)).mean().item()
    return joint, product, joint - product


def minibatch_values() -> str:
    """Both estimators on two stored batches, beside values computed apart and other projects' variants."""
    variants = {
        "mws": "weighted",
        "mss": "stratified",
        "batch_mean": "mean over the batch, without N",
        "no_constant": "without log(NM)",
        "mss_as_coded_by_rtqichen": "stratified, 1/N in the first column",
    }
    rows = []
    for name, truth in expected_truths("minibatch").items():
        stored = load(TESTS / "losses" / "oracles" / f"minibatch_{name}.npz")
        z, mean, logvar = (torch.from_numpy(stored[part]).double() for part in ("z", "mu", "logvar"))
        for variant, words in variants.items():
            difference = "–"
            if words in LOG_WEIGHTS:
                ours = aggregate_log_density(z, mean, logvar, int(stored["dataset_size"]), estimator=words)
                difference = f"{abs((ours[0] - ours[1]).mean().item() - truth[variant]['tc']):.0e}"
            cells = [f"{truth[variant][key]:.3f}" for key in ("log_qz_mean", "log_prod_qzj_mean", "tc")]
            rows.append([f"{len(z)} of {int(stored['dataset_size']):,}", words, *cells, difference])
    return markdown_table(
        ["batch", "estimator", "log q(z)", "log Π q(z_j)", "total correlation", "ours differs by"], rows
    )


def write_estimators() -> None:
    for part in (mig_exact_errors, kl_decomposition_errors, minibatch_errors, minibatch_values):
        start = time.monotonic()
        fill(PAGES / "estimators.md", part.__name__, part())
        print(f"{part.__name__}: {time.monotonic() - start:.1f} s", flush=True)
