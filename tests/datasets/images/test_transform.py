from typing import Any

import numpy as np
import pytest
from PIL import Image

from disent_runner.datasets.images.transform import Transform, resampling, resize, to_grey

IMAGES = np.random.default_rng(0).integers(0, 256, size=(5, 3, 12, 16), dtype=np.uint8)


def test_nothing_to_do() -> None:
    assert Transform().is_identity
    np.testing.assert_array_equal(Transform()(IMAGES), IMAGES)


def test_crop_is_central() -> None:
    np.testing.assert_array_equal(Transform(crop=8)(IMAGES), IMAGES[:, :, 2:10, 4:12])


def test_grey_is_the_luma_of_pillow() -> None:
    """Pillow computes it in fixed point: within one level."""
    expected = [np.asarray(Image.fromarray(image.transpose(1, 2, 0)).convert("L")) for image in IMAGES]
    assert np.abs(to_grey(IMAGES)[:, 0].astype(int) - np.stack(expected)).max() <= 1
    np.testing.assert_array_equal(to_grey(np.full((1, 3, 2, 2), 255, np.uint8)), np.full((1, 1, 2, 2), 255))
    np.testing.assert_array_equal(Transform(grey=True)(IMAGES[:, :1]), IMAGES[:, :1])


@pytest.mark.parametrize("after", [1, 3, 4, 5, 11, 12])
def test_smaller_images_are_averages_over_areas(after: int) -> None:
    square = IMAGES[:, :, :, :12]
    finely = np.repeat(np.repeat(square, after, axis=2), after, axis=3)  # an area is now made of whole pixels
    expected = finely.reshape(5, 3, after, 12, after, 12).mean(axis=(3, 5))
    assert np.abs(resize(square, after) - expected).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("after", [13, 24, 31])
def test_larger_images_are_bilinear(after: int) -> None:
    square = IMAGES[0, 0, :, :12]
    expected = Image.fromarray(square).resize((after, after), Image.Resampling.BILINEAR)
    assert np.abs(resize(square[None, None], after)[0, 0].astype(int) - np.asarray(expected)).max() <= 1


@pytest.mark.parametrize(("before", "after"), [(64, 32), (12, 5), (5, 12), (7, 7), (28, 32)])
def test_weights_sum_to_one(before: int, after: int) -> None:
    weights = resampling(before, after)
    np.testing.assert_allclose(weights.sum(axis=1), 1)
    assert weights.min() >= 0


def test_white_stays_white_and_black_black() -> None:
    for value in (0, 255):
        assert (resize(np.full((1, 1, 28, 28), value, np.uint8), 64) == value).all()
        assert (resize(np.full((1, 1, 28, 28), value, np.uint8), 9) == value).all()


def test_order_is_crop_grey_resize() -> None:
    transform = Transform(crop=10, grey=True, image_size=5)
    np.testing.assert_array_equal(transform(IMAGES), resize(to_grey(IMAGES[:, :, 1:11, 3:13]), 5))
    assert transform.shape_after((3, 12, 16)) == (1, 5, 5)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"crop": 13}, "dataset.crop is 13, but the images are 12x16"),
        ({"image_size": 8}, "image_size=8 needs square images, these are 12x16; set dataset.crop=12"),
    ],
)
def test_settings_that_do_not_fit(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Transform(**settings)(IMAGES)


@pytest.mark.parametrize("value", [0, -3, 2.5, "big"])
def test_settings_that_are_no_size(value) -> None:
    with pytest.raises(ValueError, match=r"dataset.image_size must be a positive whole number or null, got"):
        Transform(image_size=value)
