"""A coloured solid in the corner of a coloured room: a stand-in for 3D Shapes (Burgess and Kim 2018), same factors.

Four solids are ray-cast in world coordinates: x right, y away from the camera of the middle orientation, z up, the
floor at z = 0 and the axis of the solid at x = y = 0. Colours do not change the shading, so that an image is the sum
over four layers (floor, wall, object, highlight) of shading times colour.

Only sums, products, quotients and square roots are taken of long arrays, and sines are rounded: the results do not
depend on the machine's vector units.
"""

import math
from itertools import product

import numpy as np
from jaxtyping import Float, Int, Integer, UInt8

from disent_runner.rendering.checks import check_range
from disent_runner.rendering.solids import SOLIDS, Numbers, Solid, Vectors, dot, length, nonzero

ROOM_SIZES = {"floor_hue": 10, "wall_hue": 10, "object_hue": 10, "scale": 8, "shape": 4, "orientation": 15}
IMAGE_SIDE = 64
RAYS_PER_SIDE = 3
CAMERA_DISTANCE, CAMERA_HEIGHT, TARGET_HEIGHT, IMAGE_SLOPE = 4.2, 2.0, 0.62, 0.37
CORNER_DISTANCE = 3.6
LIGHT = np.array([-0.48, -0.6, 0.64])  # a unit vector
LIGHT_SPREAD = 0.06
SHADOW_WIDTH = 1.2  # at unit scale, from the middle of a shadow, no part of which is further away
CYLINDER = 1
HIGHLIGHTS = (0.0, 0.3, 0.55, 0.55)  # of cube, cylinder, sphere and capsule


def room_layers() -> UInt8[np.ndarray, "geometry layer 64 64"]:
    """Shading (255 full) of floor, wall, object and white highlight, for all scales, shapes and orientations.

    Geometries are in the order of the data set, orientation last and fastest. The layers of a pixel sum to at most 255.
    """
    sizes = [ROOM_SIZES[name] for name in ("scale", "shape", "orientation")]
    return _layers_of(np.array(list(product(*(range(size) for size in sizes)))))


def room_colours() -> tuple[UInt8[np.ndarray, "value 3"], ...]:
    """The colours of floor, wall, object and highlight: ten hues at full saturation, and white."""
    fifths_of_sextant = 3 * np.arange(10)[:, None] - np.array([0, 10, 20])
    hues = (np.clip(np.abs(fifths_of_sextant % 30 - 15) - 5, 0, 5) * 51).astype(np.uint8)
    return hues, hues, hues, np.full((1, 3), 255, np.uint8)


