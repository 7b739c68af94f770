"""What the pages of the metrics promise: the same number on another scale, in single precision, in another order."""

from importlib import import_module

import numpy as np
import pytest

from disent_runner.representations.representation import Representation

pytestmark = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")

SIZES = (21, 4, 6)
GRID = np.stack(np.unravel_index(np.arange(21 * 4 * 6), SIZES), axis=1)
LATTICE = np.column_stack([GRID, GRID[:, 0] * GRID[:, 2]]).astype(float)  # many on the edges of 20 bins
ORDER = [2, 0, 3, 1]
CHANGES = {
    "small": lambda codes: 1e-8 * codes,
    "large": lambda codes: 1e8 * codes,
    "single precision": lambda codes: (codes / 3).astype(np.float32),
    "denormal": lambda codes: (codes * 2.0**-130).astype(np.float32),
    "turned": lambda codes: (codes / 7 - 1).astype(np.float32) * np.float32(0.1),
    "far from 0": lambda codes: codes + 1e6,
    "another order": lambda codes: codes[:, ORDER],
}
NAMES = (
    "dcimig",
    "infomec",
    "irs",
    "jemmig",
    "mcc",
    "mig",
    "minimality_sufficiency",
    "mig_sup",
    "modularity",
    "rank_correlation",
    "unsupervised",
)
OF_SCALE = ("active", "gaussian_wasserstein")
"""What these numbers begin or end with: of absolute thresholds and distances."""


@pytest.mark.parametrize("name", NAMES)
def test_neither_scale_nor_precision_nor_order_of_codes_matters(name):
    metric = getattr(import_module(f"disent_runner.metrics.{name}"), name)

    def score(codes: np.ndarray) -> dict[str, float]:
        rep = Representation(codes, GRID, SIZES)
        values = metric(rep, rng=np.random.default_rng(0))
        return {key: value for key, value in values.items() if not any(part in key for part in OF_SCALE)}

    expected = score(LATTICE)
    for change in CHANGES.values():
        assert score(change(LATTICE)) == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("infomec", "irs")])
def test_rows_that_repeat_are_the_same_law(name):
    """But for quantiles of few images, and the images that are drawn to train on."""
    metric = getattr(import_module(f"disent_runner.metrics.{name}"), name)
    reps = [Representation(np.tile(LATTICE, (copies, 1)), np.tile(GRID, (copies, 1)), SIZES) for copies in (1, 2)]
    once, twice = (metric(rep, rng=np.random.default_rng(0)) for rep in reps)
    differs = {key for key in once if "wasserstein" in key and "normalized" not in key}  # of N - 1
    assert {key: twice[key] for key in once if key not in differs} == pytest.approx(
        {key: once[key] for key in once if key not in differs}, abs=1e-9
    )
