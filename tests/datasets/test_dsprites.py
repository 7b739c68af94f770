import hashlib
import logging
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import dsprites
from disent_runner.datasets.card import Card, PublishedFile
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.load import load
from disent_runner.rendering.sprites import render_sprites

SIZES = {"shape": 3, "pos_x": 4}
PIXELS = np.random.default_rng(0).integers(0, 2, size=(12, 64, 64), dtype=np.uint8)


@pytest.fixture(scope="module")
def rendered(data_dir: Path) -> Dataset:
    return load(dsprites.card(), data_dir=str(data_dir), source="rendered")


def test_facts_of_the_rendered_set(rendered: Dataset) -> None:
    info = rendered.info
    assert (info.name, info.source, info.num_images, info.image_shape) == ("dsprites", "rendered", 737_280, (1, 64, 64))
    assert dict(info.factors) == {"shape": 3, "scale": 6, "orientation": 40, "pos_x": 32, "pos_y": 32}
    assert list(info.factors) == ["shape", "scale", "orientation", "pos_x", "pos_y"]
    assert rendered.content_hash == "3a228f4037ef3d42a42588e0e01f1078aa2df13cfa17584e88c95ed9fb5672da"
    assert rendered.images.nbytes == 377_487_360


def test_images_show_their_factors(rendered: Dataset) -> None:
    indices = np.random.default_rng(0).integers(len(rendered), size=50)
    expected = render_sprites(rendered.space.factors(indices))
    np.testing.assert_array_equal(rendered.gather(torch.from_numpy(indices)).numpy()[:, 0], expected)


def test_subset_of_the_rendered_set(rendered: Dataset) -> None:
    subset = rendered.subset({"scale": 1, "orientation": 10, "pos_x": 2, "pos_y": 2})
    indices = np.arange(len(subset))
    kept = subset.space.factors(indices) * [1, 1, 4, 16, 16]
    np.testing.assert_array_equal(subset.gather(torch.from_numpy(indices)).numpy()[:, 0], render_sprites(kept))


def test_the_second_time_nothing_is_rendered(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never() -> Iterator[np.ndarray]:
        pytest.fail("rendered again")

    monkeypatch.setattr(dsprites, "packed_blocks", never)
    assert load(dsprites.card(), data_dir=data_dir, source="rendered").info.num_images == 737_280


def test_auto_without_an_official_file_says_so_once(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "disent_runner")
    assert load(dsprites.card(), data_dir=data_dir).info.source == "rendered"
    assert caplog.messages == [f"dsprites: no official file in {data_dir}, using rendered images"]


@pytest.mark.parametrize("source", ["auto", "official"])
@pytest.mark.parametrize("folder", [".", "dsprites"])
@pytest.mark.parametrize("file", [dsprites.NPZ, dsprites.HDF5], ids=["npz", "hdf5"])
def test_a_wrong_official_file_is_not_passed_over(
    source: str, folder: str, file: PublishedFile, tmp_path: Path
) -> None:
    path = tmp_path / folder / file.name
    path.parent.mkdir(exist_ok=True)
    path.write_text("half a download")
    expected = rf"{path} \(15 bytes\) has \w+ \w+, expected {str(file.digest).partition(':')[2]}; download it again"
    with pytest.raises(ValueError, match=expected):
        load(dsprites.card(), data_dir=tmp_path, source=source)


def test_missing_official_file(tmp_path: Path) -> None:
    expected = rf"no file of dSprites in {tmp_path} .* put dsprites_nd.*npz or dsprites_nd.*hdf5 there.*source=rendered"
    with pytest.raises(FileNotFoundError, match=expected):
        load(dsprites.card(), data_dir=tmp_path, source="official")


def test_unknown_source(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"dataset.source must be official, rendered or auto, got 'offical'"):
        load(dsprites.card(), data_dir=tmp_path, source="offical")


def written(folder: Path, pixels: np.ndarray) -> Card:
    path = folder / "official.npz"
    np.savez_compressed(path, imgs=pixels)
    file = PublishedFile(path.name, f"md5:{hashlib.md5(path.read_bytes()).hexdigest()}")
    return dsprites.card(npz=file, sizes=SIZES)


def test_official_images_are_converted_once(tmp_path: Path) -> None:
    card = written(tmp_path, PIXELS)
    dataset = load(card, data_dir=tmp_path)
    np.testing.assert_array_equal(dataset.gather(torch.arange(12)).numpy()[:, 0], PIXELS)
    assert (dataset.info.source, dict(dataset.info.factors)) == ("official", SIZES)
    assert dataset.content_hash == hashlib.sha256(np.packbits(PIXELS.reshape(12, -1), axis=1).tobytes()).hexdigest()

    converted = tmp_path / "dsprites_official.h5"
    written_at = converted.stat().st_mtime_ns
    assert load(card, data_dir=tmp_path).content_hash == dataset.content_hash
    assert converted.stat().st_mtime_ns == written_at


def test_a_changed_official_file_is_converted_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load(written(tmp_path, PIXELS), data_dir=tmp_path)
    dataset = load(written(tmp_path, 1 - PIXELS), data_dir=tmp_path)
    np.testing.assert_array_equal(dataset.gather(torch.arange(12)).numpy()[:, 0], 1 - PIXELS)
    assert len(caplog.messages) == 1
    assert "dsprites_official.h5 has source_files" in caplog.messages[0]


def test_a_damaged_replacement_leaves_the_converted_images(tmp_path: Path) -> None:
    card = written(tmp_path, PIXELS)
    load(card, data_dir=tmp_path)
    converted = (tmp_path / "dsprites_official.h5").read_bytes()
    (tmp_path / "official.npz").write_text("half a download")
    with pytest.raises(ValueError, match="has md5"):
        load(card, data_dir=tmp_path)
    assert (tmp_path / "dsprites_official.h5").read_bytes() == converted


def test_a_truncated_file_that_is_not_checked(tmp_path: Path) -> None:
    card = written(tmp_path, PIXELS)
    path = tmp_path / "official.npz"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(ValueError, match=r"official.npz cannot be read \(.*\); download it again"):
        load(card, data_dir=tmp_path, check_hash=False)
    assert not list(tmp_path.glob("*.h5*partial"))


def test_the_facts_are_those_of_the_set(rendered: Dataset) -> None:
    card = dsprites.card()
    assert (card.num_images, card.image_shape) == (len(rendered), rendered.info.image_shape)
    assert card.num_images == math.prod(card.factors.values())
    assert dict(card.periods) == dict(rendered.info.periods) == {"orientation": 39}
