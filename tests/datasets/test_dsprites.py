import hashlib
import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import dsprites
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.dsprites import load_dsprites, load_official
from disent_runner.datasets.dsprites_files import OFFICIAL_FILES, OfficialFile, read_npz
from disent_runner.rendering.sprites import render_sprites

SIZES = {"shape": 3, "pos_x": 4}
PIXELS = np.random.default_rng(0).integers(0, 2, size=(12, 64, 64), dtype=np.uint8)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The whole rendered data set, 377 MB, removed afterwards."""
    folder = tmp_path_factory.mktemp("data")
    load_dsprites(data_dir=folder, source="rendered")
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def rendered(data_dir: Path) -> Dataset:
    return load_dsprites(data_dir=str(data_dir), source="rendered")


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
        yield PIXELS

    monkeypatch.setattr(dsprites, "packed_blocks", never)
    assert load_dsprites(data_dir=data_dir, source="rendered").info.num_images == 737_280


def test_auto_without_an_official_file_says_so_once(data_dir: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "disent_runner")
    assert load_dsprites(data_dir=data_dir).info.source == "rendered"
    assert caplog.messages == [f"dsprites: no official file in {data_dir}, using rendered images"]


@pytest.mark.parametrize("source", ["auto", "official"])
@pytest.mark.parametrize("folder", [".", "dsprites"])
@pytest.mark.parametrize("file", OFFICIAL_FILES, ids=["npz", "hdf5"])
def test_a_wrong_official_file_is_not_passed_over(source: str, folder: str, file: OfficialFile, tmp_path: Path) -> None:
    path = tmp_path / folder / file.name
    path.parent.mkdir(exist_ok=True)
    path.write_text("half a download")
    expected = (
        rf"{path} \(15 bytes\) has \w+ \w+, expected {file.digest}; download it again, or use dataset.source=rend"
    )
    with pytest.raises(ValueError, match=expected):
        load_dsprites(data_dir=tmp_path, source=source)


def test_missing_official_file(tmp_path: Path) -> None:
    with pytest.raises(
        FileNotFoundError, match=rf"no official dSprites file in {tmp_path} .* put dsprites_ndarray.*source=rendered"
    ):
        load_dsprites(data_dir=tmp_path, source="official")


def test_unknown_source(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"dataset.source must be official, rendered or auto, got 'offical'"):
        load_dsprites(data_dir=tmp_path, source="offical")


def write_official(folder: Path, pixels: np.ndarray) -> OfficialFile:
    path = folder / "official.npz"
    np.savez_compressed(path, imgs=pixels)
    return OfficialFile(path.name, "md5", hashlib.md5(path.read_bytes()).hexdigest(), read_npz)


def test_official_images_are_converted_once(tmp_path: Path) -> None:
    file = write_official(tmp_path, PIXELS)
    dataset = load_official(tmp_path, files=[file], sizes=SIZES)
    np.testing.assert_array_equal(dataset.gather(torch.arange(12)).numpy()[:, 0], PIXELS)
    assert (dataset.info.source, dict(dataset.info.factors)) == ("official", SIZES)
    assert dataset.content_hash == hashlib.sha256(np.packbits(PIXELS.reshape(12, -1), axis=1).tobytes()).hexdigest()

    converted = tmp_path / "dsprites_official.h5"
    written_at = converted.stat().st_mtime_ns
    again = load_official(tmp_path, files=[file], sizes=SIZES)
    assert again.content_hash == dataset.content_hash
    assert converted.stat().st_mtime_ns == written_at


def test_a_changed_official_file_is_converted_again(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    load_official(tmp_path, files=[write_official(tmp_path, PIXELS)], sizes=SIZES)
    dataset = load_official(tmp_path, files=[write_official(tmp_path, 1 - PIXELS)], sizes=SIZES)
    np.testing.assert_array_equal(dataset.gather(torch.arange(12)).numpy()[:, 0], 1 - PIXELS)
    assert len(caplog.messages) == 1
    assert "dsprites_official.h5 has source_" in caplog.messages[0]


def test_a_damaged_replacement_leaves_the_converted_images(tmp_path: Path) -> None:
    file = write_official(tmp_path, PIXELS)
    load_official(tmp_path, files=[file], sizes=SIZES)
    converted = (tmp_path / "dsprites_official.h5").read_bytes()
    (tmp_path / file.name).write_text("half a download")
    with pytest.raises(ValueError, match="has md5"):
        load_official(tmp_path, files=[file], sizes=SIZES)
    assert (tmp_path / "dsprites_official.h5").read_bytes() == converted
