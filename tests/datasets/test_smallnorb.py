"""Small files in the layout of the official ones: six gzipped binary matrices, shuffled, pairs of images."""

import gzip
import itertools
import struct
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import smallnorb
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load

KINDS = {"uint8": 0x1E3D4C55, "int32": 0x1E3D4C54}
SIZES = {"category": 2, "instance": 3, "elevation": 2, "azimuth": 3, "lighting": 2}
VALUES = ([1, 3], [0, 4, 7], [2, 5], [0, 16, 34], [1, 4])  # of 5, 10, 9, 18 and 6
GRID = np.array(list(itertools.product(*VALUES)), np.int32)
SHADES = np.arange(len(GRID), dtype=np.uint8)
"""Of the first camera's images, all over; the second's are brighter by 100."""

TRAINING, TESTING = "smallnorb-5x46789x9x18x6x2x96x96-training", "smallnorb-5x01235x9x18x6x2x96x96-testing"


def write_matrix(path: Path, matrix: np.ndarray, *, kind: int | None = None, extra: bytes = b"") -> None:
    lengths = [*matrix.shape, 1, 1][: max(3, matrix.ndim)]
    header = struct.pack(f"<{2 + len(lengths)}i", kind or KINDS[str(matrix.dtype)], matrix.ndim, *lengths)
    path.write_bytes(gzip.compress(header + matrix.tobytes() + extra, compresslevel=1))


def write(folder: Path, labels: np.ndarray = GRID) -> None:
    """Instances 0 in the testing files, the others in the training files, each in no order."""
    shades = np.stack([SHADES, SHADES + 100], axis=1)[: len(labels)]
    images = np.broadcast_to(shades[:, :, None, None], (len(labels), 2, 96, 96))
    order = np.random.default_rng(0).permutation(len(labels))
    for stem, is_in in ((TRAINING, labels[order, 1] > 0), (TESTING, labels[order, 1] == 0)):
        rows = order[is_in]
        write_matrix(folder / f"{stem}-dat.mat.gz", images[rows])
        write_matrix(folder / f"{stem}-cat.mat.gz", labels[rows, 0])
        write_matrix(folder / f"{stem}-info.mat.gz", labels[rows, 1:])


def opened(folder: Path, instance: str = "nuisance") -> Dataset:
    return load(smallnorb.card(instance=instance), data_dir=folder, check_hash=False)


def shades(dataset: Dataset) -> np.ndarray:
    """Of all images, none of which has a second shade."""
    images = dataset.gather(torch.arange(len(dataset))).mul(255).round().byte().numpy()
    assert images.shape == (len(dataset), 1, 96, 96)
    assert (images == images[:, :, :1, :1]).all()
    return images[:, 0, 0, 0]


def test_instances_as_a_factor(tmp_path: Path) -> None:
    write(tmp_path)
    dataset = opened(tmp_path, "factor")
    assert (dataset.info.name, dataset.info.source) == ("smallnorb", "unchecked")
    assert list(dataset.info.factors.items()) == list(SIZES.items())
    assert dict(dataset.info.periods) == {"azimuth": 18}
    np.testing.assert_array_equal(shades(dataset), SHADES)
    ranks = np.stack(np.unravel_index(np.arange(len(GRID)), tuple(SIZES.values())), axis=1)
    np.testing.assert_array_equal(dataset.space.factors(np.arange(len(GRID))), ranks)


def test_instances_as_a_nuisance(tmp_path: Path) -> None:
    write(tmp_path)
    dataset = opened(tmp_path)
    assert list(dataset.info.factors) == ["category", "elevation", "azimuth", "lighting"]
    factors = dataset.space.factors(np.arange(len(dataset)))
    ranks = np.stack(np.unravel_index(shades(dataset), tuple(SIZES.values())), axis=1)
    np.testing.assert_array_equal(factors, ranks[:, [0, 2, 3, 4]])
    combinations, counts = np.unique(factors, axis=0, return_counts=True)
    assert (len(combinations), set(counts)) == (2 * 2 * 3 * 2, {3})
    with pytest.raises(ValueError, match="3 images show the combination"):
        dataset.space.indices(factors[:1])


def test_both_are_kept_side_by_side(tmp_path: Path) -> None:
    write(tmp_path)
    for _ in range(2):
        assert len(opened(tmp_path).info.factors) == 4
        assert len(opened(tmp_path, "factor").info.factors) == 5
    names = sorted(path.name for path in tmp_path.glob("*.h5"))
    assert names == ["smallnorb_instance_official.h5", "smallnorb_official.h5"]


def test_published_facts() -> None:
    nuisance, factor = smallnorb.card(), smallnorb.card(instance="factor")
    assert list(nuisance.factors.values()) == [5, 9, 18, 6]
    assert list(factor.factors.values()) == [5, 10, 9, 18, 6]
    assert nuisance.num_images == factor.num_images == 48_600


def test_unknown_instance() -> None:
    with pytest.raises(ValueError, match=r"dataset.card.instance must be nuisance or factor, got 'random'"):
        smallnorb.card(instance="random")


