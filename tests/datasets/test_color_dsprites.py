import numpy as np
import pytest
import torch

from disent_runner.datasets.color_dsprites import coloured

INDICES = torch.arange(4000)


def colours() -> np.ndarray:
    return coloured(torch.ones(len(INDICES), 1, 1, 1), INDICES)[:, :, 0, 0].numpy()


def test_the_object_has_one_colour_and_the_background_none() -> None:
    images = (torch.rand(50, 1, 8, 8, generator=torch.Generator().manual_seed(0)) < 0.5).float()
    shown = coloured(images, INDICES[:50])
    expected = images.numpy() * colours()[:50, :, None, None]
    np.testing.assert_array_equal(shown.numpy(), expected)


def test_colours_are_bytes_from_a_half_to_full() -> None:
    levels = 255 * colours()
    np.testing.assert_allclose(levels, np.rint(levels), atol=1e-4)
    assert set(np.unique(np.rint(levels))) == set(range(128, 256))


@pytest.mark.parametrize("channel", range(3))
def test_colours_are_uniform(channel: int) -> None:
    values = np.sort(colours()[:, channel])
    uniform = np.linspace(127.5, 255.5, len(values) + 1) / 255
    assert np.abs(values - uniform[1:]).max() < 1.63 * 0.5 / np.sqrt(len(values)) + 1 / 255  # Kolmogorov-Smirnov, 1 %


def test_channels_are_independent() -> None:
    correlation = np.corrcoef(colours().T) - np.eye(3)
    assert np.abs(correlation).max() < 4.5 / np.sqrt(len(INDICES))
