"""Shifts held against slices of an array, affine maps against turned and mirrored pictures."""

from typing import Any

import numpy as np
import pytest
import torch
from scipy import ndimage

from disent_runner.datasets.batches import UniformBatches
from disent_runner.datasets.moved_batches import MovedBatches, moved, random_maps

IMAGES = torch.rand(3, 2, 6, 8, generator=torch.Generator().manual_seed(0))


def shift(x: float, y: float) -> torch.Tensor:
    return torch.tensor([[1.0, 0, x], [0, 1, y], [0, 0, 1]])


def source(seed: int = 0, max_distortion: float | None = None) -> MovedBatches:
    rows = UniformBatches(num_images=50, batch_size=20, seed=seed)
    return MovedBatches(rows, batch_size=20, seed=seed, max_shift=3, max_distortion=max_distortion)


def test_a_shift_moves_to_the_right_and_down_and_leaves_zeros():
    (right, up, still) = moved(IMAGES, torch.stack([shift(2, 0), shift(0, -1), shift(0, 0)]), padding="zeros")
    expected = torch.zeros(2, 6, 8)
    expected[:, :, 2:] = IMAGES[0, :, :, :-2]
    torch.testing.assert_close(right, expected)
    expected = torch.zeros(2, 6, 8)
    expected[:, :-1] = IMAGES[1, :, 1:]
    torch.testing.assert_close(up, expected)
    torch.testing.assert_close(still, IMAGES[2])


def test_the_border_may_go_on():
    (right,) = moved(IMAGES[:1], shift(3, 0)[None], padding="border")
    torch.testing.assert_close(right[:, :, :4], IMAGES[0, :, :, :1].expand(2, 6, 4))


@pytest.mark.parametrize("side", [6, 7])
def test_a_quarter_turn_is_that_of_numpy(side):
    picture = IMAGES[:1, :, :6, :6] if side == 6 else torch.rand(1, 1, 7, 7)
    turn = torch.tensor([[[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]]])  # x to -y: up on a screen, counter-clockwise
    np.testing.assert_allclose(
        moved(picture, turn, padding="border")[0].numpy(), np.rot90(picture[0].numpy(), axes=(1, 2)), atol=1e-5
    )


def test_an_affine_map_is_that_of_scipy():
    picture = np.random.default_rng(1).random((9, 9)).astype(np.float32)
    map_ = np.array([[1.1, 0.2, 0.7], [-0.1, 0.9, -1.3], [0, 0, 1]])
    found = moved(torch.tensor(picture)[None, None], torch.tensor(map_, dtype=torch.float32)[None], padding="zeros")
    back = np.linalg.inv(map_)[:2][::-1]  # rows before columns
    back = np.hstack([back[:, [1, 0]], back[:, 2:]])
    middle = np.full(2, 4.0)
    offset: Any = middle + back[:, 2] - back[:, :2] @ middle  # of each axis, which scipy's stubs do not know
    expected = ndimage.affine_transform(picture, back[:, :2], offset=offset, order=1, mode="grid-constant")
    np.testing.assert_allclose(found[0, 0].numpy(), expected, atol=1e-5)


def test_maps_are_those_of_the_seed_and_the_step():
    one, again, later, other = source().moves(4), source().moves(4), source().moves(5), source(1).moves(4)
    for part, same in zip(one, again, strict=True):
        assert torch.equal(part, same)
    assert not torch.equal(one.seen, later.seen)
    assert not torch.equal(one.seen, other.seen)
    assert not torch.equal(one.seen, one.target)
    assert torch.equal(source().draw(4).rows, UniformBatches(num_images=50, batch_size=20, seed=0).draw(4).rows)


@pytest.mark.parametrize("max_distortion", [None, 0.2])
def test_what_is_between_makes_of_the_seen_image_the_target(max_distortion):
    seen, target, between = source(max_distortion=max_distortion).moves(0)
    torch.testing.assert_close(between @ seen, target)


def test_shifts_are_whole_pixels_of_all_sizes_alike(rng):
    shifts = random_maps(5_000, rng, max_shift=2, max_distortion=None)[:, :2, 2]
    values, counts = np.unique(shifts, return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose(counts / shifts.size, 0.2, atol=0.02)


def test_affine_maps_reach_as_far_as_they_may(rng):
    maps = random_maps(2_000, rng, max_shift=3, max_distortion=0.2)
    assert (maps[:, 2] == [0, 0, 1]).all()
    np.testing.assert_allclose(np.abs(maps[:, :2, 2]).max(0), 3, rtol=0.01)
    np.testing.assert_allclose(np.abs(maps[:, :2, :2] - np.eye(2)).max(0), 0.2, rtol=0.01)
    assert (np.linalg.det(maps) > 0).all()
