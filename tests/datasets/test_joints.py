from itertools import product
from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf
from scipy.stats import entropy

from disent_runner.assembly.conf import CONF
from disent_runner.datasets import dsprites, mpi3d, shapes3d
from disent_runner.datasets.joints import (
    chen_correlated,
    chen_independent,
    chen_joint,
    chen_uncorrelated,
    chen_uniform,
    gaussian_joint,
    gaussian_pairs,
    product_of_marginals,
    table_joint,
)
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable

SIZES = {"shape": 2, "x": 3, "y": 4}
GRIDS = {"dsprites": dsprites.card().factors, "shapes3d": shapes3d.card().factors, "mpi3d": mpi3d.LARGE_GRID}
PRESETS = sorted([*CONF.glob("joint/traeuble2021/*.yaml"), *CONF.glob("joint/roth2023/*.yaml")])
BIASED = [chen_independent, chen_uncorrelated, chen_correlated]


def mutual_information(table: np.ndarray) -> float:
    """In nats."""
    return float(entropy(table.sum(axis=1)) + entropy(table.sum(axis=0)) - entropy(table.ravel()))


def correlation(table: np.ndarray) -> float:
    u, v = (axis.ravel() for axis in np.indices(table.shape))
    covariance = np.cov(u, v, aweights=table.ravel(), ddof=0)
    return covariance[0, 1] / np.sqrt(covariance[0, 0] * covariance[1, 1])


@pytest.mark.parametrize(
    ("joint", "information", "expected_correlation"),
    [(chen_uniform, 0, 0), (chen_independent, 0, 0), (chen_uncorrelated, 0.0048, 0), (chen_correlated, 0.0297, 0.238)],
)
def test_chens_joints_on_azimuth_and_elevation(joint, information: float, expected_correlation: float) -> None:
    table = joint(21, 11)
    assert table.shape == (21, 11)
    assert table.sum() == pytest.approx(1, abs=1e-12)
    assert mutual_information(table) == pytest.approx(information, abs=5e-5)
    assert correlation(table) == pytest.approx(expected_correlation, abs=5e-4)


@pytest.mark.parametrize("joint", BIASED)
@pytest.mark.parametrize("sizes", [(21, 11), (32, 32), (3, 2), (6, 40)])
def test_the_odds_are_4_to_1_on_every_grid(joint, sizes: tuple[int, int]) -> None:
    table = joint(*sizes)
    assert table.min() > 0
    assert table.max() / table.min() == pytest.approx(4, abs=1e-9)


def test_independent_joint_is_the_product_of_rising_marginals() -> None:
    table = chen_independent(3, 2)
    np.testing.assert_allclose(table, np.outer([2, 3, 4], [1, 2]) / 27)
    np.testing.assert_allclose(chen_uniform(3, 2), np.full((3, 2), 1 / 6))


@pytest.mark.parametrize("joint", BIASED)
def test_a_biased_joint_needs_two_factors_that_vary(joint) -> None:
    with pytest.raises(ValueError, match="at least 2 values, got 1 and 5"):
        joint(1, 5)


def test_uncorrelated_joint_of_two_binary_factors_would_be_uniform() -> None:
    with pytest.raises(ValueError, match="uniform on a 2x2 grid"):
        chen_uncorrelated(2, 2)


def test_product_of_marginals_on_the_full_grid() -> None:
    x, y = np.array([1.0, 2.0, 0.0]), np.array([0.1, 0.2, 0.3, 0.4])
    expected = np.einsum("i,j,k->ijk", [0.5, 0.5], x / 3, y).ravel()
    joint = product_of_marginals(FactorSpace(SIZES), marginals={"y": y.tolist(), "x": x.tolist()})
    np.testing.assert_allclose(joint, expected, atol=1e-15)


def test_no_marginals_are_uniform() -> None:
    np.testing.assert_allclose(product_of_marginals(FactorSpace(SIZES), marginals={}), np.full(24, 1 / 24))


