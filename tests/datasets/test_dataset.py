from dataclasses import replace

import numpy as np
import pytest
import torch

from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.labels.factor_space import FactorSpace

SIZES = {"shape": 2, "x": 6, "y": 4}


@pytest.fixture
def dataset() -> Dataset:
    """Image `i` is one pixel of brightness `i`."""
    info = DatasetInfo(name="dots", image_shape=(1, 1, 1), factors=SIZES, num_images=48, source="rendered")
    images = ByteImages(np.arange(48, dtype=np.uint8).reshape(48, 1, 1, 1))
    return Dataset(info=info, space=FactorSpace(SIZES), images=images, content_hash="abc")


def brightness(dataset: Dataset) -> list[int]:
    return (dataset.gather(torch.arange(len(dataset))).flatten() * 255).round().int().tolist()


def test_images_are_rows_of_the_space(dataset: Dataset) -> None:
    assert brightness(dataset) == list(range(48))


def test_subset_shows_the_same_images_and_copies_none(dataset: Dataset) -> None:
    subset = dataset.subset({"x": 3, "y": 2})
    assert subset.images is dataset.images
    assert (len(subset), subset.info.num_images, subset.content_hash) == (12, 12, "abc")
    assert dict(subset.info.factors) == {"shape": 2, "x": 3, "y": 2} == dict(subset.space.sizes)
    assert brightness(subset) == [24 * shape + 4 * x + y for shape in range(2) for x in (0, 2, 4) for y in (0, 2)]
    assert len(dataset) == dataset.info.num_images == 48


def test_names_of_values_are_those_of_the_images_left(dataset: Dataset) -> None:
    names = {"shape": ("disc", "star"), "x": tuple("abcdef")}
    named = replace(dataset, info=replace(dataset.info, value_names=names))
    subset = named.subset({"x": 4})
    assert subset.info.value_names == {"shape": ("disc", "star"), "x": ("a", "b", "d", "e")}
    assert brightness(named.subset({"x": 4, "y": 1}))[:4] == [0, 4, 12, 16]
    assert subset.subset({"x": 2, "shape": 1}).info.value_names == {"shape": ("disc",), "x": ("a", "d")}
    assert named.take(np.array([3, 40])).info.value_names == names


def test_subset_of_a_subset(dataset: Dataset) -> None:
    twice = dataset.subset({"x": 3}).subset({"x": 1, "y": 2})
    assert brightness(twice) == [0, 2, 24, 26]
    assert twice.images is dataset.images


@pytest.mark.parametrize("counts", [None, {}])
def test_no_counts_keep_everything(dataset: Dataset, counts: dict[str, int] | None) -> None:
    assert dataset.subset(counts) is dataset


def test_unknown_factor(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="names 'z'; the factors are shape, x, y"):
        dataset.subset({"z": 1})


def test_moving_keeps_the_rows(dataset: Dataset) -> None:
    subset = dataset.subset({"x": 3})
    assert brightness(subset.to("cpu")) == brightness(subset)


def test_numbers_must_agree(dataset: Dataset) -> None:
    with pytest.raises(ValueError, match="dots: 48 factor combinations, 48 images and num_images 47 must be equal"):
        replace(dataset, info=replace(dataset.info, num_images=47))
    with pytest.raises(ValueError, match="dots: 48 factor combinations, 3 images"):
        replace(dataset, rows=torch.arange(3))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_subset(dataset: Dataset) -> None:
    assert brightness(dataset.subset({"x": 3}).to("cuda")) == brightness(dataset.subset({"x": 3}))


def test_take_shows_the_same_images(dataset: Dataset) -> None:
    taken = dataset.take(np.array([1, 7, 30]))
    assert brightness(taken) == [1, 7, 30]
    np.testing.assert_array_equal(taken.space.factors(np.arange(3)), dataset.space.factors(np.array([1, 7, 30])))
    assert taken.info.num_images == 3
    assert dataset.take(np.arange(48)) is dataset
