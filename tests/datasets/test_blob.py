import numpy as np
import pytest
import torch

from disent_runner.datasets import blob
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering.blobs import render_blobs


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return load(blob.card(), data_dir=tmp_path_factory.mktemp("data"))


def test_facts(dataset: Dataset) -> None:
    card, info = blob.card(), dataset.info
    assert (info.name, info.source) == (card.name, *card.sources) == ("blob", "rendered")
    assert list(info.factors.items()) == list(card.factors.items()) == [("pos_x", 32), ("pos_y", 32)]
    assert info.num_images == card.num_images == len(dataset) == 1024
    assert info.image_shape == card.image_shape == (1, 64, 64)
    assert dict(info.periods) == dict(card.periods) == {}


def test_images_are_those_of_the_renderer(dataset: Dataset) -> None:
    indices = np.arange(1024)
    images = dataset.gather(torch.from_numpy(indices)).numpy()
    expected = render_blobs(dataset.space.factors(indices))[:, None].astype(np.float32) / 255
    np.testing.assert_array_equal(images, expected)


def test_x_is_across_and_y_down(dataset: Dataset) -> None:
    """The brightest pixel is the one in which the middle of the blob lies, 16 + 32 i / 31."""
    factors = np.array([[0, 31], [31, 0], [15, 20]])
    images = dataset.gather(torch.from_numpy(dataset.space.indices(factors)))[:, 0]
    column, row = images.amax(dim=1).argmax(dim=1), images.amax(dim=2).argmax(dim=1)
    assert np.abs(column.numpy() + 0.5 - (16 + 32 * factors[:, 0] / 31)).max() <= 0.51
    assert np.abs(row.numpy() + 0.5 - (16 + 32 * factors[:, 1] / 31)).max() <= 0.51


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_shows_the_same(dataset: Dataset) -> None:
    indices = torch.arange(0, 1024, 7)
    there = dataset.to("cuda").gather(indices.cuda()).cpu()
    torch.testing.assert_close(there, dataset.gather(indices), rtol=0, atol=1e-7)
