from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets.images.image_store import BitImages, ByteImages, ImageStore

INDICES = torch.tensor([3, 0, 3, 9])


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_bytes_are_divided_by_255() -> None:
    data = np.arange(256, dtype=np.uint8).reshape(2, 2, 8, 8)
    images = ByteImages(data).gather(torch.tensor([1, 0]))
    assert images.dtype == torch.float32
    np.testing.assert_array_equal(images.numpy(), (data[[1, 0]] / 255).astype(np.float32))


def test_bits_are_pixels_row_by_row(rng: np.random.Generator) -> None:
    pixels = rng.integers(0, 2, size=(10, 12, 16), dtype=np.uint8)  # a transposed or reversed image would differ
    store = BitImages(np.packbits(pixels.reshape(10, -1), axis=1), height=12, width=16)
    images = store.gather(INDICES)
    assert images.dtype == torch.float32
    np.testing.assert_array_equal(images.numpy(), pixels[INDICES.numpy(), None].astype(np.float32))


def make_bytes(rng: np.random.Generator) -> ByteImages:
    return ByteImages(rng.integers(0, 256, size=(10, 3, 8, 4), dtype=np.uint8))


def make_bits(rng: np.random.Generator) -> BitImages:
    return BitImages(rng.integers(0, 256, size=(10, 4), dtype=np.uint8), height=8, width=4)


@pytest.mark.parametrize(("make", "channels", "nbytes"), [(make_bytes, 3, 960), (make_bits, 1, 40)])
def test_facts_of_a_store(make, channels: int, nbytes: int, rng: np.random.Generator) -> None:
    store: ImageStore = make(rng)
    assert (len(store), store.image_shape, store.nbytes) == (10, (channels, 8, 4), nbytes)
    assert store.device == torch.device("cpu")
    assert store.to("cpu") is store
    assert store.gather(torch.zeros(0, dtype=torch.int64)).shape == (0, channels, 8, 4)


@pytest.mark.parametrize("make", [make_bytes, make_bits])
@pytest.mark.parametrize("index", [10, -1])
def test_index_out_of_range(make, index: int, rng: np.random.Generator) -> None:
    with pytest.raises((IndexError, RuntimeError), match="out of range"):
        make(rng).gather(torch.tensor([index]))


@pytest.mark.parametrize("make", [make_bytes, make_bits])
def test_the_caller_may_change_a_batch(make, rng: np.random.Generator) -> None:
    store = make(rng)
    before = store.gather(INDICES).clone()
    store.gather(INDICES).fill_(7)
    torch.testing.assert_close(store.gather(INDICES), before)


def test_a_read_only_memory_map_is_not_copied(tmp_path: Path, rng: np.random.Generator) -> None:
    data = rng.integers(0, 256, size=(10, 4), dtype=np.uint8)
    path = tmp_path / "images"
    path.write_bytes(data.tobytes())
    mapped = np.memmap(path, np.uint8, mode="r", shape=(10, 4))
    store = BitImages(mapped, height=8, width=4)  # warnings are errors here: torch has none
    data[3] ^= 255
    with path.open("r+b") as file:  # the store shows the file as it is now, so it holds no copy
        file.write(data.tobytes())
    expected = np.unpackbits(data[INDICES.numpy()], axis=1).reshape(-1, 1, 8, 4)
    np.testing.assert_array_equal(store.gather(INDICES).numpy(), expected)


def test_wrong_data_is_refused() -> None:
    with pytest.raises(ValueError, match=r"64x64 images need shape \(image, 512\), got \(2, 511\)"):
        BitImages(np.zeros((2, 511), np.uint8), height=64, width=64)
    with pytest.raises(ValueError, match=r"3x3 images need shape \(image, 1.125\), got \(2, 1\)"):
        BitImages(np.zeros((2, 1), np.uint8), height=3, width=3)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("make", [make_bytes, make_bits])
def test_gpu_gathers_the_same_without_waiting(make, rng: np.random.Generator) -> None:
    store = make(rng)
    on_gpu = store.to("cuda")
    indices = INDICES.cuda()
    torch.cuda.set_sync_debug_mode("error")
    try:
        images = on_gpu.gather(indices)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(images.cpu(), store.gather(INDICES), rtol=0, atol=0)
