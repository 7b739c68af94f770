"""The expected shading is computed here from Lambert's law; the rest is what must hold of pictures of any head."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest

from disent_runner.rendering.face_geometry import Surface, head_surface
from disent_runner.rendering.face_traits import face_traits
from disent_runner.rendering.faces import FACE_SIDE, FACE_SIZES, draw, face_blocks, render_faces, turned

SIZES = tuple(FACE_SIZES.values())
AZIMUTH, ELEVATION, LIGHT = 1, 2, 3
FRONT, LEVEL, HEAD_ON = 10, 5, 5
BACKGROUND = 56
SAMPLE = [[0, 10, 5, 5], [7, 0, 0, 0], [23, 20, 10, 10], [49, 14, 3, 8], [36, 4, 7, 2], [6, 17, 0, 6]]
SAMPLE_HASH = "42cb83df8426280d86a63380df12b7060e367b91c9caf81f611af4904cbcd441"
# By the names of NumPy from 2.4 on, and before; names that are not its own only make it warn.
WITHOUT_SIMD = "X86_V3 X86_V4 AVX512_ICL AVX512_SPR AVX2 FMA3 AVX512F AVX512CD AVX512_SKX"


def random_rows(number: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, SIZES, (number, 4))


@pytest.fixture(scope="module")
def first_identity() -> np.ndarray:
    return next(face_blocks())


def test_the_sizes_of_the_published_data_set() -> None:
    assert FACE_SIZES == {"identity": 50, "azimuth": 21, "elevation": 11, "light": 11}
    assert np.prod(SIZES) == 127_050


def test_pictures_are_grey_bytes() -> None:
    images = render_faces(np.array(SAMPLE))
    assert images.dtype == np.uint8
    assert images.shape == (len(SAMPLE), FACE_SIDE, FACE_SIDE)
    assert images.max() > 150
    assert images.min() < 30


def test_no_rows_give_no_pictures() -> None:
    assert render_faces(np.zeros((0, 4), np.int64)).shape == (0, 64, 64)


def test_a_picture_does_not_depend_on_the_others_or_on_their_order() -> None:
    rows = np.array([*SAMPLE[:4], SAMPLE[1]])
    images = render_faces(rows)
    np.testing.assert_array_equal(render_faces(rows[::-1])[::-1], images)
    np.testing.assert_array_equal(np.concatenate([render_faces(row[None]) for row in rows]), images)


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32])
def test_any_whole_numbers_will_do(dtype: type) -> None:
    np.testing.assert_array_equal(render_faces(np.array(SAMPLE, dtype)), render_faces(np.array(SAMPLE)))


@pytest.mark.slow
def test_blocks_are_in_the_order_of_the_data_set(first_identity: np.ndarray) -> None:
    assert first_identity.shape == (21 * 11 * 11, 64, 64)
    chosen = np.random.default_rng(0).integers(len(first_identity), size=40)
    factors = np.stack(np.unravel_index(chosen, SIZES), axis=1)
    assert (factors[:, 0] == 0).all()
    np.testing.assert_array_equal(first_identity[chosen], render_faces(factors))


def test_no_two_pictures_of_one_identity_are_equal(first_identity: np.ndarray) -> None:
    assert len({image.tobytes() for image in first_identity}) == len(first_identity)


@pytest.mark.slow
def test_no_two_different_rows_give_the_same_picture() -> None:
    rows = np.unique(random_rows(25, seed=1), axis=0)
    assert len({image.tobytes() for image in render_faces(rows)}) == len(rows)


@pytest.mark.parametrize("column", [AZIMUTH, ELEVATION, LIGHT])
def test_every_step_is_plain_to_see(column: int) -> None:
    """At least 200 of the 4096 pixels change by at least 4 of the 255 grey levels."""
    for row in random_rows(2, seed=2 + column):
        rows = np.tile(row, (SIZES[column], 1))
        rows[:, column] = np.arange(SIZES[column])
        change = np.abs(np.diff(render_faces(rows).astype(int), axis=0))
        assert ((change >= 4).sum(axis=(1, 2)) >= 200).all()


@pytest.mark.slow
def test_any_two_identities_look_different() -> None:
    """By more than 4 grey levels a pixel, and by that much in 800 of them; the middle one of all pairs is 17 apart."""
    faces = render_faces(np.stack([np.arange(50), *np.full((3, 50), [[12], [5], [6]])], axis=1)).astype(int)
    first, second = np.triu_indices(50, k=1)
    difference = np.abs(faces[first] - faces[second])
    assert difference.mean(axis=(1, 2)).min() > 4
    assert (difference >= 4).sum(axis=(1, 2)).min() >= 800


@pytest.mark.parametrize("identity", [0, 13, 38])
def test_a_face_lit_and_seen_from_the_front_is_symmetric(identity: int) -> None:
    images = render_faces(np.array([[identity, FRONT, elevation, HEAD_ON] for elevation in range(11)]))
    np.testing.assert_array_equal(images, images[:, :, ::-1])


def test_the_mirror_image_has_the_opposite_azimuth_and_light() -> None:
    rows = random_rows(8, seed=7)
    mirrored = rows.copy()
    mirrored[:, AZIMUTH] = 20 - rows[:, AZIMUTH]
    mirrored[:, LIGHT] = 10 - rows[:, LIGHT]
    # From the front the two are drawn each for itself.
    rows[:4, AZIMUTH] = mirrored[:4, AZIMUTH] = FRONT
    np.testing.assert_array_equal(render_faces(mirrored), render_faces(rows)[:, :, ::-1])


@pytest.mark.parametrize("identity", [2, 17, 44])
def test_the_side_of_the_light_is_the_bright_one(identity: int) -> None:
    images = render_faces(np.array([[identity, FRONT, LEVEL, light] for light in range(11)])).astype(float)
    halves = images.reshape(11, 64, 2, 32).mean(axis=(1, 3))
    assert (np.diff(halves[:, 1] - halves[:, 0]) > 0)[1:9].all()
    assert halves[0, 0] > halves[0, 1]
    assert halves[10, 1] > halves[10, 0]


def outermost_column(image: np.ndarray) -> np.ndarray:
    """The last column of each row that is not background."""
    return 63 - np.argmax(image[:, ::-1] != BACKGROUND, axis=1)


@pytest.mark.parametrize("identity", [0, 7, 21, 33])
def test_the_nose_sticks_out_in_profile(identity: int) -> None:
    (profile,) = render_faces(np.array([[identity, 20, LEVEL, 8]]))
    column = outermost_column(profile)
    tip = 25 + np.argmax(column[25:48])
    assert 33 <= tip <= 42
    assert column[tip] - column[tip - 9] >= 2  # between the eyes
    assert column[tip] - column[tip + 4] >= 2  # over the lips
    assert column[tip] - column[58] >= 15  # the throat


def test_the_head_turns_to_the_side_of_a_higher_azimuth() -> None:
    images = render_faces(np.array([[4, azimuth, LEVEL, HEAD_ON] for azimuth in (0, 10, 20)]))
    right = [outermost_column(image)[38] for image in images]
    left = [63 - outermost_column(image[:, ::-1])[38] for image in images]
    assert right[2] > right[1] + 3  # the nose against the cheek
    assert left[0] < left[1] - 3


def test_a_higher_elevation_shows_more_of_the_dark_hair_and_less_of_the_face() -> None:
    images = render_faces(np.array([[5, FRONT, elevation, HEAD_ON] for elevation in range(11)]))
    dark_rows_at_the_top = np.argmax(images[:, 6:, 32] > 80, axis=1)
    assert (np.diff(dark_rows_at_the_top) >= 0).all()
    assert dark_rows_at_the_top[10] - dark_rows_at_the_top[0] >= 8


def sphere() -> Surface:
    """A white ball of radius 1, of the middles of a fine grid on each of the six sides of a cube."""
    line = (np.arange(200) + 0.5) / 100 - 1
    u, v = (axis.reshape(-1) for axis in np.meshgrid(line, line))
    sides = [np.roll(np.stack([np.full_like(u, sign), u, v]), turn, axis=0) for sign in (-1, 1) for turn in range(3)]
    points = np.concatenate(sides, axis=1)
    points = points / np.sqrt((points**2).sum(axis=0))
    return Surface(points, points, np.full(points.shape[1], 0.8))


@pytest.mark.parametrize(("light", "degrees"), [(0, -80), (5, 0), (7, 32)])
def test_a_ball_is_shaded_by_the_law_of_lambert(light: int, degrees: float) -> None:
    (image,) = draw(turned(sphere(), 13), 8, np.array([light]))
    radius, centre_row = 25.5, 32 - 2.5
    y, x = np.mgrid[:64, :64] + 0.5
    x, y = (x - 32) / radius, (centre_row - y) / radius
    inside = x**2 + y**2 < 0.9
    z = np.sqrt(np.maximum(0, 1 - x**2 - y**2))
    level = np.cos(np.arcsin(0.48))
    lit = x * level * np.sin(np.radians(degrees)) + y * 0.48 + z * level * np.cos(np.radians(degrees))
    expected = 255 * 0.8 * (0.7 + 0.3 * z) * (0.2 + 0.88 * np.maximum(0, lit))
    # A sample shows the highest of its points, up to half a sample nearer to the middle of the ball than its own.
    error = np.abs(image - expected)[inside]
    assert error.mean() < 2.5
    assert error.max() < 6
    assert (image[x**2 + y**2 > 1.1] == BACKGROUND).all()


def test_the_points_of_a_head_are_dense_and_their_normals_point_outwards() -> None:
    head = head_surface(face_traits(11))
    x, y, z = head.normals
    np.testing.assert_allclose(x * x + y * y + z * z, 1, atol=1e-12)
    crown, nose = head.points[1].argmax(), head.points[2].argmax()
    assert head.normals[1, crown] > 0.9
    assert head.normals[2, nose] > 0.9
    assert abs(head.points[0, nose]) < 0.06
    assert head.reflectances.min() > 0
    assert head.reflectances.max() < 1


@pytest.mark.parametrize("identity", [1, 6, 34])
def test_no_background_shines_through_a_head(identity: int) -> None:
    """A head so bright that every sample is white: at most one pixel in a thousand has a hole."""
    head = head_surface(face_traits(identity))
    head = head._replace(reflectances=np.full(head.points.shape[1], 10.0))
    views = [
        draw(turned(head, azimuth), elevation, np.array([5]))[0] for azimuth in (10, 15, 20) for elevation in (0, 10)
    ]
    white = np.stack(views) == 255
    surrounded = np.logical_and.reduce([np.roll(white, shift, axis) for axis in (1, 2) for shift in (-1, 1)])
    assert white.mean() > 0.3
    assert (surrounded & ~white).sum() <= white.sum() / 1000


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([50, 0, 0, 0], "^identity must be 0 to 49, got 50 in row 1$"),
        ([0, 21, 0, 0], "^azimuth must be 0 to 20, got 21 in row 1$"),
        ([0, 0, -1, 0], "^elevation must be 0 to 10, got -1 in row 1$"),
        ([0, 0, 0, 11], "^light must be 0 to 10, got 11 in row 1$"),
    ],
)
def test_values_out_of_range_are_named(row: list[int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        render_faces(np.array([[0, 0, 0, 0], row]))


def test_the_pictures_are_those_recorded() -> None:
    assert hashlib.sha256(render_faces(np.array(SAMPLE)).tobytes()).hexdigest() == SAMPLE_HASH


def test_a_machine_without_wide_registers_draws_the_same() -> None:
    program = f"""
import hashlib, numpy as np
from disent_runner.rendering.faces import render_faces
print(hashlib.sha256(render_faces(np.array({SAMPLE})).tobytes()).hexdigest())
"""
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": WITHOUT_SIMD}
    result = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == SAMPLE_HASH
