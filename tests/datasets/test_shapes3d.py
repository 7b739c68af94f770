"""Small files in the layout of the official one: names, types, chunks, float labels."""

import logging
import math
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from disent_runner.datasets import shapes3d
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.layout import Labels
from disent_runner.datasets.load import load
from disent_runner.rendering.rooms import ROOM_SIZES, render_rooms, room_colours

SIZES = {"floor_hue": 2, "wall_hue": 1, "object_hue": 3, "scale": 2, "shape": 4, "orientation": 3}
NUM_IMAGES = math.prod(SIZES.values())
PIXELS = np.random.default_rng(0).integers(0, 256, size=(NUM_IMAGES, 64, 64, 3), dtype=np.uint8)
GRID = np.stack(np.unravel_index(np.arange(NUM_IMAGES), tuple(SIZES.values())), axis=1)
LABELS = GRID * [0.1, 0.1, 0.1, 0.5 / 7, 1, 30 / 7] + [0, 0, 0, 0.75, 0, -30]


def write(folder: Path, *, images: np.ndarray = PIXELS, labels: np.ndarray = LABELS) -> Path:
    path = folder / "3dshapes.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, compression="gzip", chunks=(50, 8, 8, 1))
        file.create_dataset("labels", data=labels)
    return path


def opened(folder: Path) -> Dataset:
    return load(shapes3d.card(), data_dir=folder, check_hash=False)


def test_images_and_factors_of_the_file(tmp_path: Path) -> None:
    write(tmp_path)
    dataset = opened(tmp_path)
    assert (dataset.info.name, dataset.info.source) == ("shapes3d", "unchecked")
    assert (dataset.info.image_shape, list(dataset.info.factors.items())) == ((3, 64, 64), list(SIZES.items()))
    np.testing.assert_array_equal(dataset.space.factors(np.arange(NUM_IMAGES)), GRID)
    images = dataset.gather(torch.arange(NUM_IMAGES)).mul(255).round().byte()
    np.testing.assert_array_equal(images, PIXELS.transpose(0, 3, 1, 2))


def test_another_file_is_not_the_official_one(tmp_path: Path) -> None:
    path = write(tmp_path)
    with pytest.raises(ValueError, match=rf"{path} \(\d+ bytes\) has sha256 \w+, expected 0a0f6ed98baff276a50f3a081a"):
        load(shapes3d.card(), data_dir=tmp_path)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"images": PIXELS.astype(np.float32)}, r"images is float32 of shape \(144, 64, 64, 3\), expected uint8 of"),
        ({"images": PIXELS[:, :32]}, r"images is uint8 of shape \(144, 32, 64, 3\), expected .* \(any, 64, 64, 3\)"),
        ({"labels": LABELS[:-1]}, r"labels is float64 of shape \(143, 6\), expected float64 of shape \(144, 6\)"),
        ({"labels": LABELS[:, :5]}, r"labels is float64 of shape \(144, 5\), expected"),
        ({"labels": GRID}, r"labels is int64 of shape"),
        (
            {"images": PIXELS[:100], "labels": LABELS[:100]},
            r"has 100 images, expected one for each combination of {'fl",
        ),
        ({"labels": LABELS[::-1]}, r"image 0 is out of order; floor_hue, wall_hue, .* must vary, the last fastest"),
        ({"labels": LABELS[[0, 1, 2, 4, 3, *range(5, 144)]]}, r"image 3 is out of order"),
        ({"labels": LABELS + 1e-9 * np.eye(144, 6)}, r"has 144 images, expected one for each combination of"),
    ],
)
def test_wrong_content(part: dict[str, np.ndarray], message: str, tmp_path: Path) -> None:
    path = write(tmp_path, **part)
    with pytest.raises(ValueError, match=rf"{path}.* {message}"):
        opened(tmp_path)


def test_half_a_download(tmp_path: Path) -> None:
    path = write(tmp_path)
    path.write_bytes(path.read_bytes()[:-1000])
    with pytest.raises(ValueError, match=rf"{path} cannot be read \(.*\); download it again"):
        opened(tmp_path)


