"""The surface of a head as a cloud of points with normals and reflectances, dense enough to be drawn without holes.

x goes to the right of the picture, y up, z to the viewer; the head is 2 high (chin at -1, crown at 1), its face looks
along z and it is symmetric about x = 0. Every part is a grid of points with a margin of one cell for the normals.
"""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from disent_runner.rendering.face_paint import above_hairline, mouth_height, paint
from disent_runner.rendering.face_shapes import bump, rise, unit_vectors
from disent_runner.rendering.face_traits import FaceTraits

ACROSS, AROUND = 220, 640  # samples from the middle to an ear, and all the way round the head


class Surface(NamedTuple):
    points: Float[np.ndarray, "3 point"]
    normals: Float[np.ndarray, "3 point"]
    reflectances: Float[np.ndarray, " point"]


def head_surface(traits: FaceTraits) -> Surface:
    parts = [_sampled(*part(traits)) for part in (_head, _ear, _neck)]
    right = Surface(*(np.concatenate(values, axis=-1) for values in zip(*parts, strict=True)))
    mirror = np.array([[-1.0], [1.0], [1.0]])
    return Surface(
        np.concatenate([right.points, right.points * mirror], axis=1),
        np.concatenate([right.normals, right.normals * mirror], axis=1),
        np.concatenate([right.reflectances, right.reflectances]),
    )


def _sampled(grid: Float[np.ndarray, "3 row column"], reflectances: Float[np.ndarray, "row column"]) -> Surface:
    along, across = (np.roll(grid, -1, axis) - np.roll(grid, 1, axis) for axis in (1, 2))
    normals = np.stack([along[i - 2] * across[i - 1] - along[i - 1] * across[i - 2] for i in range(3)])
    inner = (slice(1, -1), slice(1, -1))
    x, y, z = normals
    length = np.sqrt(x * x + y * y + z * z)[inner]
    points = grid[:, *inner]
    return Surface(points.reshape(3, -1), (normals[:, *inner] / length).reshape(3, -1), reflectances[inner].reshape(-1))


def _head(traits: FaceTraits) -> tuple[np.ndarray, np.ndarray]:
    # Denser in front, where the nose stretches the grid.
    step = np.arange(-1, AROUND + 1) / AROUND - 0.5
    around = 2 * np.pi * step - 0.45 * np.sin(2 * np.pi * step)
    across = np.pi / 2 * (np.arange(-1, ACROSS + 1) + 0.5) / (ACROSS + 1)
    directions = unit_vectors(across[:, None], around)
    x, y, z = _skull(directions, traits)
    z = z + rise(directions[2], 0.0, 0.35) * _features(np.abs(x), y, traits)
    above = above_hairline(np.abs(x), y, z, traits)
    swell = 1 + traits.hair_thickness * rise(above, -0.03, 0.25)
    reflectances = paint(np.abs(x), y, z, traits, hair=rise(above, -0.03, 0.05))
    return np.stack([x * swell, y * swell, z * swell]), reflectances


def _skull(directions: Float[np.ndarray, "3 row column"], traits: FaceTraits) -> np.ndarray:
    x, y, z = directions
    roundness = np.sqrt(np.sqrt(x * x * x * x + y * y * y * y + z * z * z * z))
    swell = 0.55 + 0.45 / roundness
    below = np.maximum(0, 0.1 - y) / 1.1
    width = traits.head_width * (1 - traits.jaw_taper * below * below)
    depth = np.where(z > 0, 0.80, 0.92)
    chin = np.maximum(0, -y)
    return np.stack([x * width * swell, y, z * depth * swell + 0.40 * chin * chin])


def _features(x: np.ndarray, y: np.ndarray, traits: FaceTraits) -> np.ndarray:
    """How far the face stands out over the skull, along z."""
    eyes = traits.eye_distance
    mouth = mouth_height(traits)
    lips = traits.lip_fullness
    return (
        -0.12 * bump(x - eyes, y, 0.26, 0.20)
        + 0.06 * bump(x - eyes, y + 0.01, 0.17, 0.11)
        + traits.brow_ridge * bump(x - 0.24, y - 0.2, 0.24, 0.16)
        + traits.cheekbones * bump(x - 0.42, y + 0.2, 0.38, 0.32)
        + _nose(x, y, traits)
        + 0.06 * bump(x, y - mouth, 0.42, 0.30)
        + 0.055 * bump(x, y - mouth - 0.6 * lips, 1.2 * traits.mouth_width, 1.1 * lips)
        + 0.065 * bump(x, y - mouth + 0.7 * lips, traits.mouth_width, 1.3 * lips)
        - 0.03 * bump(x, y - mouth + 0.17, 0.25, 0.09)
        + traits.chin * bump(x, y + 0.9, 0.32, 0.22)
    )


def _nose(x: np.ndarray, y: np.ndarray, traits: FaceTraits) -> np.ndarray:
    along = (0.14 - y) / traits.nose_length  # 0 at the root, 1 at the tip
    past_tip = np.maximum(0, along - 0.9) / 0.34
    round_tip = np.sqrt(np.maximum(0, 1 - past_tip * past_tip))
    height = traits.nose_height * (0.2 + 0.8 * np.minimum(along, 1.05)) * rise(along, 0.0, 0.35) * round_tip
    width = traits.nose_width * (0.6 + 0.45 * rise(along, 0.3, 1.0))
    side = np.minimum(1, x / width)
    ridge = (1 - side * side) * (1 - side * side)
    tip = 0.14 - traits.nose_length
    wings = 0.09 * bump(x - 0.6 * traits.nose_width, y - tip + 0.03, 0.10, 0.10)
    return height * ridge + wings


def _ear(traits: FaceTraits) -> tuple[np.ndarray, np.ndarray]:
    across = np.pi / 2 * (np.arange(-1, 41) + 0.5) / 41
    around = 2 * np.pi * np.arange(-1, 111) / 110
    outward, up, forward = unit_vectors(across[:, None], around)
    bowl = bump(up - 0.1, forward - 0.1, 0.75, 0.7)
    size = traits.ear_size
    under_hair = 0.25 if traits.hair_length > 0 else 0.0
    x = traits.head_width * 0.97 - under_hair + size * (0.12 * outward * (1 - 0.7 * bowl) - 0.1 * forward)
    y = -0.08 + size * 0.23 * up
    z = size * (0.13 * forward + 0.05 * up)
    return np.stack([x, y, z]), traits.skin_tone * (0.95 - 0.45 * bowl)


def _neck(traits: FaceTraits) -> tuple[np.ndarray, np.ndarray]:
    down = np.linspace(-0.55, -2.2, 150)[:, None]
    half_turn = np.pi * (np.arange(-1, 141) - 0.5) / 140
    x, z = np.sin(half_turn), np.cos(half_turn)
    flare = rise(-down, 1.15, 2.2)
    width = 0.56 * traits.head_width + 0.9 * flare
    depth = 0.44 + 0.15 * flare
    grid = np.stack([x * width, down + 0 * x, z * depth - 0.12 + 0 * down])
    # The chin takes the light from the top of the neck.
    shade = 0.55 + 0.45 * rise(-down, 0.85, 1.4)
    return grid, np.broadcast_to(traits.skin_tone * shade, grid.shape[1:]).copy()
