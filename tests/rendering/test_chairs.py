import math
from collections.abc import Callable

import numpy as np
import pytest

from disent_runner.rendering import chairs
from disent_runner.rendering.chair_parts import Box, chair_boxes
from disent_runner.rendering.chairs import CHAIR_SIZES, PIXELS_PER_METRE, chair_blocks, render_chairs
from tests.rendering.samples import neighbours, random_factors, sample_hash, sample_hash_without_simd

FRONT, REAR = 0, 31
ELEVATION = math.radians(22)
Replace = Callable[..., None]


@pytest.fixture(scope="module")
def sample() -> tuple[np.ndarray, np.ndarray]:
    factors = np.unique(random_factors(CHAIR_SIZES, 400), axis=0)
    return factors, render_chairs(factors)


@pytest.fixture
def instead_of_a_chair(monkeypatch: pytest.MonkeyPatch) -> Replace:
    def replace(*boxes: Box) -> None:
        monkeypatch.setattr(chairs, "chair_boxes", lambda *_: list(boxes))

    return replace


def all_rotations(*chair: int) -> np.ndarray:
    return np.array([(rotation, *chair) for rotation in range(62)])


@pytest.mark.slow
def test_images_are_grey_on_white_with_a_white_border(sample: tuple[np.ndarray, np.ndarray]) -> None:
    factors, images = sample
    assert (images.dtype, images.shape) == (np.uint8, (len(factors), 64, 64))
    assert images[:, [0, -1]].min() == images[:, :, [0, -1]].min() == 255
    assert images.min() > 30
    assert (images < 220).sum(axis=(1, 2)).min() > 300


def test_no_two_images_are_equal(sample: tuple[np.ndarray, np.ndarray]) -> None:
    factors, images = sample
    assert len(np.unique(images.reshape(len(images), -1), axis=0)) == len(factors)


@pytest.mark.slow
@pytest.mark.parametrize("name", CHAIR_SIZES)
def test_every_step_changes_the_picture(name: str) -> None:
    settings = 2 if name == "rotation" else 20
    before, after = (render_chairs(rows).astype(np.int64) for rows in neighbours(CHAIR_SIZES, name, settings))
    assert (np.abs(after - before) > 8).sum(axis=(1, 2)).min() > 80