def test_a_file_without_labels(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "3dshapes.h5", "w") as file:
        file["images"] = PIXELS
    with pytest.raises(ValueError, match=r"3dshapes.h5 cannot be read \(.*labels.*\); download it again"):
        opened(tmp_path)


@pytest.fixture
def layers(monkeypatch: pytest.MonkeyPatch) -> np.ndarray:
    """Shading that takes no time to render."""
    layers = np.random.default_rng(0).integers(0, 64, size=(480, 4, 64, 64), dtype=np.uint8)
    monkeypatch.setattr(shapes3d, "room_layers", lambda: layers)
    return layers


def test_the_stand_in_goes_by_its_own_name(
    layers: np.ndarray, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "disent_runner")
    dataset = load(shapes3d.card(), data_dir=tmp_path)
    assert (dataset.info.name, dataset.info.source) == ("shapes3d_rendered", "rendered")
    assert dict(dataset.info.factors) == ROOM_SIZES
    assert caplog.messages == [f"shapes3d: no official file in {tmp_path}, using shapes3d_rendered"]
    assert dict(dataset.info.periods) == {"floor_hue": 10, "wall_hue": 10, "object_hue": 10}

    written_at = (tmp_path / "shapes3d_rendered.h5").stat().st_mtime_ns
    same = load(shapes3d.rendered_card(), data_dir=tmp_path)
    assert (same.info, same.content_hash) == (dataset.info, dataset.content_hash)
    assert (tmp_path / "shapes3d_rendered.h5").stat().st_mtime_ns == written_at
    assert len(caplog.messages) == 1  # who asks for the stand-in is not told of it


def test_rooms_are_layers_in_the_colours_of_their_factors(layers: np.ndarray, tmp_path: Path) -> None:
    dataset = load(shapes3d.rendered_card(), data_dir=tmp_path)
    indices = np.random.default_rng(1).integers(len(dataset), size=30)
    floor, wall, solid, scale, shape, orientation = dataset.space.factors(indices).T
    shading = layers.reshape(8, 4, 15, 4, 64, 64)[scale, shape, orientation].astype(float)
    hue = room_colours()[0]
    colours = np.stack([hue[floor], hue[wall], hue[solid], np.full((30, 3), 255)], axis=1)
    expected = np.einsum("nlhw,nlc->nchw", shading, colours / 255)
    np.testing.assert_allclose(dataset.gather(torch.from_numpy(indices)).numpy(), expected / 255, atol=0.51 / 255)


@pytest.mark.slow
@pytest.mark.parametrize("side", [64, 16])
def test_rooms_are_the_rendered_ones(side: int, tmp_path: Path) -> None:
    dataset = load(shapes3d.rendered_card(), data_dir=tmp_path, transform=Transform(image_size=side))
    indices = np.arange(0, 480_000, 9_999)
    rooms = render_rooms(dataset.space.factors(indices)).reshape(-1, 3, side, 64 // side, side, 64 // side)
    images = dataset.gather(torch.from_numpy(indices)).numpy()
    np.testing.assert_allclose(images, rooms.mean(axis=(3, 5)) / 255, atol=(0.01 if side == 64 else 3) / 255)


def test_without_the_file_there_is_nothing_official(tmp_path: Path) -> None:
    expected = (
        r"no file of 3D Shapes in .*; put 3dshapes.h5 there, run `disent-data prepare shapes3d`, or use .*rendered"
    )
    with pytest.raises(FileNotFoundError, match=expected):
        load(shapes3d.card(), data_dir=tmp_path, source="official")


def test_labels_of_exports_are_those_of_the_file() -> None:
    factors = np.stack([np.arange(4) % size for size in ROOM_SIZES.values()], axis=1)
    layout = shapes3d.card().layout
    assert layout is not None
    labels = layout.beside(Labels(sizes=ROOM_SIZES, classes=factors, originals=factors, source="official"))["labels"]
    np.testing.assert_allclose(labels[1], [0.1, 0.1, 0.1, 0.75 + 0.5 / 7, 1, -30 + 60 / 14])
