"""Small files in the layout of the official ones: names, types, nesting and compression."""

import hashlib
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest

from disent_runner.datasets.dsprites_files import OFFICIAL_FILES, OfficialFile, read_hdf5, read_npz

NUM_IMAGES = 2100  # more than two blocks, and no whole number of them


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


def described(path: Path) -> OfficialFile:
    read = {".npz": read_npz, ".hdf5": read_hdf5}[path.suffix]
    return OfficialFile(path.name, "sha256", hashlib.sha256(path.read_bytes()).hexdigest(), read)


@pytest.mark.parametrize("kind", ["npz", "hdf5"])
def test_images_are_packed_in_order(kind: str, pixels: np.ndarray, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    blocks = list(described(path).checked_blocks(path, NUM_IMAGES))
    assert len(blocks) == 3
    np.testing.assert_array_equal(np.unpackbits(np.concatenate(blocks), axis=1).reshape(pixels.shape), pixels)


@pytest.mark.parametrize("kind", ["npz", "hdf5"])
def test_a_truncated_file_is_told_by_its_hash(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    whole = request.getfixturevalue(kind)
    path = tmp_path / whole.name
    path.write_bytes(whole.read_bytes()[:-1000])
    with pytest.raises(
        ValueError, match=rf"{path} \(\d+ bytes\) has sha256 \w+, expected \w+; download it again, or use"
    ):
        next(described(whole).checked_blocks(path, NUM_IMAGES))


@pytest.mark.parametrize("kind", ["npz", "hdf5"])
@pytest.mark.parametrize("keep", [0, 0.5, 0.99])
def test_a_truncated_file_of_the_right_hash(
    kind: str, keep: float, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    whole = request.getfixturevalue(kind).read_bytes()
    path = tmp_path / f"images.{kind}"
    path.write_bytes(whole[: int(keep * len(whole))])
    with pytest.raises(ValueError, match=r"cannot be read \(.*\); download it again, or use dataset.source=rendered"):
        list(described(path).checked_blocks(path, NUM_IMAGES))


def test_a_damaged_byte_in_the_zipped_images(npz: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(npz) as archive:
        start = archive.getinfo("imgs.npy").header_offset
    damaged = bytearray(npz.read_bytes())
    damaged[start + 5000] ^= 255
    path = tmp_path / npz.name
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match="cannot be read"):
        list(described(path).checked_blocks(path, NUM_IMAGES))


@pytest.mark.parametrize("kind", ["npz", "hdf5"])
def test_another_number_of_images(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    with pytest.raises(
        ValueError, match=r"imgs is uint8 of shape \(2100, 64, 64\), expected uint8 of shape \(2101, 64"
    ):
        next(described(path).checked_blocks(path, NUM_IMAGES + 1))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((3, 64, 64), np.float32), "imgs is float32 of shape"),
        (np.zeros((3, 4096), np.uint8), r"imgs is uint8 of shape \(3, 4096\)"),
        (np.zeros((64, 64, 3), np.uint8).T, "Fortran order"),
    ],
)
def test_images_of_another_kind(images: np.ndarray, message: str, tmp_path: Path) -> None:
    path = tmp_path / "images.npz"
    np.savez_compressed(path, imgs=images)
    with pytest.raises(ValueError, match=message):
        next(described(path).checked_blocks(path, 3))


def test_files_without_images(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "images.npz", other=np.zeros(3))
    with h5py.File(tmp_path / "images.hdf5", "w") as file:
        file["imgs/data"] = np.zeros(3)
    with pytest.raises(ValueError, match=r"images.npz cannot be read .*imgs.npy.*download it again"):
        next(described(tmp_path / "images.npz").checked_blocks(tmp_path / "images.npz", 3))
    with pytest.raises(ValueError, match=r"images.hdf5: imgs is .*, expected a data set"):
        next(described(tmp_path / "images.hdf5").checked_blocks(tmp_path / "images.hdf5", 3))


def test_the_official_hashes() -> None:
    """Known to other loaders of the data set; the files themselves are not at hand here."""
    assert {(file.name.rsplit(".")[-1], file.algorithm, file.digest) for file in OFFICIAL_FILES} == {
        ("npz", "md5", "7da33b31b13a06f4b04a70402ce90c2e"),
        ("hdf5", "sha256", "729fa22e884c9c500e1f17415d580746b4c5894fbbb780a1319bbcfa39a745bb"),
    }
