"""A small archive in the layout of the official one: nesting, list, MATLAB files with image and mask."""

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.io import savemat

from disent_runner.datasets import cars3d
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load

CARS = ["car_017_mesh", "car_002_mesh", "car_100_mesh"]  # neither in the order of their names nor of the archive


def car(number: int) -> np.ndarray:
    """Each 16x16 square of a view in one colour, all of them different."""
    squares = np.random.default_rng(number).integers(0, 256, size=(8, 8, 3, 24, 4), dtype=np.uint8)
    return squares.repeat(16, axis=0).repeat(16, axis=1)


VIEWS = {name: car(number) for number, name in enumerate(CARS)}


def matlab_file(**variables: np.ndarray) -> bytes:
    file = io.BytesIO()
    savemat(file, variables, do_compression=True)
    return file.getvalue()


@pytest.fixture(scope="module")
def members() -> dict[str, bytes]:
    mask = np.ones((128, 128, 24, 4), np.uint8)
    cars = {f"data/cars/{name}.mat": matlab_file(im=VIEWS[name], mask=mask) for name in sorted(CARS)}
    others = {"data/shapes48.mat": b"other data", "data/cars/notes.mat": b"not listed"}
    return {**others, **cars, "data/cars/list.txt": "".join(f"{name}\n" for name in CARS).encode()}


def write(folder: Path, members: dict[str, bytes]) -> Path:
    path = folder / "nips2015-analogy-data.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def opened(folder: Path, transform: Transform | None = None) -> Dataset:
    return load(cars3d.card(), data_dir=folder, check_hash=False, transform=transform)


def test_images_and_factors_of_the_archive(members: dict[str, bytes], tmp_path: Path) -> None:
    write(tmp_path, members)
    dataset = opened(tmp_path, Transform(image_size=8))  # exactly the squares
    assert (dataset.info.name, dataset.info.source) == ("cars3d", "unchecked")
    assert list(dataset.info.factors.items()) == [("elevation", 4), ("azimuth", 24), ("object_type", 3)]
    assert dict(dataset.info.periods) == {"azimuth": 24}
    indices = np.arange(4 * 24 * 3)
    elevation, azimuth, object_type = dataset.space.factors(indices).T
    squares = np.stack([VIEWS[name] for name in CARS])[:, 8::16, 8::16]
    expected = squares[object_type, :, :, :, azimuth, elevation].transpose(0, 3, 1, 2)
    np.testing.assert_array_equal(dataset.gather(torch.from_numpy(indices)).mul(255).round().byte(), expected)


def test_images_are_stored_as_they_are(members: dict[str, bytes], tmp_path: Path) -> None:
    write(tmp_path, members)
    dataset = opened(tmp_path)
    assert dataset.info.image_shape == (3, 128, 128)
    (index,) = dataset.space.indices(np.array([[3, 5, 1]]))
    expected = VIEWS[CARS[1]][..., 5, 3].transpose(2, 0, 1)
    np.testing.assert_array_equal(dataset.gather(torch.tensor([index]))[0].mul(255).round().byte(), expected)


def test_published_facts() -> None:
    card = cars3d.card()
    assert (dict(card.factors), card.num_images) == ({"elevation": 4, "azimuth": 24, "object_type": 183}, 17_568)


def test_another_archive_is_not_the_official_one(members: dict[str, bytes], tmp_path: Path) -> None:
    write(tmp_path, members)
    with pytest.raises(
        ValueError, match=r"data.tar.gz \(\d+ bytes\) has md5 \w+, expected 4e866a7919c1beedf53964e6f7a"
    ):
        load(cars3d.card(), data_dir=tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("list.txt", b"\n", r"gz: data/cars/list.txt has 0 lines"),
        ("list.txt", b"car_002_mesh\ncar_002_mesh\n", r"gz: data/cars/list.txt has 2 lines, 1 of them different"),
        (
            "list.txt",
            b"car_002_mesh\ncar_003_mesh\n",
            r"gz has no data/cars/car_003_mesh.mat, which data/cars/list.txt",
        ),
        ("list.txt", b"\xff" * 3, r"gz has no data/cars/.*.mat, which data/cars/list.txt names"),
        ("list.txt", b"x" * (2**20 + 1), r"list.txt in .*gz is larger than the 1,048,576 bytes expected"),
        ("list.txt", None, r"gz cannot be read \(.*list.txt.*\); download it again"),
        ("car_002_mesh.mat", b"", r"car_002_mesh.mat in .*gz: im cannot be read \(it starts with"),
        ("car_002_mesh.mat", b"no matrix at all" * 99, r"car_002_mesh.mat in .*gz: im cannot be read \(it starts with"),
        (
            "car_002_mesh.mat",
            matlab_file(mask=np.zeros(3)),
            r"car_002_mesh.mat in .*gz: im cannot be read \(it is no array of bytes",
        ),
        (
            "car_002_mesh.mat",
            matlab_file(im=np.zeros((2, 3))),
            r"car_002_mesh.mat in .*gz: im cannot be read \(it is no array of bytes",
        ),
        (
            "car_002_mesh.mat",
            matlab_file(im=VIEWS[CARS[0]][:64]),
            r"it has shape \(64, 128, 3, 24, 4\), expected \(128,",
        ),
    ],
)
def test_wrong_content(
    name: str, content: bytes | None, message: str, members: dict[str, bytes], tmp_path: Path
) -> None:
    changed = {key: value for key, value in members.items() if key != f"data/cars/{name}"}
    write(tmp_path, changed if content is None else {**changed, f"data/cars/{name}": content})
    with pytest.raises(ValueError, match=message):
        opened(tmp_path)


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9])
def test_half_a_download(keep: float, members: dict[str, bytes], tmp_path: Path) -> None:
    path = write(tmp_path, members)
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=r"tar.gz (\(0 bytes\) is no tar|cannot be read \(.*\);).* download it again"):
        opened(tmp_path)


@pytest.mark.parametrize("at", [200, 5_000, 20_000])
def test_a_damaged_car(at: int, members: dict[str, bytes], tmp_path: Path) -> None:
    name = "data/cars/car_002_mesh.mat"
    damaged = bytearray(members[name])
    damaged[at : at + 50] = bytes(50)
    write(tmp_path, {**members, name: bytes(damaged)})
    with pytest.raises(ValueError, match=r"cannot be read \(.+\)"):
        opened(tmp_path)
