"""A small rendered_chairs.tar: names, folders and angles are those of the official one, the images are tiny."""

import io
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from disent_runner.datasets import chairs3d
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load

MODELS = ("fe02c7da84a0f6b0", "01125be6f4d9a2c7", "1a2b8749a1756a09")
ELEVATIONS = (20, 30)
AZIMUTHS = (
    *(0, 11, 23, 34, 46, 58, 69, 81, 92, 104, 116, 127, 139, 150, 162, 174),
    *(185, 197, 209, 220, 232, 243, 255, 267, 278, 290, 301, 313, 325, 336, 348),
)
PIXELS = np.random.default_rng(0).integers(0, 256, size=(3, 2, 31, 10, 10, 3), dtype=np.uint8)
"""By the order of the models' names."""


def file_name(model: str, elevation: int, azimuth: int) -> str:
    number = AZIMUTHS.index(azimuth) + 32 * ELEVATIONS.index(elevation)  # the official ones leave out number 31
    return f"{model}/renders/image_{number:03d}_p{elevation:03d}_t{azimuth:03d}_r096.png"


def all_files() -> dict[str, bytes]:
    """In the order of MODELS, which is not that of their names, as in the archive."""
    order = sorted(MODELS)
    return {
        file_name(model, elevation, azimuth): png(PIXELS[order.index(model), e, a])
        for model in MODELS
        for e, elevation in enumerate(ELEVATIONS)
        for a, azimuth in enumerate(AZIMUTHS)
    }


