import math

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from disent_runner.rendering.digits import DIGIT_SIZES, digit_blocks, render_digits
from tests.rendering.samples import neighbours, random_factors, sample_hash, sample_hash_without_simd

UPRIGHT, CLEAN, NO_SLANT = 4, 0, 2
CENTRES = np.arange(32) + 0.5 - 16


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    factors = np.unique(random_factors(DIGIT_SIZES, 3000), axis=0)
    return factors, render_digits(factors)


def moments(image: np.ndarray) -> tuple[float, float, float]:
    """Variance to the right, variance upwards, and covariance of the ink."""
    share = image / image.sum()
    right, up = CENTRES, -CENTRES[:, None]
    right, up = right - (share * right).sum(), up - (share * up).sum()
    return (share * right**2).sum(), (share * up**2).sum(), (share * right * up).sum()


def test_images_are_grey_on_black_with_a_black_border(sample: tuple[np.ndarray, np.ndarray]) -> None:
    factors, images = sample
    assert (images.dtype, images.shape) == (np.uint8, (len(factors), 32, 32))
    assert images[:, [0, -1]].max() == images[:, :, [0, -1]].max() == 0
    assert images.max(axis=(1, 2)).min() > 150
    assert (images == 0).mean() > 0.7


def test_digits_are_in_the_middle(sample: tuple[np.ndarray, np.ndarray]) -> None:
    _, images = sample
    for axis in (1, 2):
        inked = images.max(axis=axis) > 0
        first, last = inked.argmax(axis=1), 31 - inked[:, ::-1].argmax(axis=1)
        assert np.abs(first + last - 31).max() <= 2


def test_no_two_images_are_equal(sample: tuple[np.ndarray, np.ndarray]) -> None:
    factors, images = sample
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(factors)


@pytest.mark.parametrize("name", DIGIT_SIZES)
def test_every_step_changes_the_picture(name: str) -> None:
    before, after = (render_digits(rows).astype(np.int64) for rows in neighbours(DIGIT_SIZES, name, 10))
    changed = (np.abs(after - before) > 8).sum(axis=(1, 2))
    assert changed.min() > 10
    assert np.median(changed) > 80


def test_any_images_in_any_order_are_those_of_the_whole_set() -> None:
    sizes = tuple(DIGIT_SIZES.values())
    blocks = list(digit_blocks())
    assert {len(block) for block in blocks} == {225}
    whole = np.concatenate(blocks)
    assert len(whole) == math.prod(sizes) == 13_500
    factors = random_factors(DIGIT_SIZES, 300)
    np.testing.assert_array_equal(render_digits(factors), whole[np.ravel_multi_index(tuple(factors.T), sizes)])


def test_a_line_has_as_much_ink_as_it_is_thick() -> None:
    """A column of pixels across the upper line of a clean 7."""
    images = render_digits(np.array([[7, CLEAN, UPRIGHT, NO_SLANT, thickness] for thickness in range(5)]))
    np.testing.assert_allclose(images[:, :14, 13].sum(axis=1) / 255, np.linspace(1.2, 3.2, 5), atol=0.01)


def test_the_clean_zero_turns_as_its_angle_says() -> None:
    images = render_digits(np.array([[0, CLEAN, rotation, NO_SLANT, 2] for rotation in range(9)]))
    angles = []
    for image in images:
        right, up, both = moments(image)
        angles.append(np.degrees(np.arctan2(-2 * both, up - right)) / 2)  # of the long axis, against the vertical
    np.testing.assert_allclose(angles, np.linspace(-24, 24, 9), atol=0.5)


@pytest.mark.parametrize("digit", range(10))
def test_slant_moves_the_ink_to_the_right_by_its_share_of_the_height(digit: int) -> None:
    images = render_digits(np.array([[digit, CLEAN, UPRIGHT, slant, 0] for slant in range(5)]))
    slopes = [both / up for _, up, both in map(moments, images)]
    np.testing.assert_allclose(np.diff(slopes), 0.2, atol=0.04)


def test_the_clean_zero_and_eight_are_symmetric() -> None:
    zero, eight = render_digits(np.array([[0, CLEAN, UPRIGHT, NO_SLANT, 3], [8, CLEAN, UPRIGHT, NO_SLANT, 3]]))
    for image in (zero, eight, zero.T):
        assert np.abs(image.astype(np.int64) - image[:, ::-1]).max() <= 6


@pytest.mark.parametrize("style", range(6))
def test_a_linear_classifier_reads_a_style_it_was_not_shown(style: int, sample: tuple[np.ndarray, np.ndarray]) -> None:
    factors, images = sample
    pixels, unseen = images.reshape(len(images), -1) / 255, factors[:, 1] == style
    classifier = LogisticRegression(C=0.01, max_iter=300).fit(pixels[~unseen], factors[~unseen, 0])
    assert classifier.score(pixels[unseen], factors[unseen, 0]) > 0.8


def test_the_images_are_the_same_on_every_processor() -> None:
    expected = "4a89b89be63d381b9af8fee218937830b3facdabf26d78f25a856f14f9e55779"
    assert sample_hash(render_digits, DIGIT_SIZES) == expected
    assert sample_hash_without_simd(render_digits, DIGIT_SIZES) == expected


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([10, 0, 0, 0, 0], "^digit must be 0 to 9, got 10 in row 1$"),
        ([0, -1, 0, 0, 0], "^style must be 0 to 5, got -1 in row 1$"),
        ([0, 0, 0, 0, 5], "^thickness must be 0 to 4, got 5 in row 1$"),
    ],
)
def test_values_out_of_range_are_named(factors: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_digits(np.array([[0, 0, 0, 0, 0], factors]))


def test_no_rows_give_no_images() -> None:
    assert render_digits(np.zeros((0, 5), np.int64)).shape == (0, 32, 32)