def test_another_file_is_not_the_official_one(tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(
        ValueError, match=r"training-dat.mat.gz \(\d+ bytes\) has sha256 \w+, expected 5ffd6272a07d3269"
    ):
        load(smallnorb.card(), data_dir=tmp_path)


def test_a_file_is_missing(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / f"{TESTING}-info.mat.gz").unlink()
    with pytest.raises(FileNotFoundError, match=rf"no file of SmallNORB in .*; put {TESTING}-info.mat.gz there"):
        opened(tmp_path)


def replaced(column: int, value: int) -> np.ndarray:
    labels = GRID.copy()
    labels[-1, column] = value
    return labels


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (replaced(0, 5), r"training-cat.mat.gz or .*training-info.mat.gz has category 5, expected \[0, 1, 2, 3, 4\]"),
        (replaced(0, -1), r"has category -1, expected"),
        (replaced(1, 10), r"has instance 10, expected"),
        (replaced(2, 9), r"has elevation 9, expected"),
        (replaced(3, 33), r"has azimuth 33, expected \[0, 2, .*, 34\]"),
        (replaced(4, 6), r"has lighting 6, expected"),
        (replaced(4, 1), r"label 72 images, expected one for each combination of {'category': 2, 'instance': 3, 'elev"),
        (replaced(4, 5), r"label 72 images, expected one for each combination of {.*'lighting': 3}"),
        (GRID[:-1], r"training-dat.mat.gz, .* label 71 images, expected one for each combination of"),
    ],
)
def test_wrong_labels(labels: np.ndarray, message: str, tmp_path: Path) -> None:
    write(tmp_path, labels)
    with pytest.raises(ValueError, match=message):
        opened(tmp_path)


@pytest.mark.parametrize(
    ("part", "matrix", "kind", "message"),
    [
        (
            "dat",
            np.zeros((48, 2, 96, 90), np.uint8),
            None,
            r"lengths \(48, 2, 96, 90\), expected 0x1e3d4c55, 4 and \('any",
        ),
        ("dat", np.zeros((48, 1, 96, 96), np.uint8), None, r"lengths \(48, 1, 96, 96\), expected"),
        (
            "dat",
            np.zeros((48, 96, 96), np.uint8),
            None,
            r"a matrix of kind 0x1e3d4c55, 3 axes and lengths .*, expected",
        ),
        ("dat", np.zeros((48, 2, 96, 96), np.uint8), 0x1E3D4C54, r"a matrix of kind 0x1e3d4c54, 4 axes and"),
        ("dat", np.zeros((47, 2, 96, 96), np.uint8), None, r"have \[48, 48, 47\] rows, expected equal numbers"),
        ("cat", np.zeros(47, np.int32), None, r"have \[47, 48, 48\] rows, expected equal numbers"),
        (
            "cat",
            np.zeros((48, 1), np.int32),
            None,
            r"training-cat.mat.gz holds a matrix of kind 0x1e3d4c54, 2 axes and",
        ),
        ("cat", np.zeros(48, np.uint8), None, r"training-cat.mat.gz holds a matrix of kind 0x1e3d4c55, 1 axes"),
        (
            "info",
            np.zeros((48, 5), np.int32),
            None,
            r"training-info.mat.gz holds .* lengths \(48, 5\), expected .*'any', 4",
        ),
        ("info", np.zeros((2**17, 4), np.int32), None, r"training-info.mat.gz is larger than the 1,048,576 bytes"),
    ],
)
def test_wrong_matrix(part: str, matrix: np.ndarray, kind: int | None, message: str, tmp_path: Path) -> None:
    write(tmp_path)
    write_matrix(tmp_path / f"{TRAINING}-{part}.mat.gz", matrix, kind=kind)
    with pytest.raises(ValueError, match=message):
        opened(tmp_path)


def test_a_matrix_that_goes_on(tmp_path: Path) -> None:
    for part, matrix in (("cat", np.ones(24, np.int32)), ("dat", np.zeros((24, 2, 96, 96), np.uint8))):
        write(tmp_path)
        write_matrix(tmp_path / f"{TESTING}-{part}.mat.gz", matrix, extra=b"more")
        with pytest.raises(ValueError, match=rf"testing-{part}.mat.gz goes on after its last row"):
            opened(tmp_path)


@pytest.mark.parametrize("part", ["dat", "cat", "info"])
@pytest.mark.parametrize("keep", [0.0, 0.1, 0.5, 0.99])
def test_half_a_download(part: str, keep: float, tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / f"{TESTING}-{part}.mat.gz"
    content = path.read_bytes()
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(ValueError, match=r"testing-.*.mat.gz cannot be read \(.*\); download it again"):
        opened(tmp_path)


def test_a_matrix_shorter_than_its_header_says(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / f"{TESTING}-dat.mat.gz"
    path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes())[:-1]))
    with pytest.raises(ValueError, match=r"cannot be read \(.*testing-dat.mat.gz ends too early\); download it again"):
        opened(tmp_path)
