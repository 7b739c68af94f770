"""Files in the layout of our own that the module describes."""

from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from disent_runner.datasets import faces3d
from disent_runner.datasets.load import load

PIXELS = np.random.default_rng(0).integers(0, 256, size=(3, 4, 2, 5, 8, 6), dtype=np.uint8)


def write(folder: Path, images: np.ndarray, **settings: object) -> Path:
    path = folder / "faces3d.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, **settings)
    return path


@pytest.mark.parametrize("settings", [{}, {"chunks": (2, 3, 2, 2, 8, 6), "compression": "gzip"}])
@pytest.mark.parametrize("bytes_per_block", [2**25, 3 * 10 * 48, 1])
def test_images_and_factors(
    settings: dict[str, object], bytes_per_block: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(faces3d, "BYTES_PER_BLOCK", bytes_per_block)
    write(tmp_path, PIXELS, **settings)
    dataset = load(faces3d.card(), data_dir=tmp_path)
    info = dataset.info
    assert list(info.factors.items()) == [("identity", 3), ("azimuth", 4), ("elevation", 2), ("light", 5)]
    assert (info.name, info.image_shape, info.num_images) == ("faces3d", (1, 8, 6), 120)
    seen = dataset.gather(torch.arange(120)).mul(255).round().byte().numpy()
    np.testing.assert_array_equal(seen, PIXELS.reshape(120, 1, 8, 6))
    factors = np.array([[2, 0, 1, 3], [0, 3, 0, 4]])
    np.testing.assert_array_equal(seen[dataset.space.indices(factors), 0], PIXELS[tuple(factors.T)])


@pytest.mark.parametrize(
    ("images", "seen"),
    [
        (PIXELS.reshape(120, 8, 6), r"uint8 \(120, 8, 6\)"),
        (PIXELS[..., None], r"uint8 \(3, 4, 2, 5, 8, 6, 1\)"),
        (PIXELS / 255, r"float64 \(3, 4, 2, 5, 8, 6\)"),
        (PIXELS[:, :0], r"uint8 \(3, 0, 2, 5, 8, 6\)"),
    ],
)
def test_images_of_another_kind(images: np.ndarray, seen: str, tmp_path: Path) -> None:
    path = write(tmp_path, images)
    expected = rf"{path} has images of {seen}, expected uint8 \(identity, azimuth, elevation, light, height, width\)"
    with pytest.raises(ValueError, match=expected):
        load(faces3d.card(), data_dir=tmp_path)


@pytest.mark.parametrize(("name", "seen"), [("pictures", "pictures"), ("images/all", "images")])
def test_a_file_without_images(name: str, seen: str, tmp_path: Path) -> None:
    path = tmp_path / "faces3d.h5"
    with h5py.File(path, "w") as file:
        file[name] = PIXELS
    with pytest.raises(ValueError, match=rf"{path} holds {seen}, expected a data set images"):
        load(faces3d.card(), data_dir=tmp_path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_a_damaged_file(keep: float, tmp_path: Path) -> None:
    path = write(tmp_path, PIXELS)
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(ValueError, match=rf"{path} cannot be read"):
        load(faces3d.card(), data_dir=tmp_path)


def test_a_damaged_chunk(tmp_path: Path) -> None:
    path = write(tmp_path, PIXELS, chunks=PIXELS.shape, compression="gzip")
    damaged = bytearray(path.read_bytes())
    damaged[-1000:] = bytes(1000)
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=rf"{path} cannot be read"):
        load(faces3d.card(), data_dir=tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"put faces3d.h5 there, or use its stand-in, dataset=toyfaces"):
        load(faces3d.card(), data_dir=tmp_path)
