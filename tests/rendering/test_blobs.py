import numpy as np
import pytest
from scipy.stats import norm

from disent_runner.rendering.blobs import BLOB_SIZES, render_blobs
from tests.rendering.samples import neighbours, random_factors, sample_hash, sample_hash_without_simd


@pytest.fixture(scope="module")
def images() -> np.ndarray:
    """All of them, as pos_x, pos_y, row, column."""
    return render_blobs(np.indices((32, 32)).reshape(2, -1).T).reshape(32, 32, 64, 64)


def test_brightness_is_the_density_of_a_normal_distribution() -> None:
    factors = random_factors(BLOB_SIZES, 20)
    pixel = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), axis=-1)
    for image, middle in zip(render_blobs(factors), 16 + 32 * factors / 31, strict=True):
        at_pixel, at_middle = norm.pdf(pixel, middle, 4), norm.pdf(middle, middle, 4)
        expected = 255 * (at_pixel / at_middle).prod(axis=-1)
        assert np.abs(image - expected).max() <= 0.5 + 1e-9


def test_the_centre_of_mass_goes_right_and_down(images: np.ndarray) -> None:
    mass = images.sum(axis=(2, 3))
    column = (images.sum(axis=2) @ (np.arange(64) + 0.5)) / mass
    row = (images.sum(axis=3) @ (np.arange(64) + 0.5)) / mass
    expected = np.linspace(16, 48, 32)
    np.testing.assert_allclose(column, np.broadcast_to(expected[:, None], (32, 32)), atol=0.01)
    np.testing.assert_allclose(row, np.broadcast_to(expected, (32, 32)), atol=0.01)


def test_no_blob_is_cut_off(images: np.ndarray) -> None:
    assert images[..., [0, -1], :].max() == images[..., [0, -1]].max() == 0
    np.testing.assert_allclose(images.sum(axis=(2, 3)), 255 * 2 * np.pi * 16, rtol=0.005)


def test_mirrored_positions_give_mirrored_images(images: np.ndarray) -> None:
    np.testing.assert_array_equal(images[::-1], images[..., ::-1])
    np.testing.assert_array_equal(images[:, ::-1], images[..., ::-1, :])
    np.testing.assert_array_equal(images.transpose(1, 0, 3, 2), images)


def test_all_images_differ(images: np.ndarray) -> None:
    assert images.dtype == np.uint8
    assert len(np.unique(images.reshape(1024, -1), axis=0)) == 1024


@pytest.mark.parametrize("name", BLOB_SIZES)
def test_every_step_changes_the_picture(name: str) -> None:
    before, after = (render_blobs(rows).astype(np.int64) for rows in neighbours(BLOB_SIZES, name, 4))
    assert (np.abs(after - before) > 8).sum(axis=(1, 2)).min() > 100


def test_any_images_in_any_order_are_those_of_the_whole_set(images: np.ndarray) -> None:
    factors = random_factors(BLOB_SIZES, 100)
    np.testing.assert_array_equal(render_blobs(factors), images[factors[:, 0], factors[:, 1]])


def test_the_images_are_the_same_on_every_processor() -> None:
    expected = "5ffd58dba0e349e94a9ef408b680f88b27df8e903c4ffb76f726b453d2cb9402"
    assert sample_hash(render_blobs, BLOB_SIZES) == expected
    assert sample_hash_without_simd(render_blobs, BLOB_SIZES) == expected


@pytest.mark.parametrize(
    ("factors", "message"),
    [([32, 0], "^pos_x must be 0 to 31, got 32 in row 1$"), ([0, -1], "^pos_y must be 0 to 31, got -1 in row 1$")],
)
def test_values_out_of_range_are_named(factors: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_blobs(np.array([[0, 0], factors]))


def test_no_rows_give_no_images() -> None:
    assert render_blobs(np.zeros((0, 2), np.int64)).shape == (0, 64, 64)
