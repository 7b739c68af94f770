"""Small files in the layout of the official ones: train_32x32.mat with X and y; and folders of PNG files."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from PIL import Image

from disent_runner.datasets import svhn
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.datasets.readers import image_files

COUNTS = {"train": 12, "test": 5, "extra": 7}
PIXELS = {
    part: np.random.default_rng(count).integers(0, 256, size=(32, 32, 3, count), dtype=np.uint8)
    for part, count in COUNTS.items()
}
LABELS = {part: (np.arange(count) * 3 % 10 + 1).astype(np.uint8)[:, None] for part, count in COUNTS.items()}


def write_mat(folder: Path, part: str, **changed: Any) -> Path:
    path = folder / f"{part}_32x32.mat"
    scipy.io.savemat(path, {"X": PIXELS[part], "y": LABELS[part], **changed}, do_compression=True)
    return path


def load_digits(folder: Path, part: str = "train") -> Dataset:
    return load(svhn.card(part=part), data_dir=folder, check_hash=False)


def images_of(dataset: Dataset) -> np.ndarray:
    return dataset.gather(torch.arange(len(dataset.space))).mul(255).round().byte().numpy()


def digits_of(dataset: Dataset) -> list[int]:
    return dataset.space.factors(np.arange(len(dataset.space)))[:, 0].tolist()


@pytest.mark.parametrize("part", ["train", "test", "extra"])
@pytest.mark.parametrize("place", [".", "svhn"])
def test_a_part(part: str, place: str, tmp_path: Path) -> None:
    (tmp_path / place).mkdir(exist_ok=True)
    write_mat(tmp_path / place, part)
    dataset = load_digits(tmp_path, part)
    assert (dataset.info.name, dataset.info.source, dataset.info.image_shape) == ("svhn", "unchecked", (3, 32, 32))
    assert dict(dataset.info.factors) == {"digit": 10}
    np.testing.assert_array_equal(images_of(dataset), PIXELS[part].transpose(3, 2, 0, 1))
    assert digits_of(dataset) == [label % 10 for label in LABELS[part][:, 0].tolist()]
    assert 0 in digits_of(dataset)


def test_all_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(svhn, "BYTES_PER_BLOCK", 5 * 3072)
    for part in COUNTS:
        write_mat(tmp_path, part)
    dataset = load_digits(tmp_path, "all")
    expected = np.concatenate([PIXELS[part] for part in COUNTS], axis=3).transpose(3, 2, 0, 1)
    np.testing.assert_array_equal(images_of(dataset), expected)
    assert digits_of(dataset) == [label % 10 for part in COUNTS for label in LABELS[part][:, 0].tolist()]
    assert len(load_digits(tmp_path, "test").space) == 5
    assert len(load_digits(tmp_path, "all").space) == 24


def test_published_facts() -> None:
    assert [svhn.card(part=part).num_images for part in ("train", "test", "extra", "all")] == [
        *(73_257, 26_032, 531_131),
        630_420,
    ]
    assert svhn.card().num_images == 73_257


def test_hashes_are_checked(tmp_path: Path) -> None:
    path = write_mat(tmp_path, "train")
    with pytest.raises(ValueError, match=rf"{path} \(\d+ bytes\) has sha256 \w+, expected 435e94d6\w+; download"):
        load(svhn.card(), data_dir=tmp_path)


def test_another_part() -> None:
    with pytest.raises(ValueError, match=r"dataset.part must be all, train, test, extra, got 'valid'"):
        svhn.card(part="valid")


@pytest.mark.parametrize("label", [0, 11, 255])
def test_labels_that_are_none(label: int, tmp_path: Path) -> None:
    path = write_mat(tmp_path, "train", y=np.where(LABELS["train"] == 10, label, LABELS["train"]).astype(np.uint8))
    with pytest.raises(ValueError, match=rf"{path} has the label {label}, expected 1 to 10 \(10 stands for"):
        load_digits(tmp_path)


@pytest.mark.parametrize(
    "changed",
    [
        {"y": LABELS["train"][:-1]},
        {"y": LABELS["train"].T},
        {"y": LABELS["train"] + 0.5},
        {"X": PIXELS["train"][:, :, 0]},
        {"X": PIXELS["train"].transpose(3, 0, 1, 2)},
        {"X": PIXELS["train"] / 255},
        {"X": PIXELS["train"][..., :0], "y": LABELS["train"][:0]},
    ],
)
def test_arrays_of_another_kind(changed: dict[str, np.ndarray], tmp_path: Path) -> None:
    path = write_mat(tmp_path, "train", **changed)
    with pytest.raises(ValueError, match=rf"{path} holds .*, expected bytes of X \(height, width, 3, image\) and y"):
        load_digits(tmp_path)


def test_parts_of_two_sizes(tmp_path: Path) -> None:
    write_mat(tmp_path, "train")
    write_mat(tmp_path, "test")
    path = write_mat(tmp_path, "extra", X=PIXELS["extra"][:16])
    with pytest.raises(ValueError, match=rf"{path} has images of \(3, 16, 32\), expected \(3, 32, 32\) as in .*train"):
        load_digits(tmp_path, "all")


@pytest.mark.parametrize("keep", [0.0, 0.5, 0.95])
def test_a_half_downloaded_file(keep: float, tmp_path: Path) -> None:
    path = write_mat(tmp_path, "train")
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    with pytest.raises(ValueError, match=rf"{path} .*; download it again"):
        load_digits(tmp_path)


@pytest.mark.parametrize("at", [0.5, 0.98])
def test_a_damaged_file(at: float, tmp_path: Path) -> None:
    path = write_mat(tmp_path, "train")
    damaged = bytearray(path.read_bytes())
    damaged[int(at * len(damaged))] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(ValueError, match=rf"{path} .*; download it again"):
        load_digits(tmp_path)


def write_folder(folder: Path, part: str) -> None:
    for index, label in enumerate(LABELS[part][:, 0].tolist()):
        path = folder / "svhn" / part / str(label % 10) / f"{index:05d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(PIXELS[part][..., index]).save(path)


@pytest.mark.parametrize("part", ["train", "all"])
def test_folders(part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(image_files, "BYTES_PER_BLOCK", 5 * 3072)
    parts = list(COUNTS) if part == "all" else [part]
    for name in parts:
        write_folder(tmp_path, name)
    (tmp_path / "svhn" / "train" / "0" / ".hidden.png").write_bytes(b"")
    (tmp_path / "svhn" / "train" / "readme.txt").write_text("mine")
    dataset = load_digits(tmp_path, part)
    expected = [
        (digit, PIXELS[name][..., index].transpose(2, 0, 1))
        for name in parts
        for digit in range(10)
        for index in np.flatnonzero(LABELS[name][:, 0] % 10 == digit)
    ]
    assert digits_of(dataset) == [digit for digit, _ in expected]
    np.testing.assert_array_equal(images_of(dataset), np.stack([pixels for _, pixels in expected]))


@pytest.mark.parametrize(
    ("name", "seen"), [("10/1.png", "10/1.png"), ("1.png", "1.png"), ("digitStruct.mat", "no JPEG or PNG")]
)
def test_folders_of_another_kind(name: str, seen: str, tmp_path: Path) -> None:
    path = tmp_path / "svhn" / "train" / name
    path.parent.mkdir(parents=True)
    file = io.BytesIO()
    Image.fromarray(PIXELS["train"][..., 0]).save(file, "PNG")
    path.write_bytes(file.getvalue())
    expected = rf"{tmp_path}/svhn/train has {seen}, expected images in folders 0 to 9.*get train_32x32.mat instead"
    with pytest.raises(ValueError, match=expected):
        load_digits(tmp_path)


def test_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "train").mkdir()  # somebody else's
    with pytest.raises(FileNotFoundError, match=r"no file of SVHN in .*put train_32x32.mat or train there"):
        load_digits(tmp_path)
