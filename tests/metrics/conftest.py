"""Reference numbers from `oracles/` and the representations they belong to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disent_runner.representations.representation import Representation

ORACLES = Path(__file__).parent / "oracles"
SIZES = {"small": (4, 5, 6, 7), "dsprites": (3, 6, 40, 32, 32)}


@pytest.fixture(scope="session")
def load() -> Callable[[str], dict[str, np.ndarray]]:
    """Arrays of one file of reference data."""

    def load_arrays(name: str) -> dict[str, np.ndarray]:
        with np.load(ORACLES / f"{name}.npz") as arrays:
            return dict(arrays)

    return load_arrays


@pytest.fixture(scope="session")
def oracle() -> Callable[[str], Any]:
    """Reference value by its id, to compare with `==` within its tolerance."""
    expected = json.loads((ORACLES / "expected.json").read_text())
    return lambda name: pytest.approx(expected[name]["expected"], abs=expected[name]["tolerance"])


@pytest.fixture(scope="session")
def arrays(load) -> Callable[[str, str], tuple[np.ndarray, np.ndarray]]:
    """Codes and factors of the reference's 15,000 images, of which it trained on the first 10,000 and tested on others.

    By grid and representation.
    """

    def stored_arrays(grid: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        stored = load(f"codes_{grid}")
        factors = full_grid(*SIZES[grid])[stored["rows"]]
        if grid == "small":
            codes = stored[name][stored["rows"]]
        else:
            codes = stored[name] if name in stored else exact_codes(name, factors, SIZES[grid])
        return codes.astype(np.float64), factors

    return stored_arrays


@pytest.fixture(scope="session")
def train_arrays(arrays) -> Callable[[str, str], tuple[np.ndarray, np.ndarray]]:
    """Codes and factors of the 10,000 images that the reference trained on."""

    def first_arrays(grid: str, name: str) -> tuple[np.ndarray, np.ndarray]:
        codes, factors = arrays(grid, name)
        return codes[:10_000], factors[:10_000]

    return first_arrays


@pytest.fixture(scope="session")
def full_representation(load) -> Callable[[str, str], Representation]:
    """Every image of a grid; the reference's codes on the small one, others of the same law on dSprites."""

    def representation(grid: str, name: str) -> Representation:
        factors = full_grid(*SIZES[grid])
        codes = load("codes_small")[name] if grid == "small" else dsprites_codes(name, factors)
        return Representation(codes.astype(np.float32), factors, SIZES[grid])

    return representation


def full_grid(*sizes: int) -> np.ndarray:
    """Each combination of factor values once, last factor fastest."""
    return np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)


def centred(factors: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Factor values from -1 to 1."""
    return 2.0 * factors / (np.array(sizes) - 1.0) - 1.0


def exact_codes(name: str, factors: np.ndarray, sizes: tuple[int, ...]) -> np.ndarray:
    """Codes that need elementwise arithmetic only, so that they are the same to the last bit everywhere."""
    values = centred(factors, sizes)
    second = {
        "aligned": values[:, :0],
        "duplicated": 0.5 * values + 1.0,
        "constant_code": np.full((len(values), 1), 0.25),
    }
    return np.hstack([values, second[name]]).astype(np.float32)


def dsprites_codes(name: str, factors: np.ndarray) -> np.ndarray:
    values = centred(factors, SIZES["dsprites"])
    neighbour = np.roll(values, -1, axis=1)
    noise = np.random.default_rng(7).standard_normal((len(values), 8))
    match name:
        case "rotated":
            return values @ rotation(5)
        case "noisy_dead":
            return np.hstack([values + 0.1 * noise[:, :5], 1e-3 * noise[:, 5:]])
        case "pure_noise":
            return noise[:, :6]
        case "entangled":
            mixed = np.tanh(2 * values) + [0, 0.35, 0, 0.35, 0] * neighbour + 0.2 * np.sin(3 * neighbour) * values
            return np.hstack([mixed, values[:, :1] * values[:, 1:2]]) + 0.05 * noise[:, :6]
        case _:
            return exact_codes(name, factors, SIZES["dsprites"])


def rotation(dimension: int, angle: float = 0.6) -> np.ndarray:
    """Rotations by growing angles, each in the plane of one axis and the next."""
    matrix = np.eye(dimension)
    for first in range(dimension):
        second = (first + 1) % dimension
        cosine, sine = np.cos(angle * (1 + 0.1 * first)), np.sin(angle * (1 + 0.1 * first))
        plane = np.eye(dimension)
        plane[[first, first, second, second], [first, second, first, second]] = cosine, -sine, sine, cosine
        matrix = matrix @ plane
    return matrix
