"""What must hold of pictures that stand in for data sets: their factors can be seen in them."""

from collections.abc import Callable, Mapping

import numpy as np
import pytest

from disent_runner.datasets.images.transform import Transform
from disent_runner.rendering.blobs import BLOB_SIZES, render_blobs
from disent_runner.rendering.chairs import CHAIR_SIZES, render_chairs
from disent_runner.rendering.digits import DIGIT_SIZES, render_digits
from disent_runner.rendering.faces import FACE_SIZES, render_faces
from disent_runner.rendering.lab import LAB_SIZES, render_lab
from disent_runner.rendering.rooms import ROOM_SIZES, render_rooms
from tests.rendering.samples import random_factors

NUM_TRAIN, NUM_TEST = 1600, 400
SIDE = 16


def probe_accuracies(
    render: Callable[[np.ndarray], np.ndarray], sizes: Mapping[str, int], *, kept: Mapping[str, int], seed: int = 0
) -> dict[str, tuple[float, float]]:
    """(accuracy of ridge regression on the pixels of small images, chance) of each factor.

    Of factors in `kept` only so many values occur, evenly spaced: rendering them all would take minutes.
    """
    steps = np.array([size // kept.get(name, size) for name, size in sizes.items()])
    few = {name: kept.get(name, size) for name, size in sizes.items()}
    labels = random_factors(few, NUM_TRAIN + NUM_TEST, seed)
    images = render(labels * steps)
    images = images if images.ndim == 4 else images[:, None]
    pixels = Transform(image_size=SIDE)(images).reshape(len(images), -1) / 255
    features = np.concatenate([pixels, np.ones((len(pixels), 1))], axis=1)
    train, test = features[:NUM_TRAIN], features[NUM_TRAIN:]
    solve = np.linalg.solve(train.T @ train + np.eye(train.shape[1]), train.T)
    found = {}
    for (name, size), column in zip(few.items(), labels.T, strict=True):
        scores = test @ solve @ np.eye(size)[column[:NUM_TRAIN]]
        found[name] = (float((scores.argmax(axis=1) == column[NUM_TRAIN:]).mean()), 1 / size)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("render", "sizes", "kept"),
    [
        pytest.param(render_blobs, BLOB_SIZES, {}, id="blob"),
        pytest.param(render_digits, DIGIT_SIZES, {}, id="toydigits"),
        pytest.param(render_chairs, CHAIR_SIZES, {"rotation": 10}, id="toychairs"),
        pytest.param(render_faces, FACE_SIZES, {"identity": 4, "azimuth": 5, "elevation": 4}, id="toyfaces"),
        pytest.param(render_rooms, ROOM_SIZES, {"scale": 4, "orientation": 5}, id="shapes3d_rendered"),
        pytest.param(render_lab, LAB_SIZES, {"wall": 2, "floor": 2, "object": 2, "yaw": 3, "spawn": 2}, id="toylab"),
    ],
)
def test_a_linear_probe_tells_each_factor(render, sizes, kept) -> None:
    """At least 1.5 times as often as chance, and more than five standard errors above it."""
    for name, (accuracy, chance) in probe_accuracies(render, sizes, kept=kept).items():
        error = np.sqrt(chance * (1 - chance) / NUM_TEST)
        assert accuracy > max(1.5 * chance, chance + 5 * error), (name, accuracy, chance)
