import logging
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from disent_runner.machine import files
from tests.datasets.own_files import GREY, GRID, PIXELS, Write, both, opened


@both
@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"pixels": GREY}, "must hold an array `images`, got pixels; rename the one that holds them"),
        (
            {"x": GREY, "data": GREY},
            "must hold an array `images`, images could be data or x; rename the one",
        ),
        (
            {"images": PIXELS[0].transpose(1, 2, 0)},
            r"images has shape \(16, 20, 3\), which is one picture; save images\[None\]",
        ),
        (
            {"images": PIXELS[0]},
            r"images has shape .* which is three grey .* or one in colour; save images\[:, None\], or images\[None\]",
        ),
        ({}, "must hold an array `images`, got nothing"),
        ({"images": GREY[0]}, r"images has shape \(16, 20\), expected \(N, H, W\), \(N, H, W, C\) or \(N, C, H, W\)"),
        ({"images": np.stack([GREY, GREY], 3)}, r"images has shape \(6, 16, 20, 2\), expected"),
        ({"images": GREY[:0]}, r"images has shape \(0, 16, 20\), expected"),
        ({"images": GREY.astype(np.int64)}, "images is int64, expected uint8, bool or floats from 0 to 1"),
        ({"images": GREY.astype(np.float32)}, r"images holds \d+\.0, expected uint8, bool or floats from 0 to 1"),
        ({"images": GREY / 255 - 0.5}, "images holds -0.*, expected uint8, bool or floats from 0 to 1"),
        ({"images": np.where(GREY > 250, np.nan, 0.5)}, "images holds nan, expected"),
        ({"images": (GREY > 99).astype(np.uint8)}, r"images are bytes of 0 and 1 only, .* save images.astype\(bool\)"),
        ({"images": GREY, "factors": GRID[:5]}, r"factors has shape \(5, 2\), expected \(6,\) or \(6, K\)"),
        ({"images": GREY, "factors": GRID[:, :0]}, r"factors has shape \(6, 0\), expected"),
        ({"images": GREY, "factors": GRID[None]}, r"factors has shape \(1, 6, 2\), expected"),
        ({"images": GREY, "factors": GRID * 1j}, "factors is complex128, expected numbers or text"),
        ({"images": GREY, "factors/x": GRID}, r"factors/x has shape \(6, 2\), expected \(6,\) for as many images"),
        (
            {"images": GREY, "factors": GRID, "factor_names": ["x"]},
            r"factor_names must be 2 different names, got \[x\]",
        ),
        (
            {"images": GREY, "factors": GRID, "factor_names": ["x", "x"]},
            r"factor_names must be 2 different names, got \[x, x\]",
        ),
        (
            {"images": GREY, "factors": GRID, "factor_names": ["x", ""]},
            r"factor_names must be 2 different names, got \[x, \]",
        ),
        ({"images": GREY, "factors": GRID, "factor_names": "x"}, r"factor_names must be 2 different names, got \[x\]"),
        (
            {"images": GREY, "factors": GRID, "factor_names": [["x", "y"]]},
            r"factor_names has shape \(1, 2\), expected one",
        ),
        ({"images": GREY, "factors/x": GRID[:, 0], "factor_names": ["y"]}, "factor_names are y, but factors holds x"),
    ],
)
def test_files_of_another_kind(
    name: str, write: Write, arrays: Mapping[str, Any], message: str, tmp_path: Path
) -> None:
    write(tmp_path / name, arrays)
    with pytest.raises(ValueError, match=rf"{tmp_path / name}:? {message}"):
        opened(tmp_path / name, tmp_path)


@pytest.mark.parametrize("key", ["images", "factors"])
def test_arrays_of_mixed_types_are_never_unpickled(key: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **{"images": GREY, key: np.array([1, "a", None, 2.5, 0, 0], dtype=object)})
    with pytest.raises(ValueError, match=rf"{path}: {key} cannot be read \(Object arrays cannot be loaded"):
        opened(path, tmp_path)


@both
def test_damaged_files(name: str, write: Write, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text("not what it is called")
    with pytest.raises(ValueError, match=rf"{path} cannot be read"):
        opened(path, tmp_path)
    write(path, {"images": PIXELS})
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(ValueError, match=rf"{path} cannot be read"):
        opened(path, tmp_path)


@both
@pytest.mark.parametrize(
    ("given", "names"),
    [("shape", ["shape"]), ([b"gr\xc3\xb6\xc3\x9fe"], ["größe"]), (b"../../x", ["../../x"]), ("$\\frac{|=\x1b", None)],
)
def test_one_name_is_the_name_of_one_factor(name, write, given, names, tmp_path):
    write(tmp_path / name, {"images": GREY, "factors": GRID[:, 0], "factor_names": given})
    assert list(opened(tmp_path / name, tmp_path).info.factors) == names or [given]


def test_an_npz_that_grows_beyond_reason_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "_GROWN", 2**20)
    with (
        zipfile.ZipFile(tmp_path / "mine.npz", "w", zipfile.ZIP_BZIP2) as archive,
        archive.open("images.npy", "w") as member,
    ):
        np.lib.format.write_array(member, np.zeros((2**5, 2**8, 2**8), np.uint8))
    with pytest.raises(ValueError, match=r"would be 2.1 MB of .*, more than any data become"):
        opened(tmp_path / "mine.npz", tmp_path)


@both
def test_arrays_under_other_names(name, write, tmp_path, caplog):
    caplog.set_level(logging.INFO, "disent_runner")
    write(tmp_path / name, {"imgs": GREY, "labels": GRID, "x": np.zeros(3)})
    dataset = opened(tmp_path / name, tmp_path)
    np.testing.assert_array_equal(dataset.space.factors(np.arange(6)), GRID)
    assert f"{name}: factors are those called `labels`" in caplog.messages
    ours = {"images": GREY, "factors": GRID, "labels": GRID[::-1], "imgs": GREY[::-1]}
    write(tmp_path / name, ours)
    np.testing.assert_array_equal(opened(tmp_path / name, tmp_path).space.factors(np.arange(6)), GRID)


@both
def test_labels_that_could_be_one_of_several_arrays_are_not_guessed(name, write, tmp_path, caplog):
    caplog.set_level(logging.INFO, "disent_runner")
    write(tmp_path / name, {"images": GREY, "labels": GRID, "y": GRID[:, 0], "targets": np.zeros(4)})
    assert dict(opened(tmp_path / name, tmp_path).info.factors) == {}
    assert f"{name}: factors could be labels or y; rename the one that is meant to `factors`" in (caplog.messages)
