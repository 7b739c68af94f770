from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from disent_runner.datasets.images.derived_images import DerivedImages
from disent_runner.datasets.images.image_store import ByteImages
from disent_runner.datasets.scream_dsprites import card, negatives_on, texture

# every pixel is told by its red and green, so that a patch tells where it was cut out
ROWS, COLUMNS = 90, 70
PICTURE = np.stack([*np.mgrid[:ROWS, :COLUMNS], np.full((ROWS, COLUMNS), 5)], axis=2).astype(np.uint8)
INDICES = torch.arange(400)
derive = negatives_on(PICTURE)


def backgrounds(side: int) -> np.ndarray:
    return derive(torch.zeros(len(INDICES), 1, side, side), INDICES).numpy()


def test_backgrounds_are_halfway_between_a_patch_and_a_tint() -> None:
    doubled = np.rint(510 * backgrounds(8))
    np.testing.assert_allclose(doubled, 510 * backgrounds(8), atol=1e-3)
    first = doubled[:, :, :1, :1]
    down, right = np.mgrid[:8, :8]
    np.testing.assert_array_equal(doubled - first, np.broadcast_to([down, right, 0 * down], (len(INDICES), 3, 8, 8)))


def test_tints_are_uniform() -> None:
    many = torch.arange(20_000)
    tints = 510 * negatives_on(np.zeros((64, 64, 3), np.uint8))(torch.zeros(len(many), 1, 1, 1), many).numpy()
    for channel in tints[..., 0, 0].T:
        counts = np.bincount(np.rint(channel).astype(int), minlength=256)
        expected = len(many) / 256
        assert len(counts) == 256
        assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 5 * np.sqrt(2 * 255)


def test_patches_lie_anywhere_in_the_picture() -> None:
    black = backgrounds(64)
    doubled = np.rint(510 * black[:, :, 0, 0]).astype(int)  # top + tint, left + tint, 5 + tint
    assert doubled.min() >= 0
    assert doubled[:, 0].max() <= ROWS - 64 + 255
    assert doubled[:, 1].max() <= COLUMNS - 64 + 255
    # with a picture whose blue is what the tint is drawn from left out, places are seen alone
    places = negatives_on(np.stack([PICTURE[..., 0], PICTURE[..., 1], PICTURE[..., 0]], axis=2))(
        torch.zeros(len(INDICES), 1, 64, 64), INDICES
    )
    difference = np.rint(510 * (places.numpy() - black)[:, 2, 0, 0]).astype(int) + 5
    assert set(np.unique(difference)) == set(range(ROWS - 64 + 1))


def test_objects_are_negatives() -> None:
    images = (torch.rand(50, 1, 64, 64, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    background = backgrounds(64)[:50]
    shown = derive(images, INDICES[:50]).numpy()
    np.testing.assert_allclose(shown, np.where(images.numpy() == 1, 1 - background, background), atol=1e-6)


def test_half_an_object_is_half_a_negative() -> None:
    shown = derive(torch.full((50, 1, 64, 64), 0.25), INDICES[:50]).numpy()
    background = backgrounds(64)[:50]
    np.testing.assert_allclose(shown, 0.75 * background + 0.25 * (1 - background), atol=1e-6)


def test_extremes_stay_in_range() -> None:
    for level in (0, 255):
        shown = negatives_on(np.full((64, 64, 3), level, np.uint8))(torch.ones(len(INDICES), 1, 64, 64), INDICES)
        assert shown.min() >= 0
        assert shown.max() <= 1


def test_the_picture_must_hold_an_image() -> None:
    with pytest.raises(ValueError, match=r"the picture has 70x90 pixels, images 80x80; lower dataset.image_size"):
        derive(torch.zeros(1, 1, 80, 80), INDICES[:1])


def test_without_a_picture_there_is_a_texture_and_the_name_says_so() -> None:
    without = card()
    assert (without.name, without.title) == ("scream_dsprites_texture", "scream dSprites over a texture")
    pixels = texture()
    assert (pixels.shape, pixels.dtype) == ((274, 350, 3), np.uint8)
    assert pixels.reshape(-1, 3).std(axis=0).min() > 30
    np.testing.assert_array_equal(texture(), pixels)
    same = [negatives_on(choice)(torch.zeros(5, 1, 64, 64), INDICES[:5]) for choice in (None, pixels)]
    torch.testing.assert_close(*same, rtol=0, atol=0)


def test_a_picture_is_cut_into_patches(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "picture.png")
    made = card(picture=str(tmp_path / "picture.png"))
    assert made.name == "scream_dsprites"
    show = made.origins[0].show
    assert show is not None
    shown = show(ByteImages(np.zeros((len(INDICES), 1, 64, 64), np.uint8)))
    assert isinstance(shown, DerivedImages)
    np.testing.assert_array_equal(shown.gather(INDICES).numpy(), backgrounds(64))


@pytest.mark.parametrize("mode", ["L", "P", "RGBA"])
def test_pictures_of_all_kinds(mode: str, tmp_path: Path) -> None:
    Image.fromarray(PICTURE).convert(mode).save(tmp_path / "picture.png")
    assert card(picture=tmp_path / "picture.png").name == "scream_dsprites"


def test_large_pictures_are_shrunk(tmp_path: Path) -> None:
    levels = np.linspace(0, 255, 1000).astype(np.uint8)
    Image.fromarray(np.broadcast_to(levels[None, :, None], (500, 1000, 3)).copy()).save(tmp_path / "wide.png")
    show = card(picture=tmp_path / "wide.png").origins[0].show
    assert show is not None
    images = show(ByteImages(np.zeros((len(INDICES), 1, 64, 64), np.uint8))).gather(INDICES)
    across = 510 * images.diff(dim=3)
    assert across.mean() == pytest.approx(255 / 350, rel=0.02)


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (lambda path: path.write_bytes(b""), r"picture=.*p.png cannot be read as a picture \(.+\)"),
        (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + 60 * b"?"), "cannot be read as a picture"),
        (lambda path: Image.new("RGB", (63, 200)).save(path), "p.png is 63x200 pixels, 63x200 when shrunk"),
        (lambda path: Image.new("RGB", (2000, 200)).save(path), "2000x200 pixels, 350x35 .* at least 64x64 are needed"),
    ],
)
def test_useless_pictures(write, message: str, tmp_path: Path) -> None:
    write(tmp_path / "p.png")
    with pytest.raises(ValueError, match=message):
        card(picture=tmp_path / "p.png")


def test_a_truncated_picture(tmp_path: Path) -> None:
    path = tmp_path / "p.jpg"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, size=(100, 100, 3), dtype=np.uint8)).save(path)
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ValueError, match="cannot be read as a picture"):
        card(picture=path)


def test_a_picture_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"dataset.card.picture=.*none.jpg: no such file; give .* or null"):
        card(picture=tmp_path / "none.jpg")
