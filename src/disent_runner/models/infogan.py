"""InfoGAN, and the plain GAN that it is compared with."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.datasets.info import DatasetInfo
from disent_runner.losses.adversarial import discriminator_loss, generator_loss
from disent_runner.losses.code_information import (
    CodeLayout,
    Information,
    code_information,
    code_probabilities,
)
from disent_runner.models.base import AbstractModel, optimise


@final
class InfoGAN(AbstractModel):
    """Chen et al. 2016, eq. 6: a GAN whose images tell of their codes, min max V(D, G) - λ L_I(G, Q).

    `trunk` is shared by the discriminator and by Q, which has `q_hidden` units of its own or only a layer. σ of
    continuous codes is `learned` by Q, or `fixed` to 1. `q_params_with`: whether the step of the discriminator (d) or
    of the generator (g) trains Q. `detach_q`: Q only watches, which makes it a plain GAN.

    An image is represented by the probabilities of categorical codes and the means of continuous ones. It is decoded
    with noise that is drawn once, at the start.
    """

    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        info: DatasetInfo,
        categorical: Sequence[int],
        continuous: int,
        noise_dim: int,
        lambda_categorical: float,
        lambda_continuous: float,
        sigma: str,
        q_params_with: str,
        detach_q: bool,
        norm: str,
        generator: Callable[..., nn.Module],
        trunk: Callable[..., nn.Module],
        code_head: Callable[..., nn.Module],
        optimizer: Callable[..., torch.optim.Optimizer],
        generator_optimizer: Callable[..., torch.optim.Optimizer],
    ) -> None:
        super().__init__()
        if q_params_with not in ("d", "g"):
            raise ValueError(f"model.q_params_with must be d or g, got {q_params_with!r}")
        self.layout = CodeLayout(tuple(categorical), continuous, sigma)
        self.latent_dim = self.layout.num_dims
        self.noise_dim = noise_dim
        self.lambda_categorical = lambda_categorical
        self.lambda_continuous = lambda_continuous
        self.q_params_with = q_params_with
        self.detach_q = detach_q
        self.generator = generator(num_inputs=noise_dim + self.latent_dim, image_shape=info.image_shape)
        self.trunk: Any = trunk(image_shape=info.image_shape, norm=norm)
        self.discriminator_head = nn.Linear(self.trunk.num_features, 1)
        self.code_head = code_head(num_inputs=self.trunk.num_features, num_outputs=self.layout.num_outputs)
        self.optimizer = optimizer
        self.generator_optimizer = generator_optimizer
        self.register_buffer("noise", torch.randn(1, noise_dim))
        self.noise: Tensor

    def update(self, batch: Batch) -> dict[str, Tensor]:
        codes = self.layout.draw(len(batch.images), batch.images.device)
        fakes = self.generator(torch.cat([torch.randn(len(codes), self.noise_dim, device=codes.device), codes], 1))
        features = self.trunk(fakes)
        information = self.information(features, codes)
        adversarial = generator_loss(self.discriminator_head(features).float()).mean()
        loss = adversarial - self._weighted(information)
        optimise(self._optimizer(1), loss)
        logged = self._discriminator_step(batch.images, fakes.detach(), codes)
        bounds = {f"information_{kind}": value.detach() for kind, value in information._asdict().items()}
        return {"loss": loss.detach(), "generator_loss": adversarial.detach(), **logged, **bounds}

    def _discriminator_step(self, reals: Tensor, fakes: Tensor, codes: Tensor) -> dict[str, Tensor]:
        # apart, so that batch normalisation takes the statistics of each by themselves
        real_logits = self.discriminator_head(self.trunk(reals)).float()
        features = self.trunk(fakes)
        fake_logits = self.discriminator_head(features).float()
        loss = discriminator_loss(real_logits, fake_logits).mean()
        total = loss - self._weighted(self.information(features, codes)) if self.q_params_with == "d" else loss
        optimise(self._optimizer(0), total)
        accuracy = ((real_logits > 0).float().mean() + (fake_logits < 0).float().mean()) / 2
        return {"discriminator_loss": loss.detach(), "discriminator_accuracy": accuracy}

    def information(self, features: Float[Tensor, "batch feature"], codes: Float[Tensor, "batch code"]) -> Information:
        """The bounds on the images with these features, means over the batch."""
        outputs = self.code_head(features.detach() if self.detach_q else features)
        return code_information(self.layout, codes, outputs.float())

    def _weighted(self, information: Information) -> Tensor:
        return self.lambda_categorical * information.categorical + self.lambda_continuous * information.continuous

    def derived(self, means: Mapping[str, Tensor]) -> dict[str, Tensor]:
        return {"code_entropy": torch.tensor(self.layout.categorical_entropy)}

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return code_probabilities(self.layout, self.code_head(self.trunk(images)).float()), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.generator(torch.cat([self.noise.expand(len(codes), -1), codes], dim=1)).float()

    def sample_codes(self, num_codes: int, rng: np.random.Generator) -> Float[np.ndarray, "code latent"]:
        return self.layout.draw_with(rng, num_codes)

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        of_q = list(self.code_head.parameters())
        of_d = [*self.trunk.parameters(), *self.discriminator_head.parameters()]
        of_g = list(self.generator.parameters())
        with_d = self.q_params_with == "d"
        return [self.optimizer(of_d + of_q * with_d), self.generator_optimizer(of_g + of_q * (not with_d))]

    def _optimizer(self, index: int) -> torch.optim.Optimizer:
        return self.trainer.optimizers[index]