def png(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


@pytest.fixture(scope="module")
def files() -> Mapping[str, bytes]:
    return all_files()


def write_tar(folder: Path, files: Mapping[str, bytes]) -> Path:
    path = folder / "rendered_chairs.tar"
    with tarfile.open(path, "w") as archive:
        for name, content in {"all_chair_names.mat": b"MATLAB 5.0 MAT-file", **files}.items():
            member = tarfile.TarInfo(f"rendered_chairs/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def write_folder(folder: Path, files: Mapping[str, bytes]) -> None:
    for name, content in {"all_chair_names.mat": b"MATLAB 5.0 MAT-file", **files}.items():
        path = folder / "rendered_chairs" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def load_chairs(folder: Path) -> Dataset:
    return load(chairs3d.card(), data_dir=folder, check_hash=False)


def bytes_of(dataset: Dataset, indices: Iterable[int]) -> np.ndarray:
    return dataset.gather(torch.tensor(list(indices))).mul(255).round().byte().numpy()


@pytest.mark.parametrize("write", [write_tar, write_folder])
@pytest.mark.parametrize("place", [".", "chairs3d"])
def test_images_and_factors(write, place: str, files: Mapping[str, bytes], tmp_path: Path) -> None:
    (tmp_path / place).mkdir(exist_ok=True)
    write(tmp_path / place, files)
    dataset = load_chairs(tmp_path)
    info = dataset.info
    assert list(info.factors.items()) == [("model", 3), ("elevation", 2), ("azimuth", 31)]
    assert (info.name, info.source, info.image_shape) == ("chairs3d", "unchecked", (3, 10, 10))
    assert dict(info.periods) == {"azimuth": 31}
    np.testing.assert_array_equal(bytes_of(dataset, range(186)), PIXELS.reshape(186, 10, 10, 3).transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(
        dataset.space.factors(np.arange(186)), np.stack(np.unravel_index(np.arange(186), (3, 2, 31)), axis=1)
    )


def test_missing_views_leave_an_incomplete_grid(files: Mapping[str, bytes], tmp_path: Path) -> None:
    gone = [file_name(MODELS[0], 20, 0), file_name(MODELS[1], 30, 348), file_name(MODELS[2], 30, 11)]
    write_tar(tmp_path, {name: content for name, content in files.items() if name not in gone})
    dataset = load_chairs(tmp_path)
    assert len(dataset.space) == 183
    assert dict(dataset.info.factors) == {"model": 3, "elevation": 2, "azimuth": 31}
    views = dataset.space.factors(np.arange(183))
    absent = {(2, 0, 0), (0, 1, 30), (1, 1, 1)}
    assert absent.isdisjoint(map(tuple, views.tolist()))
    np.testing.assert_array_equal(bytes_of(dataset, range(183)), PIXELS[tuple(views.T)].transpose(0, 3, 1, 2))
    with pytest.raises(ValueError, match="no image shows the combination"):
        dataset.space.indices(np.array([[2, 0, 0]]))


def test_the_archive_is_searched_once(files: Mapping[str, bytes], tmp_path: Path, monkeypatch) -> None:
    headers = 0
    frombuf = tarfile.TarInfo.frombuf.__func__  # pyright: ignore[reportAttributeAccessIssue]

    def counted(cls, *arguments):
        nonlocal headers
        headers += 1
        return frombuf(cls, *arguments)

    write_tar(tmp_path, files)
    monkeypatch.setattr(tarfile.TarInfo, "frombuf", classmethod(counted))
    load_chairs(tmp_path)
    assert 187 <= headers < 2 * 187


def test_the_setting_of_the_field(files: Mapping[str, bytes], tmp_path: Path) -> None:
    write_tar(tmp_path, files)
    dataset = load(
        chairs3d.card(), data_dir=tmp_path, transform=Transform(crop=8, grey=True, image_size=4), check_hash=False
    )
    assert dataset.info.image_shape == (1, 4, 4)
    middle = PIXELS[0, 0, 0, 1:9, 1:9] @ [0.299, 0.587, 0.114]
    expected = middle.reshape(4, 2, 4, 2).mean(axis=(1, 3))
    assert np.abs(bytes_of(dataset, [0])[0, 0] - expected).max() <= 1


def test_published_facts() -> None:
    card = chairs3d.card()
    assert (card.num_images, dict(card.factors)) == (86_366, {"model": 1393, "elevation": 2, "azimuth": 31})
    assert tuple(chairs3d.AZIMUTHS) == AZIMUTHS


@pytest.mark.parametrize("angles", ["p025_t011", "p020_t012", "p020_t360"])
def test_angles_of_another_set(angles: str, tmp_path: Path) -> None:
    path = write_tar(tmp_path, {f"{MODELS[0]}/renders/image_001_{angles}_r096.png": png(PIXELS[0, 0, 0])})
    with pytest.raises(ValueError, match=rf"image_001_{angles}_r096.png in {path} shows elevation .* expected elevat"):
        load_chairs(tmp_path)


def test_two_images_of_one_view(tmp_path: Path) -> None:
    name = file_name(MODELS[0], 20, 11)
    path = write_tar(tmp_path, {name: png(PIXELS[0, 0, 0]), name.replace("_001_", "_002_"): png(PIXELS[0, 0, 0])})
    with pytest.raises(ValueError, match=rf"{path} has two images of one view, .*image_001.* and .*image_002"):
        load_chairs(tmp_path)


def test_another_archive(tmp_path: Path) -> None:
    path = write_tar(tmp_path, {"readme.txt": b"nothing here"})
    with pytest.raises(ValueError, match=rf"{path} has no MODEL/renders/image_NNN.*; it is not 3D Chairs"):
        load_chairs(tmp_path)


def test_mixed_sizes(tmp_path: Path) -> None:
    first, second = file_name(MODELS[0], 20, 0), file_name(MODELS[0], 20, 11)
    path = write_tar(tmp_path, {first: png(PIXELS[0, 0, 0]), second: png(PIXELS[0, 0, 0, :9])})
    with pytest.raises(ValueError, match=rf"{second} in {path} is 9x10, expected 10x10"):
        load_chairs(tmp_path)


@pytest.mark.parametrize("size", [70_100, 70_144, 70_656, 71_168])  # within a header, and after blocks
def test_a_half_downloaded_archive(size: int, files: Mapping[str, bytes], tmp_path: Path) -> None:
    path = write_tar(tmp_path, files)
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(ValueError, match=rf"{path} cannot be read \(.* end .*\); download it again"):
        load_chairs(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"put rendered_chairs.tar or rendered_chairs there"):
        load_chairs(tmp_path)