def test_incomplete_grid_is_the_conditional_distribution() -> None:
    rows = np.array([0, 3, 13, 23])
    marginals = {"y": [0.1, 0.2, 0.3, 0.4]}
    full = product_of_marginals(FactorSpace(SIZES), marginals=marginals)
    joint = product_of_marginals(FactorSpace(SIZES, rows), marginals=marginals)
    np.testing.assert_allclose(joint, full[rows] / full[rows].sum())


def test_joint_has_the_table_as_marginal_and_leaves_the_rest_uniform() -> None:
    table = np.arange(12.0).reshape(4, 3)
    joint = table_joint(FactorSpace(SIZES), factors=["y", "x"], table=table).reshape(2, 3, 4)
    np.testing.assert_allclose(joint.sum(axis=0).T, table / 66)
    np.testing.assert_allclose(joint[0], joint[1])
    nested = table_joint(FactorSpace(SIZES), factors=("y", "x"), table=table.tolist())
    np.testing.assert_allclose(nested, joint.ravel())


@pytest.mark.parametrize(
    ("marginals", "message"),
    [
        ({"z": [1.0]}, "dataset.joint names 'z'; the factors are shape, x, y"),
        ({"x": [1.0, 1.0]}, r"marginals.x must have shape \(3,\), got \(2,\)"),
        ({"x": [1.0, -1.0, 1.0]}, r"marginals.x must be finite and not negative, got -1.0 to 1.0"),
        ({"x": [1.0, np.inf, 1.0]}, "must be finite"),
        ({"x": [0.0, 0.0, 0.0]}, "every image probability 0"),
    ],
)
def test_wrong_marginals(marginals: dict[str, list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        product_of_marginals(FactorSpace(SIZES), marginals=marginals)


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([], "must name different factors"),
        (["x"], r"table must have shape \(3,\), got \(4, 3\)"),
        (["x", "x"], "must name different factors, got .'x', 'x'."),
        (["x", "z"], "names 'z'"),
        (["x", "y"], r"table must have shape \(3, 4\), got \(4, 3\)"),
    ],
)
def test_wrong_tables(factors: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        table_joint(FactorSpace(SIZES), factors=factors, table=np.ones((4, 3)))


@pytest.mark.parametrize(("factors", "shape"), [(["y"], (4,)), (["y", "shape", "x"], (4, 2, 3))])
def test_tables_of_one_and_of_three_factors(factors: list[str], shape: tuple[int, ...]) -> None:
    table = np.random.default_rng(0).random(shape)
    joint = table_joint(FactorSpace(SIZES), factors=factors, table=table.tolist()).reshape(2, 3, 4)
    others = tuple(axis for axis, name in enumerate(SIZES) if name not in factors)
    marginal = joint.sum(axis=others)
    kept = [name for name in SIZES if name in factors]
    np.testing.assert_allclose(marginal.transpose([kept.index(name) for name in factors]), table / table.sum())


@pytest.mark.parametrize(
    ("kind", "table"),
    [("uniform", chen_uniform), ("independent", chen_independent), ("correlated", chen_correlated)],
)
def test_chens_kinds(kind: str, table) -> None:
    joint = chen_joint(FactorSpace(SIZES), factors=["x", "y"], kind=kind).reshape(2, 3, 4)
    np.testing.assert_allclose(joint.sum(axis=0), table(3, 4))


def test_gaussian_joint() -> None:
    joint = gaussian_joint(FactorSpace({"u": 5, "v": 3}), factors=["u", "v"], sigma=0.3).reshape(5, 3)
    at = {0: 1.0, 1: np.exp(-(0.25**2) / 0.18), 2: np.exp(-(0.5**2) / 0.18), 4: np.exp(-1 / 0.18)}
    np.testing.assert_allclose(joint[[0, 1, 2, 4], 0] / joint[0, 0], [at[0], at[1], at[2], at[4]])
    np.testing.assert_allclose(joint[::-1, ::-1], joint)
    assert correlation(joint) > 0.5
    with pytest.raises(ValueError, match="sigma must be positive, got 0"):
        gaussian_joint(FactorSpace({"u": 5, "v": 3}), factors=["u", "v"], sigma=0)
    with pytest.raises(ValueError, match="must name two factors"):
        gaussian_joint(FactorSpace({"u": 5, "v": 3}), factors=["u"], sigma=1)
    with pytest.raises(ValueError, match=r"kind must be uniform, .*, got 'A'"):
        chen_joint(FactorSpace(SIZES), factors=["x", "y"], kind="A")


def test_gaussian_pairs_are_the_product_of_their_densities() -> None:
    sizes, sigma = {"a": 3, "b": 4, "c": 2}, 0.4
    joint = gaussian_pairs(FactorSpace(sizes), pairs=[["a", "b"], ["c", "b"]], sigma=sigma)
    values = [
        {name: index / (size - 1) for (name, size), index in zip(sizes.items(), image, strict=True)}
        for image in product(*map(range, sizes.values()))
    ]
    weights = [np.exp(-((v["a"] - v["b"]) ** 2 + (v["c"] - v["b"]) ** 2) / (2 * sigma**2)) for v in values]
    np.testing.assert_allclose(joint, np.array(weights) / sum(weights))
    np.testing.assert_allclose(
        gaussian_pairs(FactorSpace(sizes), pairs=[["a", "b"]], sigma=sigma),
        gaussian_joint(FactorSpace(sizes), factors=["a", "b"], sigma=sigma),
    )


@pytest.mark.parametrize(
    ("pairs", "message"),
    [
        ([], r"pairs must be a list of at least one pair of factors, \[\[a,b\]\], got \[\]"),
        ([["x", "y"], ["x", "z"]], "dataset.joint names 'z'; the factors are shape, x, y"),
        ([["x"]], "must name two factors, got .'x'."),
    ],
)
def test_wrong_pairs(pairs: list[list[str]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gaussian_pairs(FactorSpace(SIZES), pairs=pairs, sigma=0.1)


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_preset_correlates_its_pairs_and_leaves_the_others_independent(path) -> None:
    """Two factors tell of each other where a chain of pairs joins them, and nowhere else."""
    pairs = pairs_of(path)
    sizes = {name: min(size, 5 if any(name in pair for pair in pairs) else 2) for name, size in grid_of(path).items()}
    joint = instantiate(OmegaConf.load(path))(FactorSpace(sizes)).reshape(tuple(sizes.values()))
    for first, second in product(sizes, sizes):
        if list(sizes).index(first) < list(sizes).index(second):
            others = tuple(axis for axis, name in enumerate(sizes) if name not in (first, second))
            information = mutual_information(joint.sum(axis=others))
            assert (information > 0.05) == are_joined(first, second, pairs), (first, second)


def pairs_of(path) -> list[tuple[str, str]]:
    config: Any = OmegaConf.to_container(OmegaConf.load(path))
    return [tuple(pair) for pair in config.get("pairs", [config.get("factors")])]


def grid_of(path) -> dict[str, int]:
    return dict(GRIDS[path.stem.partition("_")[0]])


def are_joined(first: str, second: str, pairs: list[tuple[str, str]]) -> bool:
    reached = {first}
    for _ in pairs:
        reached |= {name for pair in pairs if reached & set(pair) for name in pair}
    return second in reached


def test_the_presets_name_factors_of_their_data_sets() -> None:
    assert len(PRESETS) == 5 + 25
    for path in PRESETS:
        named = {name for pair in pairs_of(path) for name in pair}
        assert named <= grid_of(path).keys(), path


def test_missing_labels_have_no_probability() -> None:
    table = LabelTable({"x": 2, "y": 2}, np.array([[0, 1], [1, -1]]))
    with pytest.raises(ValueError, match="needs the label of y of every image, 1 have none"):
        table_joint(table, factors=["y"], table=[1, 2])
    with pytest.raises(ValueError, match="1 have none"):
        product_of_marginals(table, marginals={"x": [1, 1], "y": [1, 1]})
    np.testing.assert_allclose(product_of_marginals(table, marginals={"x": [1, 3]}), [0.25, 0.75])
