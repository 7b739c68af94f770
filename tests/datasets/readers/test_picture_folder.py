import os
from pathlib import Path

import numpy as np
import pytest

from disent_runner.datasets.readers.picture_folder import listed, read_folder
from tests.datasets.pictures import save_picture

PIXELS = np.random.default_rng(0).integers(0, 256, size=(6, 8, 10, 3), dtype=np.uint8)
NAMES = ["10.png", "2.png", "Ab.png", "a/1.png", "a/2.png", "b/1.png"]


def filled(folder: Path, names: list[str] = NAMES) -> Path:
    for name, pixels in zip(reversed(names), PIXELS[::-1], strict=True):
        save_picture(folder / name, pixels)
    return folder


def stacked(folder: Path) -> np.ndarray:
    return np.concatenate(list(read_folder(folder).blocks)).transpose(0, 2, 3, 1)


def test_pictures_are_sorted_by_their_paths(tmp_path):
    found = read_folder(filled(tmp_path))
    assert (found.num_images, found.image_shape, found.remarks) == (6, (3, 8, 10), ())
    np.testing.assert_array_equal(stacked(tmp_path), PIXELS)
    assert found.labels["class"].tolist() == ["", "", "", "a", "a", "b"]


def test_grey_pictures_have_one_channel_unless_one_is_in_colour(tmp_path):
    save_picture(tmp_path / "a.png", PIXELS[0, ..., 0])
    save_picture(tmp_path / "b.png", np.dstack([PIXELS[1, ..., 0], np.full((8, 10), 255, np.uint8)]))
    assert read_folder(tmp_path).image_shape == (1, 8, 10)
    save_picture(tmp_path / "c.jpg", PIXELS[2])
    assert read_folder(tmp_path).image_shape == (3, 8, 10)
    np.testing.assert_array_equal(stacked(tmp_path)[0], PIXELS[0, ..., :1].repeat(3, 2))


def test_pictures_in_one_folder_have_no_class(tmp_path):
    assert (
        read_folder(
            filled(tmp_path, [f"images/{name}" for name in ["1.png", "2.png", "3.png", "4.png", "5.png", "6.png"]])
        ).labels
        == {}
    )


def test_nothing_else_is_opened_and_no_link_followed(tmp_path):
    folder = filled(tmp_path / "mine")
    for name in (".hidden.png", "__MACOSX/1.png", "a/.DS_Store"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("no picture")
    assert read_folder(folder).remarks == ()
    filled(tmp_path / "other")
    (folder / "code.py").write_text("raise SystemExit")
    (folder / "linked").symlink_to(tmp_path / "other")
    (folder / "secret.png").symlink_to(tmp_path / "other" / "2.png")
    os.mkfifo(folder / "pipe.png")
    assert listed(folder).pictures == NAMES
    assert read_folder(folder).remarks == ("not read: 4 links or files that are no picture, such as code.py",)


@pytest.mark.parametrize(
    "table",
    [
        "file,shape,größe\n10.png,round,1\n./2.png,flat,2\nAb,,3\na/1,flat,4\na\\2.png,flat,5\nb/1.png,round,6\n",
        "\ufefffile;shape;größe\r\n10.png;round;1\r\n2.png;flat;2\r\nAb.png;;3\r\na/1.png;flat;4\r\na/2.png;flat;5\r\nb/1.png;round;6\r\n",
    ],
    ids=["commas", "as a spreadsheet saves it"],
)
def test_labels_of_a_table(table, tmp_path):
    (filled(tmp_path) / "labels.csv").write_bytes(table.encode())
    found = read_folder(tmp_path)
    assert found.remarks == ()
    assert {name: column.tolist() for name, column in found.labels.items()} == {
        "shape": ["round", "flat", "", "flat", "flat", "round"],
        "größe": list("123456"),
    }


def test_rows_of_no_picture_and_pictures_of_no_row(tmp_path):
    (filled(tmp_path) / "labels.csv").write_text("file,shape\n2.png,flat\n3.png,round\n1.png,round\n")
    found = read_folder(tmp_path)
    assert found.labels["shape"].tolist() == ["", "flat", "", "", "", ""]
    assert found.remarks == ("2 of 3 rows of labels.csv name no picture that is here",)  # 1.png is there twice


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (b"file,shape\nx.png,1\n", r"labels.csv names no picture that is here: .* 'x.png', expected such as 10.png"),
        (b"file,shape\n2.png,1\n2.png,2\n", "row 3 is about 2.png, which an earlier one is about; keep one of them"),
        (b"file,shape\n2.png\n", "row 2 has 1 values, expected 2 as the first"),
        (
            b"file,shape,shape\n2.png,1,2\n",
            r"factor_names must be 2 different names, got \[shape, shape\], in its first",
        ),
        (b"file\n2.png\n", "must have a line of names, then one for each picture"),
        (b"", "must have a line of names"),
        (b"2.png,round\n10.png,flat\n", "its first line is about a picture, 2.png, but has to name the columns"),
        ("file,größe\n2.png,1\n".encode("latin-1"), "labels.csv is not UTF-8; save it as such"),
        (b"file,shape\n2.png," + b"x" * 200_000, r"labels.csv cannot be read \(field larger than field limit"),
    ],
)
def test_tables_that_do_not_fit(table, message, tmp_path):
    (filled(tmp_path) / "labels.csv").write_bytes(table)
    with pytest.raises(ValueError, match=message):
        read_folder(tmp_path)


def test_folders_that_are_none_of_pictures(tmp_path):
    with pytest.raises(ValueError, match=r"holds no picture \(.png, .jpg"):
        read_folder(tmp_path)
    filled(tmp_path)
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("file,shape\n2.png,1\n")
    with pytest.raises(ValueError, match=r"has a.csv and b.csv; keep the one with the labels"):
        read_folder(tmp_path)
