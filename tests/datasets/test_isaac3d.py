"""A small Isaac3D_down128: folders and names are those of the official one."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from disent_runner.datasets import isaac3d
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load

PIXELS = np.random.default_rng(0).integers(0, 256, size=(6, 8, 8, 3), dtype=np.uint8)
SMALL = dict(zip(isaac3d.FACTORS, [2, 3, *[1] * (len(isaac3d.FACTORS) - 2)], strict=True))


def write_folder(folder: Path) -> None:
    images = folder / "Isaac3D_down128" / "images"
    images.mkdir(parents=True)
    for number, pixels in enumerate(PIXELS):
        Image.fromarray(pixels).save(images / f"{number:06}.png")
    array = io.BytesIO()
    grid = np.stack(np.unravel_index(np.arange(6), tuple(SMALL.values())), axis=1)
    np.save(array, grid / np.maximum(1, np.array(list(SMALL.values())) - 1))
    (folder / "Isaac3D_down128" / "labels.npy").write_bytes(array.getvalue())


@pytest.mark.parametrize("place", [".", "isaac3d"])
def test_images_and_factors(place: str, tmp_path: Path) -> None:
    write_folder(tmp_path / place)
    dataset = load(isaac3d.card(factors=SMALL), data_dir=tmp_path, transform=Transform(image_size=4), check_hash=False)
    assert (dataset.info.name, dataset.info.source, dataset.info.image_shape) == ("isaac3d", "unchecked", (3, 4, 4))
    assert dict(dataset.info.factors) == SMALL
    means = PIXELS.reshape(6, 4, 2, 4, 2, 3).mean(axis=(2, 4)).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(dataset.gather(torch.arange(6)).numpy() * 255, means, atol=0.51)
    np.testing.assert_array_equal(dataset.space.factors(np.arange(6))[:, :2], np.argwhere(np.ones((2, 3))))


def test_published_facts() -> None:
    card = isaac3d.card()
    assert list(card.factors.values()) == [3, 8, 5, 4, 4, 4, 6, 4, 4]
    assert card.num_images == 737_280


def test_what_is_missing_says_where_it_is(tmp_path: Path) -> None:
    expected = (
        rf"no file of Isaac3D in {tmp_path} or {tmp_path}/isaac3d; put Isaac3D_down128.zip or "
        rf"Isaac3D_down128 there, or download it by hand from https://drive.google.com/\S+ \(13 GB\)$"
    )
    with pytest.raises(FileNotFoundError, match=expected):
        load(isaac3d.card(), data_dir=tmp_path)


def test_half_of_it(tmp_path: Path) -> None:
    write_folder(tmp_path)
    (tmp_path / "Isaac3D_down128" / "images" / "000005.png").unlink()
    with pytest.raises(ValueError, match=r"Isaac3D_down128 lacks 1 of 6 images, the first is images/000005.png"):
        load(isaac3d.card(factors=SMALL), data_dir=tmp_path, check_hash=False)
