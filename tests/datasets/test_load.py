import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from disent_runner.datasets.card import Card, Contents, Origin, PublishedFile, rendered
from disent_runner.datasets.images.derived_images import DerivedImages
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.labels.factor_space import FactorSpace
from disent_runner.datasets.labels.factors import Factors
from disent_runner.datasets.labels.label_table import LabelTable
from disent_runner.datasets.load import load

PIXELS = np.random.default_rng(0).integers(0, 256, size=(6, 3, 16, 16), dtype=np.uint8)
GRID = FactorSpace({"x": 2, "y": 3})


def contents(factors: Factors = GRID) -> Contents:
    return Contents((3, 16, 16), factors, (PIXELS[:4], PIXELS[4:]))


def card(render: Callable[[], Contents] = contents, **origin: object) -> Card:
    origins = (rendered(render, **origin),)
    return Card("things", "Things", "none", "nowhere", origins, factors=GRID.sizes, periods={"x": 2})


def official(read: Callable[[Sequence[Path]], Contents], *, digest: str | None = None) -> Card:
    origin = Origin("official", read, files=(PublishedFile("things.zip", digest),))
    return replace(card(), origins=(origin, rendered(contents)), names={"rendered": "stand_in"})


def test_images_and_facts(tmp_path: Path) -> None:
    for _ in range(2):  # made, then opened
        dataset = load(card(), data_dir=tmp_path)
        np.testing.assert_array_equal(dataset.images.gather(torch.arange(6)).mul(255).round().byte(), PIXELS)
        assert (dataset.info.name, dataset.info.source, dataset.info.num_images) == ("things", "rendered", 6)
        assert (dict(dataset.info.factors), dict(dataset.info.periods)) == ({"x": 2, "y": 3}, {"x": 2})
    assert (tmp_path / "things_rendered.h5").exists()


@pytest.mark.parametrize(
    "factors",
    [
        GRID,
        FactorSpace({"x": 2, "y": 4}, np.array([0, 1, 2, 4, 6, 7])),
        LabelTable({"x": 5}, np.array([[0], [4], [-1], [0], [0], [1]])),
        LabelTable({}, np.zeros((6, 0), int)),
    ],
    ids=["grid", "incomplete grid", "labels", "no labels"],
)
def test_factors_come_back_from_the_file(factors: Factors, tmp_path: Path) -> None:
    for _ in range(2):
        dataset = load(card(lambda: contents(factors)), data_dir=tmp_path)
        assert dict(dataset.space.sizes) == dict(factors.sizes)
        np.testing.assert_array_equal(dataset.space.factors(np.arange(6)), factors.factors(np.arange(6)))


def test_a_transform_has_its_own_file(tmp_path: Path) -> None:
    transform = Transform(crop=12, grey=True, image_size=6)
    dataset = load(card(), data_dir=tmp_path, transform=transform)
    np.testing.assert_array_equal(dataset.gather(torch.arange(6)).mul(255).round().byte(), transform(PIXELS))
    load(card(), data_dir=tmp_path)
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == [
        "things_rendered.h5",
        "things_rendered_crop12_grey_6.h5",
    ]


def test_bits_become_bytes_when_they_are_transformed(tmp_path: Path) -> None:
    bits = PIXELS[:, :1] > 127

    def packed() -> Contents:
        return Contents((1, 16, 16), GRID, (np.packbits(bits.reshape(6, -1), axis=1),), is_packed=True)

    plain = load(card(packed), data_dir=tmp_path)
    assert plain.images.nbytes == 6 * 32
    np.testing.assert_array_equal(plain.gather(torch.arange(6)).numpy(), bits)
    small = load(card(packed), data_dir=tmp_path, transform=Transform(image_size=8))
    means = bits.reshape(6, 1, 8, 2, 8, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(small.gather(torch.arange(6)).numpy(), means, atol=0.51 / 255)


def test_a_stand_in_has_its_own_name_and_is_announced(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "disent_runner")
    dataset = load(official(lambda paths: contents()), data_dir=tmp_path)
    assert (dataset.info.name, dataset.info.source) == ("stand_in", "rendered")
    assert caplog.messages == [f"things: no official file in {tmp_path}, using stand_in"]


def test_a_file_that_is_not_checked_is_not_called_official(tmp_path: Path) -> None:
    (tmp_path / "things.zip").touch()
    wrong = official(lambda paths: contents(), digest="md5:00")
    with pytest.raises(ValueError, match=r"things.zip .* has md5"):
        load(wrong, data_dir=tmp_path)
    assert not list(tmp_path.glob("*.h5"))
    dataset = load(wrong, data_dir=tmp_path, check_hash=False)
    assert (dataset.info.name, dataset.info.source) == ("things", "unchecked")
    with pytest.raises(ValueError, match=r"things.zip .* has md5"):
        load(wrong, data_dir=tmp_path)  # what was not checked does not pass later


@pytest.mark.parametrize("error", [OSError("no"), EOFError(), KeyError("imgs"), zlib.error("bad")])
def test_errors_of_readers_name_the_file(error: Exception, tmp_path: Path) -> None:
    (tmp_path / "things.zip").touch()

    def at_once(paths: Sequence[Path]) -> Contents:
        raise error

    def blocks() -> Iterator[np.ndarray]:
        yield PIXELS[:2]
        raise error

    for read in (at_once, lambda paths: Contents((3, 16, 16), GRID, blocks())):
        with pytest.raises(ValueError, match=r"things.zip cannot be read \(.+\); download it again"):
            load(official(read), data_dir=tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["things.zip", "things_official.h5.lock"]


def test_no_image_at_all(tmp_path: Path) -> None:
    nothing = Contents((3, 16, 16), LabelTable({}, np.zeros((0, 0), int)), ())
    with pytest.raises(ValueError, match="things: there is no image"):
        load(card(lambda: nothing), data_dir=tmp_path)


def test_images_shown_on_the_fly(tmp_path: Path) -> None:
    def doubled(images: torch.Tensor, indices: torch.Tensor) -> torch.Tensor:
        return images.flip(1) * (indices[:, None, None, None] % 2)

    def show(images):
        return DerivedImages(images, derive=doubled, num_channels=3)

    dataset = load(card(show=show), data_dir=tmp_path)
    shown = PIXELS[:, ::-1] * (np.arange(6) % 2)[:, None, None, None]
    np.testing.assert_array_equal(dataset.gather(torch.arange(6)).mul(255).round(), shown)
    grey = load(card(show=show), data_dir=tmp_path, transform=Transform(grey=True))
    assert grey.info.image_shape == (1, 16, 16)
    luma = (shown * np.array([299, 587, 114])[:, None, None]).sum(1, keepdims=True) / 255_000
    np.testing.assert_allclose(grey.gather(torch.arange(6)).numpy(), luma, atol=0.51 / 255)


@pytest.mark.parametrize(
    ("facts", "message"),
    [
        ({"factors": {"x": 3, "y": 2}}, r"factors \{'x': 2, 'y': 3\}, published are \{'x': 3, 'y': 2\}"),
        ({"num_images": 7}, "number of images 6, published are 7; get the published file, or set dataset.check_hash"),
        ({"image_shape": (1, 16, 16)}, r"height, width\) \(3, 16, 16\), published are \(1, 16, 16\)"),
    ],
)
def test_official_images_are_as_the_card_says(facts: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "things.zip").touch()
    other = replace(official(lambda paths: contents()), **facts)
    with pytest.raises(ValueError, match=rf"things.zip: .*{message}"):
        load(other, data_dir=tmp_path)
    assert load(other, data_dir=tmp_path, check_hash=False).info.source == "unchecked"
