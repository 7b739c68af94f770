"""The expected numbers were taken from published images and statistics of dSprites, not from this renderer."""

import hashlib
import os

import numpy as np
import pytest

from disent_runner.rendering.sprites import SPRITE_SIZES, packed_blocks, render_all_packed, render_sprites

SAMPLES = os.environ.get("DSPRITES_AUTHENTIC_SAMPLES")
SHAPE, SCALE, ORIENTATION, POS_X, POS_Y = range(5)


@pytest.fixture(scope="module")
def packed() -> np.ndarray:
    return render_all_packed()


@pytest.fixture(scope="module")
def white_pixels(packed: np.ndarray) -> np.ndarray:
    return np.bitwise_count(packed.view(np.uint64)).sum(axis=1, dtype=np.int64).reshape(*SPRITE_SIZES.values())


@pytest.mark.slow
def test_all_images_have_the_published_hash(packed: np.ndarray) -> None:
    assert hashlib.sha256(packed.data).hexdigest() == "3a228f4037ef3d42a42588e0e01f1078aa2df13cfa17584e88c95ed9fb5672da"
    assert [hashlib.sha256(images.data).hexdigest() for images in np.split(packed, 3)] == [
        "7f9585f857d6f31b929f44080c3762f056865e255b880ea78b01fe3eed775301",
        "d88b207a29c35e494cd8b63e8ddb29df0721c137922afee046d52ee123538003",
        "d4b2dbb174aca48fa86bf731227c713dc8a04902636b42212e176497ab199386",
    ]


def test_white_pixels_by_shape_and_scale(white_pixels: np.ndarray) -> None:
    assert white_pixels.sum(axis=(1, 2, 3, 4)).tolist() == [53_612_886, 42_070_950, 32_645_028]
    assert white_pixels.min(axis=(1, 2, 3, 4)).tolist() == [81, 68, 50]
    assert white_pixels.max(axis=(1, 2, 3, 4)).tolist() == [400, 297, 233]
    expected = [
        [92.196, 132.735, 180.634, 235.956, 298.654, 368.734],
        [72.344, 104.142, 141.788, 185.185, 234.340, 289.324],
        [56.126, 80.831, 110.005, 143.701, 181.837, 224.497],
    ]
    np.testing.assert_allclose(white_pixels.mean(axis=(2, 3, 4)), expected, atol=5e-4)


def test_statistics_of_the_official_file(white_pixels: np.ndarray) -> None:
    """Published in nmichlo/disent: the mean, and the mean of each image's unbiased standard deviation."""
    assert abs(white_pixels.sum() - 0.042494423521889584 * 4096 * white_pixels.size) < 3
    mean = white_pixels / 4096
    assert np.sqrt(mean * (1 - mean) * 4096 / 4095).mean() == pytest.approx(0.19516645880626055, abs=1e-8)


def test_only_the_inner_60_pixels_are_ever_white(packed: np.ndarray) -> None:
    ever = np.unpackbits(np.bitwise_or.reduce(packed, axis=0)).reshape(64, 64)
    expected = np.zeros((64, 64), np.uint8)
    expected[2:62, 2:62] = 1
    np.testing.assert_array_equal(ever.any(axis=0), expected.any(axis=0))
    np.testing.assert_array_equal(ever.any(axis=1), expected.any(axis=1))


def test_the_last_orientation_repeats_the_first(packed: np.ndarray) -> None:
    by_orientation = packed.reshape(18, 40, 1024, 512)
    np.testing.assert_array_equal(by_orientation[:, 39], by_orientation[:, 0])
    assert (by_orientation[:, 20] != by_orientation[:, 0]).any()


def test_any_images_in_any_order_are_those_of_the_whole_set(packed: np.ndarray) -> None:
    indices = np.random.default_rng(0).integers(len(packed), size=300)
    indices = np.concatenate([indices, indices[:5], [0, len(packed) - 1]])
    factors = np.stack(np.unravel_index(indices, tuple(SPRITE_SIZES.values())), axis=1)
    images = render_sprites(factors)
    np.testing.assert_array_equal(images.reshape(len(indices), -1), np.unpackbits(packed[indices], axis=1))


def test_blocks_hold_all_positions_of_one_outline(packed: np.ndarray) -> None:
    blocks = packed_blocks()
    np.testing.assert_array_equal(next(blocks), packed[:1024])
    np.testing.assert_array_equal(next(blocks), packed[1024:2048])


@pytest.mark.parametrize(("scale", "width"), list(enumerate([10, 12, 14, 16, 18, 20])))
def test_upright_square_in_the_corner(scale: int, width: int) -> None:
    (image,) = render_sprites(np.array([[0, scale, 0, 0, 0]]))
    first = 16 - width // 2  # the centre is at (16, 16)
    expected = np.zeros((64, 64), np.uint8)
    expected[first : first + width, first : first + width] = 1
    np.testing.assert_array_equal(image, expected)


def centre(image: np.ndarray) -> tuple[float, float]:
    rows, columns = np.nonzero(image)
    return columns.mean() + 0.5, rows.mean() + 0.5


def test_positions_go_right_and_down() -> None:
    corners = render_sprites(np.array([[0, 5, 0, 0, 0], [0, 5, 0, 31, 0], [0, 5, 0, 0, 31]]))
    np.testing.assert_allclose([centre(image) for image in corners], [(16, 16), (48, 16), (16, 48)], atol=0.5)


def test_orientation_turns_counter_clockwise() -> None:
    """An eighth of a turn lifts the right end of the ellipse: x and y (downwards) are anti-correlated."""
    _, ellipse = render_sprites(np.array([[1, 5, 0, 16, 16], [1, 5, 5, 16, 16]]))
    rows, columns = np.nonzero(ellipse)
    assert np.corrcoef(rows, columns)[0, 1] < -0.5


def test_the_upright_heart_is_symmetric_with_its_tip_down() -> None:
    (heart,) = render_sprites(np.array([[2, 5, 0, 0, 0]]))
    np.testing.assert_array_equal(heart[:, :32], heart[:, :32][:, ::-1])
    rows = np.flatnonzero(heart.any(axis=1))
    assert heart[rows[-1]].sum() < heart[rows[0]].sum()


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([3, 0, 0, 0, 0], "shape must be 0 to 2, got 3 in row 1"),
        ([0, 0, 40, 0, 0], "orientation must be 0 to 39, got 40 in row 1"),
        ([0, 0, 0, 0, -1], "pos_y must be 0 to 31, got -1 in row 1"),
    ],
)
def test_values_out_of_range_are_named(factors: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_sprites(np.array([[0, 0, 0, 0, 0], factors]))


def test_no_rows_give_no_images() -> None:
    assert render_sprites(np.zeros((0, 5), np.int64)).shape == (0, 64, 64)


@pytest.mark.skipif(SAMPLES is None, reason="DSPRITES_AUTHENTIC_SAMPLES names no file of published images")
def test_published_images() -> None:
    assert SAMPLES is not None
    with np.load(SAMPLES) as samples:
        factors, images = samples["factors"].astype(np.int64), samples["images"]
    np.testing.assert_array_equal(np.packbits(render_sprites(factors).reshape(len(factors), -1), axis=1), images)
