"""The base of generative adversarial models whose images tell of their codes."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.code_information import CodeLayout, Information, code_information, code_probabilities
from disent_runner.models.base import AbstractModel


class AbstractCodedGAN(AbstractModel):
    """A generator, a trunk that the judge of images and Q share, and a head of each.

    σ of continuous codes is `learned` by Q, or `fixed` to 1. An image is represented by the probabilities of
    categorical codes and the means of continuous ones. It is decoded with noise that is drawn once, at the start.
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        categorical: Sequence[int],
        continuous: int,
        noise_dim: int,
        sigma: str,
        norm: str,
        generator: Callable[..., nn.Module],
        trunk: Callable[..., nn.Module],
        code_head: Callable[..., nn.Module],
        optimizer: Callable[..., torch.optim.Optimizer],
        generator_optimizer: Callable[..., torch.optim.Optimizer],
    ) -> None:
        super().__init__()
        self.layout = CodeLayout(tuple(categorical), continuous, sigma)
        self.latent_dim = self.layout.num_dims
        self.categorical = tuple(categorical)
        self.noise_dim = noise_dim
        self.generator = generator(num_inputs=noise_dim + self.latent_dim, image_shape=info.image_shape)
        self.trunk: Any = trunk(image_shape=info.image_shape, norm=norm)
        self.code_head = code_head(num_inputs=self.trunk.num_features, num_outputs=self.layout.num_outputs)
        self.optimizer = optimizer
        self.generator_optimizer = generator_optimizer
        self.register_buffer("noise", torch.randn(1, noise_dim))
        self.noise: Tensor

    def generate(self, count: int) -> tuple[Float[Tensor, "count code"], Float[Tensor, "count c h w"]]:
        """Codes from the prior, and images of them with new noise."""
        codes = self.layout.draw(count, self.noise.device)
        noise = torch.randn(count, self.noise_dim, device=codes.device)
        return codes, self.generator(torch.cat([noise, codes], dim=1))

    def information(self, features: Float[Tensor, "batch feature"], codes: Float[Tensor, "batch code"]) -> Information:
        """The bounds on what images with these features tell of their codes, means over the batch."""
        return code_information(self.layout, codes, self.code_head(features).float())

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"code_entropy": torch.tensor(self.layout.categorical_entropy)}

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return code_probabilities(self.layout, self.code_head(self.trunk(images)).float()), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.render(codes, self.noise.expand(len(codes), -1))

    def render(
        self, codes: Float[Tensor, "batch latent"], noise: Float[Tensor, "batch noise"]
    ) -> Float[Tensor, "batch channel height width"]:
        return self.generator(torch.cat([noise, codes], dim=1)).float()

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        return self.layout.draw_with(rng, num_codes)


def logged_bounds(information: Information) -> dict[str, Tensor]:
    """The bounds by the names that the training log has."""
    return {f"information_{kind}": value.detach() for kind, value in information._asdict().items()}


def logged_spread(batch: Batch, fakes: Float[Tensor, "batch channel height width"]) -> dict[str, Tensor]:
    """The standard deviation of a pixel over generated images, in steps that are logged: near 0 once they collapse."""
    return {"sample_spread": fakes.detach().std(0).mean()} if batch.is_logged else {}
