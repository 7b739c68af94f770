import itertools

import numpy as np
import pytest
import torch

from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.images.layered_images import LayeredImages

SIZES = (3, 1, 4)
NUM_GEOMETRIES = 5
INDICES = torch.tensor([3, 0, 59, 3, 17])


def make_layers() -> np.ndarray:
    """Shares of the pixels' light, 255 at most in all, as a renderer gives them."""
    shares = np.random.default_rng(0).dirichlet((1, 1, 1, 0.3), size=(NUM_GEOMETRIES, 8, 6))[..., :3]
    return np.moveaxis(np.floor(255 * shares), 3, 1).astype(np.uint8)


LAYERS = make_layers()
PALETTES = [np.random.default_rng(size).integers(0, 256, size=(size, 3), dtype=np.uint8) for size in SIZES]


def expected() -> np.ndarray:
    """All images as bytes, in whole numbers; the sum is never halfway between two levels, as 255 is odd."""
    images = []
    for values in itertools.product(*map(range, SIZES)):
        colours = np.stack([palette[value] for palette, value in zip(PALETTES, values, strict=True)])
        for geometry in LAYERS:
            total = np.einsum("lhw,lc->chw", geometry.astype(np.int64), colours.astype(np.int64))
            images.append((total + 127) // 255)
    return np.stack(images).astype(np.uint8)


@pytest.fixture
def store() -> LayeredImages:
    return LayeredImages(ByteImages(LAYERS), PALETTES)


def test_images_are_sums_of_coloured_layers(store: LayeredImages) -> None:
    images = store.gather(torch.arange(60))
    assert images.dtype == torch.float32
    np.testing.assert_array_equal(images.numpy(), expected().astype(np.float32) / 255)


def test_facts_of_the_store(store: LayeredImages) -> None:
    assert (len(store), store.image_shape, store.nbytes) == (60, (3, 8, 6), LAYERS.nbytes)
    assert store.device == torch.device("cpu")
    assert store.to("cpu") is store
    assert store.gather(torch.zeros(0, dtype=torch.int64)).shape == (0, 3, 8, 6)


@pytest.mark.parametrize("index", [60, -1])
def test_index_out_of_range(store: LayeredImages, index: int) -> None:
    with pytest.raises(IndexError, match="image index must be 0 to 59"):
        store.gather(torch.tensor([0, index]))


def test_the_caller_may_change_a_batch(store: LayeredImages) -> None:
    before = store.gather(INDICES).clone()
    store.gather(INDICES).fill_(7)
    torch.testing.assert_close(store.gather(INDICES), before)


def test_autocast_changes_nothing(store: LayeredImages) -> None:
    with torch.autocast("cpu", dtype=torch.bfloat16):
        images = store.gather(torch.arange(60))
    torch.testing.assert_close(images, store.gather(torch.arange(60)), rtol=0, atol=0)


def test_every_layer_needs_a_palette() -> None:
    with pytest.raises(ValueError, match="3 layers need as many palettes, got 2"):
        LayeredImages(ByteImages(LAYERS), PALETTES[:2])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_gpu_gathers_the_same_without_waiting(store: LayeredImages) -> None:
    on_gpu = store.to("cuda")
    assert (on_gpu.device.type, len(on_gpu), on_gpu.image_shape) == ("cuda", 60, (3, 8, 6))
    indices = torch.arange(60).cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        images = on_gpu.gather(indices)
        with torch.autocast("cuda", dtype=torch.bfloat16):
            under_autocast = on_gpu.gather(indices)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    for gathered in (images, under_autocast):
        np.testing.assert_array_equal(gathered.mul(255).round().byte().cpu().numpy(), expected())
