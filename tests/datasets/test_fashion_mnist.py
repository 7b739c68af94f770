from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets.card import Card
from disent_runner.datasets.fashion_mnist import DEBIAN_FOLDER, card
from disent_runner.datasets.load import load
from tests.datasets.readers.idx_files import write_set


def without_debian(whole: Card) -> Card:
    """What the card is where the package is not installed."""
    return replace(whole, origins=tuple(replace(origin, folder=None) for origin in whole.origins))


@pytest.mark.parametrize("ending", [".gz", ""])
def test_images_and_classes_of_every_part(ending: str, tmp_path: Path) -> None:
    images, classes = write_set(tmp_path / "fashion_mnist", ending=ending)
    for part, kept in (("all", slice(8)), ("train", slice(5)), ("test", slice(5, 8))):
        dataset = load(without_debian(card(part=part)), data_dir=tmp_path, check_hash=False)
        info, indices = dataset.info, np.arange(len(dataset))
        np.testing.assert_array_equal(dataset.gather(torch.from_numpy(indices))[:, 0] * 255, images[kept])
        np.testing.assert_array_equal(dataset.space.factors(indices)[:, 0], classes[kept])
        assert (info.name, info.source, dict(info.factors)) == ("fashion_mnist", "unchecked", {"class": 10})


def test_files_of_another_folder_are_found(tmp_path: Path) -> None:
    images, _ = write_set(tmp_path / "elsewhere", ending=".gz")
    whole = without_debian(card())
    installed = replace(whole.origins[2], folder=str(tmp_path / "elsewhere"))
    dataset = load(replace(whole, origins=(*whole.origins[:2], installed)), data_dir=tmp_path, check_hash=False)
    np.testing.assert_array_equal(dataset.gather(torch.arange(8))[:, 0] * 255, images)


def test_what_is_missing_is_said_with_the_package(tmp_path: Path) -> None:
    expected = "put train-images.* or run `apt-get install dataset-fashion-mnist`$"
    with pytest.raises(FileNotFoundError, match=expected):
        load(without_debian(card()), data_dir=tmp_path)


@pytest.mark.skipif(not Path(DEBIAN_FOLDER).exists(), reason="needs the Debian package dataset-fashion-mnist")
def test_the_files_of_the_debian_package(tmp_path: Path) -> None:
    dataset = load(card(part="test"), data_dir=tmp_path)
    classes = dataset.space.factors(np.arange(10_000))[:, 0]
    assert (dataset.info.source, dataset.info.num_images) == ("official", 10_000)
    np.testing.assert_array_equal(classes[:10], [9, 2, 1, 1, 6, 1, 4, 6, 5, 7])  # boot, pullover, two trousers, …
    np.testing.assert_array_equal(np.bincount(classes), np.full(10, 1000))
