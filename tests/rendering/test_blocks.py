import numpy as np

from disent_runner.rendering.blocks import draw_blocks


def test_blocks_pixel_by_pixel():
    """Against a drawing that asks of each pixel which blocks it lies in."""
    rng = np.random.default_rng(0)
    corners, levels = rng.integers(11, size=(20, 3, 2)), rng.integers(1, 256, size=(20, 3))
    images = draw_blocks(corners, levels, scale=3)
    assert images.shape == (20, 36, 36, 1)
    for image, places, greys in zip(images[..., 0], corners, levels, strict=True):
        for y in range(36):
            for x in range(36):
                inside = [0 <= x // 3 - left < 2 and 0 <= y // 3 - top < 2 for left, top in places]
                assert image[y, x] == next((greys[k] for k in (2, 1, 0) if inside[k]), 0)


def test_a_block_in_the_lower_left_corner():
    (image,) = draw_blocks(np.array([[[0, 10]]]), np.array([[7]]))
    assert np.argwhere(image[..., 0] == 7).tolist() == [[10, 0], [10, 1], [11, 0], [11, 1]]
    assert (image > 0).sum() == 4
