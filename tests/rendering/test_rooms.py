import colorsys

import numpy as np
import pytest

from disent_runner.rendering.rooms import (
    CAMERA_DISTANCE,
    CAMERA_HEIGHT,
    IMAGE_SLOPE,
    ROOM_SIZES,
    TARGET_HEIGHT,
    render_rooms,
    room_colours,
    room_layers,
)
from disent_runner.rendering.solids import SPHERE_RADIUS
from tests.rendering.samples import neighbours, random_factors, sample_hash, sample_hash_without_simd

FLOOR, WALL, OBJECT, HIGHLIGHT = range(4)
CUBE, CYLINDER, SPHERE, CAPSULE = range(4)


@pytest.fixture(scope="module")
def layers() -> np.ndarray:
    """Indexed by scale, shape, orientation and layer."""
    return room_layers().reshape(8, 4, 15, 4, 64, 64).astype(np.int64)


def compose(layers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    shading = layers[rows[:, 3], rows[:, 4], rows[:, 5]]
    floor, wall, solid, white = (colours.astype(float) for colours in room_colours())
    colours = np.stack([floor[rows[:, 0]], wall[rows[:, 1]], solid[rows[:, 2]], white[0 * rows[:, 0]]], axis=1)
    return np.rint((shading[:, :, None] * colours[..., None, None]).sum(axis=1) / 255).astype(np.uint8)


@pytest.mark.slow
def test_layers_share_out_each_pixel(layers: np.ndarray) -> None:
    total = layers.sum(axis=3)
    assert total.max() <= 255
    assert total.min() >= 60


def test_images_are_the_sum_of_coloured_layers(layers: np.ndarray) -> None:
    rows = random_factors(ROOM_SIZES, 25)
    images = render_rooms(rows)
    assert (images.dtype, images.shape) == (np.uint8, (25, 3, 64, 64))
    np.testing.assert_array_equal(images, compose(layers, rows))


def test_order_and_company_do_not_matter() -> None:
    rows = random_factors(ROOM_SIZES, 12)
    images = render_rooms(rows)
    np.testing.assert_array_equal(render_rooms(rows[::-1].astype(np.uint8)), images[::-1])
    for number in (0, 5):
        np.testing.assert_array_equal(render_rooms(rows[number : number + 1])[0], images[number])
    assert render_rooms(rows[:0]).shape == (0, 3, 64, 64)


@pytest.mark.parametrize("name", ROOM_SIZES)
def test_each_factor_changes_the_picture(name: str, layers: np.ndarray) -> None:
    """At least 40 pixels change by 20 grey levels or more between neighbouring values."""
    one, other = (compose(layers, rows).astype(np.int64) for rows in neighbours(ROOM_SIZES, name, settings=6))
    assert (np.abs(one - other).max(axis=1) >= 20).sum(axis=(1, 2)).min() >= 40


@pytest.mark.slow
def test_no_two_pictures_are_the_same(layers: np.ndarray) -> None:
    assert len(np.unique(layers.reshape(480, -1), axis=0)) == 480
    rows = np.unique(random_factors(ROOM_SIZES, 500), axis=0)
    assert len(np.unique(compose(layers, rows).reshape(len(rows), -1), axis=0)) == len(rows)


def test_every_colour_can_be_read_from_the_picture(layers: np.ndarray) -> None:
    """Floor, wall and object are each alone in at least 40 pixels of 60 brightness or more, whatever the geometry."""
    others = layers.sum(axis=3, keepdims=True) - layers
    alone = (layers >= 60) & (others == 0)
    assert alone.sum(axis=(4, 5))[..., [FLOOR, WALL, OBJECT]].min() >= 40


def test_colours_are_ten_saturated_hues() -> None:
    expected = [[round(255 * part) for part in colorsys.hsv_to_rgb(value / 10, 1, 1)] for value in range(10)]
    floor, wall, solid, highlight = room_colours()
    for colours in (floor, wall, solid):
        np.testing.assert_array_equal(colours, expected)
    np.testing.assert_array_equal(highlight, [[255, 255, 255]])


def test_opposite_orientations_are_mirror_images(layers: np.ndarray) -> None:
    """Only what is seen, not its light, which comes from the left."""
    covered = layers[..., [FLOOR, WALL, OBJECT], :, :] > 0
    np.testing.assert_array_equal(covered, covered[:, :, ::-1, ..., ::-1])


def test_the_corner_moves_across_the_picture_with_the_orientation(layers: np.ndarray) -> None:
    """The right wall is brighter than the left one."""
    corners = np.diff(layers[0, SPHERE, :, WALL, 2]).argmax(axis=1)
    assert (np.diff(corners) >= 2).all()
    np.testing.assert_allclose(corners, 62 - corners[::-1], atol=1)


def test_objects_grow_with_scale_and_stay_in_the_picture(layers: np.ndarray) -> None:
    share = layers[..., OBJECT, :, :] + layers[..., HIGHLIGHT, :, :]
    area = (share > 0).sum(axis=(3, 4))
    assert (np.diff(area, axis=0) > 0).all()
    assert area.min() > 110
    assert area.max() < 1200
    assert share[..., [0, -1], :].max() == 0
    assert share[..., [0, -1]].max() == 0


def test_only_the_cube_looks_different_from_other_sides(layers: np.ndarray) -> None:
    outlines = layers[:, :, :, OBJECT] > 0
    same = (outlines == outlines[:, :, 7:8]).mean(axis=(0, 2, 3, 4))
    assert (same[[CYLINDER, SPHERE, CAPSULE]] > 0.9995).all()
    assert same[CUBE] < 0.99


def test_only_round_objects_shine(layers: np.ndarray) -> None:
    brightest = layers[..., HIGHLIGHT, :, :].max(axis=(0, 2, 3, 4))
    assert brightest[CUBE] == 0
    assert (brightest[[CYLINDER, SPHERE, CAPSULE]] > 40).all()


@pytest.mark.parametrize("scale", [0, 3, 7])
def test_the_sphere_is_seen_where_perspective_says(scale: int, layers: np.ndarray) -> None:
    """A sphere of radius r at distance d covers the directions within asin(r / d) of its centre."""
    radius = SPHERE_RADIUS * (0.75 + 0.5 * scale / 7)
    to_target = np.array([0, CAMERA_DISTANCE, TARGET_HEIGHT - CAMERA_HEIGHT])
    forward = to_target / np.linalg.norm(to_target)
    up = np.cross([1, 0, 0], forward)
    slope = IMAGE_SLOPE * (np.arange(64) - 31.5) / 32
    rays = forward + slope[None, :, None] * np.array([1, 0, 0]) - slope[:, None, None] * up
    to_centre = np.array([0, CAMERA_DISTANCE, radius - CAMERA_HEIGHT])
    distance = np.linalg.norm(to_centre)
    angle = np.arccos(rays @ to_centre / distance / np.linalg.norm(rays, axis=-1))
    pixel = IMAGE_SLOPE / 32
    share = layers[scale, SPHERE, 7, OBJECT] + layers[scale, SPHERE, 7, HIGHLIGHT]
    edge = np.arcsin(radius / distance)
    assert (share[angle < edge - pixel] > 60).all()
    assert (share[angle > edge + pixel] == 0).all()


def test_light_comes_from_the_left_and_shadows_fall_to_the_right(layers: np.ndarray) -> None:
    sphere = layers[4, SPHERE, 7]
    columns = np.arange(64)
    assert (sphere[HIGHLIGHT].sum(axis=0) * columns).sum() / sphere[HIGHLIGHT].sum() < 29
    assert sphere[FLOOR, 40:50, 44:].min() < 0.7 * sphere[FLOOR, 40:50, :20].min()


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([10, 0, 0, 0, 0, 0], "floor_hue must be 0 to 9, got 10 in row 1"),
        ([0, 0, 0, 0, 4, 0], "shape must be 0 to 3, got 4 in row 1"),
        ([0, 0, 0, 0, 0, -1], "orientation must be 0 to 14, got -1 in row 1"),
    ],
)
def test_values_out_of_range_are_named(row: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_rooms(np.array([[0, 0, 0, 0, 0, 0], row]))


@pytest.mark.slow
def test_pixels_are_the_same_on_every_machine() -> None:
    expected = "b945a49b54b5c7048829a85f0a9d673e71cdc059f5ff57ee68d99420f8b05048"
    assert sample_hash(render_rooms, ROOM_SIZES) == expected
    assert sample_hash_without_simd(render_rooms, ROOM_SIZES) == expected
