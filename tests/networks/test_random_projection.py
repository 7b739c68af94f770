import pytest
import torch

from disent_runner.networks.random_projection import RandomProjection


def test_it_is_a_product_with_one_matrix_that_nothing_trains(rng):
    torch.manual_seed(0)
    project = RandomProjection(image_shape=(3, 4, 5), num_outputs=7)
    images = torch.from_numpy(rng.random((6, 3, 4, 5), dtype="float32"))
    expected = images.numpy().reshape(6, 60) @ project.weights.numpy()
    torch.testing.assert_close(project(images), torch.from_numpy(expected))
    assert [*project.parameters()] == []
    assert [*project.state_dict()] == ["weights"]


def test_squared_distances_are_kept_on_average():
    """Their ratio is a mean of `num_outputs` chi-squared numbers: 1, with variance 2 / num_outputs."""
    torch.manual_seed(0)
    num_outputs, images = 64, torch.rand(2, 1, 8, 8)
    before = (images[0] - images[1]).square().sum()
    ratios = torch.empty(400)
    for row in range(400):
        codes = RandomProjection(image_shape=(1, 8, 8), num_outputs=num_outputs)(images)
        ratios[row] = (codes[0] - codes[1]).square().sum() / before
    assert ratios.mean().item() == pytest.approx(1, abs=5 * (2 / num_outputs / 400) ** 0.5)
    assert ratios.var().item() == pytest.approx(2 / num_outputs, rel=0.5)
