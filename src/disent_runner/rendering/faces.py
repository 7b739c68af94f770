"""Toy faces: grey pictures of a shaded head, by identity, azimuth and elevation of the head and azimuth of the light.

A licence-free stand-in for the 3D faces of Paysan et al. (2009). Each view draws the points of the head's surface into
a depth buffer of 2 x 2 samples a pixel; all lights shade the same points. The head is symmetric, so a head turned
to the left is the mirror image of one turned to the right under a mirrored light.
"""

import math
from collections.abc import Iterator

import numpy as np
from jaxtyping import Bool, Float, Int, Int16, Integer, UInt8

from disent_runner.rendering.checks import check_range
from disent_runner.rendering.face_geometry import Surface, head_surface
from disent_runner.rendering.face_traits import face_traits

FACE_SIZES = {"identity": 50, "azimuth": 21, "elevation": 11, "light": 11}
LARGEST_DEGREES = {"azimuth": 80, "elevation": 25, "light": 80}
FACE_SIDE = 64
STRAIGHT_AHEAD = 10  # of the azimuths
SAMPLES = 2
BUFFER_SIDE = FACE_SIDE * SAMPLES
SCALE = 25.5 * SAMPLES  # samples in half the height of a head
MIDDLE = BUFFER_SIDE / 2
RAISED = 2.5 * SAMPLES
BACKGROUND = 0.22
AMBIENT, DIFFUSE, SILHOUETTE = 0.20, 0.88, 0.7
LIGHT_HEIGHT, LIGHT_LEVEL = 0.48, math.sqrt(1 - 0.48**2)  # the light comes from above
STEPS_OF_GREY = 255 * 16
POINT_BITS = 20


def render_faces(factors: Integer[np.ndarray, "image 4"]) -> UInt8[np.ndarray, "image 64 64"]:
    """Pictures of rows of value indices (identity, azimuth, elevation, light), in any order.

    ValueError names the first factor with a value out of range.
    """
    check_range(factors, FACE_SIZES)
    images = np.empty((len(factors), FACE_SIDE, FACE_SIDE), np.uint8)
    wanted, is_left = _turned_right(factors)
    views, view_of_image = np.unique(wanted[:, :3], axis=0, return_inverse=True)
    identity_drawn, surface = -1, None
    for number, (identity, azimuth, elevation) in enumerate(views.tolist()):
        if identity != identity_drawn or surface is None:
            identity_drawn, surface = identity, head_surface(face_traits(identity))
        chosen = np.flatnonzero(view_of_image.reshape(-1) == number)
        lights, light_of_image = np.unique(wanted[chosen, 3], return_inverse=True)
        images[chosen] = draw(turned(surface, azimuth), elevation, lights)[light_of_image]
    images[is_left] = images[is_left, :, ::-1]
    return images


def face_blocks() -> Iterator[UInt8[np.ndarray, "image 64 64"]]:
    """All 127,050 pictures in the order of the data set (the light changes fastest), one identity (2541) at a time."""
    shape = tuple(FACE_SIZES.values())[1:]
    lights = np.arange(FACE_SIZES["light"])
    for identity in range(FACE_SIZES["identity"]):
        surface = head_surface(face_traits(identity))
        images = np.empty((*shape, FACE_SIDE, FACE_SIDE), np.uint8)
        for azimuth in range(STRAIGHT_AHEAD, FACE_SIZES["azimuth"]):
            head = turned(surface, azimuth)
            for elevation in range(FACE_SIZES["elevation"]):
                images[azimuth, elevation] = draw(head, elevation, lights)
        images[:STRAIGHT_AHEAD] = images[:STRAIGHT_AHEAD:-1, :, ::-1, :, ::-1]
        yield images.reshape(-1, FACE_SIDE, FACE_SIDE)


def _turned_right(
    factors: Integer[np.ndarray, "image 4"],
) -> tuple[Int[np.ndarray, "image 4"], Bool[np.ndarray, " image"]]:
    """The factors of the mirror image, where the head is turned to the left."""
    is_left = factors[:, 1] < STRAIGHT_AHEAD
    wanted = factors.astype(np.int64)
    wanted[is_left, 1] = 2 * STRAIGHT_AHEAD - wanted[is_left, 1]
    wanted[is_left, 3] = FACE_SIZES["light"] - 1 - wanted[is_left, 3]
    return wanted, is_left


