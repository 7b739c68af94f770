"""Rows of factor values to render, and the hash of a renderer's images here and on a processor without SIMD units."""

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

Renderer = Callable[[np.ndarray], np.ndarray]


def random_factors(sizes: Mapping[str, int], count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(list(sizes.values()), size=(count, len(sizes)))


def neighbours(sizes: Mapping[str, int], name: str, settings: int) -> np.ndarray:
    """Pairs of rows that differ by one step of one factor: every step, at some settings of the other factors."""
    column, steps = list(sizes).index(name), sizes[name] - 1
    pairs = np.stack([random_factors(sizes, steps * settings)] * 2)
    pairs[0, :, column] = np.tile(np.arange(steps), settings)
    pairs[1, :, column] = pairs[0, :, column] + 1
    return pairs


def sample_hash(render: Renderer, sizes: Mapping[str, int]) -> str:
    return hashlib.sha256(render(random_factors(sizes, 200, seed=1)).data).hexdigest()


def sample_hash_without_simd(render: Renderer, sizes: Mapping[str, int]) -> str:
    """`sample_hash` of a new process in which NumPy uses none of this processor's optional instructions."""
    program = f"""
import numpy as np
from tests.rendering.samples import sample_hash
from {render.__module__} import {render.__name__} as render
assert not np.show_config(mode="dicts")["SIMD Extensions"].get("found")
print(sample_hash(render, {dict(sizes)}))
"""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])  # pyright: ignore[reportOptionalSubscript]
    finished = subprocess.run(
        [sys.executable, "-c", program],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(found)},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return finished.stdout.strip()
