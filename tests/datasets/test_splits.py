from typing import Any

import numpy as np
import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

from disent_runner.assembly.conf import CONF
from disent_runner.datasets import dsprites, mpi3d, shapes3d
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.splits import at_random, by_combination, by_values, schott_split

GRID = FactorSpace({"identity": 10, "pose": 7, "light": 3})
LABELS = GRID.factors(np.arange(210))
GRIDS = {"dsprites": dsprites.card().factors, "shapes3d": shapes3d.card().factors, "mpi3d": mpi3d.LARGE_GRID}
PRESETS = sorted([*CONF.glob("split/schott2022/*.yaml"), *CONF.glob("split/montero2021/*.yaml")])
LAST_HUES = [8, 9]
HELD_OUT = {  # values, of the authors' rule in exact fractions, ties to even
    "dsprites_extrapolation": {
        "scale": [4, 5],
        "orientation": range(32, 40),
        "pos_x": range(25, 32),
        "pos_y": range(25, 32),
    },
    "dsprites_interpolation": {
        "scale": [1, 4],
        "orientation": [2, 7, 12, 17, 22, 27, 32, 37],
        "pos_x": [2, 7, 11, 15, 20, 24, 29],
        "pos_y": [2, 7, 11, 15, 20, 24, 29],
    },
    "dsprites_composition": {"scale": [], "orientation": range(4), "pos_x": range(3), "pos_y": range(3)},
    "shapes3d_extrapolation": {
        "floor_hue": LAST_HUES,
        "wall_hue": LAST_HUES,
        "object_hue": LAST_HUES,
        "scale": [6, 7],
        "orientation": range(12, 15),
    },
    "shapes3d_interpolation": {
        "floor_hue": [2, 7],
        "wall_hue": [2, 7],
        "object_hue": [2, 7],
        "scale": [2, 5],
        "orientation": [2, 7, 12],
    },
    "mpi3d_interpolation": {
        "object_color": [3],
        "camera_height": [1],
        "background_color": [1],
        "horizontal_axis": [5, 15, 24, 34],
        "vertical_axis": [5, 15, 24, 34],
    },
    "shapes3d_composition": {"floor_hue": [0], "wall_hue": [0], "object_hue": [0], "scale": [], "orientation": [0]},
    "mpi3d_extrapolation": {
        "object_color": [5],
        "camera_height": [2],
        "background_color": [2],
        "horizontal_axis": range(36, 40),
        "vertical_axis": range(36, 40),
    },
    "mpi3d_composition": {"horizontal_axis": range(6), "vertical_axis": range(6)},
}


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_at_random(seed: int) -> None:
    held_out = at_random(GRID, fraction=0.3, seed=seed)
    assert held_out.sum() == 63
    np.testing.assert_array_equal(held_out, at_random(GRID, fraction=0.3, seed=seed))
    assert (held_out != at_random(GRID, fraction=0.3, seed=seed + 1)).any()


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_identities_are_on_one_side_only(seed: int) -> None:
    held_out = by_combination(GRID, factors=["identity"], fraction=0.2, seed=seed)
    inside, outside = (set(LABELS[side, 0].tolist()) for side in (held_out, ~held_out))
    assert len(inside) == 2
    assert inside.isdisjoint(outside)
    assert inside | outside == set(range(10))
    assert held_out.sum() == 2 * 21


def test_combinations_are_on_one_side_only() -> None:
    held_out = by_combination(GRID, factors=["light", "identity"], count=4, seed=5)
    inside, outside = ({tuple(row) for row in LABELS[side][:, [2, 0]].tolist()} for side in (held_out, ~held_out))
    assert len(inside) == 4
    assert inside.isdisjoint(outside)
    assert len(inside | outside) == 30


def test_only_combinations_that_are_shown_are_drawn() -> None:
    table = LabelTable({"a": 100, "b": 100}, np.array([[3, 4], [3, 4], [99, 0], [5, 5]]))
    for seed in range(10):
        held_out = by_combination(table, factors=["a", "b"], count=1, seed=seed)
        assert held_out.sum() in (1, 2)
        assert held_out[0] == held_out[1]


def test_values_are_a_region() -> None:
    held_out = by_values(GRID, values={"pose": [1, 6], "light": [2]})
    np.testing.assert_array_equal(held_out, np.isin(LABELS[:, 1], [1, 6]) & (LABELS[:, 2] == 2))


def split_of(name: str) -> tuple[FactorSpace, np.ndarray]:
    space = FactorSpace(dict(GRIDS[name.partition("/")[2].partition("_")[0]]))
    return space, instantiate(OmegaConf.load(CONF / "split" / f"{name}.yaml"))(space)


@pytest.mark.parametrize("name", HELD_OUT)
def test_the_splits_of_schott_hold_out_the_authors_values(name: str) -> None:
    space, held_out = split_of(f"schott2022/{name}")
    labels = space.factors(np.arange(len(space)))
    shown = [np.isin(labels[:, space.names.index(factor)], [*values]) for factor, values in HELD_OUT[name].items()]
    expected = np.any(shown, axis=0)
    np.testing.assert_array_equal(held_out, ~expected if name.endswith("composition") else expected)


@pytest.mark.parametrize("path", [path for path in PRESETS if path.parent.name == "schott2022"], ids=lambda p: p.stem)
def test_the_splits_of_schott_train_on_three_images_of_ten(path) -> None:
    """As the tests of bethgelab/InDomainGeneralizationBenchmark ask of the published ones."""
    space, held_out = split_of(f"schott2022/{path.stem}")
    assert round(1 - held_out.mean(), 1) == 0.3
    labels = space.factors(np.flatnonzero(~held_out))
    every = [len(np.unique(column)) == size for column, size in zip(labels.T, space.shape, strict=True)]
    named = [name in OmegaConf.load(path).factors for name in space.names]  # pyright: ignore
    assert every == [not asked or path.stem.endswith("composition") for asked in named]