def _angle(value: int, name: str) -> tuple[float, float]:
    """Sine and cosine of one of the angles evenly spaced from minus to plus the largest."""
    angle = math.radians(LARGEST_DEGREES[name] * (2 * value / (FACE_SIZES[name] - 1) - 1))
    # Rounded, so that libraries that differ in the last bit of a sine give the same picture.
    return round(math.sin(angle) * 2**24) / 2**24, round(math.cos(angle) * 2**24) / 2**24


def turned(surface: Surface, azimuth: int) -> Surface:
    """The surface turned about the vertical axis, to the right of the picture for a higher azimuth."""
    sine, cosine = _angle(azimuth, "azimuth")
    points, normals = (
        np.stack([x * cosine + z * sine, y, z * cosine - x * sine]) for x, y, z in (surface.points, surface.normals)
    )
    return Surface(points, normals, surface.reflectances)


def draw(head: Surface, elevation: int, lights: Int[np.ndarray, " light"]) -> UInt8[np.ndarray, "light 64 64"]:
    """A turned head seen from above (a higher elevation) or below, under each of the lights."""
    sine, cosine = _angle(elevation, "elevation")
    _, normal_y, normal_z = head.normals
    facing = np.flatnonzero(normal_z * cosine + normal_y * sine > 0)
    x, y, z = head.points[:, facing]
    place, nearest = _nearest(x, y * cosine - z * sine, z * cosine + y * sine)
    chosen = facing[nearest]
    x, y, z = head.normals[:, chosen]
    normals = np.stack([x, y * cosine - z * sine, z * cosine + y * sine])
    grey = _shaded(normals, head.reflectances[chosen], lights)
    return _averaged(place, np.rint(STEPS_OF_GREY * np.minimum(grey, 1)).astype(np.int16))


def _nearest(
    x: Float[np.ndarray, " point"], y: Float[np.ndarray, " point"], z: Float[np.ndarray, " point"]
) -> tuple[Int[np.ndarray, " sample"], Int[np.ndarray, " sample"]]:
    """The covered samples of the buffer, and the point to be seen in each."""
    column = (MIDDLE + SCALE * x).astype(np.int64)
    row = (MIDDLE - RAISED - SCALE * y).astype(np.int64)
    is_inside = (column >= 0) & (column < BUFFER_SIDE) & (row >= 0) & (row < BUFFER_SIDE)
    place = np.where(is_inside, row * BUFFER_SIDE + column, BUFFER_SIDE * BUFFER_SIDE)
    depth = ((z + 4) * 2**24).astype(np.int64) << POINT_BITS
    nearest = np.full(BUFFER_SIDE * BUFFER_SIDE + 1, -1)
    np.maximum.at(nearest, place, depth + np.arange(len(x)))
    covered = np.flatnonzero(nearest[:-1] >= 0)
    return covered, nearest[covered] & (2**POINT_BITS - 1)


def _shaded(
    normals: Float[np.ndarray, "3 sample"],
    reflectances: Float[np.ndarray, " sample"],
    lights: Int[np.ndarray, " light"],
) -> Float[np.ndarray, "light sample"]:
    x, y, z = normals
    silhouette = reflectances * (SILHOUETTE + (1 - SILHOUETTE) * z)
    shades = []
    for light in lights.tolist():
        sine, cosine = _angle(light, "light")
        lit = np.maximum(0, x * (sine * LIGHT_LEVEL) + y * LIGHT_HEIGHT + z * (cosine * LIGHT_LEVEL))
        shades.append(silhouette * (AMBIENT + DIFFUSE * lit))
    return np.stack(shades)


def _averaged(
    place: Int[np.ndarray, " sample"], grey: Int16[np.ndarray, "light sample"]
) -> UInt8[np.ndarray, "light 64 64"]:
    buffer = np.full((len(grey), BUFFER_SIDE * BUFFER_SIDE), round(STEPS_OF_GREY * BACKGROUND), np.int16)
    buffer[:, place] = grey
    samples = buffer.reshape(len(grey), FACE_SIDE, SAMPLES, FACE_SIDE, SAMPLES).astype(np.int32)
    total = samples.sum(axis=(2, 4))
    return ((total * 255 + STEPS_OF_GREY * SAMPLES**2 // 2) // (STEPS_OF_GREY * SAMPLES**2)).astype(np.uint8)
