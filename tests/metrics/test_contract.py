"""Every metric returns the numbers that it declares, and no others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from omegaconf import OmegaConf

from disent_runner.assembly.build import build_metrics
from disent_runner.assembly.conf import CONF, choices
from disent_runner.datasets.symbols.vocabulary import Vocabulary
from disent_runner.representations.capsules import Capsules, Movement
from disent_runner.representations.control import Control, Probe
from disent_runner.representations.numbers import numbers_of, parts_of
from disent_runner.representations.questions import Questions
from disent_runner.representations.representation import Autoencoder, Representation
from disent_runner.representations.symbols import Symbols
from disent_runner.runs.codes import write_codes
from tests.metrics.players import agent

NAMES = choices("metric")
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
    "num_steps": 2,
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
    symbols = Symbols(
        vocabulary=Vocabulary({"a": 3, "b": 4, "c": 5}),
        factors=names,
        train=np.array([[0, -1, -1], [1, 2, -1]]),
        unseen=np.array([[2, 3, 4], [0, 0, 0]]),
        infer=lambda said: (said[:, :3], np.zeros((len(said), 3), np.float32)),
        describe=lambda z: np.full((len(z), 12), 0.5),
        recombine=lambda operators, mean1, logvar1, mean2, logvar2: (mean1, logvar1),
    )
    moved = np.broadcast_to(np.eye(3), (50, 3, 3))
    control = Control(names, False, lambda count, rng: Probe(np.zeros((50, 3)), moved, moved))
    shifts = rng.normal(size=(20, 1, 2))
    movement = Movement(np.ones((20, 1)), shifts, shifts)
    capsules = Capsules(1, lambda images, rng: movement, lambda images, rng: pytest.fail("views"), lambda: shifts)
    return Representation(
        codes,
        factors,
        sizes,
        logvar,
        names,
        {"c": 5},
        autoencoder,
        parts={"m": 1, "h": 2},
        weights=joint,
        symbols=symbols,
        control=control,
        questions=Questions(names, np.eye(3), "js"),
        playing=agent().playing,
        capsules=capsules,
    )


def metric_of(name: str, rep: Representation, tmp_path, **settings: Any) -> Callable[..., dict[str, float]]:
    node: Any = OmegaConf.load(CONF / "metric" / f"{name}.yaml")
    own = node[name]
    small = {key: value for key, value in SMALL.items() if key in own}
    small = {key: min(value, own[key]) if isinstance(own[key], int) else value for key, value in small.items()}
    node[name].update({**small, **settings})
    if name == "udr":
        node[name].runs = [str(other_run(rep, tmp_path))]
    return build_metrics(OmegaConf.create({"metric": node}))[name]


def other_run(rep: Representation, folder):
    assert rep.logvar is not None
    codes = {"mean": rep.codes[:, ::-1], "logvar": rep.logvar}
    origin = {"step": 5, "num_images": len(rep.codes), "data_hash": "of the data"}
    write_codes(folder, origin, codes, {"index": np.arange(len(rep.codes))})
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning", "ignore::UserWarning")
@pytest.mark.parametrize("name", NAMES)
def test_every_metric_returns_what_it_declares(name, rep, tmp_path):
    """All that it declares too, under its own settings or those of OTHERWISE."""
    returned: set[tuple[str, bool]] = set()
    metric = metric_of(name, rep, tmp_path)
    for settings in ({}, *([OTHERWISE[name]] if name in OTHERWISE else [])):
        metric = metric_of(name, rep, tmp_path, **settings)
        values = metric(rep, rng=np.random.default_rng(0))
        returned |= {(part.number.name, part.factor is not None) for part in parts_of(metric, values, 3).values()}
    numbers = numbers_of(metric)
    declared = {(number.name, True) for number in numbers if number.per_factor}
    declared |= {(number.name, False) for number in numbers if number.of_all}
    assert returned == declared
