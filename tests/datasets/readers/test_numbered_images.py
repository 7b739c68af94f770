"""A small folder, or zip, of numbered images with labels beside them."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from disent_runner.datasets.readers.numbered_images import numbered_images

FACTORS = {"a": 3, "b": 2}
PIXELS = np.random.default_rng(0).integers(0, 256, size=(6, 4, 4, 3), dtype=np.uint8)
LABELS = np.array([[0, 0], [0, 1], [0.5, 0], [0.5, 1], [1, 0], [1, 1]])


def files(labels: np.ndarray = LABELS) -> dict[str, bytes]:
    array = io.BytesIO()
    np.save(array, labels)
    found = {"labels.npy": array.getvalue()}
    for number in (3, 1, 0, 5, 4, 2):  # archives are in any order
        image = io.BytesIO()
        Image.fromarray(PIXELS[number]).save(image, "PNG")
        found[f"images/{number:06}.png"] = image.getvalue()
    return found


def zipped(folder: Path, content: Mapping[str, bytes]) -> Path:
    path = folder / "things.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, bytes_ in content.items():
            archive.writestr(f"Things/{name}", bytes_)
    return path


def unpacked(folder: Path, content: Mapping[str, bytes]) -> Path:
    for name, bytes_ in content.items():
        path = folder / "Things" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes_)
    return folder / "Things"


def read(path: Path) -> tuple[np.ndarray, np.ndarray]:
    contents = numbered_images(path, FACTORS, labels="labels.npy")
    assert contents.image_shape == (3, 4, 4)
    return np.concatenate(list(contents.blocks)), contents.factors.factors(np.arange(6))


@pytest.mark.parametrize("write", [zipped, unpacked])
@pytest.mark.parametrize("has_labels", [True, False])
def test_numbers_are_rows_of_the_grid(write, has_labels: bool, tmp_path: Path) -> None:
    content = files()
    if not has_labels:
        del content["labels.npy"]
    images, factors = read(write(tmp_path, content))
    np.testing.assert_array_equal(images, PIXELS.transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(factors, np.rint(LABELS * [2, 1]))


def test_labels_with_rounding_errors_are_the_same(tmp_path: Path) -> None:
    read(zipped(tmp_path, files(LABELS + 1e-9 * np.arange(12).reshape(6, 2))))


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (LABELS[::-1], r"Things/labels.npy in .*things.zip does not vary in a as the numbers of the images do"),
        (LABELS[[0, 0, 2, 3, 4, 5]], r"does not vary in b as the numbers of the images do"),
        (LABELS[:5], r"is float64 of shape \(5, 2\), expected numbers \(6, 2\)"),
        (LABELS.astype("<U4"), r"is <U4 of shape \(6, 2\), expected numbers \(6, 2\)"),
        (np.array([None]), r"Things/labels.npy in .*things.zip is no readable array"),
    ],
)
def test_labels_of_another_grid(labels: np.ndarray, said: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=said):
        read(zipped(tmp_path, files(labels)))


def test_an_image_that_is_missing(tmp_path: Path) -> None:
    content = files()
    del content["images/000004.png"]
    with pytest.raises(
        ValueError, match=r"things.zip lacks 1 of 6 images, the first is images/000004.png; download it"
    ):
        read(zipped(tmp_path, content))
    with pytest.raises(ValueError, match=r"lacks 6 of 6 images, the first is images/000000.png"):
        read(zipped(tmp_path, {"readme.txt": b"nothing here"}))


def test_an_image_too_many(tmp_path: Path) -> None:
    content = files()
    with pytest.raises(ValueError, match=r"two images of one number; remove one"):
        read(zipped(tmp_path, {**content, "more/images/000001.png": content["images/000001.png"]}))
    with pytest.raises(ValueError, match=r"has 7 images, expected 6; Things/images/000006.png is beyond the grid"):
        read(zipped(tmp_path, {**content, "images/000006.png": content["images/000001.png"]}))
