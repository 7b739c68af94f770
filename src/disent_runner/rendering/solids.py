"""Rays against four solids of about unit height, which stand on the plane z = 0 around the z axis."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

Vectors = Float[np.ndarray, "3 *#ray"]
Numbers = Float[np.ndarray, "*#ray"]

CUBE_HALF = 0.47
CYLINDER_HALF, CYLINDER_RADIUS = 0.5, 0.46
SPHERE_RADIUS = 0.56
CAPSULE_HALF, CAPSULE_RADIUS = 0.27, 0.41  # of the axis between the centres of its round ends


class Solid(NamedTuple):
    """A convex solid around the origin: where rays enter it, and the outward normal at points of its surface.

    `enter` takes origins and directions of rays and gives the distance in units of the direction's length, infinite
    where the ray misses; an origin is never inside.
    """

    half_height: float
    enter: Callable[[Vectors, Vectors], Numbers]
    normal: Callable[[Vectors], Vectors]


def dot(left: Vectors, right: Vectors) -> Numbers:
    return left[0] * right[0] + left[1] * right[1] + left[2] * right[2]


def length(vectors: Vectors) -> Numbers:
    return np.sqrt(dot(vectors, vectors))


def nonzero(numbers: Numbers) -> Numbers:
    """The numbers, a tiny one in place of 0, for quotients without warnings."""
    return np.where(np.abs(numbers) < 1e-12, 1e-12, numbers)


def _entered(enter: Numbers, leave: Numbers) -> Numbers:
    return np.where((enter < leave) & (leave > 0), enter, np.inf)


def _slab(origin: Numbers, direction: Numbers, half: float) -> tuple[Numbers, Numbers]:
    speed = nonzero(direction)
    first, second = (-half - origin) / speed, (half - origin) / speed
    return np.minimum(first, second), np.maximum(first, second)


def _tube(origin: Vectors, direction: Vectors, radius: float) -> tuple[Numbers, Numbers]:
    """In and out of the infinite cylinder around the z axis."""
    square = nonzero(direction[0] * direction[0] + direction[1] * direction[1])
    half = direction[0] * origin[0] + direction[1] * origin[1]
    return _roots(square, half, origin[0] * origin[0] + origin[1] * origin[1] - radius * radius)


def _ball(origin: Vectors, direction: Vectors, radius: float, height: float = 0.0) -> tuple[Numbers, Numbers]:
    rise = origin[2] - height
    half = direction[0] * origin[0] + direction[1] * origin[1] + direction[2] * rise
    rest = origin[0] * origin[0] + origin[1] * origin[1] + rise * rise - radius * radius
    return _roots(dot(direction, direction), half, rest)


def _roots(square: Numbers, half: Numbers, rest: Numbers) -> tuple[Numbers, Numbers]:
    """Where square t² + 2 half t + rest is negative; the first number is infinite if it nowhere is."""
    inside = half * half - square * rest
    root = np.sqrt(np.maximum(inside, 0.0))
    return np.where(inside > 0, (-half - root) / square, np.inf), (root - half) / square


def _enter_cube(origin: Vectors, direction: Vectors) -> Numbers:
    slabs = [_slab(origin[axis], direction[axis], CUBE_HALF) for axis in range(3)]
    enter = np.maximum(np.maximum(slabs[0][0], slabs[1][0]), slabs[2][0])
    return _entered(enter, np.minimum(np.minimum(slabs[0][1], slabs[1][1]), slabs[2][1]))


def _cube_normal(point: Vectors) -> Vectors:
    size = np.abs(point)
    return np.where(size == size.max(axis=0), np.sign(point), 0.0)


def _enter_cylinder(origin: Vectors, direction: Vectors) -> Numbers:
    slab, tube = _slab(origin[2], direction[2], CYLINDER_HALF), _tube(origin, direction, CYLINDER_RADIUS)
    return _entered(np.maximum(slab[0], tube[0]), np.minimum(slab[1], tube[1]))


def _cylinder_normal(point: Vectors) -> Vectors:
    radius = np.sqrt(point[0] * point[0] + point[1] * point[1])
    on_lid = np.abs(point[2]) / CYLINDER_HALF > radius / CYLINDER_RADIUS
    side = np.stack([point[0], point[1], 0 * radius]) / nonzero(radius)
    lid = np.stack([0 * radius, 0 * radius, np.sign(point[2])])
    return np.where(on_lid, lid, side)


def _enter_sphere(origin: Vectors, direction: Vectors) -> Numbers:
    return _entered(*_ball(origin, direction, SPHERE_RADIUS))


def _sphere_normal(point: Vectors) -> Vectors:
    return point / length(point)


def _enter_capsule(origin: Vectors, direction: Vectors) -> Numbers:
    slab, tube = _slab(origin[2], direction[2], CAPSULE_HALF), _tube(origin, direction, CAPSULE_RADIUS)
    middle = _entered(np.maximum(slab[0], tube[0]), np.minimum(slab[1], tube[1]))
    ends = [_entered(*_ball(origin, direction, CAPSULE_RADIUS, height)) for height in (-CAPSULE_HALF, CAPSULE_HALF)]
    return np.minimum(middle, np.minimum(*ends))


def _capsule_normal(point: Vectors) -> Vectors:
    outward = np.stack([point[0], point[1], point[2] - np.clip(point[2], -CAPSULE_HALF, CAPSULE_HALF)])
    return outward / length(outward)


SOLIDS = (
    Solid(CUBE_HALF, _enter_cube, _cube_normal),
    Solid(CYLINDER_HALF, _enter_cylinder, _cylinder_normal),
    Solid(SPHERE_RADIUS, _enter_sphere, _sphere_normal),
    Solid(CAPSULE_HALF + CAPSULE_RADIUS, _enter_capsule, _capsule_normal),
)
