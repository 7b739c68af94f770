"""A denoising auto-encoder, whose layers tell what images show: the eyes of β-VAE_DAE."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, NamedTuple, final

import numpy as np
import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.machine.ranges import BelowOne, Latents, OneOf
from disent_runner.models.base import AbstractModel, check_latent_dim, optimise
from disent_runner.networks.dae import DAEDecoder, DAEEncoder

ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {"tanh": torch.tanh, "relu": torch.relu, "none": lambda x: x}
FEATURE_LAYERS = ("bottleneck", "decoder_hidden", "output")
NUM_JUDGED = 1000
"""Training images that the quality is of."""
SHARE_OF_VARIANCE = 0.5
"""Of the images' variance: an error above it is not clearly below that of the mean image."""


class Quality(NamedTuple):
    """Squared errors, summed over the pixels of an image, in the mean over images."""

    denoised: float
    masked: float
    """of the input itself"""
    mean_image: float

    @property
    def is_passed(self) -> bool:
        """Whether what it makes of a masked image is nearer to the image than the input, and clearly not their mean."""
        return self.denoised < self.masked and self.denoised < SHARE_OF_VARIANCE * self.mean_image

    def __str__(self) -> str:
        return f"squared error {self.denoised:.4g}, masked input {self.masked:.4g}, mean image {self.mean_image:.4g}"


@final
class DAE(AbstractModel):
    """Squared error to the clean image of what comes of it with a rectangle set to 0; summed over pixels, in no unit.

    The denoising auto-encoder of Higgins et al. 2017 (DARLA), layers as in a public replication of SCAN.
    `pixel_masking` is the probability with which a pixel outside of the rectangle is 0 too. Codes are points: the
    bottleneck after its `activation`.
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        latent_dim: Latents,
        activation: Annotated[str, OneOf(*ACTIVATIONS)],
        pixel_masking: BelowOne,
        init: Callable[[nn.Module], None],
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        if activation not in ACTIVATIONS:
            raise ValueError(f"model.activation must be {', '.join(ACTIVATIONS)}, got {activation!r}")
        if not 0 <= pixel_masking < 1:
            raise ValueError(f"model.pixel_masking must be at least 0 and below 1, got {pixel_masking!r}")
        self.latent_dim = check_latent_dim(latent_dim)
        self.activation = ACTIVATIONS[activation]
        self.pixel_masking = pixel_masking
        self.encoder = DAEEncoder(image_shape=info.image_shape, num_outputs=latent_dim, init=init)
        self.decoder = DAEDecoder(latent_dim=latent_dim, image_shape=info.image_shape, init=init)
        self.optimizer = optimizer

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return self.activation(self.encoder(images).float()), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return torch.sigmoid(self.decoder(codes).float())

    def features(
        self, images: Float[Tensor, "batch channel height width"], layer: str
    ) -> Float[Tensor, "batch feature"]:
        """J(x), of images without noise: the bottleneck, the last hidden layer of the decoder before its activation
        (`decoder_hidden`), or the `output` before its sigmoid. ValueError for another layer.
        """
        if layer not in FEATURE_LAYERS:
            raise ValueError(f"a layer must be {', '.join(FEATURE_LAYERS)}, got {layer!r}")
        codes, _ = self.encode(images)
        if layer == "bottleneck":
            return codes
        network = self.decoder.hidden if layer == "decoder_hidden" else self.decoder
        return network(codes).float().flatten(1)

    def update(self, batch: Batch) -> dict[str, Tensor]:
        images = batch.images
        masked = images.masked_fill(self.noise(images), 0.0)
        loss = squared_error(self.decode(self.encode(masked)[0]), images).mean()
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        return {
            "loss": loss.detach(),
            "reconstruction": loss.detach(),
            "masked_input": squared_error(masked, images).mean(),
        }

    def noise(
        self, images: Float[Tensor, "batch channel height width"], generator: torch.Generator | None = None
    ) -> Bool[Tensor, "batch 1 height width"]:
        """Where images are masked; without a generator by torch's own, whose state a checkpoint holds."""
        mask = random_rectangles(images, generator)
        if self.pixel_masking:
            chance = torch.rand(mask.shape, device=images.device, generator=generator)
            mask |= chance < self.pixel_masking
        return mask

    @torch.no_grad()
    def quality(self, training: Dataset, rng: np.random.Generator) -> Quality:
        """Errors on up to 1,000 training images, masked anew."""
        rows = torch.from_numpy(rng.choice(len(training), min(NUM_JUDGED, len(training)), replace=False))
        generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
        errors, total, total_square = [], torch.zeros(()), torch.zeros(())
        for part in rows.split(100):
            images = training.gather(part).cpu()
            masked = images.masked_fill(self.noise(images, generator), 0.0)
            denoised = self.decode(self.encode(masked.to(self.device))[0]).cpu()
            errors.append(torch.stack([squared_error(denoised, images), squared_error(masked, images)]))
            total, total_square = total + images.double().sum(0), total_square + images.double().square().sum(0)
        variance = (total_square - total.square() / len(rows)).sum() / len(rows)
        denoised, masked = torch.cat(errors, 1).double().mean(1).tolist()
        return Quality(denoised, masked, float(variance))

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer([*self.encoder.parameters(), *self.decoder.parameters()])}


def squared_error(
    images: Float[Tensor, "batch channel height width"], others: Float[Tensor, "batch channel height width"]
) -> Float[Tensor, " batch"]:
    return (images - others).square().sum(dim=(1, 2, 3))


def random_rectangles(
    images: Float[Tensor, "batch channel height width"], generator: torch.Generator | None = None
) -> Bool[Tensor, "batch 1 height width"]:
    """One rectangle for each image, between two corners that are uniform on the grid of pixels, borders included."""
    batch, _, height, width = images.shape

    def between(length: int) -> Bool[Tensor, "batch length"]:
        ends = torch.randint(length + 1, (batch, 2, 1), device=images.device, generator=generator)
        places = torch.arange(length, device=images.device)
        return (places >= ends.amin(1)) & (places < ends.amax(1))

    return (between(height)[:, :, None] & between(width)[:, None, :])[:, None]
