from pathlib import Path

import numpy as np
import pytest

from disent_runner.datasets.readers.idx import files_of, read_idx, read_labelled, stored_as
from tests.datasets.readers.idx_files import idx_bytes, write_idx

ARRAY = np.arange(24).reshape(2, 3, 4)


@pytest.mark.parametrize("name", ["images", "images.gz"])
def test_an_array_is_read_as_written(name: str, tmp_path: Path) -> None:
    write_idx(tmp_path / name, ARRAY)
    array = read_idx(tmp_path / name, 3)
    np.testing.assert_array_equal(array, ARRAY)
    assert array.dtype == np.uint8


def test_the_header_is_big_endian(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(bytes.fromhex("00000801 00000003 050009"))
    np.testing.assert_array_equal(read_idx(path, 1), [5, 0, 9])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with nothing, expected 00000803, bytes along 3 axes"),
        (idx_bytes(ARRAY)[:9], "starts with 00000803, expected 00000803"),
        (idx_bytes(ARRAY[0]), "starts with 00000802, expected 00000803"),
        (b"\0\0\x0d\3" + idx_bytes(ARRAY)[4:], "starts with 00000d03, expected 00000803"),  # floats
        (idx_bytes(ARRAY)[:-1], r"holds 23 bytes behind its header, which says 24 \(2 x 3 x 4\); download it again"),
        (idx_bytes(ARRAY) + b"\0", r"holds 25 bytes behind its header, which says 24"),
    ],
)
def test_files_that_are_something_else_or_cut(content: bytes, message: str, tmp_path: Path) -> None:
    path = tmp_path / "images"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"{path} {message}"):
        read_idx(path, 3)


def pairs(folder: Path, *arrays: np.ndarray) -> list[Path]:
    paths = [folder / str(number) for number in range(len(arrays))]
    for path, array in zip(paths, arrays, strict=True):
        write_idx(path, array)
    return paths


def test_pairs_follow_each_other(tmp_path: Path) -> None:
    paths = pairs(tmp_path, ARRAY, np.array([1, 0]), ARRAY[:1] + 100, np.array([2]))
    contents = read_labelled(paths, factor="kind", num_values=3)
    np.testing.assert_array_equal(np.concatenate(list(contents.blocks))[:, 0], [*ARRAY, ARRAY[0] + 100])
    np.testing.assert_array_equal(contents.factors.factors(np.arange(3)), [[1], [0], [2]])
    assert (contents.image_shape, dict(contents.factors.sizes)) == ((1, 3, 4), {"kind": 3})


def test_pairs_that_do_not_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"1 has 3 labels for the 2 images of .*0"):
        read_labelled(pairs(tmp_path, ARRAY, np.array([0, 1, 0])), factor="kind", num_values=2)
    with pytest.raises(ValueError, match=r"1 has label 2, expected 0 to 1"):
        read_labelled(pairs(tmp_path, ARRAY, np.array([0, 2])), factor="kind", num_values=2)
    labels = np.array([0, 1])
    paths = pairs(tmp_path, ARRAY, labels, ARRAY.reshape(2, 4, 3), labels)
    with pytest.raises(ValueError, match=r"have images of sizes \[\(3, 4\), \(4, 3\)\], expected one size"):
        read_labelled(paths, factor="kind", num_values=2)


def test_parts() -> None:
    assert files_of("all") == files_of("train") + files_of("test")
    assert files_of("test") == ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
    assert (stored_as("mnist", "all"), stored_as("mnist", "test")) == ("mnist", "mnist_test")
    with pytest.raises(ValueError, match=r"dataset.part must be all, train, test, got 'validation'"):
        files_of("validation")
