import pytest
import torch
from torch import nn

from disent_runner.networks.gan import CodeHead, ConvGenerator, ConvTrunk, initialise

TRUNK = {"channels": [64, 128], "strides": [2, 2], "hidden": 1024, "norm": "batch", "slope": 0.1}
GENERATOR = {"hidden": 1024, "channels": [128, 64], "strides": [2, 2], "output": "sigmoid"}


def count(network: nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def test_the_mnist_networks_have_the_published_layers() -> None:
    """Chen et al. 2016, table 1; a bias, or two numbers a channel or unit of a normalisation."""
    trunk = ConvTrunk(image_shape=(1, 28, 28), **TRUNK)
    convolutions = (16 * 1 * 64 + 64) + (16 * 64 * 128 + 2 * 128)
    assert count(trunk) == convolutions + (7 * 7 * 128 * 1024 + 2 * 1024)
    generator = ConvGenerator(num_inputs=74, image_shape=(1, 28, 28), **GENERATOR)
    hidden = (74 * 1024 + 2 * 1024) + (1024 * 6272 + 2 * 6272)
    assert count(generator) == hidden + (16 * 128 * 64 + 2 * 64) + (16 * 64 * 1 + 1)


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32), (1, 16, 16)])
@pytest.mark.parametrize("norm", ["batch", "layer", "none"])
def test_shapes(shape: tuple[int, int, int], norm: str) -> None:
    trunk = ConvTrunk(image_shape=shape, **{**TRUNK, "norm": norm})
    images = ConvGenerator(num_inputs=7, image_shape=shape, **GENERATOR)(torch.randn(5, 7))
    assert images.shape == (5, *shape)
    assert 0 <= images.min() <= images.max() <= 1
    features = trunk(images)
    assert features.shape == (5, trunk.num_features) == (5, 1024)
    head = CodeHead(num_inputs=1024, num_outputs=12, hidden=128, norm=norm, slope=0.1)
    assert head(features).shape == (5, 12)


def test_layers_of_stride_one_keep_the_size() -> None:
    trunk = ConvTrunk(
        image_shape=(1, 64, 64), channels=[8, 8, 8], strides=[2, 1, 2], hidden=None, norm="none", slope=0.2
    )
    assert trunk.num_features == 8 * 16 * 16
    generator = ConvGenerator(
        num_inputs=3, image_shape=(1, 64, 64), hidden=None, channels=[8, 8, 8], strides=[1, 2, 2], output="tanh"
    )
    assert generator(torch.randn(2, 3)).shape == (2, 1, 64, 64)


def test_images_of_a_batch_do_not_depend_on_each_other_without_batch_normalisation() -> None:
    images = torch.rand(4, 1, 16, 16)
    for norm, is_alone in (("layer", True), ("none", True), ("batch", False)):
        trunk = ConvTrunk(image_shape=(1, 16, 16), **{**TRUNK, "norm": norm})
        same = torch.allclose(trunk(images)[:2], trunk(images[:2]), atol=1e-5)
        assert same is is_alone, norm


def test_weights_start_as_in_dcgan() -> None:
    network = nn.Sequential(nn.Conv2d(64, 64, 4), nn.BatchNorm2d(4096), nn.Linear(64, 64), nn.GroupNorm(1, 4096))
    initialise(network)
    for layer, mean in zip(network.children(), (0.0, 1.0, 0.0, 1.0), strict=True):
        weight, bias = (values.detach() for values in layer.parameters())
        assert weight.mean().item() == pytest.approx(mean, abs=0.002)
        assert weight.std().item() == pytest.approx(0.02, rel=0.05)
        assert not bias.any()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"strides": [2, 2, 2]}, r"channels \[64, 128\] need as many strides of 1 or 2, got \[2, 2, 2\]"),
        ({"strides": [2, 3]}, "strides of 1 or 2"),
        ({"norm": "instance"}, "norm must be batch, layer or none, got 'instance'"),
    ],
)
def test_wrong_layers(changes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ConvTrunk(image_shape=(1, 28, 28), **{**TRUNK, **changes})


def test_images_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match=r"divisible by 4, got 30x30; set dataset.image_size, or choose another gan"):
        ConvTrunk(image_shape=(1, 30, 30), **TRUNK)
    with pytest.raises(ValueError, match="output must be sigmoid or tanh, got 'relu'"):
        ConvGenerator(num_inputs=3, image_shape=(1, 28, 28), **{**GENERATOR, "output": "relu"})
