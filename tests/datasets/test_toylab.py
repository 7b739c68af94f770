import math
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
import torch

from disent_runner.datasets import toylab
from disent_runner.datasets.card import Card
from disent_runner.datasets.images.transform import Transform
from disent_runner.datasets.load import load
from disent_runner.rendering import lab
from disent_runner.rendering.lab_palette import FOUR_COLOURS, LAB_PALETTE

SIZES = {"wall": 16, "floor": 16, "object": 16, "identity": 3, "yaw": 7, "spawn": 4, "rotation": 8}
SIZES8 = {**SIZES, "wall": 4, "floor": 4, "object": 4}
FEW_GEOMETRIES = {"identity": 3, "yaw": 2, "spawn": 1, "rotation": 2}
IN_PALETTE = np.array([list(LAB_PALETTE).index(name) for name in FOUR_COLOURS])


@pytest.fixture
def few_geometries(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first values only of what is no colour: layers are made in an instant."""
    for module, name, sizes in (
        (lab, "LAB_SIZES", SIZES),
        (toylab, "LAB_SIZES", SIZES),
        (toylab, "LAB8_SIZES", SIZES8),
    ):
        monkeypatch.setattr(module, name, {**sizes, **FEW_GEOMETRIES})


def rendered(factors: np.ndarray, sizes: Mapping[str, int]) -> np.ndarray:
    """What the renderer makes of value indices, which are of four colours in the small variant."""
    if sizes["wall"] == 4:
        factors = np.concatenate([IN_PALETTE[factors[:, :3]], factors[:, 3:]], axis=1)
    return lab.render_lab(factors)


@pytest.mark.parametrize(
    ("card", "name", "sizes", "palettes"),
    [(toylab.card, "toylab", SIZES, lab.lab_colours), (toylab.card8, "toylab8", SIZES8, lab.lab8_colours)],
)
def test_facts(card: Callable[[], Card], name: str, sizes: dict[str, int], palettes: Callable) -> None:
    made = card()
    assert (made.name, made.sources, made.image_shape) == (name, ["rendered"], (3, 64, 64))
    assert list(made.factors.items()) == list(sizes.items())
    assert made.num_images == math.prod(sizes.values()) == {"toylab": 2_752_512, "toylab8": 43_008}[name]
    assert dict(made.periods) == {"rotation": 8}
    for factor, colours in zip(("wall", "floor", "object"), palettes(), strict=True):
        assert [LAB_PALETTE[colour] for colour in made.value_names[factor]] == list(map(tuple, colours.tolist()))
    assert made.value_names["identity"] == ("hat", "ice lolly", "suitcase")


@pytest.mark.usefixtures("few_geometries")
@pytest.mark.parametrize("card", [toylab.card, toylab.card8])
def test_images_are_those_of_the_renderer(card: Callable[[], Card], tmp_path: Path) -> None:
    dataset = load(card(), data_dir=tmp_path)
    assert (dataset.info.source, dataset.info.image_shape) == ("rendered", (3, 64, 64))
    assert len(dataset) == card().num_images == len(dataset.images)
    indices = np.random.default_rng(0).integers(len(dataset), size=40)
    images = dataset.gather(torch.from_numpy(indices)).mul(255)
    torch.testing.assert_close(images, images.round(), rtol=0, atol=1e-4)
    expected = rendered(dataset.space.factors(indices), card().factors)
    np.testing.assert_array_equal(images.round().byte().numpy(), expected)


@pytest.mark.usefixtures("few_geometries")
def test_one_does_not_disturb_the_other(tmp_path: Path) -> None:
    whole, small, again = (load(card(), data_dir=tmp_path) for card in (toylab.card, toylab.card8, toylab.card))
    assert dict(whole.info.factors) == dict(again.info.factors) == dict(toylab.card().factors)
    assert dict(small.info.factors) == dict(toylab.card8().factors)
    assert whole.content_hash == again.content_hash != small.content_hash


@pytest.mark.usefixtures("few_geometries")
def test_a_subset_shows_the_images_of_its_factors(tmp_path: Path) -> None:
    subset = load(toylab.card(), data_dir=tmp_path).subset({"wall": 4, "floor": 2, "object": 1})
    indices = np.arange(len(subset))
    kept = subset.space.factors(indices) * [4, 8, 1, 1, 1, 1, 1]
    images = subset.gather(torch.from_numpy(indices)).mul(255).round().byte().numpy()
    np.testing.assert_array_equal(images, lab.render_lab(kept))


@pytest.mark.usefixtures("few_geometries")
def test_grey_and_small(tmp_path: Path) -> None:
    colour = load(toylab.card8(), data_dir=tmp_path)
    indices = torch.arange(0, len(colour), 37)
    images = colour.gather(indices).numpy()
    grey = load(toylab.card8(), data_dir=tmp_path, transform=Transform(grey=True))
    assert grey.info.image_shape == (1, 64, 64)
    luma = np.einsum("c,ichw->ihw", [0.299, 0.587, 0.114], images)
    np.testing.assert_allclose(grey.gather(indices).numpy()[:, 0], luma, atol=1e-6)
    halved = load(toylab.card8(), data_dir=tmp_path, transform=Transform(image_size=32)).gather(indices).numpy()
    means = images.reshape(len(images), 3, 32, 2, 32, 2).mean(axis=(3, 5))
    np.testing.assert_allclose(halved, means, atol=2.01 / 255)  # three layers are rounded, then their sum


def test_the_last_rotation_is_followed_by_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lab, "LAB_SIZES", {**SIZES, "yaw": 1, "spawn": 1})
    layers = lab.lab_layers().reshape(3, 8, -1).astype(np.int64)
    steps = np.abs(layers - np.roll(layers, -1, axis=1)).sum(axis=2)
    assert (steps[:, 7] <= steps[:, :7].max(axis=1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("card", [toylab.card, toylab.card8])
def test_images_of_the_whole_set(card: Callable[[], Card], tmp_path: Path) -> None:
    dataset = load(card(), data_dir=tmp_path)
    indices = np.random.default_rng(0).integers(len(dataset), size=300)
    images = dataset.gather(torch.from_numpy(indices)).mul(255).round().byte().numpy()
    np.testing.assert_array_equal(images, rendered(dataset.space.factors(indices), card().factors))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
@pytest.mark.usefixtures("few_geometries")
def test_gpu_shows_the_same(tmp_path: Path) -> None:
    dataset = load(toylab.card(), data_dir=tmp_path)
    indices = torch.arange(0, len(dataset), 997)
    here, there = (each.gather(indices.to(each.images.device)) for each in (dataset, dataset.to("cuda")))
    torch.testing.assert_close(there.cpu().mul(255).round(), here.mul(255).round(), rtol=0, atol=0)
