"""Independently Controllable Factors (Thomas et al. 2017): features, each changed alone by a policy of its own."""

from collections.abc import Callable
from typing import Annotated, Any, NoReturn, final

import torch
from jaxtyping import Float
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
from disent_runner.losses.controllability import (
    expected_score,
    is_unbounded,
    log_selectivity,
    policy_entropy,
    reinforced_score,
    signed_selectivity,
    weighted_score,
)
from disent_runner.machine.ranges import Latents, NonNegative, OneOf
from disent_runner.models.base import AbstractModel, check_latent_dim, optimise
from disent_runner.networks.grid import GridDecoder, GridHead, GridOutput, GridTrunk

FORMS = ("author", "abs_log")
ESTIMATORS = ("exact", "uniform", "reinforce")
NUM_HIDDEN = 32
KEPT_OF_BASELINE = 0.99
"""Of the moving average of scores that REINFORCE compares with, by step."""


@final
class ICF(AbstractModel):
    """An auto-encoder whose features are rewarded where their own policy changes them alone.

    `form`: `author` is the authors' code, `abs_log` the paper's text with a clamped logarithm; see
    `losses.controllability`. `estimator`: every action of a state (`exact`), one uniformly random action of which each
    feature counts by its policy's probability (`uniform`, the authors'), or one of each policy (`reinforce`).
    `directed`: a feature is to increase. Transitions are those of the environment, from random states; the data set is
    for what comes after training. Codes are points, the features; images are decoded from what lies below them, so that
    a code alone makes none.
    """

    has_decoder = False

    def __init__(
        self,
        *,
        info: DatasetInfo,
        environment: Environment | None,
        latent_dim: Latents,
        form: Annotated[str, OneOf(*FORMS)],
        estimator: Annotated[str, OneOf(*ESTIMATORS)],
        directed: bool,
        lambda_reconstruction: NonNegative,
        lambda_selectivity: NonNegative,
        lambda_entropy: NonNegative,
        init: Callable[[nn.Module], None],
        optimizer: Callable[..., torch.optim.Optimizer],
        **training: Any,
    ) -> None:
        super().__init__(**training)
        _check_choices(form=(form, FORMS), estimator=(estimator, ESTIMATORS))
        self.world = simulator_of(environment, info, model="icf")
        self.latent_dim = check_latent_dim(latent_dim)
        self.form = form
        self.estimator = estimator
        self.is_directed = directed or form == "author"
        self.lambda_reconstruction = lambda_reconstruction
        self.lambda_selectivity = lambda_selectivity
        self.lambda_entropy = lambda_entropy
        self.optimizer = optimizer
        is_author, shape, num_actions = form == "author", info.image_shape, len(self.world.actions)
        stride = 1 if is_author else 2
        self.trunk = GridTrunk(image_shape=shape, stride=stride, init=init)
        self.head = GridHead(map_shape=self.trunk.map_shape, num_hidden=NUM_HIDDEN, init=init)
        self.features = GridOutput(num_hidden=NUM_HIDDEN, num_outputs=latent_dim, init=init)
        self.policies = GridOutput(num_hidden=NUM_HIDDEN, num_outputs=latent_dim * num_actions, init=init)
        below = None if is_author else NUM_HIDDEN
        self.decoder = GridDecoder(image_shape=shape, stride=stride, num_hidden=below, init=init)
        self.register_buffer("baseline", torch.zeros(latent_dim))
        self.baseline: Tensor

    @property
    def actions(self) -> tuple[str, ...]:
        return self.world.actions

    def weights(self) -> dict[str, float]:
        return {"selectivity": self.lambda_selectivity, "entropy": self.lambda_entropy}

    def batches(self, training: Dataset, source: BatchSource, *, batch_size: int, seed: int) -> BatchSource:
        return WorldTransitions(self.world, source, batch_size=batch_size, seed=seed)

    def encode(self, images: Float[Tensor, "batch channel height width"]) -> tuple[Float[Tensor, "batch latent"], None]:
        return self._features_of(self.head(self.trunk(images))), None

    def decode(self, codes: Float[Tensor, "batch latent"]) -> NoReturn:
        raise ValueError("this model decodes what lies below its features, not the features; it has no image of a code")

    def _features_of(self, hidden: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch latent"]:
        features = self.features(hidden).float()
        return features.tanh() if self.form == "author" else features

    def policies_of(self, hidden: Float[Tensor, "batch hidden"]) -> Float[Tensor, "batch latent action"]:
        """π_k(a|s)."""
        return self.policies(hidden).float().unflatten(1, (self.latent_dim, -1)).softmax(-1)

    @torch.no_grad()
    def probe(self, num_states: int, seed: int) -> tuple[Tensor, Tensor, Tensor]:
        """Features of random states that no run begins with, of what each action leads to, and the policies there:
        (state, latent), (state, action, latent), (state, latent, action).
        """
        starts = random_starts(self.world, num_states, seed=HELD_OUT + seed)
        before, after = (as_floats(images.to(self.device)) for images in transitions_from(self.world, starts))
        hidden = self.head(self.trunk(torch.cat([before, after.flatten(0, 1)])))
        features = self._features_of(hidden)
        then = features[num_states:].unflatten(0, after.shape[:2])
        return features[:num_states], then, self.policies_of(hidden[:num_states])

    def update(self, batch: Batch) -> dict[str, Tensor]:
        assert isinstance(batch.source, Acting)
        before, after = (as_floats(images.to(self.device)) for images in batch.source.transitions(batch.step))
        count, num_actions = after.shape[:2]
        maps = self.trunk(torch.cat([before, after.flatten(0, 1)]))  # at once, so that what stays is equal
        hidden = self.head(maps)
        features = self._features_of(hidden)
        change = features[count:].unflatten(0, (count, num_actions)) - features[:count, None]
        policies = self.policies_of(hidden[:count])
        decoded = self.decoder((maps if self.form == "author" else hidden)[:count]).float().sigmoid()
        reconstruction = (decoded - before).square().mean()
        score = self._score(policies, change)
        entropy = policy_entropy(policies).sum(1).mean()
        weights = self.weights_at(batch.step)
        loss = self.lambda_reconstruction * reconstruction
        loss = loss - weights["selectivity"] * score - weights["entropy"] * entropy
        optimise(self.optimizer_of["model"], loss, max_norm=self.gradient_clip)
        return {
            "loss": loss.detach(),
            "reconstruction": reconstruction.detach(),
            "score": score.detach(),
            "entropy": entropy.detach(),
            "purity": policies.detach().amax(-1).mean(),
            "unbounded": is_unbounded(change.detach()).mean(),
        }

    def _score(
        self, policies: Float[Tensor, "batch latent action"], change: Float[Tensor, "batch action latent"]
    ) -> Float[Tensor, ""]:
        is_author = self.form == "author"
        scores = signed_selectivity(change) if is_author else log_selectivity(change, directed=self.is_directed)
        if self.estimator == "exact":
            found = expected_score(policies, scores)
        elif self.estimator == "uniform":
            actions = torch.randint(policies.shape[2], (len(policies),), device=policies.device)
            found = weighted_score(policies, scores, actions)
        else:
            actions = torch.distributions.Categorical(policies.detach(), validate_args=False).sample()
            found = reinforced_score(policies, scores, actions, self.baseline)
            with torch.no_grad():
                self.baseline.lerp_(found.detach().mean(0), 1 - KEPT_OF_BASELINE)
        return (found.mean(1) if is_author else found.sum(1)).mean()

    def new_optimizers(self) -> dict[str, torch.optim.Optimizer]:
        return {"model": self.optimizer(list(self.parameters()))}


def _check_choices(**asked: tuple[str, tuple[str, ...]]) -> None:
    for key, (value, choices) in asked.items():
        if value not in choices:
            raise ValueError(f"model.{key} must be {', '.join(choices)}, got {value!r}")