def test_any_images_in_any_order_are_those_of_the_whole_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a set of four chairs, by way of their sizes."""
    monkeypatch.setattr(chairs, "CHAIR_SIZES", {"rotation": 62, "legs": 2, "width": 1, "back": 2})
    first, second = chair_blocks()
    whole = np.concatenate([first, second]).reshape(62, 2, 2, 64, 64)
    monkeypatch.undo()
    factors = random_factors({"rotation": 62, "legs": 2, "width": 1, "back": 2}, 40)
    rotation, legs, _, back = factors.T
    np.testing.assert_array_equal(render_chairs(factors), whole[rotation, legs, back])
    np.testing.assert_array_equal(render_chairs(factors[3:4]), whole[rotation, legs, back][3:4])


def test_the_last_rotation_is_one_step_before_the_first() -> None:
    images = render_chairs(all_rotations(0, 3, 1)).astype(np.float64)
    steps = np.abs(images - np.roll(images, -1, axis=0)).mean(axis=(1, 2))
    assert steps[-1] == pytest.approx(steps[0], rel=0.2)


@pytest.mark.parametrize(("legs", "back"), [(0, 0), (1, 1), (2, 2), (3, 3), (1, 4)])
def test_opposite_rotations_are_mirror_images_in_light_from_the_middle(
    legs: int, back: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chairs, "LIGHT", (0.0, -0.65, 0.9))
    images = render_chairs(all_rotations(legs, 2, back)).astype(np.int64)
    opposite = images[-np.arange(62)]
    differs = np.abs(images - opposite[:, :, ::-1]) > 2
    assert differs.sum(axis=(1, 2)).max() <= 4  # samples on an edge


def test_faces_have_the_light_of_lamberts_law(instead_of_a_chair: Replace) -> None:
    """A cube on its way round shows a face to the left, turned to the light, and one to the right, turned away."""
    instead_of_a_chair(Box(np.array([0, 0, 0.5]), np.full(3, 0.25), np.eye(3), 0.5))
    images = render_chairs(all_rotations(0, 0, 0)[5:11])
    angle = 2 * np.pi * np.arange(5, 11) / 62
    normal_to_left = np.stack([-np.cos(angle), -np.sin(angle), np.zeros(6)], axis=1)
    normal_to_right = np.stack([np.sin(angle), -np.cos(angle), np.zeros(6)], axis=1)
    light = np.array([-0.45, -0.65, 0.9]) / math.hypot(0.45, 0.65, 0.9)
    for normal, column in ((normal_to_left, 24), (normal_to_right, 39)):
        grey = 255 * 0.5 * (0.34 + 0.66 * np.maximum(0, normal @ light))
        np.testing.assert_allclose(images[:, 36, column], grey, atol=0.5)
    assert (images[:, 36, 24] > images[:, 36, 39] + 10).all()


@pytest.mark.parametrize("width", range(6))
def test_the_seat_is_as_wide_as_its_factor_says(width: int) -> None:
    (image,) = render_chairs(np.array([[FRONT, 0, width, 0]]))
    row = image[15].astype(np.float64)  # across the solid back
    covered = (255 - row) / (255 - row[32])
    assert covered.sum() / PIXELS_PER_METRE == pytest.approx(0.36 + 0.08 * width, abs=0.01)


def test_the_seat_has_the_light_of_lamberts_law() -> None:
    """Seen from above all around, its upper side always has the same angle to the light."""
    images = render_chairs(all_rotations(0, 5, 4))
    cosine = 0.9 / math.hypot(0.45, 0.65, 0.9)
    grey = 255 * 0.95 * (0.34 + 0.66 * cosine)
    row = round(32 - (0.46 - 0.5) * math.cos(ELEVATION) * PIXELS_PER_METRE - 0.5)
    in_front_of_the_back = [*range(14), *range(48, 62)]
    assert np.abs(images[in_front_of_the_back, row, 32] - grey).max() <= 0.5


def test_the_picture_of_a_box_has_the_area_of_its_faces(instead_of_a_chair: Replace) -> None:
    """Under parallel rays each visible face counts with the cosine of its angle to them."""
    axes, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    sides = np.array([0.3, 0.5, 0.7])
    instead_of_a_chair(Box(np.array([0.02, -0.03, 0.5]), sides / 2, axes, 0.3))
    angle = 2 * np.pi * np.arange(62) / 62
    low, high = math.cos(ELEVATION), math.sin(ELEVATION)
    rays = np.stack([-low * np.sin(angle), -low * np.cos(angle), np.full(62, high)], axis=1)
    expected = np.abs(rays @ axes.T) @ (sides.prod() / sides) * PIXELS_PER_METRE**2
    dark = (render_chairs(all_rotations(0, 0, 0)) < 140).sum(axis=(1, 2))
    np.testing.assert_allclose(dark, expected, rtol=0.03)


def test_what_is_nearer_hides_what_is_behind(instead_of_a_chair: Replace) -> None:
    dark, light = (
        Box(np.array([0, y, 0.5]), np.array([0.2, 0.02, 0.45]), np.eye(3), colour)
        for y, colour in ((-0.2, 0.3), (0.2, 0.9))
    )
    pixels = []
    for boxes in ((dark, light), (light, dark)):
        instead_of_a_chair(*boxes)
        pixels.append(render_chairs(np.array([[FRONT, 0, 0, 0], [REAR, 0, 0, 0]]))[:, 32, 32])
    np.testing.assert_array_equal(*pixels)
    assert pixels[0][0] < 80 < 150 < pixels[0][1]


@pytest.mark.parametrize("legs", range(4))
def test_chairs_stand_on_the_floor(legs: int) -> None:
    for width in range(6):
        for box in chair_boxes(legs, width, 0):
            lowest = box.centre[2] - np.abs(box.axes[:, 2]) @ box.half_sides
            assert lowest > -0.01
        assert (
            min(box.centre[2] - np.abs(box.axes[:, 2]) @ box.half_sides for box in chair_boxes(legs, width, 0)) < 0.005
        )


@pytest.mark.parametrize("back", range(5))
def test_the_sides_of_boxes_are_at_right_angles(back: int) -> None:
    for box in chair_boxes(back % 4, back, back):
        np.testing.assert_allclose(box.axes @ box.axes.T, np.eye(3), atol=1e-12)


@pytest.mark.slow
def test_the_images_are_the_same_on_every_processor() -> None:
    expected = "4f312a413d633e7bfe2ff879c7c03deec6aa89ed7fdf8a604bc9970c7c0ef710"
    assert sample_hash(render_chairs, CHAIR_SIZES) == expected
    assert sample_hash_without_simd(render_chairs, CHAIR_SIZES) == expected


@pytest.mark.parametrize(
    ("factors", "message"),
    [
        ([62, 0, 0, 0], "^rotation must be 0 to 61, got 62 in row 1$"),
        ([0, 4, 0, 0], "^legs must be 0 to 3, got 4 in row 1$"),
        ([0, 0, 0, -1], "^back must be 0 to 4, got -1 in row 1$"),
    ],
)
def test_values_out_of_range_are_named(factors: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_chairs(np.array([[0, 0, 0, 0], factors]))


def test_no_rows_give_no_images() -> None:
    assert render_chairs(np.zeros((0, 4), np.int64)).shape == (0, 64, 64)
