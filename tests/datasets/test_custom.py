import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disent_runner.datasets.custom import card
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.load import load
from tests.datasets.own_files import GREY, GRID, PIXELS, Write, both, opened, pixels
from tests.datasets.pictures import save_picture


@both
@pytest.mark.parametrize(
    ("images", "expected"),
    [
        (GREY, GREY[:, None]),
        (GREY[..., None], GREY[:, None]),
        (GREY[:, None], GREY[:, None]),
        (PIXELS, PIXELS),
        (PIXELS.transpose(0, 2, 3, 1), PIXELS),
        (GREY > 127, (GREY[:, None] > 127) * np.uint8(255)),
        (GREY / 255, GREY[:, None]),
        ((PIXELS / 255).astype(np.float32), PIXELS),
        ((PIXELS / 255).astype(np.float16), PIXELS),
        (np.asfortranarray(PIXELS), PIXELS),
    ],
    ids=[
        "grey",
        "channel-last",
        "channel-first",
        "colour",
        "colour-last",
        "bool",
        "double",
        "single",
        "half",
        "fortran",
    ],
)
def test_images_of_every_layout_and_type(
    name: str, write: Write, images: np.ndarray, expected: np.ndarray, tmp_path: Path
) -> None:
    write(tmp_path / name, {"images": images})
    dataset = opened(tmp_path / name, tmp_path)
    np.testing.assert_array_equal(pixels(dataset), expected)
    info = dataset.info
    assert (info.name, info.source, info.image_shape, dict(info.factors)) == ("mine", "file", expected.shape[1:], {})


def test_floats_are_rounded_to_the_nearest_byte(tmp_path: Path) -> None:
    values = np.array([0, 0.4, 0.6, 127.4, 254.6, 255]) / 255
    np.savez(tmp_path / "mine.npz", images=values.reshape(1, 3, 2))
    assert pixels(opened(tmp_path / "mine.npz", tmp_path)).reshape(-1).tolist() == [0, 0, 1, 127, 255, 255]


@both
def test_a_table_of_factors(name: str, write: Write, tmp_path: Path) -> None:
    write(tmp_path / name, {"images": GREY, "factors": GRID[::-1] * 10 + 5, "factor_names": ["x", "y"]})
    dataset = opened(tmp_path / name, tmp_path)
    assert isinstance(dataset.space, LabelTable)
    assert dict(dataset.info.factors) == {"x": 2, "y": 3}
    np.testing.assert_array_equal(dataset.space.labels, GRID[::-1])


@both
def test_an_array_for_each_factor(name: str, write: Write, tmp_path: Path) -> None:
    arrays = {
        "images": GREY,
        "factors/size": [2, -1, 0, 5, 2, 2],
        "factors/colour": ["red", "", "blue", "red", "red", "blue"],
        "factors/angle": [0.5, np.nan, 0.25, 0.5, 0.5, 0.75],
    }
    write(tmp_path / name, arrays)
    dataset = opened(tmp_path / name, tmp_path)
    columns = dict(zip(dataset.space.names, dataset.space.factors(np.arange(6)).T.tolist(), strict=True))
    assert columns == {
        "size": [1, -1, 0, 2, 1, 1],
        "colour": [1, -1, 0, 1, 1, 0],
        "angle": [1, -1, 0, 1, 1, 2],
    }
    write(tmp_path / name, {**arrays, "factor_names": ["angle", "size", "colour"]})
    assert opened(tmp_path / name, tmp_path).space.names == ("angle", "size", "colour")


@both
def test_one_factor_without_a_name(name: str, write: Write, tmp_path: Path) -> None:
    write(tmp_path / name, {"images": GREY, "factors": ["b", "a", "a", "c", "a", "b"]})
    dataset = opened(tmp_path / name, tmp_path)
    assert dict(dataset.info.factors) == {"factor_0": 3}
    assert dataset.space.factors(np.arange(6))[:, 0].tolist() == [1, 0, 0, 2, 0, 1]


@both
@pytest.mark.parametrize(
    ("factors", "is_grid"),
    [
        pytest.param(GRID, True, id="grid"),
        pytest.param(GRID[:, ::-1], False, id="first factor fastest"),
        pytest.param(np.where([[False, False]] * 5 + [[False, True]], np.nan, GRID), False, id="unknown"),
        pytest.param(np.zeros((6, 2), int), False, id="one combination"),
    ],
)
def test_a_full_grid_in_order_is_a_factor_space(
    name: str, write: Write, factors: np.ndarray, is_grid: bool, tmp_path: Path
) -> None:
    write(tmp_path / name, {"images": GREY, "factors": factors})
    space = opened(tmp_path / name, tmp_path).space
    assert isinstance(space, FactorSpace if is_grid else LabelTable)
    np.testing.assert_array_equal(space.factors(np.arange(6)), np.nan_to_num(factors, nan=-1))


