"""A small convolutional network that reads factors off images: real ones, and a model's."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import final

import numpy as np
import torch
from jaxtyping import Float, Int, Integer
from torch import Tensor, nn
from torch.nn import functional

LARGEST_SIDE = 32
"""Of the images that it sees: larger ones are averaged down to it."""
_SMALLEST_SIDE = 4
_CHANNELS, _MOST_CHANNELS, _HIDDEN = 16, 64, 128
_IMAGES_AT_ONCE = 256


@final
@dataclass(frozen=True, eq=False)
class AttributeClassifier:
    """Its network has one softmax for each attribute, side by side."""

    network: nn.Module
    sizes: tuple[int, ...]
    device: torch.device

    @torch.no_grad()
    def probabilities(self, images: Float[Tensor, "image channel height width"]) -> list[Float[np.ndarray, "image _"]]:
        """p(value | image) of each attribute, in double precision; images are `shrunk` or as they were."""
        parts = [self.network(shrunk(part).to(self.device)) for part in images.split(_IMAGES_AT_ONCE)]
        logits = torch.cat(parts).cpu().double().split(self.sizes, dim=1)
        return [block.softmax(dim=1).numpy() for block in logits]

    def accuracy(
        self, images: Float[Tensor, "image channel height width"], labels: Integer[np.ndarray, "image attribute"]
    ) -> Float[np.ndarray, " attribute"]:
        """Share of the images of which the most probable value of each attribute is the labelled one."""
        said = [probabilities.argmax(axis=1) for probabilities in self.probabilities(images)]
        return (np.stack(said, axis=1) == labels).mean(axis=0)


def shrunk(images: Float[Tensor, "image channel height width"]) -> Float[Tensor, "image channel low narrow"]:
    """The images, each side averaged down to `LARGEST_SIDE` pixels where it is longer."""
    height, width = images.shape[2:]
    if max(height, width) <= LARGEST_SIDE:
        return images
    return functional.adaptive_avg_pool2d(images, (min(height, LARGEST_SIDE), min(width, LARGEST_SIDE)))


def shrunk_in_blocks(
    images: Callable[[np.ndarray], np.ndarray], arguments: np.ndarray
) -> Float[Tensor, "image channel low narrow"]:
    """What the function makes of all arguments, shrunk a block at a time: large images are never all in memory."""
    blocks = range(0, len(arguments), _IMAGES_AT_ONCE)
    parts = [images(arguments[start : start + _IMAGES_AT_ONCE]) for start in blocks]
    return torch.cat([shrunk(torch.from_numpy(np.asarray(part, np.float32))) for part in parts])


def fit_attribute_classifier(
    images: Float[Tensor, "image channel height width"],
    labels: Int[np.ndarray, "image attribute"],
    *,
    sizes: Sequence[int],
    num_steps: int,
    rng: np.random.Generator,
    batch_size: int = 64,
    learning_rate: float = 5e-3,
    device: torch.device | str = "cpu",
) -> AttributeClassifier:
    """A classifier of `labels`, value indices of attributes with so many values, by the sum of their cross entropies.

    Of two images or more, each equally often in `num_steps` batches. Adam, one cycle of the learning rate. The same
    generator gives the same classifier on one device; the global one of torch is not touched.
    """
    device = torch.device(device)
    (seed,) = rng.integers(2**63 - 1, size=1).tolist()
    generator = torch.Generator().manual_seed(seed)
    images, targets = shrunk(images), torch.from_numpy(np.asarray(labels, np.int64))
    network = _network(tuple(images.shape[1:]), sum(sizes), generator).to(device)
    optimizer = torch.optim.Adam(network.parameters(), learning_rate)
    batches = islice(_batches(len(images), batch_size, generator), num_steps)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=num_steps + 1)
    network.train()
    with torch.enable_grad():
        for rows in batches:
            logits = network(images[rows].to(device)).split(list(sizes), dim=1)
            wanted = targets[rows].to(device)
            losses = [functional.cross_entropy(block, wanted[:, place]) for place, block in enumerate(logits)]
            optimizer.zero_grad()
            torch.stack(losses).sum().backward()
            optimizer.step()
            schedule.step()
    return AttributeClassifier(network.eval().requires_grad_(False), tuple(sizes), device)


def _batches(num_images: int, size: int, generator: torch.Generator) -> Iterator[Tensor]:
    """Endless permutations, two images or more; a batch of one, of which nothing can be normalised, is left out."""
    while True:
        parts = torch.randperm(num_images, generator=generator).split(size)
        yield from (rows for rows in parts if len(rows) > 1)


def _network(shape: tuple[int, ...], num_outputs: int, generator: torch.Generator) -> nn.Module:
    """Halves the images down to about 4x4, with batch normalisation; He's initialisation."""
    channels, height, width = shape
    layers: list[nn.Module] = []
    wide = _CHANNELS
    while min(height, width) > _SMALLEST_SIDE:
        layers += [
            nn.Conv2d(channels, wide, 3, padding=1, bias=False, device="meta"),
            nn.BatchNorm2d(wide, device="meta"),
            nn.ReLU(),
            nn.MaxPool2d(2),
        ]
        channels, wide = wide, min(2 * wide, _MOST_CHANNELS)
        height, width = height // 2, width // 2
    layers += [nn.Flatten(), nn.Linear(channels * height * width, _HIDDEN, device="meta"), nn.ReLU()]
    layers += [nn.Linear(_HIDDEN, num_outputs, device="meta")]
    network = nn.Sequential(*layers).to_empty(device="cpu")
    for layer in network:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.kaiming_normal_(layer.weight, nonlinearity="relu", generator=generator)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.reset_parameters()  # without chance
    return network