@pytest.mark.parametrize(
    ("kind", "size", "fraction", "expected"),
    [
        ("extrapolation", 7, 0.2, [5, 6]),
        ("extrapolation", 100, 0.07, range(93, 100)),
        ("interpolation", 7, 0.2, [1, 5]),
        ("interpolation", 10, 0.1, [5]),
        ("interpolation", 2, 0.5, [1]),
        ("composition", 10, 0.3, range(7, 10)),
    ],
)
def test_the_values_of_one_factor(kind: str, size: int, fraction: float, expected) -> None:
    held_out = schott_split(FactorSpace({"a": size}), kind=kind, factors=["a"], fraction=fraction)
    np.testing.assert_array_equal(np.flatnonzero(held_out), [*expected])


@pytest.mark.parametrize("path", [path for path in PRESETS if path.parent.name == "montero2021"], ids=lambda p: p.stem)
def test_the_splits_of_montero_are_regions_of_their_grids(path) -> None:
    space, held_out = split_of(f"montero2021/{path.stem}")
    config: Any = OmegaConf.load(path)
    shares = [len(values) / space.shape[space.names.index(name)] for name, values in config["values"].items()]
    assert held_out.mean() == pytest.approx(np.prod(shares))
    is_extrapolation = "extrapolation" in path.stem
    trained = space.factors(np.flatnonzero(~held_out))
    every = all(len(np.unique(column)) == size for column, size in zip(trained.T, space.shape, strict=True))
    assert every != is_extrapolation  # recombination shows each value with others


def test_the_regions_of_montero_are_those_of_the_published_values() -> None:
    """Their inequalities on the values that the data sets are published with."""
    turn, position = np.linspace(0, 2 * np.pi, 40), np.linspace(0, 1, 32)
    scale, hue = np.linspace(0.5, 1, 6), np.linspace(0, 0.9, 10)
    size, angle = np.linspace(0.75, 1.25, 8), np.linspace(-30, 30, 15)
    regions = {
        "dsprites_extrapolation": {"pos_x": position > 0.5},
        "dsprites_range": {"shape": np.arange(3) == 0, "pos_x": position > 0.5},
        "dsprites_element": {
            "shape": np.arange(3) == 1,
            "scale": scale > 0.6,
            "orientation": (turn > 2 * np.pi / 3) & (turn < 4 * np.pi / 3),
            "pos_x": position > 0.66,
            "pos_y": position > 0.66,
        },
        "shapes3d_extrapolation": {"floor_hue": hue >= 0.5},
        "shapes3d_range": {"shape": np.arange(4) == 3, "object_hue": hue >= 0.5},
        "shapes3d_range_floor": {"shape": np.arange(4) == 3, "floor_hue": hue >= 0.5},
        "shapes3d_range_hues": {"object_hue": hue >= 0.8, "wall_hue": hue <= 0.2},
        "shapes3d_element": {
            "floor_hue": hue >= 0.8,
            "wall_hue": hue >= 0.8,
            "object_hue": hue >= 0.8,
            "scale": size >= 1.1,
            "shape": np.arange(4) == 1,
            "orientation": angle > 20,
        },
    }
    for name, region in regions.items():
        config: Any = OmegaConf.load(CONF / "split" / "montero2021" / f"{name}.yaml")
        assert {factor: [*values] for factor, values in config["values"].items()} == {
            factor: np.flatnonzero(values).tolist() for factor, values in region.items()
        }, name


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: at_random(GRID, fraction=1.0, seed=0), "fraction must be above 0 and below 1, got 1.0"),
        (lambda: at_random(GRID, fraction=0.001, seed=0), "holds out no image of 210"),
        (lambda: by_combination(GRID, factors=["age"], count=1, seed=0), "names 'age'; the factors are identity, pose"),
        (lambda: by_combination(GRID, factors=[], count=1, seed=0), "must name at least one factor"),
        (lambda: by_combination(GRID, factors=["pose"], seed=0), "either fraction or count, got fraction=None and"),
        (lambda: by_combination(GRID, factors=["pose"], count=7, seed=0), "hold out 7 of the 7 combinations of pose"),
        (lambda: by_combination(GRID, factors=["pose"], fraction=0.01, seed=0), "hold out 0 of the 7"),
        (lambda: by_values(GRID, values={"pose": [7]}), "values.pose must be 0 to 6, got 7"),
        (lambda: by_values(GRID, values={}), "holds out every image"),
        (
            lambda: schott_split(GRID, kind="above", factors=["pose"], fraction=0.2),
            "kind must be composition, interpolation or extrapolation, got 'above'",
        ),
        (lambda: schott_split(GRID, kind="composition", factors=["pose"], fraction=1), "fraction must be above 0 and"),
        (lambda: schott_split(GRID, kind="composition", factors=["age"], fraction=0.2), "names 'age'; the factors are"),
        (lambda: schott_split(GRID, kind="composition", factors=["light"], fraction=0.9), "holds out every image"),
        (lambda: schott_split(GRID, kind="extrapolation", factors=["light"], fraction=0.9), "holds out every image"),
        (
            lambda: by_combination(LabelTable({"a": 2}, np.array([[0], [-1], [1]])), factors=["a"], count=1, seed=0),
            "1 images have no label of a",
        ),
    ],
)
def test_impossible_splits(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
