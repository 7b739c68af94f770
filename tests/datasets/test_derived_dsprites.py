"""What the coloured, the noisy and the scream variants have in common."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disent_runner.datasets import color_dsprites, dsprites, noisy_dsprites, scream_dsprites
from disent_runner.datasets.card import Card, PublishedFile
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load

SIZES = {"shape": 3, "pos_x": 4}
PIXELS = np.random.default_rng(0).integers(0, 2, size=(12, 64, 64), dtype=np.uint8)
CARDS = [color_dsprites.card, noisy_dsprites.card, scream_dsprites.card]
ALL = torch.arange(12)

MakeCard = Callable[..., Card]


@pytest.fixture
def small(tmp_path: Path) -> dict[str, Any]:
    """What makes a card one of twelve images, written as the official file."""
    path = tmp_path / "official.npz"
    np.savez_compressed(path, imgs=PIXELS)
    digest = f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}"
    return {"npz": PublishedFile(path.name, digest), "sizes": SIZES}


@pytest.mark.parametrize("card", CARDS)
def test_the_card_is_that_of_dsprites_in_colour(card: MakeCard) -> None:
    plain, derived = dsprites.card(), card()
    assert derived.image_shape == (3, 64, 64)
    assert (derived.num_images, derived.factors, derived.periods) == (737_280, plain.factors, plain.periods)
    assert derived.sources == ["official", "rendered"]
    assert [origin.files for origin in derived.origins] == [origin.files for origin in plain.origins]
    assert derived.name.startswith(card.__module__.rpartition(".")[2])


@pytest.mark.parametrize("card", CARDS)
def test_images_are_made_from_the_file_of_dsprites(card: MakeCard, small: dict[str, Any], tmp_path: Path) -> None:
    load(dsprites.card(**small), data_dir=tmp_path)
    written_at = (tmp_path / "dsprites_official.h5").stat().st_mtime_ns
    dataset = load(card(**small), data_dir=tmp_path)
    assert [path.name for path in tmp_path.glob("*.h5")] == ["dsprites_official.h5"]
    assert (tmp_path / "dsprites_official.h5").stat().st_mtime_ns == written_at
    assert (dataset.info.name, dataset.info.source) == (card().name, "official")
    assert (dataset.info.image_shape, dict(dataset.info.factors)) == ((3, 64, 64), SIZES)
    images = dataset.gather(ALL)
    assert images.dtype == torch.float32
    assert images.shape == (12, 3, 64, 64)
    assert 0 <= images.min() < images.max() <= 1


@pytest.mark.parametrize("card", CARDS)
def test_an_image_always_looks_the_same(card: MakeCard, small: dict[str, Any], tmp_path: Path) -> None:
    dataset = load(card(**small), data_dir=tmp_path)
    images = dataset.gather(ALL)
    torch.testing.assert_close(dataset.gather(torch.tensor([7, 3, 7])), images[[7, 3, 7]], rtol=0, atol=0)
    subset = dataset.subset({"pos_x": 2})
    torch.testing.assert_close(subset.gather(torch.arange(6)), images[[0, 2, 4, 6, 8, 10]], rtol=0, atol=0)
    again = load(card(**small), data_dir=tmp_path).gather(ALL)
    torch.testing.assert_close(again, images, rtol=0, atol=0)


@pytest.mark.parametrize("card", CARDS)
def test_two_images_of_one_object_look_different(card: MakeCard, small: dict[str, Any], tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "official.npz", imgs=np.broadcast_to(PIXELS[:1], PIXELS.shape))
    images = load(card(**small), data_dir=tmp_path, check_hash=False).gather(ALL)
    assert len(torch.unique(images.flatten(1), dim=0)) == 12


@pytest.mark.parametrize("card", CARDS)
def test_grey_and_small(card: MakeCard, small: dict[str, Any], tmp_path: Path) -> None:
    images = load(card(**small), data_dir=tmp_path).gather(ALL).numpy()
    grey = load(card(**small), data_dir=tmp_path, transform=Transform(grey=True))
    assert grey.info.image_shape == (1, 64, 64)
    luma = np.einsum("c,ichw->ihw", [0.299, 0.587, 0.114], images)
    np.testing.assert_allclose(grey.gather(ALL).numpy()[:, 0], luma, atol=1e-6)
    assert grey.content_hash != load(card(**small), data_dir=tmp_path).content_hash
    halved = load(card(**small), data_dir=tmp_path, transform=Transform(image_size=32))
    assert halved.info.image_shape == (3, 32, 32)
    assert 0 <= halved.gather(ALL).min() < halved.gather(ALL).max() <= 1


def test_content_hashes_tell_the_variants_apart(small: dict[str, Any], tmp_path: Path) -> None:
    from PIL import Image

    rng = np.random.default_rng(0)
    for name in ("one.png", "other.png"):
        Image.fromarray(rng.integers(0, 256, size=(70, 80, 3), dtype=np.uint8)).save(tmp_path / name)
    (tmp_path / "same.png").write_bytes((tmp_path / "one.png").read_bytes())
    pictures = [scream_dsprites.card(picture=tmp_path / f"{name}.png", **small) for name in ("one", "other", "same")]
    cards = [dsprites.card(**small), *(card(**small) for card in CARDS), *pictures]
    hashes = [load(card, data_dir=tmp_path).content_hash for card in cards]
    assert len(set(hashes)) == len(cards) - 1
    assert hashes[-1] == hashes[-3]


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.parametrize("card", CARDS)
def test_gpu_shows_the_same_without_waiting(card: MakeCard, small: dict[str, Any], tmp_path: Path) -> None:
    dataset = load(card(**small), data_dir=tmp_path)
    on_gpu, indices = dataset.to("cuda"), ALL.cuda()
    on_gpu.gather(indices)  # moves the table of noise or the picture
    torch.cuda.set_sync_debug_mode("error")
    try:
        images = on_gpu.gather(indices)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    torch.testing.assert_close(images.cpu(), dataset.gather(ALL), rtol=0, atol=2e-7)