def render_rooms(factors: Integer[np.ndarray, "image 6"]) -> UInt8[np.ndarray, "image 3 64 64"]:
    """Images of rows of value indices (floor, wall and object hue, scale, shape, orientation), in any order.

    ValueError names the first factor with a value out of range.
    """
    check_range(factors, ROOM_SIZES)
    geometries, geometry = np.unique(factors[:, 3:].astype(np.int64), axis=0, return_inverse=True)
    layers = _layers_of(geometries)[geometry.reshape(-1)]
    values = np.pad(factors[:, :3], ((0, 0), (0, 1)))
    total = np.zeros((len(factors), 3, IMAGE_SIDE, IMAGE_SIDE), np.int32)
    for layer, colours in enumerate(room_colours()):
        total += layers[:, layer, None] * colours[values[:, layer], :, None, None].astype(np.int32)
    return ((total + 127) // 255).astype(np.uint8)


def _layers_of(geometries: Int[np.ndarray, "geometry 3"]) -> UInt8[np.ndarray, "geometry 4 64 64"]:
    layers = np.empty((len(geometries), 4, IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    for orientation in np.unique(geometries[:, 2]):
        camera, rays = _camera(int(orientation))
        room = _room_shading(camera, rays)
        for number in np.flatnonzero(geometries[:, 2] == orientation):
            scale, shape, _ = geometries[number].tolist()
            layers[number] = _shade_solid(shape, 0.75 + scale / 14, camera, rays, room)
    return layers


def _camera(orientation: int) -> tuple[Float[np.ndarray, "3"], Float[np.ndarray, "3 fine fine"]]:
    """Position of the camera, and unit directions into the picture, `RAYS_PER_SIDE` squared for each pixel."""
    angle = math.radians(30 * (orientation - 7) / 7)
    sine, cosine = round(math.sin(angle), 12), round(math.cos(angle), 12)
    position = np.array([CAMERA_DISTANCE * sine, -CAMERA_DISTANCE * cosine, CAMERA_HEIGHT])
    drop = CAMERA_HEIGHT - TARGET_HEIGHT
    reach = math.sqrt(CAMERA_DISTANCE**2 + drop**2)
    ahead, down = CAMERA_DISTANCE / reach, drop / reach
    side = IMAGE_SIDE * RAYS_PER_SIDE
    grid = IMAGE_SLOPE * (2 * np.arange(side) + 1 - side) / side
    x, y = grid[None, :], -grid[:, None]
    forward = ahead + y * down
    direction = np.stack([cosine * x - sine * forward, sine * x + cosine * forward, y * ahead - down + 0 * x])
    return position, direction / length(direction)


def _room_shading(camera: Float[np.ndarray, "3"], rays: Float[np.ndarray, "3 y x"]) -> Float[np.ndarray, "2 y x"]:
    """Shading of the empty room as seen along the rays: the floor where it is seen, else 0, and the walls likewise."""
    half = math.sqrt(0.5)
    from_camera = [half * (CORNER_DISTANCE - camera[1] + side * camera[0]) for side in (1, -1)]
    speed = [half * (rays[1] - side * rays[0]) for side in (1, -1)]
    hits = [_first_hit(gap, towards) for gap, towards in zip(from_camera, speed, strict=True)]
    to_wall = np.minimum(*hits)
    to_floor = _first_hit(camera[2], -rays[2])
    on_floor = to_floor < to_wall
    point = camera[:, None, None] + np.minimum(to_wall, to_floor) * rays
    gaps = [half * (CORNER_DISTANCE - point[1] + side * point[0]) for side in (1, -1)]
    wall = np.where(hits[0] < hits[1], 0.74, 0.9) * _dimmed(np.maximum(*gaps), 0.16) * _dimmed(point[2], 0.12)
    floor = 0.95 * _dimmed(np.minimum(*gaps), 0.2)
    return np.stack([np.where(on_floor, floor, 0.0), np.where(on_floor, 0.0, wall)])


def _first_hit(gap: float, speed: Float[np.ndarray, "y x"]) -> Float[np.ndarray, "y x"]:
    """Distance to a plane `gap` away, infinite where a ray does not come nearer to it."""
    return np.where(speed > 0, gap / nonzero(speed), np.inf)


def _dimmed(gap: Numbers, depth: float) -> Numbers:
    """1 far from another surface, 1 - depth where it is touched."""
    nearness = np.clip(1 - gap / 1.5, 0.0, 1.0)
    return 1 - depth * nearness * nearness


def _shade_solid(
    shape: int,
    scale: float,
    camera: Float[np.ndarray, "3"],
    rays: Float[np.ndarray, "3 fine fine"],
    room: Float[np.ndarray, "2 fine fine"],
) -> UInt8[np.ndarray, "4 64 64"]:
    solid = SOLIDS[shape]
    eye = camera / scale - np.array([0.0, 0.0, solid.half_height])  # from the centre of a solid of unit scale
    distance = solid.enter(eye[:, None, None], rays)
    seen = np.isfinite(distance)
    normal = solid.normal(eye[:, None] + distance[seen] * rays[:, seen])
    highlight = HIGHLIGHTS[shape] * _gloss(normal, rays[:, seen], streak=shape == CYLINDER)
    layers = np.concatenate([np.where(seen, 0.0, room), np.zeros((2, *seen.shape))])
    floor = layers[0] > 0
    layers[0, floor] *= _floor_light(solid, eye, rays[:, floor])
    layers[2, seen] = _lambert(normal) * (1 - highlight)
    layers[3, seen] = highlight
    return _pixels(layers)


def _pixels(layers: Float[np.ndarray, "4 fine fine"]) -> UInt8[np.ndarray, "4 64 64"]:
    # Whole numbers, because the order in which a sum is taken must not matter, and rounded down to sum to at most 255.
    steps = np.rint(65536 * layers).astype(np.int32)
    rows = steps.reshape(4, IMAGE_SIDE, RAYS_PER_SIDE, -1).sum(axis=2)
    sums = rows.reshape(4, IMAGE_SIDE, IMAGE_SIDE, RAYS_PER_SIDE).sum(axis=3)
    return (sums * 255 // (65536 * RAYS_PER_SIDE**2)).astype(np.uint8)


def _lambert(normal: Vectors) -> Numbers:
    """Share of its colour that a surface with this normal shows."""
    return 0.35 + 0.05 * normal[2] + 0.6 * np.maximum(dot(normal, LIGHT[:, None]), 0.0)


def _gloss(normal: Vectors, rays: Vectors, *, streak: bool) -> Numbers:
    """Brightness of the reflected lamp, or of its streak along an upright side, which no height ends."""
    halfway = LIGHT[:, None] - rays
    if streak:
        halfway[2] = 0.0
    gloss = np.clip(dot(normal, halfway / length(halfway)), 0.0, 1.0)
    for _ in range(5):
        gloss = gloss * gloss
    return gloss


def _floor_light(
    solid: Solid, eye: Float[np.ndarray, "3"], rays: Float[np.ndarray, "3 ray"]
) -> Float[np.ndarray, " ray"]:
    """How much light the floor keeps: a soft cast shadow, and the dark about the place where the solid stands."""
    points = eye[:, None] - (eye[2] + solid.half_height) / rays[2] * rays
    squared = dot(points, points)
    occlusion = solid.half_height**3 / (squared * np.sqrt(squared))
    along = dot(points, LIGHT[:, None])
    near = np.flatnonzero((along < 0.5) & (squared - along * along < SHADOW_WIDTH**2))
    hits = np.isfinite(solid.enter(points[:, None, near], _light_directions()[:, :, None]))
    shadow = np.zeros(len(squared))
    shadow[near] = hits.sum(axis=0) / len(hits)
    return (1 - 0.5 * shadow) * (1 - 0.5 * occlusion)


def _light_directions() -> Float[np.ndarray, "3 light"]:
    """Directions into a round lamp, in two rings."""
    rings = [(LIGHT_SPREAD * ring, math.pi * (turn + ring / 4) / 3) for ring in (1, 3) for turn in range(6)]
    offsets = [
        (round(radius * math.cos(angle), 12), round(radius * math.sin(angle), 12), 0.0) for radius, angle in rings
    ]
    return LIGHT[:, None] + np.array(offsets).T
