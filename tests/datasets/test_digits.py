import gzip
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits

from disent_runner.datasets.digits import card
from disent_runner.datasets.load import load


def test_sixteenths_become_bytes(tmp_path: Path) -> None:
    text = ",".join(["0", "1", "8", "16", *["0"] * 60, "7"]) + "\n"
    (tmp_path / "digits.csv.gz").write_bytes(gzip.compress(text.encode()))
    dataset = load(card(num_images=1), data_dir=tmp_path)
    np.testing.assert_array_equal(dataset.gather(torch.arange(1))[0, 0, 0, :4] * 255, [0, 16, 128, 255])
    np.testing.assert_array_equal(dataset.space.factors(np.arange(1)), [[7]])
    with pytest.raises(ValueError, match=r"digits.csv.gz has 1 lines of 65 values, expected 1797 of 65"):
        load(replace(card(), stored_as="whole"), data_dir=tmp_path)


def test_they_are_what_scikit_learn_loads(tmp_path: Path) -> None:
    dataset = load(card(), data_dir=tmp_path)
    expected = load_digits()
    images = dataset.gather(torch.arange(1797)).numpy()[:, 0]
    np.testing.assert_allclose(images, expected.images / 16, atol=0.51 / 255)  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_array_equal(dataset.space.factors(np.arange(1797))[:, 0], expected.target)  # pyright: ignore
    info = dataset.info
    assert (info.name, info.source, info.image_shape, dict(info.factors)) == (
        "digits",
        "scikit-learn",
        (1, 8, 8),
        {"digit": 10},
    )
