import numpy as np
import pytest

from disent_runner.rendering.lab import (
    LAB8_SIZES,
    LAB_SIZES,
    lab8_colours,
    lab_colours,
    lab_layers,
    render_lab,
)
from disent_runner.rendering.lab_palette import FOUR_COLOURS, LAB_PALETTE
from tests.rendering.cie_lab import to_lab
from tests.rendering.samples import neighbours, random_factors, sample_hash, sample_hash_without_simd

WALL, FLOOR, OBJECT = range(3)
HAT, LOLLY, SUITCASE = range(3)
PALETTE = np.array(list(LAB_PALETTE.values()))


@pytest.fixture(scope="module")
def layers() -> np.ndarray:
    """Indexed by identity, yaw, spawn, rotation and layer."""
    return lab_layers().reshape(3, 7, 4, 8, 3, 64, 64).astype(np.int64)


def compose(layers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    shading = layers[tuple(rows[:, 3:].T)]
    return np.rint((shading[:, :, None] * PALETTE[rows[:, :3], :, None, None]).sum(axis=1) / 255).astype(np.uint8)


@pytest.mark.slow
def test_layers_share_out_each_pixel(layers: np.ndarray) -> None:
    total = layers.sum(axis=4)
    assert total.max() == 255
    assert total.min() >= 127


def test_images_are_the_sum_of_coloured_layers(layers: np.ndarray) -> None:
    rows = random_factors(LAB_SIZES, 60)
    images = render_lab(rows)
    assert (images.dtype, images.shape) == (np.uint8, (60, 3, 64, 64))
    np.testing.assert_array_equal(images, compose(layers, rows))


def test_order_and_company_do_not_matter() -> None:
    rows = random_factors(LAB_SIZES, 20)
    images = render_lab(rows)
    np.testing.assert_array_equal(render_lab(rows[::-1].astype(np.uint8)), images[::-1])
    for number in (0, 5):
        np.testing.assert_array_equal(render_lab(rows[number : number + 1])[0], images[number])
    assert render_lab(rows[:0]).shape == (0, 3, 64, 64)


@pytest.mark.parametrize("name", LAB_SIZES)
def test_each_factor_changes_the_picture(name: str, layers: np.ndarray) -> None:
    """At least 12 pixels change by 4 grey levels or more between neighbouring values."""
    one, other = (compose(layers, rows).astype(np.int64) for rows in neighbours(LAB_SIZES, name, settings=10))
    assert (np.abs(one - other).max(axis=1) >= 4).sum(axis=(1, 2)).min() >= 12


@pytest.mark.slow
def test_no_two_pictures_are_the_same(layers: np.ndarray) -> None:
    assert len(np.unique(layers.reshape(672, -1), axis=0)) == 672
    rows = np.unique(random_factors(LAB_SIZES, 500), axis=0)
    assert len(np.unique(compose(layers, rows).reshape(len(rows), -1), axis=0)) == len(rows)


def test_each_rotation_differs_from_each_other_by_several_pixels(layers: np.ndarray) -> None:
    """Widths are those of two rotations only; the stripe tells the four rotations of one width apart."""
    solid = layers[..., OBJECT, :, :]
    for one in range(8):
        for other in range(one):
            changed = np.abs(solid[:, :, :, one] - solid[:, :, :, other]) >= 20
            assert changed.sum(axis=(3, 4)).min() >= 10, (one, other)


def test_colours_are_the_palette() -> None:
    for colours in lab_colours():
        np.testing.assert_array_equal(colours, PALETTE)
    assert [len(colours) for colours in lab8_colours()] == list(LAB8_SIZES.values())[:3]
    for colours in lab8_colours():
        np.testing.assert_array_equal(colours, [LAB_PALETTE[name] for name in FOUR_COLOURS])


def nearest(colours: np.ndarray, candidates: np.ndarray) -> np.ndarray:
    apart = to_lab(colours)[:, None] - to_lab(candidates)
    return (apart**2).sum(axis=-1).argmin(axis=1)


def alone(layers: np.ndarray, layer: int) -> np.ndarray:
    return layers[..., layer, :, :] * (np.delete(layers, layer, axis=4) == 0).all(axis=4)


@pytest.mark.parametrize("layer", [WALL, FLOOR, OBJECT])
def test_the_brightest_pixel_of_a_surface_is_in_its_own_colour(layer: int, layers: np.ndarray) -> None:
    brightest = alone(layers, layer).max(axis=(4, 5))
    assert (brightest == 255).all()
    np.testing.assert_array_equal(nearest(PALETTE, PALETTE), np.arange(16))


def test_pixels_of_one_surface_have_the_shadings_of_the_layout(layers: np.ndarray) -> None:
    """Walls 1 and 0.85; the floor 0.8 at the horizon, 0.55 of the height, to 1 at the bottom."""
    wall, floor = alone(layers, WALL), alone(layers, FLOOR)
    full_wall = wall[..., :35, :]
    assert set(np.unique(full_wall[:, 3])) == {0, 217, 255}
    rows = np.arange(36, 64) + 0.5
    expected = np.rint(255 * (0.8 + 0.2 * (rows - 35.2) / (63.5 - 35.2)))
    np.testing.assert_array_equal(floor[..., 36:, :].max(axis=-1), np.broadcast_to(expected, (3, 7, 4, 8, 28)))


@pytest.mark.parametrize("factor", [1.0, 0.85, 0.8, 0.9])
def test_shaded_colours_are_decoded_among_colours_of_that_shading(factor: float) -> None:
    shade = round(255 * factor)
    shown = np.rint(shade * PALETTE / 255)
    np.testing.assert_array_equal(nearest(shown, factor * PALETTE), np.arange(16))


def test_pictures_are_decoded_everywhere(layers: np.ndarray) -> None:
    """Walls and floors of pictures, by the nearest palette colour at the shading of the place."""
    rows = random_factors(LAB_SIZES, 40)
    images, shadings = compose(layers, rows), layers[tuple(rows[:, 3:].T)]
    for image, shading, row in zip(images, shadings, rows, strict=True):
        for layer in (WALL, FLOOR, OBJECT):
            only = (shading[layer] > 0) & (np.delete(shading, layer, axis=0) == 0).all(axis=0)
            for level in np.unique(shading[layer][only]):
                if layer == OBJECT and level < 255:
                    continue
                shown = np.unique(image[:, only & (shading[layer] == level)].T, axis=0)
                assert (nearest(shown, level / 255 * PALETTE) == row[layer]).all()


def test_the_corner_goes_right_and_the_object_left_with_yaw(layers: np.ndarray) -> None:
    corner = (layers[0, :, 0, 0, WALL, 0] == 255).sum(axis=-1)
    np.testing.assert_allclose(corner, 64 * (0.5 + 0.35 * np.linspace(-1, 1, 7)), atol=1)
    covered = layers[..., OBJECT, :, :]
    columns = covered.max(axis=-2) > 0
    middle = (columns.argmax(axis=-1) + 63 - columns[..., ::-1].argmax(axis=-1) + 1) / 2
    expected = 64 * (0.5 - 0.25 * np.linspace(-1, 1, 7))
    np.testing.assert_allclose(middle, np.broadcast_to(expected[:, None, None], middle.shape), atol=0.51)


def test_objects_stand_at_their_height_on_one_line(layers: np.ndarray) -> None:
    rows = layers[..., OBJECT, :, :].max(axis=-1) > 0
    top, bottom = rows.argmax(axis=-1), 64 - rows[..., ::-1].argmax(axis=-1)
    np.testing.assert_allclose(bottom, 51.2, atol=1)
    height = 0.38 * 64 * (0.6 + 0.4 * np.arange(4) / 3)
    np.testing.assert_allclose(top, np.broadcast_to((51.2 - height)[:, None], top.shape), atol=1)


@pytest.mark.slow
def test_objects_narrow_with_the_cosine_of_rotation(layers: np.ndarray) -> None:
    width = layers[..., OBJECT, :, :].astype(bool).any(axis=-2).sum(axis=-1)
    relative = 0.55 + 0.45 * np.abs(np.cos(2 * np.pi * (np.arange(8) + 0.5) / 8))
    height = 0.38 * 64 * (0.6 + 0.4 * np.arange(4) / 3)
    for identity, widest in ((HAT, 1.28), (LOLLY, 0.66), (SUITCASE, 1.2)):
        expected = np.broadcast_to(widest * height[:, None] * relative, (7, 4, 8))
        np.testing.assert_allclose(width[identity], expected, atol=2)


def test_the_stripe_is_on_the_side_of_the_sine(layers: np.ndarray) -> None:
    """It darkens that side; opposite rotations of the object at opposite yaws are mirror images."""
    solid = layers[..., OBJECT, :, :]
    np.testing.assert_array_equal(solid, solid[:, ::-1, :, ::-1, :, ::-1])
    left, right = solid[:, 3, ..., :32].sum(axis=(3, 4)), solid[:, 3, ..., 32:].sum(axis=(3, 4))
    assert (right[..., :4] < left[..., :4] - 255).all()
    assert (right[..., 4:] > left[..., 4:] + 255).all()


def test_objects_of_the_colour_of_the_room_are_outlined(layers: np.ndarray) -> None:
    for colour in range(16):
        for identity in (HAT, LOLLY, SUITCASE):
            (image,) = compose(layers, np.array([[colour, colour, colour, identity, 3, 0, 1]])).astype(np.int64)
            place = layers[identity, 3, 0, 1, OBJECT] > 0
            assert (image.max(axis=0)[place] < 0.6 * PALETTE[colour].max()).sum() > 15


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([16, 0, 0, 0, 0, 0, 0], "wall must be 0 to 15, got 16 in row 1"),
        ([0, 0, 0, 3, 0, 0, 0], "identity must be 0 to 2, got 3 in row 1"),
        ([0, 0, 0, 0, 0, 0, -1], "rotation must be 0 to 7, got -1 in row 1"),
    ],
)
def test_values_out_of_range_are_named(row: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_lab(np.array([[0] * 7, row]))


@pytest.mark.slow
def test_pixels_are_the_same_on_every_machine() -> None:
    expected = "8eb68c8287b696c5c2c313ec7099a685e53e65ffe7a5a652be6df95c3a1fe82b"
    assert sample_hash(render_lab, LAB_SIZES) == expected
    assert sample_hash_without_simd(render_lab, LAB_SIZES) == expected
