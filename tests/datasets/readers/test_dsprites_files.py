"""Small files in the layout of the official ones: names, types, nesting and compression."""

from pathlib import Path

import h5py
import numpy as np
import pytest

from disent_runner.datasets.readers.dsprites_files import Reader, read_hdf5, read_npz

NUM_IMAGES = 2100  # more than two blocks, and no whole number of them
READERS = pytest.mark.parametrize(("read", "kind"), [(read_npz, "npz"), (read_hdf5, "hdf5")], ids=["npz", "hdf5"])


@pytest.fixture(scope="module")
def pixels() -> np.ndarray:
    images = np.zeros((NUM_IMAGES, 64, 64), np.uint8)
    images.reshape(-1)[np.random.default_rng(0).integers(images.size, size=20_000)] = 1
    return images


class Bomb:
    """Pickled like the official metadata; it must never be unpickled."""

    def __reduce__(self):
        return pytest.fail, ("metadata was unpickled",)


@pytest.fixture(scope="module")
def npz(pixels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("npz") / "images.npz"
    metadata = np.array(Bomb(), dtype=object)
    classes = np.zeros((NUM_IMAGES, 6), np.int64)
    np.savez_compressed(
        path, metadata=metadata, imgs=pixels, latents_classes=classes, latents_values=classes.astype(np.float64)
    )
    return path


@pytest.fixture(scope="module")
def hdf5(pixels: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hdf5") / "images.hdf5"
    with h5py.File(path, "w") as file:
        file.create_dataset("imgs", data=pixels, chunks=(800, 2, 4), compression="gzip")
        file["latents/classes"] = np.zeros((NUM_IMAGES, 6), np.int64)
        file["latents/values"] = np.zeros((NUM_IMAGES, 6))
    return path


@READERS
def test_images_are_packed_in_order(
    read: Reader, kind: str, pixels: np.ndarray, request: pytest.FixtureRequest
) -> None:
    blocks = list(read(request.getfixturevalue(kind), NUM_IMAGES))
    assert len(blocks) > 1
    np.testing.assert_array_equal(np.unpackbits(np.concatenate(blocks), axis=1).reshape(pixels.shape), pixels)


@READERS
def test_another_number_of_images(read: Reader, kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    expected = r"imgs is uint8 of shape \(2100, 64, 64\), expected uint8 of shape \(2101, 64, 64\)"
    with pytest.raises(ValueError, match=expected):
        read(path, NUM_IMAGES + 1)


@READERS
@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 64, 64), np.float32), "imgs is float32 of shape"),
        (np.zeros((3, 4096), np.uint8), r"imgs is uint8 of shape \(3, 4096\)"),
    ],
)
def test_images_of_another_kind(read: Reader, kind: str, images: np.ndarray, message: str, tmp_path: Path) -> None:
    path = tmp_path / f"images.{kind}"
    if kind == "npz":
        np.savez_compressed(path, imgs=images)
    else:
        with h5py.File(path, "w") as file:
            file["imgs"] = images
    with pytest.raises(ValueError, match=message):
        read(path, 3)