def test_bins_are_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "disent_runner")
    path = tmp_path / "mine.npz"
    angles = np.where(np.arange(400) % 4, np.linspace(0, 1, 400), np.nan)
    images = np.arange(400, dtype=np.uint8)[:, None, None].repeat(4, 1).repeat(4, 2)
    np.savez(path, images=images, factors=angles, factor_names=["angle"])
    for _ in ("converted", "opened again"):
        caplog.clear()
        info = opened(path, tmp_path).info
        assert (dict(info.factors), info.binned) == ({"angle": 20}, {"angle": 20})
        assert caplog.messages == [
            "mine.npz: angle: 100 of 400 labels are missing",
            "mine.npz: angle: continuous, as most values occur fewer than 5 times; 20 bins of equal width "
            "(`discrete` names factors that are not)",
        ]
    assert opened(path, tmp_path).take(np.arange(30)).info.binned == {"angle": 20}


def test_what_is_said_of_the_labels_has_images_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, images=GREY, factors=np.c_[GRID[:, 0], np.arange(6)], factor_names=["shape", "year"])
    cases: list[tuple[dict[str, Any], tuple[int, ...], dict[str, int]]] = [
        ({}, (2, 6), {}),
        ({"continuous": ["year"]}, (2, 20), {"year": 20}),
        ({"discrete": ["year"]}, (2, 6), {}),
    ]
    for named, sizes, binned in cases:
        for _ in ("converted", "opened again"):
            info = load(card(path=str(path), **named), data_dir=tmp_path / "data").info
            assert (tuple(info.factors.values()), info.binned) == (sizes, binned)
    with pytest.raises(ValueError, match=r"mine\.npz: continuous names 'hue'; the factors are shape, year"):
        load(card(path=str(path), continuous=["hue"]), data_dir=tmp_path / "data")


def test_files_of_one_name_are_told_apart_and_changed_ones_read_again(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "mine.npz" for folder in "ab"]
    for path, images in zip(paths, (GREY, 255 - GREY), strict=True):
        path.parent.mkdir()
        np.savez(path, images=images)
    first, second = (opened(path, tmp_path) for path in paths)
    np.testing.assert_array_equal(pixels(first), 255 - pixels(second))
    assert len(list((tmp_path / "data").glob("custom_mine_*_file.h5"))) == 2
    np.savez(paths[0], images=GREY[:4])
    np.testing.assert_array_equal(pixels(opened(paths[0], tmp_path)), GREY[:4, None])


def test_a_file_in_the_data_folder_is_not_taken_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder, images in (("here", GREY), ("data", 255 - GREY)):
        (tmp_path / folder).mkdir()
        np.savez(tmp_path / folder / "mine.npz", images=images)
    monkeypatch.chdir(tmp_path / "here")
    np.testing.assert_array_equal(pixels(load(card(path="mine.npz"), data_dir=tmp_path / "data")), GREY[:, None])


def test_no_such_file(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"dataset.path must be your file \(.npz, .h5, .hdf5\) or a folder of pictures, got null"
    ):
        card(path=None)
    (tmp_path / "images.png").touch()
    with pytest.raises(ValueError, match=r"dataset.path must end in .npz, .h5, .hdf5, or be a folder of pictures, got"):
        card(path=f"{tmp_path}/images.png")
    with pytest.raises(
        FileNotFoundError, match=rf"dataset.path={tmp_path}/no.npz: there is no file or folder {tmp_path}/no.npz"
    ):
        card(path=f"{tmp_path}/no.npz")


def test_pictures_of_several_sizes_become_one(tmp_path):
    for name, side in (("a", 8), ("b", 12), ("c", 12), ("d", 20)):
        save_picture(tmp_path / "mine" / f"{name}.png", np.full((side, 16, 3), ord(name), np.uint8))
    asked = {"data_dir": tmp_path / "data", "card": card(path=f"{tmp_path}/mine")}
    for transform in (Transform(), Transform(image_size=8), Transform(crop=12)):
        with pytest.raises(ValueError, match=r"3 sizes, from 8x16 to 20x16.*dataset.crop=8 dataset.image_size="):
            load(**asked, transform=transform)
    dataset = load(**asked, transform=Transform(crop=8, image_size=4))
    assert dataset.info.image_shape == (3, 4, 4)
    assert pixels(dataset)[:, 0, 0, 0].tolist() == [ord(name) for name in "abcd"]
