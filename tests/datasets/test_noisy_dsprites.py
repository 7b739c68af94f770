import numpy as np
import torch

from disent_runner.datasets.noisy_dsprites import noisy

INDICES = torch.arange(100)
BLACK = torch.zeros(100, 1, 16, 16)


def test_objects_are_white_and_the_background_is_noise() -> None:
    images = (torch.rand(100, 1, 16, 16, generator=torch.Generator().manual_seed(0)) < 0.3).float()
    shown, noise = noisy(images, INDICES), noisy(BLACK, INDICES)
    np.testing.assert_array_equal(shown.numpy(), np.where(images.numpy() == 1, np.float32(1), noise.numpy()))


def test_grey_pixels_and_noise_add_up_to_white_at_most() -> None:
    shown, noise = noisy(BLACK + 0.25, INDICES), noisy(BLACK, INDICES)
    np.testing.assert_allclose(shown.numpy(), np.minimum(noise.numpy() + 0.25, 1), atol=1e-7)


def test_noise_is_uniform_over_all_levels() -> None:
    levels = np.rint(255 * noisy(BLACK, INDICES).numpy()).astype(np.int64)
    np.testing.assert_allclose(levels / 255, noisy(BLACK, INDICES).numpy(), atol=1e-7)
    counts = np.bincount(levels.reshape(-1), minlength=256)
    expected = levels.size / 256
    assert len(counts) == 256
    assert abs(((counts - expected) ** 2 / expected).sum() - 255) < 5 * np.sqrt(2 * 255)


def test_channels_pixels_and_images_are_independent() -> None:
    noise = noisy(BLACK, INDICES).double()
    red, blue, right = noise[:, 0, :, :-1], noise[:, 2, :, :-1], noise[:, 0, :, 1:]
    series = torch.stack([series[:-1].flatten() for series in (red, blue, right)] + [red[1:].flatten()])
    assert (torch.corrcoef(series) - torch.eye(4)).abs().max() < 4.5 / np.sqrt(series.shape[1])


def test_images_of_any_size() -> None:
    assert noisy(torch.zeros(2, 1, 256, 256), INDICES[:2]).shape == (2, 3, 256, 256)
