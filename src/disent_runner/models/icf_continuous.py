"""Continuous Independently Controllable Factors (Thomas et al. 2017, section 4): factors drawn anew in every state."""

from collections.abc import Callable
from typing import Annotated, Any, final

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from disent_runner.datasets.batches import Batch, BatchSource
from disent_runner.datasets.dataset import Dataset
from disent_runner.datasets.info import DatasetInfo
from disent_runner.datasets.transitions import (
    HELD_OUT,
    Acting,
    WorldTransitions,
    as_floats,
    random_starts,
    simulator_of,
    transitions_from,
)
from disent_runner.environments.world import Environment
from disent_runner.losses.controllability import log_share_of_mean
from disent_runner.machine.ranges import Latents, NonNegative, OneOf, Several, Share
from disent_runner.models.base import AbstractModel, check_latent_dim, optimise
from disent_runner.networks.grid import GridDecoder, GridHead, GridOutput, GridTrunk
from disent_runner.networks.outer import OuterLayers

ESTIMATORS = ("exact", "sampled")
NUM_HIDDEN = 32
NUM_NOISE = 3
NUM_SHOWN = 8
"""Factors of a state that `probe` tells of: those of the same noise in every state."""


@final
class ContinuousICF(AbstractModel):
    """An auto-encoder that draws factors φ of a state from noise, each with a policy that is to change φ·h alone.

    After the authors' code (bengioe/implementations, DL/ICF_factors, 872aad8): codes h of tanh units, `num_factors`
    factors of each state on the simplex. A factor's reward is the logarithm of what φ·h changed by over the mean of
    all; a network that says what h becomes when a factor is followed learns beside it. `estimator`: one action by the
    policy of the first factor (with probability `epsilon` any), from which all learn by importance weights and a
    foreseen reward (`sampled`, the authors'), or every action of a state (`exact`). Transitions are the environment's,
    from random states. The authors' penalty on the policies' entropy, 1e-4 of some thousands, is left out.
    """

    batch_statistics = True
    is_directed = False

    def __init__(
        self,
        *,
        info: DatasetInfo,
        environment: Environment | None,
        latent_dim: Latents,
        num_factors: Several,
        estimator: Annotated[str, OneOf(*ESTIMATORS)],
        epsilon: Share,
        lambda_reconstruction: NonNegative,
        lambda_selectivity: NonNegative,
        lambda_value: NonNegative,
        lambda_transition: NonNegative,
        init: Callable[[nn.Module], None],
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        self.world = simulator_of(environment, info, model="icf_continuous")
        self.latent_dim = check_latent_dim(latent_dim)
        self.num_factors = num_factors
        self.estimator = estimator
        self.epsilon = epsilon
        self.lambda_reconstruction = lambda_reconstruction
        self.lambda_selectivity = lambda_selectivity
        self.lambda_value = lambda_value
        self.lambda_transition = lambda_transition
        self.optimizer = optimizer
        shape, num_actions = info.image_shape, len(self.world.actions)
        self.trunk = GridTrunk(image_shape=shape, stride=2, init=init)
        self.head = GridHead(map_shape=self.trunk.map_shape, num_hidden=NUM_HIDDEN, init=init)
        self.features = GridOutput(num_hidden=NUM_HIDDEN, num_outputs=latent_dim, init=init)
        self.decoder = GridDecoder(image_shape=shape, stride=2, num_hidden=latent_dim, init=init)
        self.generator = OuterLayers(
            sizes=(latent_dim, NUM_NOISE), num_hidden=128, num_outputs=latent_dim, batch_norm=True, init=init
        )
        both = (latent_dim, latent_dim)
        self.policy = OuterLayers(sizes=both, num_hidden=64, num_outputs=num_actions + 1, batch_norm=True, init=init)
        self.transition = OuterLayers(sizes=both, num_hidden=64, num_outputs=latent_dim, batch_norm=False, init=init)
        noise = torch.randn(NUM_SHOWN, NUM_NOISE, generator=torch.Generator().manual_seed(0))
        self.register_buffer("shown_noise", noise)
        self.shown_noise: Tensor

    @property
    def actions(self) -> tuple[str, ...]:
        return self.world.actions

    def weights(self) -> dict[str, float]:
        return {"selectivity": self.lambda_selectivity}

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        return WorldTransitions(self.world, source, batch_size=batch_size, seed=seed)

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return self.features(self.head(self.trunk(images))).float().tanh(), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> Float[Tensor, "batch channel height width"]:
        return self.decoder(codes).float().sigmoid()

    def factors_of(
        self, codes: Float[Tensor, "batch latent"], noise: Float[Tensor, "batch factor noise"]
    ) -> Float[Tensor, "batch factor latent"]:
        """φ, each of which sums to 1."""
        spread = codes[:, None].expand(-1, noise.shape[1], -1)
        return self.generator(spread, noise).float().softmax(-1)

    def log_policies_of(
        self, codes: Float[Tensor, "batch latent"], factors: Float[Tensor, "batch factor latent"]
    ) -> tuple[Float[Tensor, "batch factor action"], Float[Tensor, "batch factor"]]:
        """Log π(a|h, φ), and what reward is expected there."""
        spread = codes[:, None].expand_as(factors)
        found = self.policy(spread, spread + factors).float()
        return found[..., :-1].log_softmax(-1), found[..., -1]

    @torch.no_grad()
    def probe(self, num_states: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """φ·h for `NUM_SHOWN` factors of random states that no run begins with, what it is after each action, and the
        policies there: (state, factor), (state, action, factor), (state, factor, action).
        """
        starts = random_starts(self.world, num_states, seed=HELD_OUT + seed)
        before, after = (as_floats(images.to(self.device)) for images in transitions_from(self.world, starts))
        codes = self.encode(torch.cat([before, after.flatten(0, 1)]))[0]
        first, then = codes[:num_states], codes[num_states:].unflatten(0, after.shape[:2])
        factors = self.factors_of(first, self.shown_noise.expand(num_states, -1, -1))
        policies = self.log_policies_of(first, factors)[0].exp()
        return torch.einsum("sfl,sl->sf", factors, first), torch.einsum("sfl,sal->saf", factors, then), policies

    def update(self, batch: Batch) -> dict[str, Tensor]:
        assert isinstance(batch.source, Acting)
        before, after = (as_floats(images.to(self.device)) for images in batch.source.transitions(batch.step))
        count, num_actions = after.shape[:2]
        codes = self.encode(torch.cat([before, after.flatten(0, 1)]))[0]  # at once, so that what stays is equal
        codes, then = codes[:count], codes[count:].unflatten(0, (count, num_actions))
        noise = torch.randn(count, self.num_factors, NUM_NOISE, device=self.device)
        factors = self.factors_of(codes, noise)
        log_policies, values = self.log_policies_of(codes, factors)
        if self.estimator == "sampled":  # one action of each state: (state, 1, …) from here on
            rows, actions = torch.arange(count, device=self.device), self._actions(log_policies[:, 0].detach())
            then, log_policies = then[rows, actions][:, None], log_policies[rows, :, actions][..., None]
        rewards = log_share_of_mean((factors[:, None] * (then - codes[:, None])[:, :, None]).sum(3))
        log_chances = log_policies.mT
        if self.estimator == "sampled":
            # Importance weights; what the action was drawn by cancels out.
            shares = log_chances.detach().softmax(2)
            gained = rewards + (rewards - values[:, None]).detach() * log_chances
        else:
            shares, gained = log_chances.exp() / self.num_factors, rewards
        score = (shares * gained).sum((1, 2)).mean()
        shares = shares.detach()
        value = (shares * (values[:, None] - rewards.detach()).square()).sum((1, 2)).mean()
        foreseen = self.transition(codes[:, None].expand_as(factors), factors).float().tanh()
        missed = (foreseen[:, None] - then.detach()[:, :, None]).square().sum(3)
        transition = (shares * missed).sum((1, 2)).mean()
        reconstruction = (self.decode(codes) - before).square().mean()
        loss = self.lambda_reconstruction * reconstruction + self.lambda_value * value
        loss = loss + self.lambda_transition * transition - self.weights_at(batch.step)["selectivity"] * score
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        return {
            "loss": loss.detach(),
            "reconstruction": reconstruction.detach(),
            "reward": (shares * rewards.detach()).sum((1, 2)).mean(),
            "value": value.detach(),
            "transition": transition.detach(),
        }

    def _actions(self, log_policies: Float[Tensor, "batch action"]) -> Int[Tensor, " batch"]:
        """By these policies, or with probability `epsilon` any."""
        policies = log_policies.exp()
        followed = policies.lerp(torch.full_like(policies, 1 / policies.shape[1]), self.epsilon)
        return torch.distributions.Categorical(
            followed, validate_args=False
        ).sample()  # a check would wait for the device

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer(list(self.parameters()))}
