"""Memory layout of images between convolutions."""

from jaxtyping import Float
from torch import Tensor


def channels_last_on_cpu(
    images: Float[Tensor, "batch channel height width"],
) -> Float[Tensor, "batch channel height width"]:
    """The same values with the channels last in memory if the images are on the CPU, else the images themselves.

    Convolutions keep the layout of their input, so one call at the head of a stack is enough. On the CPU the kernels
    for channels-last input are the faster ones, most of all where a layer has a single input or output channel.
    """
    if images.device.type != "cpu":
        return images
    batch, channel, height, width = images.shape
    # Flattening first renews the strides: `contiguous(memory_format=channels_last)` returns one-channel images as they
    # are, because both layouts hold the same bytes, and the convolution then takes the slow path.
    rows = images.permute(0, 2, 3, 1).reshape(batch, height * width * channel)
    return rows.view(batch, height, width, channel).permute(0, 3, 1, 2)
