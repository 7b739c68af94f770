"""Small files in the layout of the official ones: one array `images` in an npz, the factors in its order alone."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import mpi3d
from disent_runner.datasets.card import Card
from disent_runner.datasets.load import load

LATE = {"object_color": 3, "object_size": 2, "horizontal_axis": 4}
EARLY = {**LATE, "object_color": 2}
PIXELS = np.random.default_rng(0).integers(0, 256, size=(24, 64, 64, 3), dtype=np.uint8)


def small(variant: str = "toy") -> Card:
    return mpi3d.card(variant=variant, grids=(LATE, EARLY))


@pytest.mark.parametrize(
    ("variant", "file", "sizes"),
    [
        ("toy", "mpi3d_toy.npz", [6, 6, 2, 3, 3, 40, 40]),
        ("realistic", "mpi3d_realistic.npz", [6, 6, 2, 3, 3, 40, 40]),
        ("real", "mpi3d_real.npz", [6, 6, 2, 3, 3, 40, 40]),
        ("real_complex", "real3d_complicated_shapes_ordered.npz", [4, 4, 2, 3, 3, 40, 40]),
    ],
)
def test_published_facts(variant: str, file: str, sizes: list[int], tmp_path: Path) -> None:
    card = mpi3d.card(variant=variant)
    assert card.name == f"mpi3d_{variant}"
    assert list(card.factors.values()) == sizes
    assert card.num_images == math.prod(sizes)
    with pytest.raises(FileNotFoundError, match=rf"no file of MPI3D {variant} in {tmp_path}.*; put {file} there, or "):
        load(card, data_dir=tmp_path)


@pytest.mark.parametrize("sizes", [LATE, EARLY], ids=["late", "early"])
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_images_and_factors_of_each_edition(sizes: dict[str, int], save: object, tmp_path: Path) -> None:
    pixels = PIXELS[: math.prod(sizes.values())]
    assert callable(save)
    save(tmp_path / "mpi3d_toy.npz", images=pixels)
    dataset = load(small(), data_dir=tmp_path, check_hash=False)
    assert (dataset.info.name, dataset.info.source) == ("mpi3d_toy", "unchecked")
    assert (dataset.info.image_shape, list(dataset.info.factors.items())) == ((3, 64, 64), list(sizes.items()))
    images = dataset.gather(torch.arange(len(pixels))).mul(255).round().byte()
    np.testing.assert_array_equal(images, pixels.transpose(0, 3, 1, 2))
    expected = np.stack(np.unravel_index(np.arange(len(pixels)), tuple(sizes.values())), axis=1)
    np.testing.assert_array_equal(dataset.space.factors(np.arange(len(pixels))), expected)


def test_a_file_without_a_published_hash_must_have_the_published_size(tmp_path: Path) -> None:
    np.savez(tmp_path / "real3d_complicated_shapes_ordered.npz", images=PIXELS)
    expected = r"shapes_ordered.npz has 24 images, expected 460,800 \(4x4x2x3x3x40x40\)$"
    with pytest.raises(ValueError, match=expected):
        load(mpi3d.card(variant="real_complex"), data_dir=tmp_path)
    assert load(small("real_complex"), data_dir=tmp_path).info.source == "official"


def test_the_editions_are_told_apart_by_their_published_sizes(tmp_path: Path) -> None:
    np.savez(tmp_path / "mpi3d_toy.npz", images=PIXELS)
    expected = r"has 24 images, expected 1,036,800 \(6x6x2x3x3x40x40\) or 460,800 \(4x4x2x3x3x40x40\)$"
    with pytest.raises(ValueError, match=expected):
        load(mpi3d.card(variant="toy"), data_dir=tmp_path, check_hash=False)


def test_another_file_is_not_the_official_one(tmp_path: Path) -> None:
    np.savez(tmp_path / "mpi3d_toy.npz", images=PIXELS)
    with pytest.raises(
        ValueError, match=r"mpi3d_toy.npz \(\d+ bytes\) has md5 \w+, expected 55889cb7c7dfc655d6e0277be"
    ):
        load(small(), data_dir=tmp_path)


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": PIXELS.transpose(0, 3, 1, 2)}, r"images is uint8 of shape \(24, 3, 64, 64\), expected uint8 of"),
        ({"images": PIXELS.astype(np.int16)}, r"images is int16 of shape \(24, 64, 64, 3\), expected uint8 of shape"),
        ({"images": PIXELS[0]}, r"images is uint8 of shape \(64, 64, 3\), expected uint8 of shape \(any, 64, 64, 3\)"),
        ({"imgs": PIXELS}, r"mpi3d_toy.npz cannot be read \(.*images.npy.*\); download it again"),
        ({"images": PIXELS[:23]}, r"mpi3d_toy.npz has 23 images, expected 24 \(3x2x4\) or 16 \(2x2x4\)"),
    ],
)
def test_wrong_content(arrays: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    np.savez(tmp_path / "mpi3d_toy.npz", allow_pickle=False, **arrays)
    with pytest.raises(ValueError, match=message):
        load(small(), data_dir=tmp_path, check_hash=False)


def test_half_a_download(tmp_path: Path) -> None:
    path = tmp_path / "mpi3d_toy.npz"
    np.savez_compressed(path, images=PIXELS)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=r"mpi3d_toy.npz cannot be read \(.*\); download it again"):
        load(small(), data_dir=tmp_path, check_hash=False)


def test_unknown_variant() -> None:
    expected = "dataset.card.variant must be toy, realistic, real, real_complex, got 'complex'"
    with pytest.raises(ValueError, match=expected):
        mpi3d.card(variant="complex")
