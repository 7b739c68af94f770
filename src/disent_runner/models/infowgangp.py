"""InfoWGAN-GP."""

from collections.abc import Mapping
from typing import Annotated, Any, final

import torch
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch
from disent_runner.losses.adversarial import gradient_penalty
from disent_runner.machine.ranges import Count, NonNegative, OneOf
from disent_runner.models.abstract_coded_gan import AbstractCodedGAN, logged_bounds, logged_spread, mean_of
from disent_runner.models.base import optimise


@final
class InfoWGANGP(AbstractCodedGAN):
    """Kim & Mnih 2018, section 4: InfoGAN on the Wasserstein distance with a gradient penalty (Gulrajani et al. 2017).

    In a step of the model the generator takes one step, with λ times the bound on what images tell of their codes, then
    the critic `critic_steps` steps, each on the batch's images and new fakes. Q shares the critic's trunk; the critic's
    steps train it, on fakes.
    """

    def __init__(
        self,
        *,
        lambda_information: NonNegative,
        lambda_gradient: NonNegative,
        critic_steps: Count,
        norm: Annotated[str, OneOf("layer", "none")],
        **gan: Any,
    ) -> None:
        if norm == "batch":
            raise ValueError("model.norm must be layer or none: with batch the penalty would not be of single images")
        if critic_steps < 1:
            raise ValueError(f"model.critic_steps must be 1 or more, got {critic_steps}")
        super().__init__(norm=norm, **gan)
        self.lambda_information = lambda_information
        self.lambda_gradient = lambda_gradient
        self.critic_steps = critic_steps
        head = nn.Linear(self.trunk.num_features, 1, bias=False)  # only differences of scores count
        self.critic_head = self.judging(head)

    def weights(self) -> dict[str, float]:
        return {"information": self.lambda_information, "gradient": self.lambda_gradient}

    def update(self, batch: Batch) -> dict[str, Tensor]:
        codes, fakes = self.generate(len(batch.images))
        features = self.trunk(fakes)
        information = self.information(features, codes)
        score = self.critic_head(features).float().mean()
        weights = self.weights_at(batch.step)
        loss = -score - weights["information"] * sum(information)
        optimise(self.optimizer_of["generator"], loss, max_norm=self.gradient_clip)
        self.follow_generator()
        logged = mean_of([self._critic_step(batch.images, weights) for _ in range(self.critic_steps)])
        return {
            "loss": loss.detach(),
            "score": score.detach(),
            **logged,
            **logged_bounds(information),
            **logged_spread(batch, fakes),
        }

    def _critic_step(self, reals: Tensor, weights: Mapping[str, float]) -> dict[str, Tensor]:
        with torch.no_grad():
            codes, fakes = self.generate(len(reals))
            fakes = fakes.float()
        features = self.trunk(torch.cat([fakes, reals]))  # no normalisation makes images of a batch depend on others
        fake_scores, real_scores = self.critic_head(features).float().chunk(2)
        distance = real_scores.mean() - fake_scores.mean()
        along = torch.rand(len(reals), 1, 1, 1, device=reals.device)
        between = (along * reals + (1 - along) * fakes).requires_grad_()
        penalty, slope = gradient_penalty(self.critic_head(self.trunk(between)).float(), between)
        information = self.information(features[: len(fakes)], codes)
        loss = weights["gradient"] * penalty.mean() - distance - weights["information"] * sum(information)
        optimise(self.optimizer_of["critic"], loss, max_norm=self.gradient_clip)
        return {"wasserstein": distance.detach(), "critic_slope": slope.detach().mean()}

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        critic = [*self.trunk.parameters(), *self.critic_head.parameters(), *self.code_head.parameters()]
        return {
            "critic": self.optimizer(critic),
            "generator": self.generator_optimizer(self.generator.parameters()),
        }
