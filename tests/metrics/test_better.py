"""Which numbers had better be higher or lower: what every metric's module says in BETTER."""

import importlib
import re
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from disent_runner.build import build_metrics
from disent_runner.cli import CONF
from disent_runner.evaluate import better, score
from disent_runner.representation import Autoencoder, Representation

NAMES = [path.stem for path in sorted((CONF / "metric").glob("*.yaml")) if "_target_" in path.read_text()]
SMALL = {
    "num_train": 200,
    "num_eval": 100,
    "num_test": 100,
    "num_samples": 100,
    "num_variance": 200,
    "num_images": 20,
    "num_repeats": 5,
    "num_test_per_value": 5,
    "train_sizes": [5, 10],
    "num_importance_samples": 4,
    "max_iter": 20,
    "num_clusters": 3,
}
OTHERWISE: dict[str, dict[str, Any]] = {
    "dci": {"estimator": "lasso"},
    "downstream": {"learners": ["gbt"]},
}
"""Settings under which a metric returns numbers that it does not return by default."""


@pytest.fixture(scope="module")
def rep() -> Representation:
    rng = np.random.default_rng(0)
    sizes = (3, 4, 5)
    grid = np.stack(np.unravel_index(np.arange(60), sizes), axis=1)
    factors = np.repeat(grid, 10, axis=0)
    codes = factors + 0.1 * rng.standard_normal(factors.shape)
    weights = rng.standard_normal((3, 16))
    pixels = 1 / (1 + np.exp(-codes @ weights))
    autoencoder = Autoencoder(
        images=lambda rows: pixels[rows].reshape(-1, 1, 4, 4).astype(np.float32),
        decode=lambda z: (1 / (1 + np.exp(-z @ weights))).reshape(-1, 1, 4, 4).astype(np.float32),
        jacobian=lambda z: np.broadcast_to(weights.T, (len(z), 16, 3)).astype(np.float32),
        prior=lambda count, rng: rng.standard_normal((count, 3)),
        nll=lambda z, rows: ((z - codes[rows]) ** 2).sum(axis=1),
    )
    names = ("a", "b", "c")
    logvar, joint = np.full(codes.shape, -4.0), np.arange(1.0, 601.0)
    return Representation(codes, factors, sizes, logvar, names, {"c": 5}, autoencoder, weights=joint)


def numbers(name: str, rep: Representation, tmp_path, **settings: Any) -> dict[str, float]:
    node: Any = OmegaConf.load(CONF / "metric" / f"{name}.yaml")
    small = {key: value for key, value in SMALL.items() if key in node[name]}
    node[name].update({**small, **settings})
    if name == "udr":
        node[name].runs = [str(other_run(rep, tmp_path))]
    return build_metrics(OmegaConf.create({"metric": node}))[name](rep, rng=np.random.default_rng(0))


def other_run(rep: Representation, folder):
    import h5py

    with h5py.File(folder / "codes.h5", "w") as file:
        file["mean"], file["logvar"], file["index"] = rep.codes[:, ::-1], rep.logvar, np.arange(len(rep.codes))
        file.attrs["data_hash"] = "of the data"
    return folder


def stems(names) -> set[str]:
    """Names, and what they are without the factor, latent or size that they end in."""
    found = set(names)
    for ending in (r"_(factor|latent)_\d+$", r"_\d+$"):
        found |= {re.sub(ending, "", name) for name in found}
    return found


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_every_metric_says_which_of_its_numbers_had_better_be_higher_or_lower(name, rep, tmp_path):
    directions = importlib.import_module(f"disent_runner.metrics.{name}").BETTER
    returned = set(numbers(name, rep, tmp_path))
    if name in OTHERWISE:
        returned |= set(numbers(name, rep, tmp_path, **OTHERWISE[name]))
    assert set(directions.values()) <= {"higher", "lower"}
    assert set(directions) <= stems(returned)


@pytest.mark.parametrize(
    ("metric", "number", "direction"),
    [
        ("mig", "mig", "higher"),
        ("mig", "mig_factor_3", "higher"),
        ("reconstruction", "reconstruction", "lower"),
        ("reconstruction", "reconstruction_psnr", "higher"),
        ("fairness", "fairness_target_factor_0", "lower"),
        ("downstream", "downstream_logistic_1000_factor_2", "higher"),
        ("downstream", "downstream_hist_gbt_sample_efficiency_100", "higher"),
        ("mig_sup", "mig_sup_active_codes", None),
        ("beta_vae_score", "beta_vae_score_train", None),
        ("kl_decomposition", "kl", None),
    ],
)
def test_a_part_of_a_number_has_its_direction(metric, number, direction):
    node = OmegaConf.create({"metric": OmegaConf.load(CONF / "metric" / f"{metric}.yaml")})
    assert better(build_metrics(node)[metric], number) == direction


def test_a_metric_without_directions_has_none():
    assert better(lambda rep, *, rng: {}, "own") is None


def test_rows_say_which_side_is_better(rep):
    node = OmegaConf.create({"metric": OmegaConf.load(CONF / "metric" / "mig.yaml")})
    origin = {"metric": "mig", "settings": {}, "seed": 0}
    rows = {row["name"]: row["better"] for row in score("mig", build_metrics(node)["mig"], rep, origin)}
    assert rows == {"mig": "higher", "mig_average_max_information": "higher"} | dict.fromkeys(
        ("mig_a", "mig_b", "mig_c"), "higher"
    )
