"""InfoGAN, and the plain GAN that it is compared with."""

from typing import Annotated, Any, ClassVar, final

import torch
from jaxtyping import Float
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.losses.adversarial import discriminator_loss, generator_loss
from disent_runner.losses.code_information import Information
from disent_runner.machine.ranges import Count, NonNegative, OneOf
from disent_runner.models.abstract_coded_gan import AbstractCodedGAN, logged_bounds, logged_spread, mean_of
from disent_runner.models.base import optimise


@final
class InfoGAN(AbstractCodedGAN):
    """Chen et al. 2016, eq. 6: a GAN whose images tell of their codes, min max V(D, G) - λ L_I(G, Q).

    `trunk` is shared by the discriminator and Q. `q_params_with`: whether the step of the discriminator (d) or of the
    generator (g) trains Q. `detach_q`: Q only watches, which makes it a plain GAN. `discriminator_steps` for each step
    of the generator (None: 1): the first has the generator's fakes, each further one new images and new fakes
    (Goodfellow et al. 2014, algorithm 1).
    """

    batch_statistics: ClassVar[bool] = True

    def __init__(
        self,
        *,
        lambda_categorical: NonNegative,
        lambda_continuous: NonNegative,
        q_params_with: Annotated[str, OneOf("d", "g")],
        detach_q: bool,
        discriminator_steps: Count | None = None,
        **gan: Any,
    ) -> None:
        super().__init__(**gan)
        if discriminator_steps is not None and (type(discriminator_steps) is not int or discriminator_steps < 1):
            raise ValueError(f"model.discriminator_steps must be 1 or more, or null, got {discriminator_steps!r}")
        if q_params_with not in ("d", "g"):
            raise ValueError(f"model.q_params_with must be d or g, got {q_params_with!r}")
        self.lambda_categorical = lambda_categorical
        self.lambda_continuous = lambda_continuous
        self.q_params_with = q_params_with
        self.detach_q = detach_q
        self.discriminator_steps = discriminator_steps or 1
        self.discriminator_head = self.judging(nn.Linear(self.trunk.num_features, 1))

    def weights(self) -> dict[str, float]:
        return {"categorical": self.lambda_categorical, "continuous": self.lambda_continuous}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        codes, fakes = self.generate(len(batch.images))
        features = self.trunk(fakes)
        information = self._watched(features, codes)
        adversarial = generator_loss(self.discriminator_head(features).float()).mean()
        loss = adversarial - self._weighted(information, batch.step)
        optimise(self.optimizer_of["generator"], loss, max_norm=self.gradient_clip)
        self.follow_generator()
        steps = [self._discriminator_step(batch.step, batch.images, fakes.detach(), codes)]
        for stream in range(1, self.discriminator_steps):
            fakes_of_stream = self._new_fakes(len(codes))
            steps.append(self._discriminator_step(batch.step, batch.further_images(stream), *fakes_of_stream))
        return {
            "loss": loss.detach(),
            "generator_loss": adversarial.detach(),
            **mean_of(steps),
            **logged_bounds(information),
            **logged_spread(batch, fakes),
        }

    @torch.no_grad()
    def _new_fakes(self, count: int) -> tuple[Tensor, Tensor]:
        codes, fakes = self.generate(count)
        return fakes, codes

    def _discriminator_step(self, step: int, images: Tensor, fakes: Tensor, codes: Tensor) -> dict[str, Tensor]:
        # apart, so that batch normalisation takes the statistics of each by themselves
        real_logits = self.discriminator_head(self.trunk(images)).float()
        features = self.trunk(fakes)
        fake_logits = self.discriminator_head(features).float()
        loss = discriminator_loss(real_logits, fake_logits).mean()
        total = loss
        if self.q_params_with == "d":
            total = total - self._weighted(self._watched(features, codes), step)
        optimise(self.optimizer_of["discriminator"], total, max_norm=self.gradient_clip)
        accuracy = ((real_logits > 0).float().mean() + (fake_logits < 0).float().mean()) / 2
        return {"discriminator_loss": loss.detach(), "discriminator_accuracy": accuracy}

    def _watched(self, features: Float[Tensor, "batch feature"], codes: Float[Tensor, "batch code"]) -> Information:
        return self.information(features.detach() if self.detach_q else features, codes)

    def _weighted(self, information: Information, step: int) -> Tensor:
        weights = self.weights_at(step)
        return weights["categorical"] * information.categorical + weights["continuous"] * information.continuous

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        q = list(self.code_head.parameters())
        discriminator = [*self.trunk.parameters(), *self.discriminator_head.parameters()]
        generator = list(self.generator.parameters())
        with_d = self.q_params_with == "d"
        return {
            "discriminator": self.optimizer(discriminator + q * with_d),
            "generator": self.generator_optimizer(generator + q * (not with_d)),
        }
