import gzip
from pathlib import Path

import numpy as np
import pytest

from disent_runner.datasets.readers.labelled_csv import read_labelled_csv


def read(folder: Path, text: str, *, num_images: int = 2) -> tuple[np.ndarray, np.ndarray]:
    path = folder / "images.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    return read_labelled_csv(path, image_shape=(1, 2, 2), num_images=num_images, brightest=200, num_values=3)


def test_images_and_labels(tmp_path: Path) -> None:
    images, labels = read(tmp_path, "0,10,20,200,2\n1,2,3,4,0\n")
    np.testing.assert_array_equal(images, [[[[0, 10], [20, 200]]], [[[1, 2], [3, 4]]]])
    np.testing.assert_array_equal(labels, [2, 0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty, expected 2 lines of 5 values"),
        ("0,0,0,0,0\n", "has 1 lines of 5 values, expected 2 of 5"),
        ("0,0,0,0\n0,0,0,0\n", "has 2 lines of 4 values, expected 2 of 5"),
        ("0,0,0,0,0\n0,0,0,0\n", r"cannot be read \(.* columns changed from 5 to 4 .*\), expected whole numbers"),
        ("0,0,0,0,0\n0,0,0,x,0\n", r"cannot be read \(could not convert string 'x' .*\)"),
        ("0,0,0,0,0\n0,0,0,256,0\n", r"cannot be read \(.*256.*\), expected whole numbers from 0 to 255"),
        ("0,0,0,0,0\n0,0,0,201,0\n", "has pixels up to 201 and labels up to 0, expected 200 and 2"),
        ("0,0,0,0,0\n0,0,0,0,3\n", "has pixels up to 0 and labels up to 3, expected 200 and 2"),
    ],
)
def test_other_files(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=f"images.csv.gz {message}"):
        read(tmp_path, text)
