import numpy as np
import pytest
import torch

from disent_runner.datasets.images.derived_images import DerivedImages, in_grey
from disent_runner.datasets.images.image_store import ByteImages

PIXELS = np.random.default_rng(0).integers(0, 256, size=(10, 3, 8, 4), dtype=np.uint8)
INDICES = torch.tensor([3, 0, 3, 9])


def with_index(images: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
    """The first channel, and one whose brightness is the index."""
    return torch.cat([images[:, :1], (indices / 10).view(-1, 1, 1, 1).expand_as(images[:, :1])], dim=1)


@pytest.fixture
def store() -> DerivedImages:
    return DerivedImages(ByteImages(PIXELS), derive=with_index, num_channels=2)


def test_images_are_derived_from_image_and_index(store: DerivedImages) -> None:
    images = store.gather(INDICES).numpy()
    np.testing.assert_allclose(images[:, 0], PIXELS[INDICES.numpy(), 0] / 255, rtol=1e-6)
    np.testing.assert_allclose(images[:, 1], np.broadcast_to(INDICES.numpy()[:, None, None] / 10, (4, 8, 4)), rtol=1e-6)


def test_facts_are_those_of_the_images_beneath(store: DerivedImages) -> None:
    assert (len(store), store.image_shape, store.nbytes) == (10, (2, 8, 4), 960)
    assert store.device == torch.device("cpu")
    assert store.to("cpu") is store
    assert store.gather(torch.zeros(0, dtype=torch.int64)).shape == (0, 2, 8, 4)


@pytest.mark.parametrize("index", [10, -1])
def test_index_out_of_range(store: DerivedImages, index: int) -> None:
    with pytest.raises((IndexError, RuntimeError), match="out of range"):
        store.gather(torch.tensor([index]))


def test_the_caller_may_change_a_batch(store: DerivedImages) -> None:
    before = store.gather(INDICES).clone()
    store.gather(INDICES).fill_(7)
    torch.testing.assert_close(store.gather(INDICES), before)


def test_grey_is_luma() -> None:
    store = DerivedImages(ByteImages(PIXELS), derive=in_grey, num_channels=1)
    luma = np.einsum("c,ichw->ihw", [0.299, 0.587, 0.114], PIXELS / 255)
    np.testing.assert_allclose(store.gather(torch.arange(10)).numpy()[:, 0], luma, atol=1e-6)


def test_grey_of_white_is_not_above_white() -> None:
    assert in_grey(torch.ones(1, 3, 4, 4), torch.arange(1)).max() <= 1


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize(("derive", "num_channels"), [(with_index, 2), (in_grey, 1)])
def test_gpu_derives_the_same_without_waiting(derive, num_channels: int) -> None:
    store = DerivedImages(ByteImages(PIXELS), derive=derive, num_channels=num_channels)
    on_gpu = store.to("cuda")
    assert on_gpu.device.type == "cuda"
    indices = INDICES.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        images = on_gpu.gather(indices)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(images.cpu(), store.gather(INDICES), rtol=0, atol=3e-7)
