"""The base of generative adversarial models whose images tell of their codes."""

import copy
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim.swa_utils import get_ema_multi_avg_fn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.code_information import CodeLayout, Information, code_information, code_probabilities
from disent_runner.machine.ranges import Fraction, OneOf, Several, WholeNumber
from disent_runner.models.base import AbstractModel
from disent_runner.networks.gan import spectrally_normalised


class AbstractCodedGAN(AbstractModel):
    """A generator, a trunk that the judge of images and Q share, and a head of each.

    σ of continuous codes is `learned` by Q, or `fixed` to 1. An image is represented by the probabilities of
    categorical codes and the means of continuous ones. It is decoded with noise that is drawn once, at the start.

    `noise_prior`: the generator's noise is normal (None), or `uniform` on [-1, 1]. `spectral_norm`: the judge's weights
    are divided by their largest singular value (Miyato et al. 2018). `generator_ema`: images are made with an
    average of the generator's weights that keeps this part of itself in each step.

    ValueError for another noise, or an average that keeps nothing or everything.
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        categorical: Sequence[Several],
        continuous: WholeNumber,
        noise_dim: WholeNumber,
        sigma: Annotated[str, OneOf("fixed", "learned")],
        norm: Annotated[str, OneOf("batch", "layer", "none")],
        generator: Callable[..., nn.Module],
        trunk: Callable[..., nn.Module],
        code_head: Callable[..., nn.Module],
        optimizer: Callable[..., torch.optim.Optimizer],
        generator_optimizer: Callable[..., torch.optim.Optimizer],
        noise_prior: Annotated[str, OneOf("uniform")] | None = None,
        spectral_norm: Literal[True] | None = None,
        generator_ema: Fraction | None = None,
        **training: Any,
    ) -> None:
        super().__init__(**training)
        if noise_prior not in (None, "uniform"):
            raise ValueError(f"model.noise_prior must be null (normal) or uniform, got {noise_prior!r}")
        if spectral_norm not in (None, True):  # false would be the same run by another id
            raise ValueError(f"model.spectral_norm must be true or null, got {spectral_norm!r}")
        if generator_ema is not None and not (isinstance(generator_ema, float) and 0 < generator_ema < 1):
            raise ValueError(
                f"model.generator_ema must be between 0 and 1, such as 0.999, or null, got {generator_ema!r}"
            )
        self.layout = CodeLayout(tuple(categorical), continuous, sigma)
        self.latent_dim = self.layout.num_dims
        self.categorical = tuple(categorical)
        self.noise_dim = noise_dim
        self.generator = generator(num_inputs=noise_dim + self.latent_dim, image_shape=info.image_shape)
        self.spectral_norm = bool(spectral_norm)
        self.trunk: Any = self.judging(trunk(image_shape=info.image_shape, norm=norm))
        self.code_head = code_head(num_inputs=self.trunk.num_features, num_outputs=self.layout.num_outputs)
        self.optimizer = optimizer
        self.generator_optimizer = generator_optimizer
        self.register_buffer("noise", torch.randn(1, noise_dim))
        self.noise: Tensor
        self.is_uniform = noise_prior == "uniform"
        self.generator_ema = generator_ema
        self.average = None if generator_ema is None else copy.deepcopy(self.generator).requires_grad_(False)

    def judging(self, network: nn.Module) -> nn.Module:
        """The network as a part of the judge of images."""
        return spectrally_normalised(network) if self.spectral_norm else network

    def generate(self, count: int) -> tuple[Float[Tensor, "count code"], Float[Tensor, "count c h w"]]:
        """Codes from the prior, and images of them with new noise."""
        codes = self.layout.draw(count, self.noise.device)
        noise = torch.randn(count, self.noise_dim, device=codes.device)
        return codes, self.generator(self._inputs(noise, codes))

    def _inputs(self, noise: Tensor, codes: Tensor) -> Float[Tensor, "batch input"]:
        """What a generator is given, from standard normal noise: erf(x/√2) of it is uniform on [-1, 1]."""
        return torch.cat([torch.erf(noise / math.sqrt(2)) if self.is_uniform else noise, codes], dim=1)

    @torch.no_grad()
    def follow_generator(self) -> None:
        """The average of its weights, and of its statistics, goes a step towards them."""
        if self.average is None or self.generator_ema is None:
            return
        pairs = zip(self.average.state_dict().values(), self.generator.state_dict().values(), strict=True)
        kept, new = zip(*(pair for pair in pairs if pair[0].is_floating_point()), strict=True)
        get_ema_multi_avg_fn(self.generator_ema)(kept, new, None)

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
        generator = self.generator if self.average is None else self.average
        return generator(self._inputs(noise, codes)).float()

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        return self.layout.draw_with(rng, num_codes)


def logged_bounds(information: Information) -> dict[str, Tensor]:
    """The bounds by the names that the training log has."""
    return {f"information_{kind}": value.detach() for kind, value in information._asdict().items()}


def logged_spread(batch: Batch, fakes: Float[Tensor, "batch channel height width"]) -> dict[str, Tensor]:
    """The standard deviation of a pixel over generated images, in steps that are logged: near 0 once they collapse."""
    return {"sample_spread": fakes.detach().std(0).mean()} if batch.is_logged else {}


def mean_of(steps: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """What several steps on one batch logged, as their means."""
    return {name: torch.stack([step[name] for step in steps]).mean() for name in steps[0]}
