import pytest
import torch

from disent_runner.networks.grid import GridDecoder, GridHead, GridOutput, GridTrunk


@pytest.mark.parametrize(("stride", "side"), [(1, 12), (2, 3)])
@pytest.mark.parametrize("channels", [1, 3])
def test_the_decoder_mirrors_the_trunk(stride, side, channels):
    shape = (channels, 12, 12)
    trunk = GridTrunk(image_shape=shape, stride=stride)
    assert trunk.map_shape == (16, side, side)
    images = torch.rand(5, *shape)
    maps = trunk(images)
    assert maps.shape == (5, 16, side, side)
    hidden = GridHead(map_shape=trunk.map_shape, num_hidden=32)(maps)
    assert hidden.shape == (5, 32)
    assert GridOutput(num_hidden=32, num_outputs=7)(hidden).shape == (5, 7)
    assert GridDecoder(image_shape=shape, stride=stride, num_hidden=None)(maps).shape == images.shape
    assert GridDecoder(image_shape=shape, stride=stride, num_hidden=32)(hidden).shape == images.shape


def test_sides_that_cannot_be_halved_twice_are_refused():
    with pytest.raises(ValueError, match=r"multiples of 4, got \(channel, height, width\) = \(1, 14, 14\)"):
        GridTrunk(image_shape=(1, 14, 14), stride=2)
