"""Rays are compared with points marched along them, tested against the definition of each solid."""

import math

import numpy as np
import pytest

from disent_runner.rendering.solids import (
    CAPSULE_HALF,
    CAPSULE_RADIUS,
    CUBE_HALF,
    CYLINDER_HALF,
    CYLINDER_RADIUS,
    SOLIDS,
    SPHERE_RADIUS,
)

STEP = 0.01


def cube(point: np.ndarray) -> np.ndarray:
    return np.abs(point).max(axis=0) - CUBE_HALF


def cylinder(point: np.ndarray) -> np.ndarray:
    return np.maximum(np.hypot(point[0], point[1]) - CYLINDER_RADIUS, np.abs(point[2]) - CYLINDER_HALF)


def sphere(point: np.ndarray) -> np.ndarray:
    return np.sqrt((point**2).sum(axis=0)) - SPHERE_RADIUS


def capsule(point: np.ndarray) -> np.ndarray:
    beyond_axis = np.maximum(np.abs(point[2]) - CAPSULE_HALF, 0)
    return np.sqrt(point[0] ** 2 + point[1] ** 2 + beyond_axis**2) - CAPSULE_RADIUS


OUTSIDE = (cube, cylinder, sphere, capsule)  # distance to the outside, negative inside


@pytest.fixture(scope="module")
def rays() -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(0)
    towards = generator.normal(size=(3, 400))
    origin = 3 * towards / np.sqrt((towards**2).sum(axis=0))
    direction = generator.uniform(-0.7, 0.7, (3, 400)) - origin
    return origin, direction / np.sqrt((direction**2).sum(axis=0))


@pytest.mark.parametrize("shape", range(4))
def test_rays_enter_where_marching_finds_the_inside(shape: int, rays: tuple[np.ndarray, np.ndarray]) -> None:
    origin, direction = rays
    distance = SOLIDS[shape].enter(origin, direction)
    steps = np.arange(0, 5, STEP)
    inside = OUTSIDE[shape](origin[:, None] + steps[:, None] * direction[:, None]) < 0
    hit = inside.any(axis=0)
    first = steps[inside.argmax(axis=0)]
    assert 100 < hit.sum() < 390
    assert (distance[hit] <= first[hit]).all()
    assert (distance[hit] >= first[hit] - STEP - 1e-9).all()
    grazing = np.isfinite(distance) & ~hit
    assert grazing.sum() <= 8


@pytest.mark.parametrize("shape", range(4))
def test_normals_are_the_gradient_of_the_distance(shape: int, rays: tuple[np.ndarray, np.ndarray]) -> None:
    origin, direction = rays
    distance = SOLIDS[shape].enter(origin, direction)
    hit = np.isfinite(distance)
    point = origin[:, hit] + distance[hit] * direction[:, hit]
    np.testing.assert_allclose(OUTSIDE[shape](point), 0, atol=1e-12)
    normal = SOLIDS[shape].normal(point)
    away = 1e-6 * np.eye(3)[:, :, None]
    slope = [OUTSIDE[shape](point + step) - OUTSIDE[shape](point - step) for step in away]
    np.testing.assert_allclose(normal, np.array(slope) / 2e-6, atol=1e-6)
    assert ((normal * direction[:, hit]).sum(axis=0) < 0).all()


@pytest.mark.parametrize("shape", range(4))
def test_solids_are_behind_no_ray_and_on_the_floor(shape: int, rays: tuple[np.ndarray, np.ndarray]) -> None:
    origin, direction = rays
    solid = SOLIDS[shape]
    assert np.isinf(solid.enter(origin, -direction)).all()
    below = solid.enter(np.array([[1e-3], [1e-3], [-3.0]]), np.array([[0.0], [0.0], [1.0]]))
    assert below[0] == pytest.approx(3 - solid.half_height, abs=1e-4)


def test_the_analytic_sphere() -> None:
    """A ray at offset b from the centre meets a sphere of radius r at 3 - sqrt(r² - b²) from 3 away."""
    offsets = np.array([0.0, 0.2, 0.5, 0.6])
    origin = np.stack([offsets, np.full(4, -3.0), np.zeros(4)])
    distance = SOLIDS[2].enter(origin, np.array([[0.0], [1.0], [0.0]]))
    expected = [3 - math.sqrt(SPHERE_RADIUS**2 - offset**2) for offset in (0.0, 0.2, 0.5)]
    np.testing.assert_allclose(distance, [*expected, np.inf])
