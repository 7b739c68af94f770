"""InfoWGAN-GP."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.adversarial import gradient_penalty
from disent_runner.losses.code_information import CodeLayout, Information, code_information, code_probabilities
from disent_runner.models.base import AbstractModel, optimise


@final
class InfoWGANGP(AbstractModel):
    """Kim & Mnih 2018, section 4: InfoGAN on the Wasserstein distance with a gradient penalty (Gulrajani et al. 2017).

    In a step of the model the generator takes one step, with λ times the bound on what images tell of their codes, then
    the critic `critic_steps` steps, each on the batch's images and new fakes. Q shares the critic's trunk; the critic's
    steps train it, on fakes. Represents and decodes images as `InfoGAN`.
    """

    def __init__(
        self,
        *,
        info: DatasetInfo,
        categorical: Sequence[int],
        continuous: int,
        noise_dim: int,
        lambda_information: float,
        lambda_gradient: float,
        critic_steps: int,
        sigma: str,
        norm: str,
        generator: Callable[..., nn.Module],
        trunk: Callable[..., nn.Module],
        code_head: Callable[..., nn.Module],
        optimizer: Callable[..., torch.optim.Optimizer],
        generator_optimizer: Callable[..., torch.optim.Optimizer],
    ) -> None:
        super().__init__()
        if norm == "batch":
            raise ValueError("model.norm must be layer or none: with batch the penalty would not be of single images")
        if critic_steps < 1:
            raise ValueError(f"model.critic_steps must be 1 or more, got {critic_steps}")
        self.layout = CodeLayout(tuple(categorical), continuous, sigma)
        self.latent_dim = self.layout.num_dims
        self.noise_dim = noise_dim
        self.lambda_information = lambda_information
        self.lambda_gradient = lambda_gradient
        self.critic_steps = critic_steps
        self.generator = generator(num_inputs=noise_dim + self.latent_dim, image_shape=info.image_shape)
        self.trunk: Any = trunk(image_shape=info.image_shape, norm=norm)
        self.critic_head = nn.Linear(self.trunk.num_features, 1, bias=False)  # only differences of scores count
        self.code_head = code_head(num_inputs=self.trunk.num_features, num_outputs=self.layout.num_outputs)
        self.optimizer = optimizer
        self.generator_optimizer = generator_optimizer
        self.register_buffer("noise", torch.randn(1, noise_dim))
        self.noise: Tensor

    def update(self, batch: Batch) -> dict[str, Tensor]:
        codes, fakes = self._generate(len(batch.images))
        features = self.trunk(fakes)
        information = self.information(features, codes)
        score = self.critic_head(features).float().mean()
        loss = -score - self.lambda_information * sum(information)
        optimise(self._optimizer(1), loss)
        steps = [self._critic_step(batch.images) for _ in range(self.critic_steps)]
        logged = {name: torch.stack([step[name] for step in steps]).mean() for name in steps[0]}
        bounds = {f"information_{kind}": value.detach() for kind, value in information._asdict().items()}
        return {"loss": loss.detach(), "score": score.detach(), **logged, **bounds}

    def _critic_step(self, reals: Tensor) -> dict[str, Tensor]:
        with torch.no_grad():
            codes, fakes = self._generate(len(reals))
        features = self.trunk(fakes)
        distance = self.critic_head(self.trunk(reals)).float().mean() - self.critic_head(features).float().mean()
        along = torch.rand(len(reals), 1, 1, 1, device=reals.device)
        between = (along * reals + (1 - along) * fakes).requires_grad_()
        penalty, slope = gradient_penalty(self.critic_head(self.trunk(between)).float(), between)
        information = self.information(features, codes)
        loss = self.lambda_gradient * penalty.mean() - distance - self.lambda_information * sum(information)
        optimise(self._optimizer(0), loss)
        return {"wasserstein": distance.detach(), "critic_slope": slope.detach().mean()}

    def _generate(self, count: int) -> tuple[Float[Tensor, "count code"], Float[Tensor, "count c h w"]]:
        codes = self.layout.draw(count, self.noise.device)
        noise = torch.randn(count, self.noise_dim, device=codes.device)
        return codes, self.generator(torch.cat([noise, codes], dim=1)).float()

    def information(self, features: Float[Tensor, "batch feature"], codes: Float[Tensor, "batch code"]) -> Information:
        """The bounds on the images with these features, means over the batch."""
        return code_information(self.layout, codes, self.code_head(features).float())

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"code_entropy": torch.tensor(self.layout.categorical_entropy)}

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return code_probabilities(self.layout, self.code_head(self.trunk(images)).float()), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.generator(torch.cat([self.noise.expand(len(codes), -1), codes], dim=1)).float()

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        return self.layout.draw_with(rng, num_codes)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        critic = [*self.trunk.parameters(), *self.critic_head.parameters(), *self.code_head.parameters()]
        return [self.optimizer(critic), self.generator_optimizer(self.generator.parameters())]

    def _optimizer(self, index: int) -> torch.optim.Optimizer:
        return self.trainer.optimizers[index]
